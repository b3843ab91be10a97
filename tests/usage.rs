//! What each flag does, through the binary: on files and on a server that serves a recorded cluster.

mod common;

#[path = "common/binary.rs"]
mod binary;
#[allow(dead_code)] // this uses a part of it
#[path = "common/server.rs"]
mod server;

use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use binary::start;
use serde_json::{Value, json};
use server::{Fault, serve};

/// A run that takes longer is ended, and so has no exit status.
const LONGEST: Duration = Duration::from_secs(60);

fn why(args: &[&str], input: &str) -> Output {
    let mut child = start(args, input);
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() && begin.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

fn of(list: &Value, args: &[&str]) -> Output {
    why(&[args, &["-f", "-"]].concat(), &list.to_string())
}

/// Asks a server that serves the list, and fails as `fails` says.
fn live(list: &Value, args: &[&str], fails: impl Fn(&str) -> Option<Fault> + Send + Sync + 'static) -> Output {
    let url = serve(list.clone(), fails);
    why(&[args, &["-n", "a", "-s", &url, "--request-timeout", "5s"]].concat(), "")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The exit status and what was said on standard error.
fn err(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn container(name: &str, crashes: bool) -> Value {
    if !crashes {
        return json!({"name": name, "image": "i", "imageID": "", "ready": true, "restartCount": 0, "started": true,
            "state": {"running": {"startedAt": "2026-11-21T10:00:00Z"}}});
    }
    json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 9,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
        "lastState": {"terminated": {"exitCode": 3, "reason": "Error",
            "startedAt": "2026-11-21T11:58:00Z", "finishedAt": "2026-11-21T11:59:00Z"}}})
}

/// A pod of two containers; `app` crashes or does not, `proxy` never does.
fn pod(namespace: &str, name: &str, crashes: bool) -> Value {
    let ready = if crashes { "False" } else { "True" };
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}-{name}"),
            "creationTimestamp": "2026-11-21T09:00:00Z"},
        "spec": {"nodeName": "w", "containers": [{"name": "app", "image": "i"}, {"name": "proxy", "image": "i"}]},
        "status": {"phase": "Running", "startTime": "2026-11-21T09:00:00Z",
            "conditions": [{"type": "Ready", "status": ready}, {"type": "ContainersReady", "status": ready}],
            "containerStatuses": [container("app", crashes), container("proxy", false)]}})
}

fn list(pods: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": pods})
}

/// The same for the server, whose first item is the snapshot's header.
fn served(pods: &[Value]) -> Value {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w", "uid": "w"},
        "spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let items = [&[json!({}), node], pods].concat();
    json!({"items": items})
}

#[test]
fn a_container_narrows_the_report_to_what_concerns_it() {
    let one = list(&[pod("a", "one", true)]);
    let app = of(&one, &["-c", "app"]);
    assert!(out(&app).contains("[1] ApplicationError"), "{}", out(&app));
    let proxy = of(&one, &["-c", "proxy"]);
    assert!(out(&proxy).contains("nothing is wrong with container proxy itself"), "{}", out(&proxy));
    assert!(!out(&proxy).contains("ApplicationError"), "{}", out(&proxy));
    let (status, said) = err(&of(&one, &["-c", "prox"]));
    assert_eq!(status, Some(2));
    assert!(said.contains("container prox is not in pod one; it has app, proxy"), "{said}");
}

#[test]
fn a_target_that_the_file_does_not_hold_is_answered_with_close_names() {
    let two = list(&[pod("a", "api-1", true), pod("b", "api-1", true), pod("b", "web", false)]);
    let (status, said) = err(&of(&two, &["pod/api-2", "-n", "a"]));
    assert_eq!(status, Some(3));
    assert!(said.contains("pod \"api-2\" is not in the file; there is api-1"), "{said}");
    let (status, said) = err(&of(&two, &["api-1"]));
    assert_eq!(status, Some(2));
    assert!(said.contains("api-1 is in several namespaces of the file (a, b); choose one with -n"), "{said}");
    assert!(out(&of(&two, &["web"])).lines().any(|l| l.starts_with("Namespace:") && l.ends_with(" b")));
    let (status, said) = err(&of(
        &list(&[json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "a"}})]),
        &[],
    ));
    assert_eq!(status, Some(2));
    assert!(said.contains("the file holds no pod"), "{said}");
}

#[test]
fn a_node_in_a_file_is_told_with_its_own_status_word() {
    for (ready, unschedulable, word) in
        [("True", false, "Ready"), ("Unknown", false, "NotReady"), ("True", true, "Ready,SchedulingDisabled")]
    {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w", "uid": "w"},
            "spec": {"unschedulable": unschedulable}, "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        let text = out(&of(&list(&[node]), &["node/w"]));
        assert!(text.lines().any(|l| l.strip_prefix("Status:").is_some_and(|w| w.trim() == word)), "{word}:\n{text}");
    }
}

#[test]
fn colour_is_there_when_it_is_asked_for() {
    let one = list(&[pod("a", "one", true)]);
    assert!(out(&of(&one, &["--color", "always"])).contains('\u{1b}'));
    assert!(!out(&of(&one, &["--color", "never"])).contains('\u{1b}'));
    assert!(!out(&of(&one, &[])).contains('\u{1b}'), "a pipe is no terminal");
}

#[test]
fn explain_lists_every_reason_and_tells_of_codes_and_words() {
    let all = out(&why(&["explain"], ""));
    assert!(all.lines().any(|l| l.starts_with("memory ") && l.contains(" OOMKilled ")), "{all}");
    assert!(out(&why(&["explain", "137"], "")).starts_with("Exit code 137 (SIGKILL)\n"));
    assert!(out(&why(&["explain", "-1"], "")).starts_with("Exit code -1\n"));
    assert_eq!(err(&why(&["explain", "NoSuchThing"], "")).0, Some(2));
}

#[test]
fn completion_prints_a_script_for_each_shell() {
    for (shell, word) in
        [("bash", "complete "), ("zsh", "#compdef"), ("fish", "complete -c"), ("powershell", "Register-")]
    {
        assert!(out(&why(&["completion", shell], "")).contains(word), "{shell}");
    }
}

#[test]
fn completion_offers_the_names_of_the_kubeconfig() {
    let file = std::env::temp_dir().join(format!("kubectl-why-usage-{}", std::process::id()));
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "shop",
        "contexts": [{"name": "shop", "context": {"cluster": "east", "user": "ann", "namespace": "a"}},
            {"name": "shed", "context": {"cluster": "west", "user": "bob"}}],
        "clusters": [{"name": "east", "cluster": {}}, {"name": "west", "cluster": {}}],
        "users": [{"name": "ann", "user": {}}, {"name": "bob", "user": {}}]});
    std::fs::write(&file, config.to_string()).unwrap();
    let path = file.to_str().unwrap();
    let offered = |args: &[&str]| {
        let all = out(&why(&[&["__complete", "--kubeconfig", path], args].concat(), ""));
        all.lines().filter(|l| !l.starts_with(':')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(offered(&["--context", ""]), ["shop", "shed"]);
    assert_eq!(offered(&["--context", "she"]), ["shed"]);
    assert_eq!(offered(&["--cluster", "w"]), ["west"]);
    assert_eq!(offered(&["--user", ""]), ["ann", "bob"]);
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn completion_offers_what_the_cluster_has() {
    let url = serve(served(&[pod("a", "one", false), pod("a", "two", true)]), |_| None);
    let offered = |args: &[&str]| out(&why(&[&["__complete", "-s", &url, "-n", "a"], args].concat(), ""));
    let pods = offered(&["pod/"]);
    assert!(pods.starts_with("pod/two\tCrashLoopBackOff\npod/one\tRunning\n"), "the sick one first: {pods}");
    assert!(offered(&["pod/one", "-c", ""]).starts_with("app\nproxy\n"), "{}", offered(&["pod/one", "-c", ""]));
}

#[test]
fn watching_ends_when_the_pod_is_fine() {
    let output = live(&served(&[pod("a", "one", false)]), &["pod/one", "--watch"], |_| None);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output).matches("Name:").count(), 1, "{}", out(&output));
}

#[test]
fn watching_tells_a_verdict_once_and_ends_when_the_pod_is_gone() {
    let looks = AtomicUsize::new(0);
    let gone_at_the_third_look = move |path: &str| {
        (path.ends_with("/pods/one") && looks.fetch_add(1, Ordering::Relaxed) > 1).then_some(Fault::Status(404))
    };
    let output =
        live(&served(&[pod("a", "one", true)]), &["pod/one", "--watch", "--exit-code"], gone_at_the_third_look);
    assert_eq!(out(&output).matches("Name:").count(), 1, "{}", out(&output));
    let (status, said) = err(&output);
    assert_eq!(status, Some(1), "the last verdict: {said}");
    assert!(said.contains("one"), "{said}");
}

#[test]
fn what_cannot_be_watched_or_saved_is_refused_before_anything_is_read() {
    let (status, said) = err(&why(&["--watch"], ""));
    assert!(status == Some(2) && said.contains("--watch needs a target"), "{said}");
    let (status, said) = err(&why(&["pod/a", "pod/b", "--save-snapshot", "x"], ""));
    assert!(status == Some(2) && said.contains("--save-snapshot takes one target"), "{said}");
}

#[test]
fn the_pods_of_a_cluster_are_listed_with_what_chose_them() {
    let sick = served(&[pod("a", "one", true), pod("a", "two", false), pod("b", "three", true)]);
    let text = out(&live(&sick, &[], |_| None));
    assert!(text.starts_with("1 of 2 pods in namespace a is not fine.\n"), "{text}");
    let text = out(&live(&sick, &["-l", "app=x", "--field-selector", "spec.nodeName=w"], |_| None));
    assert!(text.contains(" in namespace a with app=x and spec.nodeName=w "), "{text}");
    let (status, said) = err(&live(&sick, &["-l", "app==="], |_| Some(Fault::Status(400))));
    assert_eq!(status, Some(2), "{said}");
    let (status, said) = err(&live(&sick, &[], |_| Some(Fault::Status(403))));
    assert_eq!(status, Some(3), "{said}");
}

#[test]
fn a_namespace_without_pods_is_told_as_kubectl_tells_it() {
    let output = live(&served(&[pod("b", "one", true)]), &[], |_| None);
    assert_eq!(err(&output), (Some(0), "No resources found in a namespace.\n".to_owned()));
    let empty = out(&live(&served(&[]), &["-o", "json"], |_| None));
    assert_eq!(serde_json::from_str::<Value>(&empty).unwrap()["items"], json!([]));
    let fine = out(&live(&served(&[pod("a", "one", false)]), &[], |_| None));
    assert!(fine.starts_with("The only pod in namespace a is fine.\n"), "{fine}");
}
