//! A pod in whose texts anything can stand, and what must hold of every report.

use kubectl_why::report::Report;
use kubectl_why::snapshot::{Header, Log, Snapshot, Target};
use serde_json::{Value, json};

/// Reasons of events, so that every reader of messages has its turn.
const REASONS: [&str; 14] = [
    "FailedScheduling",
    "Failed",
    "BackOff",
    "FailedMount",
    "FailedAttachVolume",
    "FailedCreatePodSandBox",
    "Unhealthy",
    "FailedPostStartHook",
    "FailedPreStopHook",
    "Killing",
    "Evicted",
    "NodeNotReady",
    "NotTriggerScaleUp",
    "FailedCreate",
];

/// The reports about a pod whose names and texts come from the input: its first byte chooses the state, then texts follow,
/// each ended by a zero byte.
pub fn reports(data: &str) -> Vec<Report> {
    let mut texts = data.split('\0');
    let state = texts.next().and_then(|t| t.bytes().next()).unwrap_or(0);
    let mut text = || texts.next().unwrap_or_default().to_owned();
    let (message, reason, log, name, value) = (text(), text(), text(), text(), text());
    let waiting = ["ErrImagePull", "CrashLoopBackOff", "CreateContainerConfigError", "ContainerCreating", "RunContainerError", ""];
    let waiting = waiting.get(usize::from(state % 6)).copied().filter(|w| !w.is_empty()).unwrap_or(&reason);
    let phase = ["Pending", "Running", "Failed"].get(usize::from(state % 3));
    let end = json!({"exitCode": i64::from(state) - 1, "reason": if state > 127 { "Error" } else { &reason }, "message": message,
        "startedAt": "2026-01-01T00:00:00Z", "finishedAt": value});
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"a": value},
            "finalizers": if state & 4 == 0 { json!(null) } else { json!([name]) },
            "deletionTimestamp": if state & 4 == 0 { json!(null) } else { json!("2026-01-01T00:00:00Z") }},
        "spec": {"nodeName": if state & 1 == 0 { "" } else { "node" }, "nodeSelector": {name.clone(): value},
            "volumes": [{"name": name, "configMap": {"name": value}}, {"name": "v", "persistentVolumeClaim": {"claimName": name}}],
            "containers": [{"name": name, "image": value, "command": [value], "args": [message],
                "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": value}}}],
                "livenessProbe": {"exec": {"command": [value]}},
                "resources": {"requests": {"cpu": value, "memory": reason}, "limits": {"memory": value}}}]},
        "status": {"phase": phase, "reason": reason, "message": message,
            "conditions": [{"type": "PodScheduled", "status": if state & 1 == 0 { "False" } else { "True" }, "reason": "Unschedulable", "message": message},
                {"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": name, "restartCount": state, "ready": false, "image": value, "imageID": value,
                "state": {"waiting": {"reason": waiting, "message": message}}, "lastState": {"terminated": end}}]}});
    let mut snapshot = Snapshot::new(Header {
        namespace: "n".to_owned(),
        complete: ["nodes", "configmaps"].map(str::to_owned).into(),
        taken_at: "2026-01-01T01:00:00Z".parse().ok(),
        logs: vec![Log { pod: "p".to_owned(), container: name, previous: true, text: log }],
        ..Header::default()
    });
    snapshot.add(pod);
    snapshot.add(json!({"kind": "Node", "metadata": {"name": "node"}, "spec": {"taints": [{"key": reason, "value": value, "effect": "NoSchedule"}]},
        "status": {"allocatable": {"cpu": value}, "conditions": [{"type": "Ready", "status": "False", "message": message}]}}));
    for (n, reason) in REASONS.iter().enumerate() {
        snapshot.add(json!({"kind": "Event", "metadata": {"name": format!("e{n}"), "namespace": "n"}, "type": "Warning", "reason": reason,
            "message": message, "lastTimestamp": "2026-01-01T00:59:00Z",
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "n", "uid": "u"}}));
    }
    snapshot.settle();
    let target = Target { kind: "Pod", namespace: "n".to_owned(), name: "p".to_owned() };
    let reports = kubectl_why::diagnose(&snapshot, &target);
    whole(&reports);
    reports
}

/// No rule gave up.
pub fn whole(reports: &[Report]) {
    for gap in reports.iter().flat_map(|r| &r.gaps) {
        assert!(!gap.why.contains("a fault of kubectl-why"), "{}", gap.question);
    }
}

/// The page is bounded and moves no terminal.
#[allow(dead_code)]
pub fn is_page(page: &str) {
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert!(!page.contains(|c: char| c != '\n' && c.is_control()));
    assert!(!page.contains(['\u{200b}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{feff}']));
}

/// JSON and YAML are valid and say the same.
#[allow(dead_code)]
pub fn is_same(json: &str, yaml: &str) {
    let json: Value = serde_json::from_str(json).expect("JSON");
    let yaml: Value = serde_saphyr::from_str(yaml).expect("YAML");
    assert_eq!(json, yaml);
}
