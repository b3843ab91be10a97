//! A container runs and is not ready, because its readiness probe does not succeed.

use super::{failing, finding, remedies, what_came_back};
use crate::facts::time::human;
use crate::facts::{Evidence, Facts, ProbeKind, ProbeTrouble};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ReadinessProbeFailing",
    stage: Stage::Probes,
    summary: "the readiness probe fails, so the pod gets no traffic",
    explains: &[],
    check,
    explain: r#"
## Meaning
The container runs, but its readiness probe does not succeed. The pod stays out of the endpoints of its Services and gets no
traffic; nothing is restarted for it.

## Signs
The container is running and `ready: false`, for longer than `initialDelaySeconds` plus `failureThreshold` times
`periodSeconds`; the pod's condition Ready is False with the reason ContainersNotReady. Unhealthy events "Readiness probe
failed" say what came back; after an hour they are gone, and the status still says it.

## Fix
404: the path is wrong. Connection refused: the port is wrong, the program listens on 127.0.0.1 only, or it is not up. 401 or
403: the path needs a login. 5xx: the program says that it cannot serve; its log tells why. No answer in time: `timeoutSeconds`
is 1 unless it is set, and a program that is short of CPU needs longer.

## Not this
A container that has not started yet (`started: false`) is kept by its startup probe. ReadinessGateUnmet: all containers are
ready and the pod is not.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, ProbeKind::Readiness).map(|t| found(facts, &t)).collect()
}

fn found(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Finding {
    let probe = &trouble.probe;
    let up = probe.container.running_since().map(|since| {
        let up = human(crate::facts::time::seconds_between(since, facts.now));
        Evidence::derived(format!("it has been running for {up}; the probe allows {} to get ready", probe.budget_sum()))
    });
    finding(facts, trouble, format!("{} {}, so the pod gets no traffic", probe.title(), what_came_back(trouble)))
        .because(facts.cite_condition("Ready", "message"))
        .because(up)
        .remedy(remedies(facts, trouble))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(ready: bool, since: &str, probe: Value) -> Case {
        Case::container(json!({"ready": ready, "started": true, "state": {"running": {"startedAt": since}}}))
            .edit("/spec/containers/0/readinessProbe", probe)
    }

    fn http() -> Value {
        json!({"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}})
    }

    #[test]
    fn a_container_that_is_not_ready_after_its_budget_needs_no_event() {
        let finding = one(case(false, "2026-01-01T11:50:00Z", http()).check(&RULE));
        assert_eq!(
            finding.headline,
            "the readiness probe of container app (GET http://:8080/healthz) does not succeed, so the pod gets no traffic"
        );
    }

    #[test]
    fn a_port_that_is_not_declared_is_a_hint_where_no_event_tells_more() {
        let finding = one(case(false, "2026-01-01T11:50:00Z", http())
            .edit("/spec/containers/0/ports", json!([{"containerPort": 9090}]))
            .check(&RULE));
        let said = format!("{:?}", finding.evidence);
        assert!(said.contains("it asks port 8080, and the container declares 9090"), "{said}");
    }

    #[test]
    fn the_event_says_what_came_back() {
        let status = "Readiness probe failed: HTTP probe failed with statuscode: 503";
        let finding = one(case(false, "2026-01-01T11:50:00Z", http()).event("Unhealthy", "app", status).check(&RULE));
        assert!(finding.headline.contains("gets status 503"));
    }

    #[test]
    fn within_the_initial_delay_nothing_is_wrong() {
        let probe = json!({"exec": {"command": ["true"]}, "initialDelaySeconds": 300});
        none(case(false, "2026-01-01T11:56:00Z", probe).check(&RULE));
    }

    #[test]
    fn a_ready_pod_with_old_failures_is_well() {
        let status = "Readiness probe failed: HTTP probe failed with statuscode: 503";
        none(case(true, "2026-01-01T11:50:00Z", http()).event("Unhealthy", "app", status).check(&RULE));
    }

    #[test]
    fn a_container_that_has_not_started_is_not_asked() {
        let not_started = case(false, "2026-01-01T11:50:00Z", http());
        none(not_started.edit("/status/containerStatuses/0/started", json!(false)).check(&RULE));
    }
}
