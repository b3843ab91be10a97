//! All containers are ready, and a readiness gate keeps the pod from being so.

use crate::facts::time::{human, seconds_between};
use crate::facts::{Evidence, Facts};
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ReadinessGateUnmet",
    stage: Stage::Probes,
    summary: "a readiness gate's condition is not True",
    explains: &[],
    check,
    explain: r#"
## Meaning
`spec.readinessGates` names conditions that somebody outside the pod sets, for example a load balancer's controller once the
pod is in its target group. Until each of them is True the pod is not ready, however ready its containers are.

## Signs
The condition ContainersReady is True, Ready is False with the reason ReadinessGatesNotReady, and the gate's condition is
absent or not True.

## Fix
Look at the controller that sets the condition: that it runs, that it has the right to patch `pods/status`, and what it logs about this
pod. A gate that was injected by a webhook for a target group that no longer exists goes with the next pod.

## Not this
A gate whose condition is not True while containers are not ready either: many controllers wait for the containers.
"#,
};

/// How long a controller takes to set its condition before that is worth a word, in seconds: a rule of thumb.
const USUAL: i64 = 60;

/// Who sets a condition, by the beginning of its name.
const SETTERS: [(&str, &str); 4] = [
    ("target-health.elbv2.k8s.aws/", "the AWS Load Balancer Controller"),
    ("target-health.alb.ingress.k8s.aws/", "the AWS ALB Ingress Controller"),
    ("cloud.google.com/load-balancer-neg-ready", "GKE's NEG controller"),
    ("cloud.google.com/neg-ready", "GKE's NEG controller"),
];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pod = &facts.pod;
    if facts.is_going() || pod.is_terminal() || !pod.is_true("ContainersReady") {
        return Vec::new();
    }
    let gates = pod.spec.readiness_gates.iter().flatten().map(|g| g.condition_type.as_str());
    gates.filter(|gate| !pod.is_true(gate)).map(|gate| unmet(facts, gate)).collect()
}

fn unmet(facts: &Facts<'_>, gate: &str) -> Finding {
    let condition = facts.pod.condition(gate);
    let ready = facts.pod.condition("ContainersReady").and_then(|c| c.last_transition_time.as_ref());
    let waited = ready.map(|t| seconds_between(t.0, facts.now));
    let setter = SETTERS.iter().find(|(prefix, _)| gate.starts_with(prefix)).map(|(_, who)| *who);
    let who = setter.unwrap_or("whoever sets this condition");
    let headline = match condition {
        Some(c) => {
            let why = c.message.as_deref().filter(|m| !m.is_empty()).or(c.reason.as_deref());
            let why = why.map_or_else(String::new, |w| format!(": {w}"));
            format!("readiness gate {gate} is {}{why}", c.status)
        }
        None => format!("readiness gate {gate} waits for {who}: the pod has no such condition"),
    };
    let usual = waited.is_some_and(|s| s < USUAL);
    let since = waited.map(|s| Evidence::derived(format!("all containers have been ready for {}", human(s))));
    Finding::new(facts.subject(), headline)
        .standing(if usual { Standing::InProgress } else { Standing::Wrong })
        .because(facts.cite_condition("Ready", "message"))
        .because(facts.cite_condition(gate, "status"))
        .because(facts.cite_condition(gate, "message"))
        .because(facts.cite_condition("ContainersReady", "status"))
        .because(since)
        .remedy(facts.look(["describe", "pod", &facts.pod.name]))
        .remedy(Remedy::advice(format!(
            "Look at {who}: that it runs, that it has the right to patch pods/status, and what it logs about pod {}.",
            facts.pod.name
        )))
        .remedy(facts.owner.edit(&format!("If nobody sets it any more, remove {gate} from readinessGates")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(ready_since: &str, condition: Option<Value>) -> Case {
        let mut conditions =
            vec![json!({"type": "ContainersReady", "status": "True", "lastTransitionTime": ready_since})];
        conditions.extend(condition);
        Case::pod(
            json!({"containers": [{"name": "app"}], "readinessGates": [{"conditionType": "example.com/lb"}]}),
            json!({"phase": "Running", "conditions": conditions}),
        )
    }

    #[test]
    fn an_absent_condition_and_a_false_one_both_keep_the_pod() {
        let absent = one(case("2026-01-01T11:50:00Z", None).check(&RULE));
        assert_eq!(
            absent.headline,
            "readiness gate example.com/lb waits for whoever sets this condition: the pod has no such condition"
        );
        let condition = json!({"type": "example.com/lb", "status": "False", "message": "target is unhealthy"});
        let denied = one(case("2026-01-01T11:50:00Z", Some(condition)).check(&RULE));
        assert_eq!(denied.headline, "readiness gate example.com/lb is False: target is unhealthy");
    }

    #[test]
    fn a_gate_that_is_open_says_nothing() {
        none(case("2026-01-01T11:50:00Z", Some(json!({"type": "example.com/lb", "status": "True"}))).check(&RULE));
    }

    #[test]
    fn right_after_the_containers_got_ready_it_is_on_its_way() {
        let finding = one(case("2026-01-01T11:59:50Z", None).check(&RULE));
        assert_eq!(finding.standing, Standing::InProgress);
    }

    #[test]
    fn while_a_container_is_not_ready_the_gate_is_not_the_cause() {
        let case = case("2026-01-01T11:50:00Z", None).edit("/status/conditions/0/status", json!("False"));
        none(case.check(&RULE));
    }
}
