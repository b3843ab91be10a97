//! The pod's sandbox (network, pause container) could not be made.

mod cni_failed;
mod cni_not_ready;
mod ip_addresses_exhausted;
mod runtime_class_unsupported;
mod runtime_unavailable;
mod sandbox_failed;
mod sandbox_image_pull_failed;

use super::Rule;
use crate::facts::{Facts, SandboxFailure, SandboxFault};
use crate::finding::{Command, Finding, Remedy, Standing, Subject};

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    cni_failed::RULE,
    cni_not_ready::RULE,
    ip_addresses_exhausted::RULE,
    runtime_class_unsupported::RULE,
    sandbox_image_pull_failed::RULE,
    runtime_unavailable::RULE,
    sandbox_failed::RULE,
];

/// What `say` finds of each failure of that kind; one that is over becomes a note, whatever its kind.
fn failing(facts: &Facts<'_>, fault: SandboxFault, say: impl Fn(&SandboxFailure) -> Finding) -> Vec<Finding> {
    let failures = facts.sandbox_failures();
    let of_kind = failures.iter().filter(|failure| failure.fault == fault);
    let found = of_kind.map(|failure| {
        let mut finding = say(failure);
        if failure.standing == Standing::Past {
            let error = failure.core().map_or_else(String::new, |core| format!(": {core}"));
            finding.headline = format!("the pod's sandbox could not be made at first{error}");
        }
        finding.standing(failure.standing).because(failure.evidence.iter().cloned())
    });
    found.collect()
}

/// `node-1`, or `the node`.
fn node_name<'f>(facts: &'f Facts<'_>) -> &'f str {
    facts.pod.node_name().unwrap_or("the node")
}

/// The node as the subject of a finding; the pod if it is not bound.
fn node_subject(facts: &Facts<'_>) -> Subject {
    facts.pod.node_name().map_or_else(|| facts.subject(), |node| Subject::object("Node", node))
}

/// The looks at the node and at the pods on it, among which is the network plugin's own.
fn look_at_node(facts: &Facts<'_>) -> Vec<Remedy> {
    let Some(node) = facts.pod.node_name() else { return Vec::new() };
    let on_it = format!("--field-selector=spec.nodeName={node}");
    vec![
        Remedy::look(Command::kubectl(["describe", "node", node])),
        Remedy::look(Command::kubectl(["get", "pods", "-A", "-o", "wide", &on_it])),
    ]
}

#[cfg(test)]
mod testing {
    use serde_json::json;

    use crate::rules::testing::Case;

    /// A pod on node-1 whose container waits, and what the kubelet says when it tries to make the sandbox.
    pub(super) fn failing(error: &str) -> Case {
        creating().event("FailedCreatePodSandBox", "", &format!("Failed to create pod sandbox: {error}"))
    }

    /// A pod on node-1 whose container waits for no known reason.
    pub(super) fn creating() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/status/phase", json!("Pending"))
    }

    /// The same once the sandbox is there.
    pub(super) fn recovered(error: &str) -> Case {
        failing(error).edit("/status/conditions", json!([{"type": "PodReadyToStartContainers", "status": "True"}]))
    }
}
