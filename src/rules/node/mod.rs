//! The node is at fault.

mod kubelet_silent;
mod node_lost;
mod node_missing;
mod node_not_ready;
mod node_rejected;
mod node_rejected_placement;
mod node_rejected_ports;
mod node_rejected_settings;
mod node_shutdown;

use super::Rule;
use super::eviction::successor;
use crate::facts::{Facts, PodEnd, Rejection};
use crate::finding::{Command, Finding, Remedy};

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    node_lost::RULE,
    node_not_ready::RULE,
    node_missing::RULE,
    kubelet_silent::RULE,
    node_rejected::RULE,
    node_rejected_placement::RULE,
    node_rejected_ports::RULE,
    node_rejected_settings::RULE,
    node_shutdown::RULE,
];

/// The finding for a pod that its kubelet refused for that kind of reason. No container ran; what their states say was made
/// up afterwards.
fn rejected(facts: &Facts<'_>, kind: Rejection, what: &str) -> Option<Finding> {
    if facts.pod_end() != Some(PodEnd::Rejected(kind)) {
        return None;
    }
    let message = facts.pod.message().trim();
    let message = ["Pod was rejected: ", "Pod "].iter().find_map(|p| message.strip_prefix(p)).unwrap_or(message);
    let colon = if message.is_empty() { "" } else { ": " };
    let word = facts.pod.reason();
    let headline = format!("the kubelet of {} refused the pod, {what} ({word}){colon}{message}", facts.node_title());
    Some(
        Finding::new(facts.subject(), headline).because(facts.cite_ending()).because(facts.cite(&["spec", "nodeName"])),
    )
}

/// `kubectl describe node` for the pod's node, or for the node that the diagnosis is about.
fn describe_node(facts: &Facts<'_>) -> Remedy {
    Remedy::look(Command::kubectl(["describe", "node", facts.node_title()]))
}

/// The end of every refusal's remedies: the refusal is final, so there has to be another pod.
fn again(facts: &Facts<'_>, finding: Finding) -> Finding {
    finding.remedy(successor(facts)).remedy(Remedy::advice(
        "The refusal is final for this pod. One that names its node in spec.nodeName bypasses the scheduler: leave the choice \
         of the node to it.",
    ))
}

#[cfg(test)]
mod tests_support {
    use serde_json::json;

    use crate::rules::testing::Case;

    /// A pod that its kubelet refused with that reason and message.
    pub fn refused(reason: &str, message: &str) -> Case {
        Case::pod(
            json!({"nodeName": "node-1", "containers": [{"name": "app"}]}),
            json!({"phase": "Failed", "reason": reason, "message": message}),
        )
    }

    /// A running pod on `node-1`, whose Ready condition has that status since five minutes.
    pub fn on_node(status: &str, message: &str) -> Case {
        Case::container(json!({"ready": true, "state": {"running": {"startedAt": "2026-01-01T11:51:00Z"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/status/startTime", json!("2026-01-01T11:50:00Z"))
            .with(json!({"kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": [{"type": "Ready",
                "status": status, "message": message, "lastTransitionTime": "2026-01-01T11:55:00Z",
                "lastHeartbeatTime": "2026-01-01T11:54:00Z"}]}}))
    }
}
