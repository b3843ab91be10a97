//! The kubelet refused the pod: not enough of a resource, or a device that it cannot give.

use super::{again, describe_node, rejected};
use crate::facts::{Facts, Rejection};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;
use crate::rules::eviction::OF_THE_END;

pub(super) const RULE: Rule = Rule {
    reason: "NodeRejected",
    stage: Stage::Node,
    summary: "the kubelet refused the pod: not enough of a resource, or a device that it cannot give; other refusals are quoted",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
The pod was already bound to the node when its kubelet counted what is there and found too little: the pod names its node
itself and so bypassed the scheduler, another pod was quicker, the node shrank, or a device went away, as after a restart of
the kubelet before its device plugin is back. No container ran; an exit code 137 in the status is made up.

## Signs
`status.reason` is `OutOfcpu`, `OutOfmemory`, `OutOfpods` or another `OutOf…`, or `UnexpectedAdmissionError`. A refusal for a
reason that no rule knows is told here too, in the kubelet's words.

## Fix
Let the scheduler choose the node (no `spec.nodeName`), ask for less, or bring the device plugin back. An owner makes another
pod by itself.

## Not this
A pod without a node is Pending (InsufficientCPU and others). A pod that ran and was ended is NodePressureEvicted.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let complete = |finding: Finding| {
        let finding =
            facts.main_containers().fold(finding, |f, c| f.because(facts.cite_spec(c, &["resources", "requests"])));
        again(
            facts,
            finding.remedy(describe_node(facts)).remedy(
                facts.owner.edit("Ask for what a node can give, and leave the choice of the node to the scheduler"),
            ),
        )
    };
    let other = rejected(facts, Rejection::Other, "which it does not run")
        .map(|finding| again(facts, finding.remedy(describe_node(facts))));
    rejected(facts, Rejection::Resource, "which asks for more than the node can give")
        .map(complete)
        .or(other)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::node::tests_support::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_kubelets_words_are_told() {
        let finding = one(refused(
            "OutOfcpu",
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 32000, used: 150, capacity: 2000",
        )
        .check(&RULE));
        assert!(
            finding.headline.ends_with(
                "(OutOfcpu): Node didn't have enough resource: cpu, requested: 32000, used: 150, capacity: 2000"
            ),
            "{}",
            finding.headline
        );
    }

    #[test]
    fn a_refusal_for_an_unknown_reason_is_quoted_and_blames_no_resource() {
        let finding = one(refused("FullMoon", "Pod was rejected: the moon is full").check(&RULE));
        assert_eq!(
            finding.headline,
            "the kubelet of node-1 refused the pod, which it does not run (FullMoon): the moon is full"
        );
    }

    #[test]
    fn other_refusals_and_evictions_are_not_told() {
        none(refused("NodeAffinity", "").check(&RULE));
        none(refused("Evicted", "The node was low on resource: memory. ").check(&RULE));
    }
}
