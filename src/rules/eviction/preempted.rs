//! A pod of higher priority took this pod's place.

use super::{OF_THE_END, successor};
use crate::facts::{Facts, PodEnd};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "Preempted",
    stage: Stage::Eviction,
    summary: "a pod of higher priority took its place",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
A pod with a higher priority found no room, so the scheduler (or, for a critical pod of the node, the kubelet) removed this
one to make some.

## Signs
Condition DisruptionTarget with reason `PreemptionByScheduler`, `status.reason` `Preempting`, or an event Preempted.

## Fix
Give the pod a PriorityClass that fits its worth, or the cluster more room.

## Not this
A node that runs short evicts for itself (NodePressureEvicted). A drain is EvictedThroughAPI.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let by_kubelet = facts.pod_end() == Some(PodEnd::Preempted);
    let by_scheduler = matches!(facts.disruption(), "PreemptionByScheduler" | "PreemptionByKubeScheduler");
    let event = facts.events.latest("Preempted").filter(|_| facts.pod.is_deleting());
    if !by_kubelet && !by_scheduler && event.is_none() {
        return Vec::new();
    }
    let by = if by_kubelet {
        "the kubelet removed the pod to admit a critical one"
    } else {
        "a pod of higher priority takes its place"
    };
    let finding = Finding::new(facts.subject(), by)
        .standing(facts.standing_of_removal())
        .because(facts.cite_whole_condition("DisruptionTarget"))
        .because(if by_kubelet { facts.cite_ending() } else { Vec::new() })
        .because(event.map(|e| e.cite()))
        .because(facts.cite(&["spec", "priority"]))
        .because(facts.cite_deletion())
        .remedy(successor(facts))
        .remedy(facts.owner.edit("Give the pod a PriorityClass that fits its worth (priorityClassName)"))
        .remedy(Remedy::advice("Or give the cluster more room."));
    vec![finding]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn ended(status: serde_json::Value) -> Case {
        Case::pod(json!({"containers": [{"name": "app"}], "priority": 0}), status)
    }

    #[test]
    fn scheduler_and_kubelet_preempt() {
        let condition = json!([{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
            "message": "default-scheduler: preempting to accommodate a higher priority pod"}]);
        let by_scheduler = ended(json!({"phase": "Running", "conditions": condition}));
        assert_eq!(one(by_scheduler.check(&RULE)).headline, "a pod of higher priority takes its place");
        let by_kubelet = ended(json!({"phase": "Failed", "reason": "Preempting",
            "message": "Preempted in order to admit critical pod"}));
        assert!(one(by_kubelet.check(&RULE)).headline.starts_with("the kubelet removed"));
    }

    #[test]
    fn an_eviction_and_a_condition_that_was_taken_back_are_not_told() {
        none(
            ended(json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}))
                .check(&RULE),
        );
        let back = json!([{"type": "DisruptionTarget", "status": "False", "reason": "PreemptionByScheduler"}]);
        none(ended(json!({"phase": "Running", "conditions": back})).check(&RULE));
    }
}
