//! The startup probe has used up its budget, or has done so in the runs before.

use super::{failing, finding, remedies, what_came_back};
use crate::facts::{Evidence, Facts, ProbeKind, ProbeTrouble};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "StartupProbeFailing",
    stage: Stage::Probes,
    summary: "the startup probe fails; the container is killed when its budget is used up",
    explains: &["KilledBySIGKILL", "StoppedBySIGTERM", "ExitedSuccessfully", "ApplicationError", "SidecarNotStarted"],
    check,
    explain: r#"
## Meaning
The startup probe has `initialDelaySeconds` plus `failureThreshold` times `periodSeconds` to succeed once. It did not, so the
kubelet kills the container and starts it anew. Until it succeeds, the other probes are not asked, the container does not
count as started, and behind a sidecar the next containers wait.

## Signs
`started: false` in the container's status; Unhealthy events "Startup probe failed", a Killing event "failed startup probe".
Where the events are gone: runs that all end with 137 or 143 after the same time, that of the budget and the grace period.

## Fix
If the program needs longer, raise `failureThreshold`. If it does start, correct the port, the path or the command.

## Not this
A startup probe that fails while its budget lasts is a program that starts up.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, ProbeKind::Startup).map(|t| found(facts, &t)).collect()
}

fn found(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Finding {
    let (probe, came) = (&trouble.probe, what_came_back(trouble));
    let used = Evidence::derived(format!("its budget is {}", probe.budget_sum()));
    let double = probe.budget().saturating_mul(2) / probe.period;
    let more = format!(
        "If the program needs longer than {}s to start, raise failureThreshold in startupProbe of {}, for example to {double}, which gives it {}s",
        probe.budget(),
        probe.container.title(),
        probe.initial_delay.saturating_add(double.saturating_mul(probe.period))
    );
    finding(facts, trouble, format!("{} {came} in the {}s that it has", probe.title(), probe.budget()))
        .because(used)
        .remedy(remedies(facts, trouble))
        .remedy(facts.owner.edit(&more))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(status: Value) -> Case {
        Case::container(status).edit("/spec/terminationGracePeriodSeconds", json!(5)).edit(
            "/spec/containers/0/startupProbe",
            json!({"httpGet": {"path": "/up", "port": 80}, "periodSeconds": 5}),
        )
    }

    fn running(started: bool, since: &str, restarts: i32) -> Value {
        json!({"restartCount": restarts, "started": started, "state": {"running": {"startedAt": since}}})
    }

    const REFUSED: &str =
        "Startup probe failed: Get \"http://10.0.0.1:80/up\": dial tcp 10.0.0.1:80: connect: connection refused";

    #[test]
    fn a_container_that_was_killed_for_it_and_has_not_started_again_fails() {
        let case = case(running(false, "2026-01-01T11:59:55Z", 2)).event("Unhealthy", "app", REFUSED).event(
            "Killing",
            "app",
            "Container app failed startup probe, will be restarted",
        );
        let finding = one(case.check(&RULE));
        assert_eq!(
            finding.headline,
            "the startup probe of container app (GET http://:80/up) gets no connection in the 15s that it has"
        );
    }

    #[test]
    fn within_its_budget_a_failing_probe_is_a_program_that_starts() {
        none(case(running(false, "2026-01-01T11:59:50Z", 0)).event("Unhealthy", "app", REFUSED).check(&RULE));
    }

    #[test]
    fn without_events_started_is_false_long_after_the_budget() {
        one(case(running(false, "2026-01-01T11:50:00Z", 0)).check(&RULE));
        none(case(running(true, "2026-01-01T11:50:00Z", 0)).check(&RULE));
    }

    #[test]
    fn without_events_the_length_of_the_run_tells() {
        let looping = |finished: &str, code: i32| {
            case(json!({"restartCount": 5, "started": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": code, "reason": "Error",
                    "startedAt": "2026-01-01T11:58:00Z", "finishedAt": finished}}}))
        };
        one(looping("2026-01-01T11:58:18Z", 137).check(&RULE));
        none(looping("2026-01-01T11:58:18Z", 1).check(&RULE));
        none(looping("2026-01-01T11:58:03Z", 137).check(&RULE));
    }
}
