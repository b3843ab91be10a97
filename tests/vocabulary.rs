//! Nothing that Kubernetes says goes unexplained: every word that it is known to say leads to a reason or is a deliberate
//! exception, and where a word alone makes the difference the rules act on it.

mod common;

use std::collections::BTreeSet;

use common::all_well;
use common::small::{diagnosed, node, pod, told};
use kubectl_why::report::{Report, Verdict};
use kubectl_why::{rules, words};
use serde_json::{Value, json};

/// What Kubernetes, the runtimes and the usual controllers say: where, and the word.
fn said() -> Vec<(&'static str, &'static str)> {
    let rows = include_str!("data/kubernetes-reasons.tsv").lines().skip(1);
    rows.filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?))
    })
    .collect()
}

/// What kubectl prints in its STATUS column that is no reason of a pod or container.
/// Source: kubernetes `pkg/printers/internalversion/printers.go`, `printPod`.
const KUBECTL: [&str; 10] = [
    "Pending",
    "Running",
    "NotReady",
    "Succeeded",
    "Failed",
    "Unknown",
    "Terminating",
    "Init:N/M",
    "Signal:N",
    "ExitCode:N",
];

fn known() -> BTreeSet<(&'static str, &'static str)> {
    said().into_iter().chain(KUBECTL.map(|word| ("kubectl", word))).collect()
}

#[test]
fn every_word_of_kubernetes_stands_in_the_table() {
    let table: BTreeSet<_> = words::all().flat_map(|w| w.places().map(move |p| (p, w.word))).collect();
    let lacking = known().difference(&table).map(|(p, w)| format!("{p} {w} is neither mapped nor excepted")).collect();
    all_well(lacking);
    let unheard = table.difference(&known()).map(|(p, w)| format!("{p} {w} is said by nobody")).collect();
    all_well(unheard);
}

#[test]
fn the_table_names_rules_that_exist_and_says_what_each_word_means() {
    let mut faults = Vec::new();
    for word in words::all() {
        let unknown = word.reasons().filter(|r| rules::named(r).is_none_or(|rule| rule.reason != *r));
        faults.extend(unknown.map(|r| format!("{} leads to {r}, which is no rule", word.word)));
        if !word.says.ends_with('.') || word.says.len() < 20 {
            faults.push(format!("{}: what it means is no sentence: {}", word.word, word.says));
        }
    }
    let lines: Vec<_> = words::all().flat_map(|w| w.places().map(move |p| (p, w.word))).collect();
    let distinct: BTreeSet<_> = lines.iter().collect();
    assert_eq!(lines.len(), distinct.len(), "a word stands twice");
    all_well(faults);
}

#[test]
fn every_word_is_found_by_its_name() {
    let lost = words::all().filter(|w| !words::named(w.word).contains(w));
    all_well(lost.map(|w| format!("explain {} does not find it", w.word)).collect());
}

/// The report on a pod that was bound a while ago to a well node and has that status.
fn report(status: Value) -> Report {
    let spec = json!({"nodeName": "node-1", "containers": [{"name": "app", "image": "r.example/a:1",
        "lifecycle": {"postStart": {"exec": {"command": ["/warm"]}}}}]});
    diagnosed("pod/p", complete(), &[pod(spec, status), node(json!([]))])
}

fn complete() -> Value {
    json!({"complete": ["nodes", "pods", "events"]})
}

/// Words of `place` whose report tells none of the reasons that the table gives, except those in `silent`.
fn unheeded(place: &str, silent: &[&str], of: impl Fn(&str) -> Report) -> Vec<String> {
    let words = words::all().filter(|w| w.places().any(|p| p == place) && w.reasons().next().is_some());
    let mut faults = Vec::new();
    for word in words {
        let met = word.word.replace("(empty)", "").replace("<extended-resource>", "example.com/dongle");
        let report = of(&met);
        let told = told(&report);
        let fits = word.reasons().any(|r| told.contains(&r));
        if report.verdict == Verdict::Healthy {
            faults.push(format!("{place} {} is called healthy", word.word));
        }
        let quoted = report.notes.iter().any(|(reason, text)| *reason == met || text.contains(&met));
        match silent.contains(&word.word) {
            true if fits => faults.push(format!("{place} {} is no exception any more", word.word)),
            true if report.verdict == Verdict::Unknown && !quoted => {
                faults.push(format!("{place} {} is not even quoted", word.word));
            }
            false if !fits => faults
                .push(format!("{place} {} is told as {told:?}, {:?} {}", word.word, report.verdict, report.summary)),
            _ => {}
        }
    }
    faults
}

#[test]
fn a_waiting_container_is_explained_by_its_reason_alone() {
    // Words that only say that something is not done yet, and those that never stand there in maintained versions.
    let silent = [
        "ContainerCreating",
        "PodInitializing",
        "RestartingAllContainers",
        "CrashLoopBackOff",
        "SetupNetworkError",
        "TeardownNetworkError",
        "KillContainerError",
        "CreatePodSandboxError",
        "ConfigPodSandboxError",
        "KillPodSandboxError",
        "ResizePodInPlaceError",
    ];
    all_well(unheeded("container_waiting", &silent, |reason| {
        report(json!({"phase": "Pending", "startTime": "2026-01-01T11:40:01Z",
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "app", "image": "r.example/a:1", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": reason}}}]}))
    }));
}

#[test]
fn an_ended_container_is_explained_by_its_reason() {
    let code = |reason: &str| match reason {
        "Completed" => 0,
        "OOMKilled" | "ContainerStatusUnknown" | "RestartingAllContainers" => 137,
        "StartError" | "ContainerCannotRun" => 128,
        "Unknown" => 255,
        "seccomp killed" => 159,
        _ => 1,
    };
    all_well(unheeded("container_terminated", &[], |reason| {
        report(json!({"phase": "Running", "startTime": "2026-01-01T11:40:01Z",
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Initialized", "status": "True"}],
            "containerStatuses": [{"name": "app", "image": "r.example/a:1", "ready": false, "restartCount": 7,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": reason, "exitCode": code(reason),
                    "startedAt": "2026-01-01T11:58:00Z", "finishedAt": "2026-01-01T11:58:09Z"}}}]}))
    }));
}

#[test]
fn a_failed_pod_is_explained_by_its_reason_alone() {
    all_well(unheeded("pod_reason", &[], |reason| {
        report(json!({"phase": "Failed", "reason": reason, "startTime": "2026-01-01T11:40:01Z"}))
    }));
}

#[test]
fn a_tainted_node_explains_why_it_does_not_take_the_pod() {
    all_well(unheeded("taint", &[], |key| {
        let spec = json!({"containers": [{"name": "app", "image": "r.example/a:1"}]});
        let status = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "lastTransitionTime": "2026-01-01T11:40:00Z",
            "message": format!("0/1 nodes are available: 1 node(s) had untolerated taint {{{key}: }}.")}]});
        let tainted = node(json!([{"key": key, "effect": "NoSchedule"}]));
        diagnosed("pod/p", complete(), &[pod(spec, status), tainted])
    }));
}
