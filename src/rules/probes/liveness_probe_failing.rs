//! The liveness probe fails, and the kubelet kills the container for it.

use super::{failing, finding, remedies, what_came_back};
use crate::facts::time::human;
use crate::facts::{Evidence, Facts, ProbeKind, ProbeTrouble};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "LivenessProbeFailing",
    stage: Stage::Probes,
    summary: "the liveness probe fails and the kubelet restarts the container",
    explains: &["KilledBySIGKILL", "StoppedBySIGTERM", "ExitedSuccessfully", "ApplicationError"],
    check,
    explain: r#"
## Meaning
The liveness probe failed `failureThreshold` times in a row. The kubelet stops the container as it would stop any other: with
SIGTERM, and after the grace period with SIGKILL. So the exit code says how the program took it (0, 143, 137 or its own), and
never that it was the probe.

## Signs
A Killing event "failed liveness probe"; Unhealthy events "Liveness probe failed". Where they are gone: runs that all end with
137 or 143 after the time that the probe and the grace period make up.

## Fix
Find out why the program does not answer: `kubectl logs --previous` has the run that was killed. If it answers somewhere else,
correct the port, the path or the command. If it is busy, give it a longer timeout or more CPU. A liveness probe that asks
for what other services do restarts the program for their faults.

## Not this
A program that is killed before it has ever been up is LivenessProbeTooEager. A container that ended for a reason of its own
while the probe failed is not killed by it.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, ProbeKind::Liveness).map(|t| found(facts, &t)).collect()
}

fn found(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Finding {
    let probe = &trouble.probe;
    let came = what_came_back(trouble);
    let consequence = match trouble.kill.is_some() || trouble.exit.is_some() {
        true => ", so the kubelet restarts the container",
        false => "",
    };
    let lasted = trouble.exit.and_then(|e| e.lasted()).map(|seconds| {
        Evidence::derived(format!("the last run lasted {}; the probe allows {}", human(seconds), probe.budget_sum()))
    });
    finding(facts, trouble, format!("{} {came}{consequence}", probe.title()))
        .because(lasted)
        .remedy(remedies(facts, trouble))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::finding::Certainty;
    use crate::rules::testing::{Case, none, one};

    const KILLED: &str = "Container app failed liveness probe, will be restarted";
    const STATUS: &str = "Liveness probe failed: HTTP probe failed with statuscode: 500";

    fn case(status: Value) -> Case {
        Case::container(status)
            .edit("/spec/terminationGracePeriodSeconds", json!(30))
            .edit("/spec/containers/0/livenessProbe", json!({"httpGet": {"path": "/live", "port": 80}}))
    }

    fn looping(code: i32, finished: &str) -> Value {
        json!({"restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated":
            {"exitCode": code, "startedAt": "2026-01-01T11:58:00Z", "finishedAt": finished}}})
    }

    #[test]
    fn a_kill_by_the_kubelet_is_told_whatever_the_exit_code() {
        for code in [0, 2, 137, 143] {
            let case = case(looping(code, "2026-01-01T11:59:10Z"))
                .event("Unhealthy", "app", STATUS)
                .event("Killing", "app", KILLED);
            let finding = one(case.check(&RULE));
            assert_eq!(finding.certainty, Certainty::Certain);
            assert!(
                finding
                    .headline
                    .ends_with("(GET http://:80/live) gets status 500, so the kubelet restarts the container")
            );
        }
    }

    #[test]
    fn a_container_that_ended_by_itself_is_not_killed_by_its_probe() {
        none(case(looping(137, "2026-01-01T11:58:05Z")).check(&RULE));
        none(case(looping(1, "2026-01-01T11:59:10Z")).event("BackOff", "app", "Back-off").check(&RULE));
    }

    #[test]
    fn without_any_event_a_run_as_long_as_the_probe_allows_is_a_sign() {
        let finding = one(case(looping(137, "2026-01-01T11:59:00Z")).check(&RULE));
        assert_eq!(finding.certainty, Certainty::Likely);
        none(case(looping(137, "2026-01-01T11:59:00Z")).event("BackOff", "app", "Back-off").check(&RULE));
    }

    #[test]
    fn a_container_that_is_up_again_and_answers_is_well() {
        let up = json!({"restartCount": 1, "ready": true, "started": true,
            "state": {"running": {"startedAt": "2026-01-01T11:59:30Z"}},
            "lastState": {"terminated": {"exitCode": 137, "startedAt": "2026-01-01T11:50:00Z",
                "finishedAt": "2026-01-01T11:59:20Z"}}});
        none(case(up).event("Unhealthy", "app", STATUS).event("Killing", "app", KILLED).check(&RULE));
    }

    #[test]
    fn a_container_that_is_up_and_fails_its_probe_again_is_not_well() {
        let up = json!({"restartCount": 1, "ready": true, "started": true,
            "state": {"running": {"startedAt": "2026-01-01T11:56:00Z"}}});
        one(case(up).event("Unhealthy", "app", STATUS).event("Killing", "app", KILLED).check(&RULE));
    }
}
