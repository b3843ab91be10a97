//! the kubelet refused the pod: its selector, affinity or operating system does not match the node.

use super::{again, describe_node, rejected};
use crate::facts::{Facts, Rejection};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;
use crate::rules::eviction::OF_THE_END;

pub(super) const RULE: Rule = Rule {
    reason: "NodeRejectedPlacement",
    stage: Stage::Node,
    summary: "the kubelet refused the pod: its selector, affinity or operating system does not match the node",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
The kubelet checks node selector, node affinity and operating system again when a pod arrives. They did not match: the pod
names its node itself and so bypassed the scheduler, or the labels of the node changed after it was bound.

## Signs
`status.reason` is `NodeAffinity` (older: `MatchNodeSelector`), `NodeName`, `TaintToleration` or `PodOSNotSupported`.

## Fix
Correct the selector, label the node, or leave the choice of the node to the scheduler.

## Not this
A pod without a node is Pending (NodeSelectorMismatch, NodeAffinityMismatch).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let complete = |finding: Finding| {
        let finding = finding.because(facts.cite(&["spec", "nodeSelector"])).because(facts.cite(&[
            "spec",
            "affinity",
            "nodeAffinity",
        ]));
        again(
            facts,
            finding
                .remedy(describe_node(facts))
                .remedy(facts.owner.edit("Correct the node selector or affinity, or leave spec.nodeName out")),
        )
    };
    rejected(facts, Rejection::Placement, "whose placement does not fit the node").map(complete).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::node::tests_support::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_kubelets_words_are_told() {
        let finding = one(refused(
            "NodeAffinity",
            "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        )
        .check(&RULE));
        assert!(
            finding.headline.ends_with(
                "(NodeAffinity): Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
            ),
            "{}",
            finding.headline
        );
    }

    #[test]
    fn other_refusals_and_evictions_are_not_told() {
        none(refused("NodePorts", "").check(&RULE));
        none(refused("Evicted", "The node was low on resource: memory. ").check(&RULE));
    }
}
