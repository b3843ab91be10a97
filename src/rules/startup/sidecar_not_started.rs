//! A sidecar runs and has not started, so the containers after it wait.

use super::waiting_for;
use crate::facts::time::{human, seconds_between};
use crate::facts::{Container, Facts, ProbeKind, Role};
use crate::finding::{Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SidecarNotStarted",
    stage: Stage::Startup,
    summary: "a sidecar (init container with restartPolicy Always) has not started, so the others wait",
    explains: &[],
    check,
    explain: r#"
## Meaning
A sidecar is an init container that goes on running. The containers after it are not begun until it counts as started: when
its startup probe has succeeded and its postStart hook has returned, or at once if it has neither.

## Signs
The sidecar's status says `started: false`, the containers after it wait with PodInitializing, and the pod's condition
Initialized is False.

## Fix
Look at the sidecar's startup probe and its log. A probe that needs something from a container that starts later never
succeeds.

## Not this
A sidecar that ends again and again has the reason of its end. One that fails after it has started once no longer keeps the
others back.
"#,
};

/// How long a sidecar without a startup probe takes to count as started, in seconds: a rule of thumb.
const USUAL: i64 = 60;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let sidecars = facts.main_containers().filter(|c| c.role == Role::Sidecar && c.is_started() == Some(false));
    sidecars.filter(|_| !facts.is_going()).filter_map(|c| not_started(facts, c)).collect()
}

fn not_started(facts: &Facts<'_>, container: &Container) -> Option<Finding> {
    let after = waiting_for(facts, container);
    let up = container.running_since().map(|since| seconds_between(since, facts.now));
    let probed = facts.failing_probes().into_iter().any(|t| {
        t.probe.kind == ProbeKind::Startup && t.probe.container.name == container.name && t.standing == Standing::Wrong
    });
    let long = container.spec.startup_probe.is_none() && up.is_some_and(|up| up > USUAL);
    if after.is_empty() || !probed && !long {
        return None;
    }
    let span = up.map_or_else(String::new, |up| format!(" for {}", human(up)));
    let runs = if container.is_running() { format!("has been running{span}") } else { "does not run".to_owned() };
    Some(
        Finding::new(
            facts.subject_of(container),
            format!("{} {runs} and does not count as started; {after}", container.title()),
        )
        .because(facts.cite_status(container, &["started"]))
        .because(facts.cite_condition("Initialized", "message"))
        .remedy(facts.look(["logs", &facts.pod.name, "-c", &container.name])),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(started: bool, since: &str, app: &str) -> Case {
        Case::pod(
            json!({"initContainers": [{"name": "envoy", "restartPolicy": "Always"}], "containers": [{"name": "app"}]}),
            json!({"phase": "Pending", "containerStatuses": [{"name": "app", "state": {app: {}}}], "initContainerStatuses":
                [{"name": "envoy", "started": started, "state": {"running": {"startedAt": since}}}]}),
        )
    }

    #[test]
    fn a_sidecar_that_never_starts_keeps_the_others() {
        let finding = one(case(false, "2026-01-01T11:50:00Z", "waiting").check(&RULE));
        assert_eq!(
            finding.headline,
            "sidecar envoy has been running for 10m and does not count as started; container app waits for it"
        );
    }

    #[test]
    fn one_that_has_started_or_whose_successors_run_keeps_nobody() {
        none(case(true, "2026-01-01T11:50:00Z", "waiting").check(&RULE));
        none(case(false, "2026-01-01T11:50:00Z", "running").check(&RULE));
    }

    #[test]
    fn one_that_has_just_begun_is_at_work() {
        none(case(false, "2026-01-01T11:59:30Z", "waiting").check(&RULE));
    }

    #[test]
    fn within_the_budget_of_its_startup_probe_it_is_at_work() {
        let probed = case(false, "2026-01-01T11:58:00Z", "waiting");
        let probe = json!({"tcpSocket": {"port": 1}, "periodSeconds": 10, "failureThreshold": 30});
        none(probed.edit("/spec/initContainers/0/startupProbe", probe).check(&RULE));
    }
}
