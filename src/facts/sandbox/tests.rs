use serde_json::json;

use super::*;
use crate::rules::testing::Case;

#[test]
fn every_known_message_about_a_sandbox_has_its_class() {
    let mut seen = 0;
    for line in include_str!("../../../tests/data/messages.tsv").lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, _, words, _, example, classes, ..] = columns[..] else { continue };
        if !id.starts_with("SBX-") || !words.contains("FailedCreatePodSandBox") {
            continue;
        }
        seen += 1;
        let reason = match classify(example) {
            Fault::NetworkNotReady => "CNINotReady",
            Fault::Network => "CNIFailed",
            Fault::NoAddress => "IPAddressesExhausted",
            Fault::NoHandler => "RuntimeClassUnsupported",
            Fault::PauseImage => "SandboxImagePullFailed",
            Fault::RuntimeDown => "RuntimeUnavailable",
            Fault::Other => "SandboxFailed",
        };
        let ours = match classes {
            "+NetworkAttachmentMissing" => "CNIFailed",
            "+RuntimeClassMissing" => "RuntimeClassUnsupported",
            "+SandboxImagePullFailed" => "SandboxImagePullFailed",
            "+RuntimeSlow" | "+RuntimeDown" => "RuntimeUnavailable",
            // Faults of the node and of the pod's settings that the sandbox meets first; the error is quoted.
            other if other.starts_with('+') => "SandboxFailed",
            "NodeRejectedSettings" | "SecurityProfileMissing" => "SandboxFailed",
            same => same,
        };
        assert_eq!(reason, ours, "{id}\n{example}");
    }
    assert!(seen > 35, "{seen}");
}

fn failing(status: serde_json::Value) -> Case {
    Case::pod(json!({"containers": [{"name": "app", "image": "i"}]}), status).event(
        "FailedCreatePodSandBox",
        "",
        "Failed to create pod sandbox: oops",
    )
}

#[track_caller]
fn standing(case: Case, wanted: Standing) {
    case.facts(|facts| assert_eq!(facts.sandbox_failures()[0].standing, wanted));
}

#[test]
fn a_warning_outlives_its_problem() {
    let creating = json!({"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}});
    standing(failing(json!({"containerStatuses": [creating]})), Standing::Wrong);
    let up = json!([{"type": "PodReadyToStartContainers", "status": "True"}]);
    standing(failing(json!({"containerStatuses": [creating], "conditions": up})), Standing::Past);
    let down = json!([{"type": "PodReadyToStartContainers", "status": "False"}]);
    standing(failing(json!({"containerStatuses": [creating], "conditions": down})), Standing::Wrong);
    let pulling = json!({"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}});
    standing(failing(json!({"containerStatuses": [pulling]})), Standing::Past);
    let running = json!({"name": "app", "state": {"running": {}}});
    standing(failing(json!({"containerStatuses": [running]})), Standing::Past);
}

#[test]
fn a_container_that_ended_before_the_warning_does_not_prove_a_sandbox() {
    let ended = |at: &str| {
        json!({"containerStatuses": [{"name": "app", "state": {"terminated": {"exitCode": 255,
        "startedAt": at, "finishedAt": at}}}]})
    };
    standing(failing(ended("2026-01-01T11:00:00Z")), Standing::Wrong);
    standing(failing(ended("2026-01-01T11:59:30Z")), Standing::Past);
}

#[test]
fn the_nodes_own_word_is_enough_where_events_are_gone() {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": [
        {"type": "Ready", "status": "False", "message": "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"}]}});
    let case = || {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .with(node.clone())
    };
    case().facts(|facts| assert_eq!(facts.sandbox_failures()[0].fault, Fault::NetworkNotReady));
    let host = case().edit("/spec/hostNetwork", json!(true));
    host.facts(|facts| assert!(facts.sandbox_failures().is_empty()));
}

#[test]
fn a_pod_that_goes_or_has_ended_needs_no_sandbox() {
    let found = |case: Case| case.facts(|f| f.sandbox_failures().len());
    let creating = || {
        failing(json!({"containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]}))
    };
    assert_eq!(found(creating()), 1);
    assert_eq!(found(creating().edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))), 0);
    assert_eq!(found(creating().edit("/status/phase", json!("Failed"))), 0);
}

#[test]
fn a_node_that_has_become_ready_since_is_past_its_networks_start() {
    let of = |ready: &str, since: &str| {
        let condition = json!({"type": "Ready", "status": ready, "lastTransitionTime": format!("2026-01-01T{since}Z")});
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("w"))
            .with(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w"}, "status": {"conditions": [condition]}}))
            .event("NetworkNotReady", "", "network is not ready: container runtime network not ready")
            .facts(|f| f.sandbox_failures().first().map(|failure| failure.standing))
    };
    assert_eq!(of("True", "11:59:01"), Some(Standing::Past));
    assert_eq!(of("True", "11:59:00"), Some(Standing::Wrong), "it was said of a ready node");
    assert_eq!(of("False", "11:59:01"), Some(Standing::Wrong));
}

#[test]
fn what_the_kubelet_does_next_shows_a_sandbox_only_after_the_failure_and_without_its_own_word() {
    let next = |time: &str, said: serde_json::Value| {
        let pulled = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "x", "namespace": "n"}, "reason": "Pulled",
            "message": "m", "lastTimestamp": format!("2026-01-01T{time}Z"),
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}});
        let creating = json!([{"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]);
        let case = failing(json!({"containerStatuses": creating, "conditions": said})).with(pulled);
        case.facts(|f| f.sandbox_failures().first().map(|failure| failure.standing))
    };
    assert_eq!(next("11:59:30", json!([])), Some(Standing::Past));
    assert_eq!(next("11:00:00", json!([])), Some(Standing::Wrong));
    let down = json!([{"type": "PodReadyToStartContainers", "status": "False"}]);
    assert_eq!(next("11:59:30", down), Some(Standing::Wrong), "the kubelet's word is newer");
}
