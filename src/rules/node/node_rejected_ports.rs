//! the kubelet refused the pod: its host port is taken on the node.

use super::{again, describe_node, rejected};
use crate::facts::{Facts, Rejection};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;
use crate::rules::eviction::OF_THE_END;

pub(super) const RULE: Rule = Rule {
    reason: "NodeRejectedPorts",
    stage: Stage::Node,
    summary: "the kubelet refused the pod: its host port is taken on the node",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
Another pod on the node has the host port. The pod names its node itself and so bypassed the scheduler, which counts host
ports, or a static pod took the port.

## Signs
`status.reason` is `NodePorts` (older: `HostPortConflict`, `PodFitsHostPorts`).

## Fix
Use another host port, or none: a Service reaches pods without. A DaemonSet gives one such pod to each node.

## Not this
A pod without a node is Pending (HostPortConflict).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let complete = |finding: Finding| {
        let finding = facts.main_containers().fold(finding, |f, c| f.because(facts.cite_spec(c, &["ports"])));
        again(facts, finding.remedy(describe_node(facts)).remedy(facts.owner.edit("Use another host port, or none")))
    };
    rejected(facts, Rejection::Ports, "whose host port is taken there").map(complete).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::node::tests_support::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_kubelets_words_are_told() {
        let finding = one(refused(
            "NodePorts",
            "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
        )
        .check(&RULE));
        assert!(
            finding.headline.ends_with(
                "(NodePorts): Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
            ),
            "{}",
            finding.headline
        );
    }

    #[test]
    fn other_refusals_and_evictions_are_not_told() {
        none(refused("OutOfpods", "").check(&RULE));
        none(refused("Evicted", "The node was low on resource: memory. ").check(&RULE));
    }
}
