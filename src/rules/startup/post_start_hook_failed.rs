//! A postStart hook failed, and the kubelet killed the container for it.

use crate::facts::{Evidence, Facts, HookFailure};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PostStartHookFailed",
    stage: Stage::Startup,
    summary: "the postStart hook failed and the container is killed",
    explains: &["KilledBySIGKILL", "StoppedBySIGTERM", "ExitedSuccessfully", "ApplicationError", "SidecarNotStarted"],
    check,
    explain: r#"
## Meaning
The kubelet runs the postStart hook right after it has started the container, at the same time as the program. If the hook
fails, the kubelet stops the container, and starts both anew. The exit code is that of the stop (0, 143, 137), not the
hook's.

## Signs
FailedPostStartHook and Killing events. Since Kubernetes 1.26 the event does not say why; the message stands in the status for
as long as the container waits with PostStartHookError.

## Fix
Make the hook patient: it can run before the program listens, so a request to the program itself is refused at first. Make it
end with 0 if its work is not vital, or move that work into an init container or into the program.

## Not this
A hook also fails when the program has already ended by itself; then the program's own end comes first.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.failed_post_starts().iter().map(|f| failed(facts, f)).collect()
}

fn failed(facts: &Facts<'_>, failure: &HookFailure<'_>) -> Finding {
    let container = failure.container;
    let title = container.title();
    let why = if failure.said.is_empty() { String::new() } else { format!(": {}", failure.said) };
    let headline =
        format!("the postStart hook of {title} ({}) fails, so the kubelet kills the container{why}", failure.hook);
    let hook = ["exec", "httpGet", "tcpSocket", "sleep"].into_iter();
    let steps = |kind, rest: &[&str]| facts.cite_spec(container, &[&["lifecycle", "postStart", kind], rest].concat());
    let mut what = hook.filter_map(|kind| {
        steps(kind, &["command"]).or_else(|| steps(kind, &["port"])).or_else(|| steps(kind, &["seconds"]))
    });
    let path = steps("httpGet", &["path"]);
    let length = failure.exit.filter(|_| failure.event.is_none()).and_then(|exit| exit.lasted()).map(|lasted| {
        let grace = facts.pod.spec.termination_grace_period_seconds.unwrap_or(30);
        Evidence::derived(format!(
            "the last run lasted {lasted}s with a grace period of {grace}s: it was asked to stop right after its start"
        ))
    });
    Finding::new(facts.subject_of(container), headline)
        .certainty(failure.certainty)
        .standing(failure.standing)
        .because(facts.cite_status(container, &["state", "waiting", "message"]).filter(|_| !failure.said.is_empty()))
        .because(failure.event.map(|e| e.cite()))
        .because(failure.exit.and_then(|exit| facts.cite_exit(container, exit, "exitCode")))
        .because(length)
        .because(what.next())
        .because(path)
        .remedy(failure.exit.map(|exit| facts.look_at_log(container, exit)))
        .remedy(facts.owner.edit(&format!(
            "Let the postStart hook of {title} wait for what it needs, end with 0 if its work is not vital, or leave it out"
        )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(code: i32, finished: &str) -> Case {
        Case::container(json!({"restartCount": 6, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {
            "terminated": {"exitCode": code, "startedAt": "2026-01-01T11:58:00Z", "finishedAt": finished}}}))
        .edit("/spec/containers/0/lifecycle", hook())
    }

    fn hook() -> Value {
        json!({"postStart": {"httpGet": {"port": 9999, "path": "/warm", "scheme": "HTTP"}}})
    }

    #[test]
    fn the_event_says_that_it_failed_and_the_spec_what_it_does() {
        let finding = one(case(137, "2026-01-01T11:59:05Z")
            .event("FailedPostStartHook", "app", "PostStartHook failed")
            .check(&RULE));
        assert_eq!(
            finding.headline,
            "the postStart hook of container app (GET http://:9999/warm) fails, so the kubelet kills the container"
        );
    }

    #[test]
    fn the_status_has_the_words_that_the_event_hides() {
        let message = r#"HTTP lifecycle hook (/warm) for Container "app" in Pod "p_n(u)" failed - error: Get "http://10.0.0.1:9999/warm": dial tcp 10.0.0.1:9999: connect: connection refused"#;
        let waiting = json!({"state": {"waiting": {"reason": "PostStartHookError", "message": message}}});
        let finding = one(Case::container(waiting).edit("/spec/containers/0/lifecycle", hook()).check(&RULE));
        assert!(finding.headline.ends_with("connect: connection refused"));
    }

    #[test]
    fn a_program_that_ended_by_itself_took_its_hook_with_it() {
        let case = case(1, "2026-01-01T11:58:58Z").event("FailedPostStartHook", "app", "PostStartHook failed");
        none(case.check(&RULE));
        assert_eq!(case.check(&RULE).len(), 1);
    }

    #[test]
    fn without_events_a_stop_right_after_each_start_is_a_sign() {
        let stopped = |finished| case(137, finished).edit("/spec/terminationGracePeriodSeconds", json!(30));
        let finding = one(stopped("2026-01-01T11:58:30Z").check(&RULE));
        assert_eq!(finding.certainty, crate::finding::Certainty::Likely);
        none(stopped("2026-01-01T11:58:02Z").check(&RULE));
        none(stopped("2026-01-01T11:58:30Z").event("BackOff", "app", "Back-off").check(&RULE));
    }

    #[test]
    fn a_container_that_is_killed_for_something_else_has_no_failed_hook() {
        none(case(137, "2026-01-01T11:59:05Z").check(&RULE));
    }
}
