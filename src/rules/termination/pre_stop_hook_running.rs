//! A preStop hook holds up the deletion.

use jiff::Timestamp;

use super::for_the_next;
use crate::facts::time::seconds_between;
use crate::facts::{Container, Facts};
use crate::finding::{Certainty, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PreStopHookRunning",
    stage: Stage::Termination,
    summary: "a preStop hook holds up the deletion",
    explains: &["GracePeriodRunning"],
    check,
    explain: r#"
## Meaning
The container has a preStop hook. The kubelet runs it first and sends SIGTERM only when it returns, so the program does not
know yet that it is to end. The hook's time counts against the grace period.

## Signs
`lifecycle.preStop` is set, the container still runs, and no event FailedPreStopHook has come. For a hook that sleeps, the
time tells whether it still does; for any other it cannot be seen from outside.

## Fix
Make the hook shorter than the grace period, with room for the program's own end.

## Not this
A hook that failed is PreStopHookFailed. Without a hook, the program itself takes its time (GracePeriodRunning).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let (Some(deletion), Some(asked)) = (facts.deletion(), facts.pod.deletion_asked()) else { return Vec::new() };
    if !deletion.in_grace() || deletion.confirmed || facts.node_state().is_silent() {
        return Vec::new();
    }
    let failed = |c: &&Container| {
        facts
            .events
            .with(&["FailedPreStopHook"])
            .any(|e| e.seen_since(Some(asked)) && e.container.as_deref() == Some(&c.name))
    };
    facts.running().filter(|c| !failed(c)).filter_map(|c| found(facts, c, asked)).collect()
}

fn found(facts: &Facts<'_>, container: &Container, asked: Timestamp) -> Option<Finding> {
    let hook = container.spec.lifecycle.as_ref()?.pre_stop.as_ref()?;
    let passed = seconds_between(asked, facts.now);
    let sleeps = match (&hook.sleep, hook.exec.as_ref().and_then(|e| e.command.as_deref())) {
        (Some(sleep), _) => Some(sleep.seconds),
        (_, Some(command)) => asleep(command),
        _ => None,
    };
    let (certainty, how) = match sleeps {
        Some(seconds) if seconds > passed => (Certainty::Likely, format!("sleeps for {seconds}s")),
        Some(_) => return None,
        None => (Certainty::Possible, "has not been reported as ended".to_owned()),
    };
    let kind = ["exec", "httpGet", "tcpSocket", "sleep"];
    let cited = kind.into_iter().find_map(|k| facts.cite_spec(container, &["lifecycle", "preStop", k]));
    let change = "Make the preStop hook end well within terminationGracePeriodSeconds";
    Some(
        Finding::new(facts.subject_of(container), format!("the preStop hook of {} {how}", container.title()))
            .certainty(certainty)
            .standing(Standing::InProgress)
            .because(cited)
            .because(facts.cite_deletion())
            .because(facts.cite_status(container, &["state", "running", "startedAt"]))
            .remedy(facts.look(["logs", &facts.pod.name, "-c", &container.name]))
            .remedy(Remedy::advice("Wait: hook and program together have until the grace period ends."))
            .remedy(for_the_next(facts, change)),
    )
}

/// How long a command that only sleeps does so: `sleep 20`, `sh -c "sleep 20"`.
fn asleep(command: &[String]) -> Option<i64> {
    let words: Vec<&str> = command.iter().flat_map(|w| w.split_whitespace()).collect();
    let place = words.iter().position(|w| w.rsplit('/').next() == Some("sleep"))?;
    let number = words.get(place + 1)?.trim_end_matches([';', 's']);
    let seconds = match number.strip_suffix('m') {
        Some(minutes) => minutes.parse::<i64>().ok()?.checked_mul(60)?,
        None => number.parse().ok()?,
    };
    (words.len() == place + 2 && !words.contains(&"&&")).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::termination::tests_support::{deleted, ended, running};
    use crate::rules::testing::{Case, none, one};

    fn hooked(case: Case, hook: serde_json::Value) -> Case {
        case.edit("/spec/containers/0/lifecycle", json!({"preStop": hook}))
    }

    #[test]
    fn a_hook_that_still_sleeps_is_told() {
        let hook = json!({"exec": {"command": ["sh", "-c", "sleep 500"]}});
        let finding = one(hooked(deleted(running(), "2026-01-01T12:05:00Z", 600), hook).check(&RULE));
        assert_eq!(finding.headline, "the preStop hook of container app sleeps for 500s");
        assert_eq!(finding.certainty, Certainty::Likely);
    }

    #[test]
    fn a_hook_whose_end_cannot_be_seen_is_only_possible() {
        let hook = json!({"exec": {"command": ["/drain.sh"]}});
        let finding = one(hooked(deleted(running(), "2026-01-01T12:05:00Z", 600), hook).check(&RULE));
        assert_eq!(finding.certainty, Certainty::Possible);
    }

    #[test]
    fn a_hook_that_is_over_or_failed_or_of_an_ended_container_is_not_told() {
        let sleep = json!({"sleep": {"seconds": 20}});
        none(hooked(deleted(running(), "2026-01-01T12:05:00Z", 600), sleep.clone()).check(&RULE));
        none(hooked(deleted(ended(), "2026-01-01T12:05:00Z", 600), sleep).check(&RULE));
        let failed =
            deleted(running(), "2026-01-01T12:05:00Z", 600).event("FailedPreStopHook", "app", "PreStopHook failed");
        none(hooked(failed, json!({"exec": {"command": ["/drain.sh"]}})).check(&RULE));
    }
}
