//! An in-place resize waits for room on the node.

use crate::facts::{Facts, Resize};
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ResizeDeferred",
    stage: Stage::Resize,
    summary: "an in-place resize waits for room on the node, or cannot be carried out now",
    explains: &[],
    check,
    explain: r#"
## Meaning
The resources of a running pod were changed in place. Its node could give them, but other pods hold them now. The kubelet tries
again when something changes; the pod runs on with what it had.

## Signs
Condition PodResizePending with reason `Deferred`, before 1.33 `status.resize`. Condition PodResizeInProgress with reason
`Error`: the kubelet has begun and cannot go on, as when a memory limit would fall below what is in use.

## Fix
Make room on the node, or have the pod made anew where there is room.

## Not this
A change that the node can never do is ResizeInfeasible. A resize that is being carried out (PodResizeInProgress) is not
deferred.
"#,
};

/// How long a resize may wait before it counts as wrong, in seconds. A rule of thumb.
const PATIENCE: i64 = 120;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(resize) = facts.resize().filter(|r| !r.is_infeasible()) else { return Vec::new() };
    let node = facts.node_title();
    let why = if resize.message.is_empty() { String::new() } else { format!(": {}", resize.message) };
    if resize.is_failing() {
        return vec![failing(facts, &resize)];
    }
    let fresh = resize.age.is_some_and(|age| age < PATIENCE);
    let finding = Finding::new(facts.subject(), format!("the resize waits for room on {node}{why}"))
        .standing(if fresh { Standing::InProgress } else { Standing::Wrong })
        .because(facts.cite_resize())
        .remedy(facts.pod.node_name().map(|n| Remedy::look(crate::finding::Command::kubectl(["describe", "node", n]))))
        .remedy(Remedy::advice("Make room on the node: the kubelet carries the resize out as soon as there is."))
        .remedy(facts.remake_resized("Or have the pod made anew with the new resources, where there is room:"));
    vec![finding]
}

/// The kubelet tries again and again.
fn failing(facts: &Facts<'_>, resize: &Resize) -> Finding {
    let node = facts.node_title();
    let why = if resize.message.is_empty() { String::new() } else { format!(": {}", resize.message) };
    let change = facts.kubectl(["edit", "pod", &facts.pod.name, "--subresource=resize"]);
    Finding::new(facts.subject(), format!("{node} cannot carry out the resize{why}"))
        .because(facts.cite_resize())
        .remedy(facts.look(["describe", "pod", &facts.pod.name]))
        .remedy(Remedy::change("Ask for what the kubelet can give, which is at least what is in use now:", change))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    #[test]
    fn both_the_condition_and_the_older_field_are_read() {
        let pod = |status| Case::pod(json!({"nodeName": "node-1", "containers": [{"name": "app"}]}), status);
        let old = pod(json!({"phase": "Running", "resize": "Deferred"}));
        assert_eq!(one(old.check(&RULE)).headline, "the resize waits for room on node-1");
        let conditions = json!([{"type": "PodResizePending", "status": "True", "reason": "Deferred",
            "lastTransitionTime": "2026-01-01T11:59:30Z"}]);
        let finding = one(pod(json!({"phase": "Running", "conditions": conditions})).check(&RULE));
        assert_eq!(finding.standing, Standing::InProgress);
    }

    #[test]
    fn a_resize_that_fails_is_quoted() {
        let conditions =
            json!([{"type": "PodResizeInProgress", "status": "True", "reason": "Error", "message": "too small"}]);
        let pod = |conditions| {
            let status = json!({"phase": "Running", "conditions": conditions});
            Case::pod(json!({"nodeName": "node-1", "containers": [{"name": "app"}]}), status)
        };
        assert_eq!(one(pod(conditions).check(&RULE)).headline, "node-1 cannot carry out the resize: too small");
        none(pod(json!([{"type": "PodResizeInProgress", "status": "True"}])).check(&RULE));
    }

    #[test]
    fn a_resize_that_can_never_be_done_or_is_being_done_is_not_told() {
        let pod = |resize: &str| Case::pod(json!({"containers": []}), json!({"phase": "Running", "resize": resize}));
        none(pod("Infeasible").check(&RULE));
        none(pod("InProgress").check(&RULE));
    }
}
