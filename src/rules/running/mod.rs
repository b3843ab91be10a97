//! The program ended.

mod aborted;
mod application_error;
mod container_status_unknown;
mod deadline_exceeded;
mod exited_successfully;
mod job_backoff_limit_exceeded;
mod killed_by_sigkill;
mod killed_by_signal;
mod segfault;
mod stopped_by_sigterm;

use super::Rule;
use crate::facts::{End, Facts, Signal};
use crate::finding::Finding;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    application_error::RULE,
    exited_successfully::RULE,
    segfault::RULE,
    aborted::RULE,
    stopped_by_sigterm::RULE,
    killed_by_sigkill::RULE,
    killed_by_signal::RULE,
    deadline_exceeded::RULE,
    job_backoff_limit_exceeded::RULE,
    container_status_unknown::RULE,
];

/// What follows from the end of a program, whatever ended it.
const SYMPTOMS: &[&str] =
    &["InitContainerFailed", "SidecarNotStarted", "ReadinessProbeFailing", "JobBackoffLimitExceeded"];

/// A finding about an end with what the status and the log say about it, and the command that shows the log.
fn finding(facts: &Facts<'_>, end: &End<'_>, headline: String) -> Finding {
    Finding::new(facts.subject_of(end.container), headline)
        .standing(end.standing)
        .because(facts.cite_end(end))
        .remedy(facts.look_at_log(end.container, end.exit))
}

/// `exit code 134, which is 128 + 6 (SIGABRT)`; where the number is another one, that the log gives the signal away.
fn code_of(end: &End<'_>, signal: Signal) -> String {
    match Signal::of_code(end.exit.code) {
        Some(shown) if shown == signal => {
            format!("exit code {}, which is 128 + {} ({})", end.exit.code, signal.0, signal.name())
        }
        _ => format!("exit code {} ({} by what its log says)", end.exit.code, signal.name()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::finding::Finding;
    use crate::rules::running::RULES;
    use crate::rules::testing::Case;

    /// A container that restarts over and over, each time with that end.
    pub(super) fn looping(code: i32, reason: &str) -> Case {
        Case::container(json!({"restartCount": 6, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": reason, "exitCode": code,
                "startedAt": "2026-01-01T11:58:00Z", "finishedAt": "2026-01-01T11:58:40Z"}}}))
    }

    /// Which of this stage's rules find something in it that is wrong now.
    pub(super) fn reasons(case: &Case) -> Vec<&'static str> {
        let wrong = |f: &Finding| f.standing == crate::finding::Standing::Wrong;
        RULES.iter().filter(|r| case.check(r).iter().any(wrong)).map(|r| r.reason).collect()
    }

    #[test]
    fn every_end_has_one_reason() {
        for (code, reason, expected) in [
            (1, "Error", "ApplicationError"),
            (125, "Error", "ApplicationError"),
            (255, "Error", "ApplicationError"),
            (145, "Error", "ApplicationError"),
            (0, "Completed", "ExitedSuccessfully"),
            (139, "Error", "Segfault"),
            (134, "Error", "Aborted"),
            (143, "Error", "StoppedBySIGTERM"),
            (137, "Error", "KilledBySIGKILL"),
            (136, "Error", "KilledBySignal"),
            (137, "ContainerStatusUnknown", "ContainerStatusUnknown"),
            (255, "Unknown", "ContainerStatusUnknown"),
            (-1, "Error", "ContainerStatusUnknown"),
            (-1_073_741_819, "Error", "Segfault"),
            (-1_073_741_510, "Error", "StoppedBySIGTERM"),
            (-1_073_741_515, "Error", "ApplicationError"),
        ] {
            assert_eq!(reasons(&looping(code, reason)), [expected], "{code} {reason}");
        }
    }

    #[test]
    fn what_other_stages_explain_is_left_to_them() {
        for (code, reason) in
            [(126, "Error"), (127, "Error"), (128, "StartError"), (137, "OOMKilled"), (0, "OOMKilled")]
        {
            assert_eq!(reasons(&looping(code, reason)), [""; 0], "{code} {reason}");
        }
    }

    #[test]
    fn an_end_that_the_container_has_outlived_is_past() {
        for (code, reason) in [(1, "Error"), (143, "Error"), (255, "Unknown"), (0, "Completed")] {
            let case = looping(code, reason)
                .edit("/status/containerStatuses/0/state", json!({"running": {"startedAt": "2026-01-01T11:00:00Z"}}));
            assert_eq!(reasons(&case), [""; 0]);
            let found: Vec<Value> = RULES.iter().flat_map(|r| case.check(r)).map(|f| Value::from(f.headline)).collect();
            assert_eq!(found.len(), 1, "{code}: {found:?}");
        }
    }

    #[test]
    fn every_finding_rests_on_something() {
        for code in (-3..=255).step_by(3).chain([300, i32::MIN, i32::MAX]) {
            for reason in ["Error", "Unknown"] {
                let case = looping(code, reason);
                assert!(RULES.iter().flat_map(|r| case.check(r)).all(|f| !f.evidence.is_empty()));
            }
        }
    }
}
