use super::*;

const REFERENCE: &str = include_str!("../../../../tests/data/exitcodes.tsv");

#[test]
fn every_code_of_a_byte_has_a_page() {
    for code in 0..=255 {
        let page = explain_code(code);
        assert!(page.starts_with(&format!("Exit code {code}")) && page.contains("## Signs\n- "), "{page}");
    }
}

#[test]
fn the_pages_cover_what_is_known_about_each_code() {
    for line in REFERENCE.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (Some(code), name, signal) = (fields[0].parse::<i64>().ok(), fields[1], fields[4]) else { continue };
        let page = explain_code(code);
        assert!(page.contains(signal), "{code} {signal}: {page}");
        let key = name.trim_start_matches(".NET host: ").split([':', ' ', ',', '/', '(']).next().unwrap();
        let generic = ["Generic", "Exec", "Command-line", "Arithmetic"].contains(&key);
        let known = ["Grace", "Killed", "Evicted", "Preempted", "Liveness", "Startup", "Container", "Node"];
        let shown = page.to_lowercase().contains(&key.to_lowercase());
        assert!(shown || generic || known.contains(&key), "{code} {name}: {page}");
    }
}

#[test]
fn numbers_outside_a_byte_are_converted_but_those_of_windows_are_not_cut() {
    for (code, low) in [(-1, 255), (-13, 243), (-256, 0), (256, 0), (300, 44), (404, 148), (i64::MIN, 0)] {
        assert_eq!(low_byte(code), low, "{code}");
    }
    assert!(explain_code(-1_073_741_819).contains("STATUS_ACCESS_VIOLATION"));
    assert!(explain_code(3_221_225_477).contains("STATUS_ACCESS_VIOLATION"));
    assert!(explain_code(-1_073_741_819).contains("0xC0000005"));
    assert!(explain_code(300).contains("300 % 256 = 44"));
    assert!(explain_code(-1).contains("CRI-O") && explain_code(-1).contains("as 255, "));
}

#[test]
fn the_meanings_of_137_are_told_apart() {
    let page = explain_code(137);
    for meaning in ["OOMKilled", "liveness", "startup", "grace period", "Evicted", "made the code up", "exit 137"] {
        assert!(page.contains(meaning), "{meaning}");
    }
}

#[test]
fn numbers_that_no_process_dies_of_are_no_signals() {
    for code in [128, 145, 146, 160, 161, 193, 255, -1_073_741_819, 0] {
        assert_eq!(Signal::of_code(code), None, "{code}");
    }
    assert_eq!(Signal::of_code(165).map(Signal::name).as_deref(), Some("SIGRTMIN+3"));
    assert_eq!(Signal::of_code(137), Some(Signal::KILL));
}

#[test]
fn a_page_says_how_the_number_came_about() {
    for (code, says) in [
        (0, "says that it succeeded"),
        (2, "Nearly every program uses this number"),
        (70, "sysexits(3) mean the following"),
        (127, "could not be started"),
        (137, "128 + 9: the process died of SIGKILL (killed from outside"),
        (145, "128 + 17 is SIGCHLD, which does not end a process"),
        (160, "reserved for the threading"),
        (162, "died of SIGRTMIN, or it chose"),
        (200, "No shell or system gives this number a meaning"),
    ] {
        assert!(gist(code).contains(says), "{code}: {}", gist(code));
    }
    assert!(explain_code(-13).contains("256 - 13 % 256 = 243"));
}

#[test]
fn only_numbers_of_a_byte_from_193_on_are_read_as_negative_ones() {
    let negative = |code| explain_code(code).contains("- a negative number: a program that returns");
    assert!(explain_code(255).contains("a program that returns -1 ends with 255"));
    assert!(explain_code(193).contains("a program that returns -63 ends with 193"));
    assert!(!negative(192) && !negative(-1) && !negative(1));
}

#[test]
fn any_program_can_choose_any_number_but_0_and_those_of_windows() {
    let own = |code| explain_code(code).contains("the program's own number");
    assert!(own(1) && own(255) && own(300));
    assert!(!own(0) && !own(256) && !own(-1_073_741_819));
    assert!(!explain_code(-1_073_741_819).contains("- as 5, "), "its low byte means nothing");
}

#[test]
fn conventions_without_a_mark_of_their_own_are_told_by_what_their_programs_print() {
    let told = |code: i64, name: &str| {
        meanings(code).iter().find(|m| m.name.starts_with(name)).map(Meaning::told_by).unwrap_or_default()
    };
    assert!(told(64, "EX_").contains("sysexits(3)"));
    assert!(told(150, ".NET").contains("You must install or update .NET"));
    assert!(meanings(137).iter().all(|m| !m.name.is_empty()));
    let plain = Meaning { name: "shell", says: "", told_by: "" };
    assert_eq!(plain.told_by(), "");
}

#[test]
fn a_signal_in_the_status_is_believed_and_windows_has_none() {
    let ending = |code: i32, signal: i32, os: &str| {
        crate::rules::testing::Case::container(serde_json::json!({"state": {"terminated":
            {"exitCode": code, "signal": signal, "reason": "Error", "startedAt": "2026-01-01T11:50:00Z"}}}))
        .edit("/spec/os", serde_json::json!({"name": os}))
        .facts(|f| {
            let crate::facts::State::Ended(exit) = &f.containers[0].state else { panic!("it has ended") };
            f.ending(&f.containers[0], exit)
        })
    };
    assert_eq!(ending(1, 9, "linux"), Ending::Signal(Signal::KILL));
    assert_eq!(ending(1, 0, "linux"), Ending::Own);
    assert_eq!(ending(1, 0, "windows"), Ending::Own);
    assert_eq!(ending(137, 0, "windows"), Ending::Own);
    assert!(matches!(ending(-1_073_741_819, 0, "windows"), Ending::Windows(_)));
}
