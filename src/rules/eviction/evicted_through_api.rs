//! Someone asked for the pod's eviction.

use super::{OF_THE_END, successor};
use crate::facts::{Facts, NodeState};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "EvictedThroughAPI",
    stage: Stage::Eviction,
    summary: "someone asked for the pod's eviction: a drain, an autoscaler, a descheduler",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
`kubectl drain`, a cluster autoscaler, Karpenter, a node upgrade or a descheduler called the eviction API. The pod is deleted
with its own grace period, as far as its PodDisruptionBudget allows.

## Signs
Condition DisruptionTarget with reason `EvictionByEvictionAPI`. The node is often cordoned.

## Fix
None is needed if the drain was meant: the owner makes the pod anew elsewhere. A long `terminationGracePeriodSeconds` makes
the drain wait.

## Not this
The kubelet's own evictions say why in the pod's message (NodePressureEvicted). What keeps a pod after its grace period has a
reason of its own.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.disruption() != "EvictionByEvictionAPI" {
        return Vec::new();
    }
    let grace = match facts.deletion() {
        Some(d) if d.in_grace() && !d.stopped => format!("; its grace period of {}s {}", d.grace, d.span()),
        _ => String::new(),
    };
    let cordoned = match facts.node_state() {
        NodeState::Ready(node) | NodeState::NotReady(node) => facts.cite_node(node, &["spec", "unschedulable"]),
        _ => None,
    };
    let finding = Finding::new(facts.subject(), format!("the pod was evicted through the API, as a drain does{grace}"))
        .standing(facts.standing_of_removal())
        .because(facts.cite_whole_condition("DisruptionTarget"))
        .because(cordoned)
        .because(facts.cite_budgets())
        .because(facts.cite_deletion())
        .because(facts.cite_running())
        .remedy(facts.look(["get", "poddisruptionbudget"]))
        .remedy(successor(facts))
        .remedy(Remedy::advice("Wait for the grace period to end; what the pod does meanwhile is its own shutdown."));
    vec![finding]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::finding::Standing;
    use crate::rules::testing::{Case, none, one};

    fn evicted(ends: &str) -> Case {
        let conditions = json!([{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting"}]);
        Case::container(json!({"state": {"running": {"startedAt": "2026-01-01T11:51:00Z"}}}))
            .edit("/status/conditions", conditions)
            .edit("/metadata/deletionTimestamp", json!(ends))
            .edit("/metadata/deletionGracePeriodSeconds", json!(600))
    }

    #[test]
    fn a_drained_pod_in_its_grace_period_is_on_its_way() {
        let finding = one(evicted("2026-01-01T12:05:00Z").check(&RULE));
        assert_eq!(finding.standing, Standing::InProgress);
        assert!(finding.headline.ends_with("its grace period of 600s ends in 5m"), "{}", finding.headline);
    }

    #[test]
    fn after_the_grace_period_the_eviction_is_not_what_keeps_the_pod() {
        none(evicted("2026-01-01T11:55:00Z").check(&RULE));
    }

    #[test]
    fn a_plain_deletion_is_no_eviction() {
        assert!(evicted("2026-01-01T12:05:00Z").edit("/status/conditions", json!([])).check(&RULE).is_empty());
    }
}
