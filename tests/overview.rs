//! `kubectl why` without a name, on files: the pods that are not fine, and what kubectl says where its flags do not go together.

#[path = "common/binary.rs"]
mod binary;

use std::process::Output;

use binary::start;
use serde_json::{Value, json};

fn why(args: &[&str], input: &Value) -> Output {
    start(args, &input.to_string()).wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn pod(namespace: &str, name: &str, crashes: bool) -> Value {
    let crash =
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}});
    let ended = json!({"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "2026-11-21T11:58:00Z", "finishedAt": "2026-11-21T11:59:00Z"}});
    let (state, last) =
        if crashes { (crash, ended) } else { (json!({"running": {"startedAt": "2026-11-21T10:00:00Z"}}), json!({})) };
    let ready = if crashes { "False" } else { "True" };
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}-{name}"), "creationTimestamp": "2026-11-21T09:00:00Z"},
        "spec": {"nodeName": "w", "containers": [{"name": "app", "image": "i"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}, {"type": "ContainersReady", "status": ready}],
            "containerStatuses": [{"name": "app", "image": "i", "imageID": "", "ready": !crashes, "restartCount": if crashes { 9 } else { 0 },
                "state": state, "lastState": last}]}})
}

fn list() -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        pod("a", "one", true), pod("a", "two", true), pod("a", "three", false), pod("b", "one", false), pod("b", "four", true)]})
}

#[test]
fn the_pods_of_a_file_that_are_not_fine_are_listed_by_cause() {
    let output = why(&["-f", "-"], &list());
    let text = out(&output);
    assert!(text.starts_with("3 of 5 pods in the file are not fine.\n"), "{text}{}", err(&output));
    assert!(text.contains("ApplicationError  3 pods") && text.contains("a/two ") && text.contains("b/four "), "{text}");
    assert!(!text.contains("three") && text.contains("CrashLoopBackOff"), "{text}");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(why(&["-f", "-", "--exit-code"], &list()).status.code(), Some(1));
}

#[test]
fn a_namespace_narrows_the_list_and_all_namespaces_widens_it_again() {
    let one = out(&why(&["pods", "-n", "b", "-f", "-"], &list()));
    assert!(
        one.starts_with("1 of 2 pods in namespace b of the file is not fine.\n") && !one.contains("b/four"),
        "{one}"
    );
    let all = out(&why(&["-A", "-n", "b", "-f", "-"], &list()));
    assert!(all.starts_with("3 of 5 pods"), "{all}");
}

#[test]
fn machines_get_a_list_even_of_one() {
    let one = json!({"kind": "List", "apiVersion": "v1", "items": [pod("a", "one", true), pod("a", "two", false)]});
    let tree: Value = serde_json::from_slice(&why(&["-f", "-", "-o", "json"], &one).stdout).unwrap();
    assert_eq!(tree["kind"], "DiagnosisList");
    assert_eq!(tree["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(tree["items"][0]["target"]["name"], "one");
    assert_eq!(out(&why(&["-f", "-", "-o", "name"], &one)), "pod/one\n");
}

#[test]
fn the_only_pod_of_a_file_gets_its_report() {
    let one = json!({"kind": "List", "apiVersion": "v1", "items": [pod("a", "one", true)]});
    assert!(out(&why(&["-f", "-"], &one)).starts_with("Name:"));
    assert!(out(&why(&["pods", "-f", "-"], &one)).starts_with("The only pod in the file is not fine."));
}

#[test]
fn flags_that_do_not_go_together_are_refused_in_kubectls_words() {
    for (args, words) in [
        (&["pod/x", "-l", "a=b"][..], "selectors and the all flag cannot be used when passing resource/name arguments"),
        (&["x", "--field-selector", "spec.nodeName=w"], "name cannot be provided when a selector is specified"),
        (&["x", "-A"], "a resource cannot be retrieved by name across all namespaces"),
        (&["-f", "-", "-l", "a=b"], "cannot be used with"),
    ] {
        let output = why(args, &list());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(err(&output).contains(words), "{args:?}: {}", err(&output));
    }
}
