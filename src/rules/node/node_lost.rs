//! The node has stopped reporting.

use super::describe_node;
use crate::facts::time::{human, seconds_between};
use crate::facts::{Facts, NodeState, PodEnd};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodeLost",
    stage: Stage::Node,
    summary: "the node has stopped reporting, so the pod's state is from before",
    explains: &[
        "ReadinessProbeFailing",
        "ReadinessGateUnmet",
        "LivenessProbeFailing",
        "StartupProbeFailing",
        "ContainerStatusUnknown",
        "KubeletSilent",
        "ImagePullInProgress",
        "ImagePullQueued",
        "InitContainerRunning",
        "SidecarNotStarted",
        "SandboxFailed",
        "VolumeMountFailed",
    ],
    check,
    explain: r#"
## Meaning
The node's kubelet has not renewed its lease, so the control plane set the node's condition Ready to Unknown. Everything that
the pod's status says was true when the kubelet last reported; the containers can have run on or died since. After the pod's
tolerations run out (five minutes by default) the pod is deleted, and the deletion waits for the node.

## Signs
The node's Ready condition is `Unknown`, `Kubelet stopped posting node status`. The pod's Ready condition is False without a
reason, while ContainersReady is still True.

## Fix
Find out about the machine: is it on, is its network up, does its kubelet run? If it will not come back, delete the Node
object or taint it out-of-service, so that its pods are made anew elsewhere.

## Not this
A node that reports that it is not ready is NodeNotReady. A pod that is already being deleted is DeletionUnconfirmed.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.pod.is_deleting() {
        return Vec::new();
    }
    let node = facts.node_title();
    let old = if facts.target.kind == "Node" { "" } else { ", so what the pod's status says is from before" };
    let (headline, certainty) = match facts.node_state() {
        _ if facts.pod_end() == Some(PodEnd::NodeLost) => (format!("{node} was given up as lost"), Certainty::Certain),
        _ if facts.pod.is_terminal() => return Vec::new(),
        NodeState::Lost(lost) => {
            let since = lost.condition("Ready").and_then(|c| c.last_transition_time);
            let span = since.map_or_else(String::new, |t| format!(" for {}", human(seconds_between(t, facts.now))));
            (format!("{node} has not reported{span}{old}"), Certainty::Certain)
        }
        NodeState::Marked => (
            format!("the node controller has marked the pod: {node} does not report or is not ready"),
            Certainty::Possible,
        ),
        _ => return Vec::new(),
    };
    let ended = if facts.pod.reason().is_empty() { Vec::new() } else { facts.cite_ending() };
    let finding = Finding::new(facts.subject(), headline)
        .certainty(certainty)
        .because(facts.cite_node_trouble())
        .because(ended)
        .because(facts.cite_condition("Ready", "status"))
        .because(facts.cite(&["spec", "nodeName"]))
        .remedy(describe_node(facts))
        .remedy(Remedy::advice(format!(
            "Bring {node} back: see that the machine, its network and its kubelet are up."
        )));
    vec![finding.remedy(gone_for_good(node))]
}

/// The word to the cluster that a machine will not come back.
fn gone_for_good(node: &str) -> Remedy {
    Remedy::last_resort(
        format!(
            "Only if the machine of {node} is known to be off for good: say so, which frees its volumes and gives up the \
             promise that what ran there runs once:"
        ),
        crate::finding::Command::kubectl([
            "taint",
            "nodes",
            node,
            "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
        ]),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::node::tests_support::on_node;
    use crate::rules::testing::{Case, none, one};

    #[test]
    fn a_node_that_stopped_reporting_makes_the_status_old() {
        let finding = one(on_node("Unknown", "Kubelet stopped posting node status.").check(&RULE));
        assert_eq!(finding.headline, "node-1 has not reported for 5m, so what the pod's status says is from before");
    }

    #[test]
    fn the_node_itself_can_be_asked_about() {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
        assert_eq!(one(Case::of(node).check(&RULE)).headline, "node-1 has not reported");
    }

    #[test]
    fn a_node_that_reports_trouble_and_a_deleted_pod_are_not_told() {
        none(on_node("False", "container runtime is down").check(&RULE));
        none(on_node("Unknown", "").edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z")).check(&RULE));
        none(on_node("True", "").check(&RULE));
    }
}
