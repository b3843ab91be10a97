//! The preStop hook failed.

use super::for_the_next;
use crate::facts::{Event, Facts};
use crate::finding::{Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PreStopHookFailed",
    stage: Stage::Termination,
    summary: "the preStop hook failed",
    explains: &[],
    check,
    explain: r#"
## Meaning
The kubelet ran the container's preStop hook before it sent SIGTERM, and the hook failed. The deletion goes on all the same;
what the hook was to do (leave a cluster, drain connections) has not been done. Often the main process had already ended,
which takes the hook with it.

## Signs
Event FailedPreStopHook. Since 1.26 it no longer tells the command's output.

## Fix
Run the hook's command in a running container and see what it says: a program that the image lacks, a missing right, a port
that no longer answers.

## Not this
A hook that takes long is PreStopHookRunning. A postStart hook that fails kills the container (PostStartHookFailed).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let began = facts.pod.deletion_began();
    let of_deletion = |e: &&Event| began.is_some() && e.seen_since(began);
    let mut seen: Vec<Option<&str>> = Vec::new();
    let mut findings = Vec::new();
    for event in facts.events.with(&["FailedPreStopHook"]) {
        let name = event.container.as_deref();
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        findings.push(found(facts, event, of_deletion(&event)));
    }
    findings
}

fn found(facts: &Facts<'_>, event: &Event, now: bool) -> Finding {
    let container = event.container.as_deref().and_then(|name| facts.container(name));
    let held = facts.deletion().is_some_and(|d| d.in_grace() && !d.stopped);
    let subject = container.map_or_else(|| facts.subject(), |c| facts.subject_of(c));
    let title = container.map_or_else(|| "a container".to_owned(), |c| c.title());
    let kind = ["exec", "httpGet", "tcpSocket", "sleep"];
    let hook = container.and_then(|c| kind.into_iter().find_map(|k| facts.cite_spec(c, &["lifecycle", "preStop", k])));
    Finding::new(subject, format!("the preStop hook of {title} failed, and what it was to do has not been done"))
        .standing(if now && held { Standing::InProgress } else { Standing::Past })
        .because(event.cite())
        .because(hook)
        .remedy(container.map(|c| facts.look(["logs", &facts.pod.name, "-c", &c.name])))
        .remedy(for_the_next(facts, "Correct the preStop hook: its command has to exist in the image and to return 0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::termination::tests_support::{deleted, ended, running};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_hook_that_failed_in_this_deletion_is_told() {
        let case =
            deleted(running(), "2026-01-01T12:05:00Z", 600).event("FailedPreStopHook", "app", "PreStopHook failed");
        let finding = one(case.check(&RULE));
        assert!(finding.headline.starts_with("the preStop hook of container app failed"), "{}", finding.headline);
    }

    #[test]
    fn a_hook_that_failed_before_or_holds_nothing_any_more_is_past() {
        let early =
            deleted(running(), "2026-01-01T12:10:30Z", 600).event("FailedPreStopHook", "app", "PreStopHook failed");
        none(early.check(&RULE));
        none(deleted(ended(), "2026-01-01T12:05:00Z", 600).event("FailedPreStopHook", "app", "x").check(&RULE));
    }
}
