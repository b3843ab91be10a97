//! The node reports that it is not ready.

use super::describe_node;
use crate::facts::time::{human, seconds_between};
use crate::facts::{Facts, NodeState};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodeNotReady",
    stage: Stage::Node,
    summary: "the node reports that it is not ready",
    explains: &[
        "ReadinessProbeFailing",
        "ReadinessGateUnmet",
        "KubeletSilent",
        "GracePeriodOverrun",
        "VolumeUnmountStuck",
    ],
    check,
    explain: r#"
## Meaning
The node's kubelet runs and says that the node is not ready: its container runtime does not answer, its network plugin is not
set up, it lacks capacity. Pods there count as not ready, and after their tolerations run out they are deleted.

## Signs
The node's Ready condition is `False`; its message says why.

## Fix
It follows from the message: the container runtime (`container runtime is down`, `PLEG is not healthy`), the network plugin
(`cni plugin not initialized`), a driver that has not registered.

## Not this
A node that says nothing any more is NodeLost. A node under memory or disk pressure is still ready, and its running pods are
not broken by that.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let NodeState::NotReady(node) = facts.node_state() else { return Vec::new() };
    if facts.pod.is_terminal() {
        return Vec::new();
    }
    let ready = node.condition("Ready");
    let since = ready.and_then(|c| c.last_transition_time);
    let span = since.map_or_else(String::new, |t| format!(" for {}", human(seconds_between(t, facts.now))));
    let message = ready.map(|c| c.message.trim()).filter(|m| !m.is_empty());
    let why = message.map_or_else(String::new, |m| format!(": {m}"));
    let name = facts.node_title();
    let finding = Finding::new(facts.subject(), format!("{name} has not been ready{span}{why}"))
        .because(facts.cite_node_trouble())
        .because(facts.cite(&["spec", "nodeName"]))
        .remedy(describe_node(facts))
        .remedy(Remedy::advice(format!("Mend what the message names on {name}; the pod need not be changed.")));
    vec![finding]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::node::tests_support::on_node;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_nodes_own_words_are_told() {
        let finding = one(on_node("False", "container runtime is down").check(&RULE));
        assert_eq!(finding.headline, "node-1 has not been ready for 5m: container runtime is down");
    }

    #[test]
    fn a_silent_node_and_a_pod_that_has_ended_are_not_told() {
        none(on_node("Unknown", "Kubelet stopped posting node status.").check(&RULE));
        none(on_node("False", "x").edit("/status/phase", json!("Succeeded")).check(&RULE));
    }
}
