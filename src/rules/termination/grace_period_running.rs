//! The grace period of the deletion is not over.

use super::{for_the_next, force};
use crate::facts::{Container, Evidence, Facts};
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "GracePeriodRunning",
    stage: Stage::Termination,
    summary: "the pod is being deleted within its grace period, and its process has not ended on SIGTERM",
    explains: &[],
    check,
    explain: r#"
## Meaning
The deletion was asked for, the containers got SIGTERM, and they have `terminationGracePeriodSeconds` to end before they are
killed. `metadata.deletionTimestamp` already includes the grace period: it is the moment at which it ends.

## Signs
`metadata.deletionTimestamp` lies in the future and a container still runs.

## Fix
Wait, or make the program end on SIGTERM. A shell as the first process (`sh -c`) does not pass SIGTERM on, and the first
process of a container ignores a signal that it does not handle: use `exec` in the script, or an init process such as tini.
A grace period longer than the program needs only makes deletions and drains slow.

## Not this
A grace period that is over is GracePeriodOverrun. A preStop hook uses up the same grace period (PreStopHookRunning).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(deletion) = facts.deletion() else { return Vec::new() };
    if !deletion.in_grace() || deletion.stopped || deletion.confirmed || facts.node_state().is_silent() {
        return Vec::new();
    }
    let running: Vec<&Container> = facts.running().collect();
    let who = match &running[..] {
        [] => "the kubelet has not reported that the pod's containers stopped".to_owned(),
        [one] => format!("{} has not ended on SIGTERM", one.title()),
        many => format!("{} containers have not ended on SIGTERM", many.len()),
    };
    let mut finding =
        Finding::new(facts.subject(), format!("{who}; the grace period of {}s {}", deletion.grace, deletion.span()))
            .standing(Standing::InProgress)
            .because(facts.cite_deletion())
            .because(facts.cite_running());
    for container in &running {
        finding = finding.because(deaf(facts, container));
    }
    let finding = match running.first() {
        Some(first) => finding.remedy(facts.look(["logs", &facts.pod.name, "-c", &first.name])),
        None => finding,
    };
    let change = "Make the program end on SIGTERM (exec in shell scripts, an init process), or shorten \
        terminationGracePeriodSeconds";
    vec![
        finding
            .remedy(Remedy::advice("Wait: when the grace period ends, the kubelet kills what is left."))
            .remedy(for_the_next(facts, change))
            .remedy(force(facts, "Only if the program can be cut off at once:")),
    ]
}

/// A shell as the first process ignores SIGTERM unless the script traps it; whether it does cannot be seen from outside.
fn deaf(facts: &Facts<'_>, container: &Container) -> Vec<Evidence> {
    let command = container.spec.command.as_deref().unwrap_or_default();
    let program = command.first().and_then(|c| c.rsplit('/').next()).unwrap_or_default();
    let is_shell = matches!(program, "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh");
    if !is_shell || command.get(2).is_some_and(|script| script.trim_start().starts_with("exec ")) {
        return Vec::new();
    }
    let say = format!(
        "the first process of {} is {program}, which ignores SIGTERM as process 1 unless its script traps it",
        container.title()
    );
    facts.cite_spec(container, &["command"]).into_iter().chain(Evidence::derived(say)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::termination::tests_support::{deleted, ended, node, running};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_pod_in_its_grace_period_is_on_its_way() {
        let case = deleted(running(), "2026-01-01T12:05:00Z", 600);
        let finding = one(case.edit("/spec/containers/0/command", json!(["/bin/sh", "-c", "run"])).check(&RULE));
        assert_eq!(finding.headline, "container app has not ended on SIGTERM; the grace period of 600s ends in 5m");
        assert_eq!(finding.standing, Standing::InProgress);
        assert!(format!("{:?}", finding.evidence).contains("ignores SIGTERM as process 1"));
    }

    #[test]
    fn a_stopped_pod_an_overrun_grace_and_a_lost_node_are_not_told() {
        none(deleted(ended(), "2026-01-01T12:05:00Z", 600).check(&RULE));
        none(deleted(running(), "2026-01-01T11:55:00Z", 30).check(&RULE));
        none(deleted(running(), "2026-01-01T12:05:00Z", 600).with(node("Unknown")).check(&RULE));
    }
}
