//! The word that `kubectl get pod` prints under STATUS.
//!
//! Source: kubernetes `pkg/printers/internalversion/printers.go`, `printPod` (1.36).

use super::containers::{Container, Exit, Role, State};
use super::pod::Pod;
use crate::snapshot::{Lookup, Node};

/// kubectl's STATUS of a pod.
pub(super) fn word(pod: &Pod, containers: &[Container]) -> String {
    let gated = pod.condition("PodScheduled").is_some_and(|c| c.reason.as_deref() == Some("SchedulingGated"));
    let mut word = match pod.reason() {
        _ if gated => "SchedulingGated",
        "" => pod.phase(),
        reason => reason,
    }
    .to_owned();

    let initializing = init_word(containers);
    if let Some(init) = &initializing {
        init.clone_into(&mut word);
    }
    if initializing.is_none() || pod.is_true("Initialized") {
        word = app_word(pod, containers, word);
    }
    match pod.is_deleting() {
        true if pod.reason() == "NodeLost" => "Unknown".to_owned(),
        true if !pod.is_terminal() => "Terminating".to_owned(),
        _ if word.is_empty() => "Unknown".to_owned(),
        _ => word,
    }
}

/// kubectl's STATUS of a node.
pub(super) fn of_node(node: Lookup<&Node>) -> String {
    let Lookup::Found(node) = node else { return String::new() };
    let ready = match node.condition("Ready").map(|c| c.status.as_str()) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if node.spec.unschedulable { ",SchedulingDisabled" } else { "" };
    format!("{ready}{cordoned}")
}

fn init_word(containers: &[Container]) -> Option<String> {
    let is_init = |c: &&Container| matches!(c.role, Role::Init | Role::Sidecar);
    let total = containers.iter().filter(is_init).count();
    for (done, container) in containers.iter().filter(is_init).filter(|c| c.status.is_some()).enumerate() {
        match &container.state {
            State::Ended(exit) if exit.code == 0 => {}
            _ if container.role == Role::Sidecar && container.is_started() == Some(true) => {}
            State::Ended(exit) => return Some(format!("Init:{}", ended_word(exit))),
            State::Waiting { reason, .. } if !reason.is_empty() && reason != "PodInitializing" => {
                return Some(format!("Init:{reason}"));
            }
            _ => return Some(format!("Init:{done}/{total}")),
        }
    }
    None
}

fn app_word(pod: &Pod, containers: &[Container], mut word: String) -> String {
    let mut running = false;
    for container in containers.iter().rev().filter(|c| c.role == Role::App) {
        match &container.state {
            State::Waiting { reason, .. } if !reason.is_empty() => word.clone_from(reason),
            State::Ended(exit) => word = ended_word(exit),
            State::Running { .. } if container.is_ready() => running = true,
            _ => {}
        }
    }
    match (word.as_str(), running) {
        ("Completed", true) if pod.is_true("Ready") => "Running".to_owned(),
        ("Completed", true) => "NotReady".to_owned(),
        _ => word,
    }
}

fn ended_word(exit: &Exit) -> String {
    match exit {
        Exit { reason, .. } if !reason.is_empty() => reason.clone(),
        Exit { signal: 0, code, .. } => format!("ExitCode:{code}"),
        Exit { signal, .. } => format!("Signal:{signal}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rules::testing::Case;

    fn word(spec: Value, status: Value, deleted: bool) -> String {
        let mut case = Case::pod(spec, status);
        if deleted {
            case = case.edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"));
        }
        case.facts(|f| f.status_word())
    }

    fn status(name: &str, state: Value, ready: bool) -> Value {
        json!({"name": name, "state": state, "ready": ready, "started": ready})
    }

    fn running() -> Value {
        json!({"running": {"startedAt": "2026-01-01T11:50:00Z"}})
    }

    fn ended(code: i32, reason: &str) -> Value {
        json!({"terminated": {"exitCode": code, "reason": reason}})
    }

    #[test]
    fn a_deleted_pod_is_terminating_unless_its_node_is_lost_or_it_has_ended() {
        let spec = json!({"containers": [{"name": "a"}]});
        for (phase, reason, deleted, wanted) in [
            ("Running", "", true, "Terminating"),
            ("Running", "NodeLost", true, "Unknown"),
            ("Running", "NodeLost", false, "NodeLost"),
            ("Succeeded", "", true, "Succeeded"),
            ("Failed", "Evicted", false, "Evicted"),
            ("", "", false, "Unknown"),
        ] {
            let found = word(spec.clone(), json!({"phase": phase, "reason": reason}), deleted);
            assert_eq!(found, wanted, "{phase} {reason} {deleted}");
        }
    }

    #[test]
    fn the_first_init_container_that_is_not_done_is_told_with_its_number() {
        let spec = json!({"containers": [{"name": "a"}],
            "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}, {"name": "j"}]});
        let done = || status("i", ended(0, "Completed"), true);
        for (inits, wanted) in [
            (vec![status("i", running(), false)], "Init:0/3"),
            (vec![done(), status("s", running(), false)], "Init:1/3"),
            (vec![done(), status("s", running(), true), status("j", running(), false)], "Init:2/3"),
            (
                vec![done(), status("s", ended(0, "Completed"), false), status("j", ended(3, "Error"), false)],
                "Init:Error",
            ),
            (vec![status("i", ended(3, ""), false)], "Init:ExitCode:3"),
            (vec![status("i", json!({"waiting": {"reason": "CrashLoopBackOff"}}), false)], "Init:CrashLoopBackOff"),
            (vec![status("i", json!({"waiting": {"reason": "PodInitializing"}}), false)], "Init:0/3"),
            (vec![status("i", json!({"waiting": {}}), false)], "Init:0/3"),
        ] {
            let found = word(spec.clone(), json!({"phase": "Pending", "initContainerStatuses": inits}), false);
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn once_initialized_the_app_containers_are_told_whatever_an_init_container_does() {
        let spec = json!({"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]});
        let of = |initialized: &str| {
            let status = json!({"phase": "Running", "conditions": [{"type": "Initialized", "status": initialized}],
                "initContainerStatuses": [status("i", running(), false)],
                "containerStatuses": [status("a", json!({"waiting": {"reason": "CrashLoopBackOff"}}), false)]});
            word(spec.clone(), status, false)
        };
        assert_eq!(of("True"), "CrashLoopBackOff");
        assert_eq!(of("False"), "Init:0/1");
    }

    #[test]
    fn of_the_app_containers_the_first_that_does_not_run_is_told() {
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        let of = |a: Value, b: Value, pod_ready: &str| {
            let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": pod_ready}],
                "containerStatuses": [a, b]});
            word(spec.clone(), status, false)
        };
        let done = || status("b", ended(0, "Completed"), false);
        assert_eq!(of(status("a", running(), true), done(), "True"), "Running");
        assert_eq!(of(status("a", running(), true), done(), "False"), "NotReady");
        assert_eq!(of(status("a", running(), false), done(), "True"), "Completed");
        assert_eq!(of(status("a", ended(1, ""), false), done(), "False"), "ExitCode:1");
        assert_eq!(of(status("a", json!({"waiting": {}}), false), status("b", running(), true), "False"), "Running");
        let killed = json!({"terminated": {"exitCode": 0, "signal": 9}});
        assert_eq!(of(status("a", killed, false), done(), "False"), "Signal:9");
    }

    #[test]
    fn a_nodes_word_is_its_readiness_and_whether_it_is_cordoned() {
        for (spec, conditions, wanted) in [
            (json!({}), json!([{"type": "Ready", "status": "True"}]), "Ready"),
            (json!({}), json!([{"type": "Ready", "status": "Unknown"}]), "NotReady"),
            (json!({"unschedulable": true}), json!([]), "Unknown,SchedulingDisabled"),
        ] {
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w"},
                "spec": spec, "status": {"conditions": conditions}});
            assert_eq!(Case::of(node).facts(|f| f.status_word()), wanted);
        }
    }
}
