//! A postStart hook has not returned, so the container does not count as running.

use super::waiting_for;
use crate::facts::time::human;
use crate::facts::{Container, Evidence, Facts, HOOK_USUAL};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PostStartHookRunning",
    stage: Stage::Startup,
    summary: "the postStart hook has not returned, so the container is not running yet",
    explains: &["SidecarNotStarted"],
    check,
    explain: r#"
## Meaning
The kubelet waits for a postStart hook before it does anything else for the pod: the container has been started, but still
counts as waiting, no probe is asked, and the containers after it are not begun. A hook has no timeout of its own.

## Signs
A Started event for a container that has a postStart hook and waits with ContainerCreating or PodInitializing all the same. It
is said after a minute, a rule of thumb.

## Fix
Give the hook an end: a limit on its loop, a timeout on its requests. Work that takes long belongs into an init container.

## Not this
A container that waits with ContainerCreating and has no Started event was not started.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let running = facts.main_containers().filter_map(|c| Some((c, facts.post_start_running(c)?)));
    running.filter(|(_, span)| *span > HOOK_USUAL).filter_map(|(c, span)| hangs(facts, c, span)).collect()
}

fn hangs(facts: &Facts<'_>, container: &Container, span: i64) -> Option<Finding> {
    let title = container.title();
    let hook = facts.post_start_hook(container)?;
    let after = waiting_for(facts, container);
    let after = if after.is_empty() { String::new() } else { format!("; {after}") };
    let started = facts.events.with(&["Started"]).find(|e| e.container.as_deref() == Some(&container.name));
    Some(
        Finding::new(
            facts.subject_of(container),
            format!(
                "the postStart hook of {title} ({hook}) has been running for {} and has not returned{after}",
                human(span)
            ),
        )
        .because(facts.cite_status(container, &["state", "waiting", "reason"]))
        .because(facts.cite_status(container, &["started"]))
        .because(started.map(|e| e.cite()))
        .because(facts.cite_spec(container, &["lifecycle", "postStart"]))
        .because(Evidence::derived(format!("more than {} is long for a hook: a rule of thumb", human(HOOK_USUAL))))
        .remedy(facts.look(["describe", "pod", &facts.pod.name]))
        .remedy(
            facts
                .owner
                .edit(&format!("Give the postStart hook of {title} an end, or move its work into an init container")),
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/containers/0/lifecycle/postStart", json!({"exec": {"command": ["sh", "-c", "sleep 1000"]}}))
    }

    fn started(case: Case, at: &str) -> Case {
        case.with(
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "s", "namespace": "n"}, "type": "Normal",
            "reason": "Started", "message": "Container started", "lastTimestamp": at, "involvedObject": {"kind": "Pod",
                "namespace": "n", "name": "p", "uid": "u", "fieldPath": "spec.containers{app}"}}),
        )
    }

    #[test]
    fn a_container_that_was_started_and_still_waits_is_kept_by_its_hook() {
        let finding = one(started(case(), "2026-01-01T11:55:00Z").check(&RULE));
        assert_eq!(
            finding.headline,
            "the postStart hook of container app (exec sh -c sleep 1000) has been running for 5m and has not returned"
        );
    }

    #[test]
    fn one_that_was_not_started_waits_for_something_else() {
        none(case().check(&RULE));
    }

    #[test]
    fn a_hook_that_has_just_begun_or_has_failed_does_not_hang() {
        none(started(case(), "2026-01-01T11:59:30Z").check(&RULE));
        none(
            started(case(), "2026-01-01T11:55:00Z")
                .event("FailedPostStartHook", "app", "PostStartHook failed")
                .check(&RULE),
        );
    }
}
