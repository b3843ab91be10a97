//! The pod is bound to a node whose kubelet has not taken it up.

use super::describe_node;
use crate::facts::time::human;
use crate::facts::{Facts, NodeState, State};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "KubeletSilent",
    stage: Stage::Node,
    summary: "the pod is bound to a ready node whose kubelet has not acted on it",
    explains: &["GracePeriodOverrun", "GracePeriodRunning", "ImagePullQueued", "VolumeUnmountStuck"],
    check,
    explain: r#"
## Meaning
A node was chosen, and the node counts as ready, but its kubelet has neither set a start time nor reported a container.
Kubelets do so within seconds. This one is stuck or overloaded, cannot reach the API server, or does not exist behind its
Node object.

## Signs
`spec.nodeName` is set; `status.startTime`, the container statuses and the kubelet's events are absent for more than two
minutes (a rule of thumb).

## Fix
Look at the kubelet of that node: its log, its load, its connection to the API server. Other new pods there have the same
trouble.

## Not this
A pod with a start time whose containers wait has been taken up. A node that does not report is NodeLost.
"#,
};

/// How long a bound pod may go without a word of its kubelet, in seconds. A rule of thumb.
const PATIENCE: i64 = 120;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let NodeState::Ready(node) = facts.node_state() else { return Vec::new() };
    let taken_up = facts.pod.status.start_time.is_some()
        || facts.containers.iter().any(|c| c.state != State::Unreported)
        || facts.pod.status.container_statuses.is_some()
        || facts.events.iter().any(|e| e.source == "kubelet");
    let Some(bound) = facts.bound_for().filter(|b| *b > PATIENCE) else { return Vec::new() };
    if taken_up || facts.target.kind != "Pod" || facts.pod.is_terminal() {
        return Vec::new();
    }
    let name = &node.metadata.name;
    let headline =
        format!("the kubelet of {name} has not acted on the pod, which was bound to it {} ago", human(bound));
    let restart =
        format!("See why the kubelet of {name} does nothing: its log, its load, its connection to the API server.");
    let finding = Finding::new(facts.subject(), headline)
        .certainty(Certainty::Likely)
        .because(facts.cite(&["spec", "nodeName"]))
        .because(facts.cite_absence(&["status", "startTime"]))
        .because(facts.cite_absence(&["status", "containerStatuses"]))
        .because(facts.cite_node_trouble())
        .because(facts.cite_deletion())
        .remedy(describe_node(facts))
        .remedy(Remedy::advice(restart));
    vec![finding]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn bound(status: serde_json::Value) -> Case {
        Case::pod(json!({"nodeName": "node-2", "containers": [{"name": "app"}]}), status).with(json!({"kind": "Node",
            "metadata": {"name": "node-2"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
    }

    #[test]
    fn a_pod_that_no_kubelet_has_taken_up_is_told() {
        let finding = one(bound(json!({"phase": "Pending"})).check(&RULE));
        assert_eq!(finding.headline, "the kubelet of node-2 has not acted on the pod, which was bound to it 10m ago");
    }

    #[test]
    fn a_pod_with_a_start_time_or_just_bound_is_not_told() {
        none(bound(json!({"phase": "Pending", "startTime": "2026-01-01T11:50:00Z"})).check(&RULE));
        let scheduled =
            json!([{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T11:59:30Z"}]);
        none(bound(json!({"phase": "Pending", "conditions": scheduled})).check(&RULE));
    }

    #[test]
    fn an_event_of_the_kubelet_shows_that_it_acts() {
        none(bound(json!({"phase": "Pending"})).event("FailedMount", "", "x").check(&RULE));
    }
}
