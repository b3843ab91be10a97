//! Bad input: each is refused with its own error, which says where, and never quotes the file.

use super::*;

fn error(text: impl AsRef<[u8]>) -> FileError {
    from_bytes("pods.json", text.as_ref().to_vec()).expect_err("it is bad")
}

fn place(error: &FileError) -> (u64, u64) {
    error.place.map(|p| (p.line, p.column)).unwrap_or_default()
}

#[test]
fn what_is_not_there_is_named() {
    let error = read(Path::new("no/such/file.json")).unwrap_err();
    assert_eq!(error.to_string(), "no/such/file.json: cannot be read: there is no such file or folder");
}

#[test]
fn an_empty_file_is_empty() {
    for text in ["", " \n\t", "\u{feff}"] {
        assert_eq!(error(text).problem, Problem::Empty);
    }
}

#[test]
fn a_file_that_was_cut_off_says_so_and_where() {
    let error = error("{\"kind\": \"Pod\",\n \"metadata\": {\"name\": \"hunter2");
    assert_eq!(error.problem, Problem::Truncated { format: Format::Json });
    assert_eq!(place(&error).0, 2);
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn broken_json_says_what_was_expected_and_where() {
    let error = error("{\"kind\": \"Pod\",\n \"password\": hunter2}");
    assert_eq!(place(&error), (2, 14));
    assert!(
        error.to_string().starts_with("pods.json, line 2, column 14: not valid JSON: expected value; expected"),
        "{error}"
    );
}

#[test]
fn broken_yaml_says_where_and_keeps_the_text_to_itself() {
    for text in [
        "kind: Pod\n---\nkind: Pod\n  password: hunter2\n",
        "kind: Pod\npassword: 'hunter2\n",
        "a: *hunter2\n",
        "a: {hunter2: [}\n",
        "hunter2: 1\nhunter2: 2\n? [hunter2]\n: 3\n",
        "a: \"\\q hunter2\"\n",
        "a: !hunter2 [hunter2\n",
    ] {
        let error = error(text);
        let said = error.to_string();
        assert!(!said.contains("hunter2"), "{said}");
        assert!(error.place.is_some(), "{text:?} {said}");
        assert!(
            matches!(error.problem, Problem::Syntax { format: Format::Yaml, .. } | Problem::Truncated { .. }),
            "{text:?} {said}"
        );
    }
    assert_eq!(
        place(&error("kind: Pod\n---\nkind: Pod\n  password: hunter2\n")).0,
        4,
        "lines count from the file's start"
    );
}

#[test]
fn what_holds_no_object_says_what_it_holds() {
    for (text, found) in [
        ("NAME   READY\napi    0/1", "plain text"),
        ("{\"items\": [], \"kind\": \"List\"}", "an empty list"),
        ("{\"kind\": \"PodList\", \"items\": null}", "an empty list"),
        ("{\"kind\": \"Widget\", \"metadata\": {\"name\": \"x\"}}", "something of kind Widget"),
        ("{\"kind\": \"\\u001b[2J\"}", "something of another kind"),
        ("{\"kind\": \"Pod\"}", "a Pod without a name"),
        ("{\"a\": 1}", "something without a kind"),
        ("7", "a single value"),
        ("# only a comment\n---\n", "nothing"),
        ("null", "nothing"),
    ] {
        assert_eq!(error(text).problem, Problem::NoObjects { found: found.to_owned() }, "{text}");
    }
}

#[test]
fn headers_are_checked() {
    let header = |more: &str| format!("{{\"apiVersion\": \"kubectl-why/v1\", \"kind\": \"Snapshot\"{more}}}");
    assert!(from_bytes("x", header("").into_bytes()).is_ok(), "a header alone says what does not exist");
    assert_eq!(error(header("").replace("v1", "v2")).problem, Problem::UnknownVersion);
    assert_eq!(error(header("") + &header("")).problem, Problem::TwoHeaders);
    for (more, field) in [
        (",\"takenAt\":\"hunter2\"", "takenAt"),
        (",\"complete\":\"hunter2\"", "complete"),
        (",\"logs\":[\"hunter2\"]", "logs"),
    ] {
        let error = error(header(more));
        assert_eq!(error.problem, Problem::BadHeader { field });
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_at_their_place() {
    let error = error(b"{\"kind\":\n \"\xff\"}");
    assert_eq!((error.problem.clone(), place(&error)), (Problem::NotText, (2, 3)));
    assert_eq!(super::tests::error([0xff, 0xfe, 0x00, 0xd8]).problem, Problem::NotText);
}

#[test]
fn nesting_without_end_is_refused_and_does_not_overflow_the_stack() {
    assert_eq!(error("[".repeat(10_000)).problem, Problem::TooDeep);
    assert_eq!(error("{\"kind\":\"List\",\"items\":[".repeat(10_000)).problem, Problem::TooDeep);
    for yaml in ["a: ".to_owned() + &"[".repeat(10_000), "- ".repeat(10_000), "a: ".to_owned() + &"{a: ".repeat(10_000)]
    {
        let error = error(yaml);
        assert!(matches!(error.problem, Problem::TooDeep | Problem::Syntax { .. }), "{error}");
    }
    let block: String = (0..2000).map(|depth| " ".repeat(depth) + "a:\n").collect();
    assert_eq!(error(block).problem, Problem::TooDeep);
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{before}]\n");
    }
    assert_eq!(error(bomb).problem, Problem::TooMuch);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 5000].join(", "));
    assert_eq!(error(long).problem, Problem::TooMuch);
}

#[test]
fn values_that_swell_in_memory_are_refused() {
    let swelling = format!("[{}]", vec!["{\"\":0}"; 1_500_000].join(","));
    assert_eq!(error(swelling).problem, Problem::TooMuch);
}

#[test]
fn more_than_the_limit_is_refused_before_it_is_read_whole() {
    assert_eq!(bytes(io::repeat(b' '), 1000), Err(Problem::TooLarge { most: 1000 }));
    let said = error("a: ".to_owned() + &"x".repeat(MAX_YAML_BYTES)).to_string();
    assert!(said.starts_with("pods.json: more than 32 MiB"), "{said}");
}

#[test]
fn a_line_of_ten_mebibytes_and_a_hundred_thousand_events_are_fine() {
    let line = "x".repeat(10 << 20);
    let pod = format!("{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"p\",\"annotations\":{{\"long\":\"{line}\"}}}}}}");
    assert!(from_bytes("x", pod.into_bytes()).is_ok());
    let yaml = format!("kind: Pod\nmetadata:\n  name: p\n  annotations:\n    plain: {line}\n    quoted: \"{line}\"\n");
    assert!(from_bytes("x", yaml.into_bytes()).is_ok());
    let event = |n: u32| {
        format!(
            "{{\"metadata\":{{\"name\":\"e{n}\",\"namespace\":\"shop\",\"uid\":\"{n}\"}},\"type\":\"Warning\",\"reason\":\"BackOff\",\
             \"message\":\"Back-off restarting failed container\",\"count\":{n},\"lastTimestamp\":\"2026-01-01T00:00:00Z\",\
             \"involvedObject\":{{\"kind\":\"Pod\",\"namespace\":\"shop\",\"name\":\"api\",\"uid\":\"u\"}}}}"
        )
    };
    let events =
        format!("{{\"kind\":\"EventList\",\"items\":[{}]}}", (0..100_000).map(event).collect::<Vec<_>>().join(","));
    assert_eq!(from_bytes("x", events.into_bytes()).map(|s| s.all("Event").len()), Ok(100_000));
}

#[test]
fn values_of_every_type_come_through_and_a_nodes_images_do_not() {
    let status = r#"{"a": -1, "b": 7, "c": 1.5, "d": true, "e": null, "f": [], "images": [{"names": ["x"]}]}"#;
    let pod = |status: &str| {
        format!(r#"{{"kind": "Pod", "metadata": {{"name": "p", "namespace": "n"}}, "status": {status}}}"#)
    };
    let read = |text: String| {
        let snapshot = from_bytes("x", text.into_bytes()).expect("a pod");
        snapshot.all("Pod")[0]["status"].clone()
    };
    let kept = serde_json::json!({"a": -1, "b": 7, "c": 1.5, "d": true, "e": null, "f": []});
    assert_eq!(read(pod(status)), kept);
    let yaml = "kind: Pod\nmetadata: {name: p, namespace: n}\nstatus: {a: -1, b: 7, c: 1.5, d: true, e: null, f: [], images: [1]}\n";
    assert_eq!(read(yaml.to_owned()), kept);
}

#[test]
fn words_that_old_yaml_takes_for_other_things_stay_words() {
    let yaml = "kind: Pod\nmetadata:\n  name: p\n  labels: {a: yes, b: 0755, c: 1_000, d: '1', 8080: on}\n";
    let snapshot = from_bytes("x", yaml.into()).unwrap();
    let labels = serde_json::json!({"a": "yes", "b": "0755", "c": "1_000", "d": "1", "8080": "on"});
    assert_eq!(snapshot.all("Pod").first().and_then(|pod| pod.pointer("/metadata/labels")), Some(&labels));
}

#[test]
fn yaml_markers_split_a_text_even_inside_a_block() {
    let yaml = "kind: Pod\nmetadata:\n  name: a\nx: |\n  ---\n  text\n--- # next\nkind: Pod\nmetadata:\n  name: b\n--- {kind: Pod, metadata: {name: c}}\n";
    assert_eq!(from_bytes("x", yaml.into()).map(|s| s.all("Pod").len()), Ok(3));
}

#[test]
fn a_file_without_clock_or_node_tells_no_ages() {
    let pod = "kind: Pod\nmetadata: {name: p, creationTimestamp: 2026-01-01T00:00:00Z}\n";
    assert_eq!(from_bytes("x", pod.into()).map(|s| s.header.undated), Ok(true));
    let node = format!("{pod}---\nkind: Node\nmetadata: {{name: n}}\n");
    assert_eq!(from_bytes("x", node.into()).map(|s| s.header.undated), Ok(false));
}
