//! An init container has been running for long.

use super::waiting_for;
use crate::facts::time::{human, seconds_between};
use crate::facts::{Container, Evidence, Facts, INIT_USUAL, Role};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "InitContainerRunning",
    stage: Stage::Startup,
    summary: "an init container has been running for long, so the others wait",
    explains: &[],
    check,
    explain: r#"
## Meaning
An init container has to end before the next container starts, and this one has not. Some wait in a loop for a service, a
database or a file, and wait for ever if it never comes; some copy or migrate for long and are well.

## Signs
The init container is running, the others wait with PodInitializing, and the pod's condition Initialized is False. It is said
after five minutes, a rule of thumb.

## Fix
Its log tells what it waits for. Mend that, and the pod goes on by itself; nothing has to be restarted.

## Not this
A container that is to run beside the others needs `restartPolicy: Always` (a sidecar); without it the pod waits for its end.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let init = facts.main_containers().filter(|c| c.role == Role::Init && !facts.is_going());
    init.filter_map(|c| Some((c, seconds_between(c.running_since()?, facts.now))))
        .filter(|(_, up)| *up > INIT_USUAL)
        .map(|(c, up)| running(facts, c, up))
        .collect()
}

fn running(facts: &Facts<'_>, container: &Container, up: i64) -> Finding {
    let title = container.title();
    let after = waiting_for(facts, container);
    let after = if after.is_empty() { String::new() } else { format!("; {after}") };
    let sidecar = format!("If {title} is meant to go on running beside the others, give it restartPolicy: Always");
    Finding::new(
        facts.subject_of(container),
        format!("{title} has been running for {} and has not ended{after}", human(up)),
    )
    .because(facts.cite_status(container, &["state", "running", "startedAt"]))
    .because(facts.cite_condition("Initialized", "message"))
    .because(facts.cite_spec(container, &["command"]))
    .because(facts.words_so_far(container).map(|w| w.cite()).unwrap_or_default())
    .because(Evidence::derived(format!(
        "more than {} is long for an init container: a rule of thumb",
        human(INIT_USUAL)
    )))
    .remedy(facts.look(["logs", &facts.pod.name, "-c", &container.name]))
    .remedy(facts.owner.edit(&sidecar))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(state: Value) -> Case {
        Case::pod(
            json!({"initContainers": [{"name": "wait"}], "containers": [{"name": "app"}]}),
            json!({"phase": "Pending", "initContainerStatuses": [{"name": "wait", "state": state}],
                "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "PodInitializing"}}}]}),
        )
    }

    #[test]
    fn one_that_does_not_end_keeps_the_others() {
        let finding = one(case(json!({"running": {"startedAt": "2026-01-01T11:50:00Z"}})).check(&RULE));
        assert_eq!(
            finding.headline,
            "init container wait has been running for 10m and has not ended; container app waits for it"
        );
    }

    #[test]
    fn one_that_has_just_begun_is_at_work() {
        none(case(json!({"running": {"startedAt": "2026-01-01T11:58:00Z"}})).check(&RULE));
    }

    #[test]
    fn a_sidecar_is_meant_to_run() {
        let case = case(json!({"running": {"startedAt": "2026-01-01T11:50:00Z"}}));
        none(case.edit("/spec/initContainers/0/restartPolicy", json!("Always")).check(&RULE));
    }
}
