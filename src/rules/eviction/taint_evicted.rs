//! A NoExecute taint removed the pod from its node.

use super::{OF_THE_END, successor};
use crate::facts::{Facts, NodeState};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "TaintEvicted",
    stage: Stage::Eviction,
    summary: "a NoExecute taint removed the pod from its node",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
The node got a taint with effect NoExecute that the pod does not tolerate, or no longer: by default a pod tolerates
`node.kubernetes.io/not-ready` and `unreachable` for five minutes. The taint manager then deletes the pod.

## Signs
Condition DisruptionTarget with reason `DeletionByTaintManager`, or an event TaintManagerEviction `Marking for deletion`.

## Fix
For a node in trouble, the node. For a taint that someone set on purpose, a toleration, if the pod belongs there.

## Not this
`Cancelling deletion of Pod` is no eviction. A taint with effect NoSchedule removes nothing (UntoleratedTaint).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let by_condition = matches!(facts.disruption(), "DeletionByTaintManager" | "DeletionByDeviceTaintManager");
    let latest = facts.events.latest("TaintManagerEviction");
    let event = latest.filter(|e| e.message.starts_with("Marking for deletion") && facts.pod.is_deleting());
    if !by_condition && event.is_none() {
        return Vec::new();
    }
    let taints = taints(facts);
    let by = match taints.is_empty() {
        true => "a NoExecute taint of the node".to_owned(),
        false => format!("taint {}", taints.join(", ")),
    };
    let finding = Finding::new(facts.subject(), format!("{by} removes the pod from {}", facts.node_title()))
        .standing(facts.standing_of_removal())
        .because(facts.cite_whole_condition("DisruptionTarget"))
        .because(event.map(|e| e.cite()))
        .because(facts.cite_taints())
        .because(facts.cite_deletion())
        .remedy(facts.pod.node_name().map(|n| Remedy::look(Command::kubectl(["describe", "node", n]))))
        .remedy(successor(facts))
        .remedy(facts.owner.edit("If the pod belongs on that node, give it a toleration for the taint"));
    vec![finding]
}

/// The node's taints of effect NoExecute, as they are now.
fn taints(facts: &Facts<'_>) -> Vec<String> {
    match facts.node_state() {
        NodeState::Ready(node) | NodeState::NotReady(node) | NodeState::Lost(node) => {
            let executing = node.spec.taints.iter().filter(|t| t.effect == "NoExecute");
            executing
                .map(|t| if t.value.is_empty() { t.key.clone() } else { format!("{}={}", t.key, t.value) })
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn tainted(event: &str) -> Case {
        Case::container(json!({"state": {"running": {}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/metadata/deletionTimestamp", json!("2026-01-01T12:00:20Z"))
            .event("TaintManagerEviction", "", event)
            .with(json!({"kind": "Node", "metadata": {"name": "node-1"},
                "spec": {"taints": [{"key": "maintenance", "value": "now", "effect": "NoExecute"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
    }

    #[test]
    fn the_taint_is_named() {
        let finding = one(tainted("Marking for deletion Pod n/p").check(&RULE));
        assert_eq!(finding.headline, "taint maintenance=now removes the pod from node-1");
    }

    #[test]
    fn a_cancelled_deletion_is_not_told() {
        none(tainted("Cancelling deletion of Pod n/p").check(&RULE));
    }
}
