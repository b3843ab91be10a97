//! The pod is deleted, and its node cannot confirm that it ended.

use super::force;
use crate::facts::time::{human, seconds_between};
use crate::facts::{Facts, NodeState};
use crate::finding::{Certainty, Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "DeletionUnconfirmed",
    stage: Stage::Termination,
    summary: "the pod is deleted, and its node is lost and cannot confirm that it ended",
    explains: &[
        "GracePeriodRunning",
        "GracePeriodOverrun",
        "VolumeUnmountStuck",
        "NodeNotReady",
        "ReadinessProbeFailing",
        "LivenessProbeFailing",
        "KubeletSilent",
    ],
    check,
    explain: r#"
## Meaning
A pod is removed only after the kubelet of its node has confirmed that its containers ended. This node does not report, so
nobody knows whether they did: the machine can be off, or only cut off from the control plane with the containers running on.

## Signs
`metadata.deletionTimestamp` is set, and the node's Ready condition is Unknown, or the node does not exist.

## Fix
Bring the node back: its kubelet then finishes the deletion. If the machine is known to be off for good, delete its Node
object or taint it `node.kubernetes.io/out-of-service`; the pods are then removed and their volumes freed. Forcing the
deletion of one pod removes only its record.

## Not this
A node that reports and does not finish is GracePeriodOverrun, KillFailed or VolumeUnmountStuck.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(deletion) = facts.deletion().filter(|d| !d.confirmed) else { return Vec::new() };
    let name = facts.node_title();
    let (why, certainty) = match facts.node_state() {
        NodeState::Lost(node) => {
            let since = node.condition("Ready").and_then(|c| c.last_transition_time);
            let span = since.map_or_else(String::new, |t| format!(" for {}", human(seconds_between(t, facts.now))));
            (format!("it has not reported{span}"), Certainty::Certain)
        }
        NodeState::Missing => ("it does not exist".to_owned(), Certainty::Certain),
        NodeState::Marked => {
            ("the node controller has marked the pod as on a node in trouble".to_owned(), Certainty::Likely)
        }
        _ => return Vec::new(),
    };
    let finding = Finding::new(facts.subject(), format!("{name} cannot confirm that the containers stopped: {why}"))
        .certainty(certainty)
        .because(facts.cite_deletion())
        .because(facts.cite(&["spec", "nodeName"]))
        .because(facts.cite_node_trouble())
        .because(facts.cite_running())
        .remedy(Remedy::look(Command::kubectl(["get", "node", name])));
    let finding = match (facts.node_state(), deletion.left) {
        (NodeState::Missing, _) => finding.remedy(Remedy::advice(
            "Wait: the pod garbage collector removes pods of nodes that do not exist, within a minute or two.",
        )),
        _ => finding.remedy(Remedy::advice(format!("Bring {name} back; its kubelet then finishes the deletion."))).remedy(
            Remedy::last_resort(
                format!(
                    "Only if the machine of {name} is known to be off for good: say so, which removes its pods, frees their \
                     volumes and gives up the certainty that nothing of them still runs:"
                ),
                Command::kubectl(["taint", "nodes", name, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"]),
            ),
        ),
    };
    vec![finding.remedy(force(facts, &format!("Only if you know that nothing of the pod still runs on {name}:")))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::termination::tests_support::{deleted, node, running};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_lost_node_cannot_confirm() {
        let finding = one(deleted(running(), "2026-01-01T11:55:00Z", 30).with(node("Unknown")).check(&RULE));
        assert_eq!(finding.headline, "node-1 cannot confirm that the containers stopped: it has not reported for 10m");
    }

    #[test]
    fn a_node_that_does_not_exist_cannot_either() {
        let case = deleted(running(), "2026-01-01T11:55:00Z", 30).complete(&["nodes"]);
        assert!(one(case.check(&RULE)).headline.ends_with("it does not exist"));
    }

    #[test]
    fn a_ready_node_and_a_node_that_could_not_be_read_are_not_told() {
        none(deleted(running(), "2026-01-01T11:55:00Z", 30).with(node("True")).check(&RULE));
        none(deleted(running(), "2026-01-01T11:55:00Z", 30).refused("nodes").check(&RULE));
    }

    #[test]
    fn a_forced_deletion_waits_for_no_node() {
        none(deleted(running(), "2026-01-01T11:55:00Z", 0).with(node("Unknown")).check(&RULE));
    }
}
