//! The node was shutting down.

use super::describe_node;
use crate::facts::{Facts, NodeState, PodEnd};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;
use crate::rules::eviction::successor;

pub(super) const RULE: Rule = Rule {
    reason: "NodeShutdown",
    stage: Stage::Node,
    summary: "the node was shutting down",
    explains: &[
        "NodeNotReady",
        "ContainerStatusUnknown",
        "KilledBySIGKILL",
        "StoppedBySIGTERM",
        "ApplicationError",
        "ExitedSuccessfully",
        "InitContainerFailed",
        "ReadinessProbeFailing",
    ],
    check,
    explain: r#"
## Meaning
The machine was shut down or restarted in an orderly way. Its kubelet ended the pods there, or refused those that still came.
Such a pod stays behind as Failed; its owner makes another.

## Signs
`status.reason` is `Terminated`, `NodeShutdown` or `Shutdown`; or the condition DisruptionTarget says `imminent node shutdown`;
or the node's Ready condition says `node is shutting down`.

## Fix
None is needed if the shutdown was meant (an upgrade, a spot machine that was taken back). A pod without an owner has to be
made again.

## Not this
A machine that goes down without a word is NodeLost.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let ended = facts.pod_end() == Some(PodEnd::Shutdown);
    let going = match facts.node_state() {
        NodeState::NotReady(node) => {
            node.condition("Ready").is_some_and(|c| c.message.contains("node is shutting down"))
        }
        _ => false,
    };
    let name = facts.node_title();
    let headline = match (ended, going && !facts.pod.is_terminal()) {
        (true, _) => format!("{name} was shutting down, and its kubelet ended or refused the pod"),
        (_, true) => format!("{name} is shutting down"),
        _ => return Vec::new(),
    };
    let finding = Finding::new(facts.subject(), headline)
        .because(if ended { facts.cite_ending() } else { Vec::new() })
        .because(facts.cite_whole_condition("DisruptionTarget"))
        .because(if going { facts.cite_node_trouble() } else { Vec::new() })
        .because(facts.cite(&["spec", "nodeName"]))
        .remedy(describe_node(facts));
    vec![match facts.target.kind {
        "Node" => {
            finding.remedy(Remedy::advice("Wait until the machine is back, or delete its Node object if it is not to."))
        }
        _ => finding.remedy(successor(facts)),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::node::tests_support::{on_node, refused};
    use crate::rules::testing::{none, one};

    #[test]
    fn every_versions_word_is_known() {
        for reason in ["Terminated", "NodeShutdown", "Shutdown"] {
            let case = refused(reason, "Pod was terminated in response to imminent node shutdown.");
            assert!(one(case.check(&RULE)).headline.starts_with("node-1 was shutting down"));
        }
        assert_eq!(one(on_node("False", "node is shutting down").check(&RULE)).headline, "node-1 is shutting down");
    }

    #[test]
    fn other_ends_are_not_told() {
        none(refused("Evicted", "The node was low on resource: memory.").check(&RULE));
        none(on_node("False", "container runtime is down").check(&RULE));
    }
}
