//! An in-place resize does not fit the node at all.

use crate::facts::{Facts, Resize};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ResizeInfeasible",
    stage: Stage::Resize,
    summary: "an in-place resize can never be done on this node",
    explains: &[],
    check,
    explain: r#"
## Meaning
The resources of a running pod were changed in place, and its node can never give them: the request is larger than the whole
node, or the node's CPU or memory manager, swap or version does not allow the change. The pod runs on with what it had.

## Signs
Condition PodResizePending with reason `Infeasible`, before 1.33 `status.resize`. Recent kubelets say `Deferred` even for a
request that is larger than the node; the numbers in the message tell.

## Fix
Take the change back, or have the pod made anew on a node that fits.

## Not this
A resize that only waits for room is ResizeDeferred.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(resize) = facts.resize().filter(Resize::is_infeasible) else { return Vec::new() };
    let node = facts.node_title();
    let why = if resize.message.is_empty() { String::new() } else { format!(": {}", resize.message) };
    let finding =
        Finding::new(facts.subject(), format!("{node} can never do the resize; the pod keeps what it had{why}"))
            .because(facts.cite_resize())
            .remedy(facts.look(["describe", "pod", &facts.pod.name]))
            .remedy(Remedy::change(
                "Take the change back:",
                facts.kubectl(["edit", "pod", &facts.pod.name, "--subresource=resize"]),
            ))
            .remedy(facts.remake_resized("Or have the pod made anew with the new resources, where they fit:"));
    vec![finding]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pending(reason: &str, message: &str) -> Case {
        Case::container(json!({"ready": true, "state": {"running": {}}})).edit(
            "/status/conditions",
            json!([{"type": "PodResizePending", "status": "True", "reason": reason, "message": message,
                "lastTransitionTime": "2026-01-01T11:50:00Z"}]),
        )
    }

    #[test]
    fn the_kubelets_word_or_its_numbers_say_never() {
        assert!(one(pending("Infeasible", "no").check(&RULE)).headline.ends_with(": no"));
        let larger = "Node didn't have enough resource: cpu, requested: 8000, used: 1200, capacity: 4000";
        one(pending("Deferred", larger).check(&RULE));
    }

    #[test]
    fn a_resize_that_waits_for_room_is_not_told() {
        none(
            pending("Deferred", "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000")
                .check(&RULE),
        );
    }
}
