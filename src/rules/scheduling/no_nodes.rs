//! The cluster has no node at all.

use crate::facts::Facts;
use crate::facts::scheduling::Says;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NoNodes",
    stage: Stage::Scheduling,
    summary: "the cluster has no node",
    explains: &[],
    check,
    explain: r#"
## Meaning
No node has joined the cluster, or the last one has been removed: an autoscaler that scaled to nothing, a node group without
instances, a kubelet that cannot register.

## Signs
The list of nodes is empty. The scheduler says `no nodes available to schedule pods`.

## Fix
Add a node, or see why nodes do not register: the kubelet's log on the machine, pending certificate requests, the autoscaler.

## Not this
Nodes that exist but are not ready are NodeUnready.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let none_known = facts.fit().is_some_and(|fit| fit.nodes().next().is_none());
    let sentence = facts.scheduling_sentence();
    let none_heard = sentence.is_some_and(|s| s.says(Says::Reason("NoNodes")) || s.nodes == Some(0));
    let some_known = facts.fit().is_some_and(|fit| fit.nodes().next().is_some());
    if !(none_known || none_heard) || some_known || !facts.scheduling_tried() {
        return Vec::new();
    }
    vec![
        Finding::new(facts.subject(), "the cluster has no node that the pod could run on")
            .because(facts.cite_sentence())
            .because(facts.cite(&["status", "phase"]))
            .because(facts.autoscaler_says().into_iter().map(|e| e.cite()))
            .remedy(Remedy::look(Command::kubectl(["get", "nodes"])))
            .remedy(Remedy::advice(
                "Add a node, or see why none registers: the kubelet's log, the autoscaler's events.",
            )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{none, one};

    #[test]
    fn an_empty_cluster_is_told_from_a_full_one() {
        one(refused("no nodes available to schedule pods").check(&RULE));
        one(refused("no nodes available to schedule pods").complete(&["nodes"]).check(&RULE));
        none(refused("no nodes available to schedule pods").with(node("a", "4")).complete(&["nodes"]).check(&RULE));
        none(refused("0/3 nodes are available: 3 Too many pods.").refused("nodes").check(&RULE));
    }
}
