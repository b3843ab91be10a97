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
