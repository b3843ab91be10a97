//! The pod asks not to be scheduled yet.

use crate::facts::Facts;
use crate::facts::scheduling::named;
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SchedulingGated",
    stage: Stage::Scheduling,
    summary: "the pod has scheduling gates, and no scheduler looks at it until they are gone",
    explains: &["SchedulerAbsent", "ResourceClaimPending", "GangIncomplete"],
    check,
    explain: r#"
## Meaning
Whoever made the pod, or a webhook, put gates into `spec.schedulingGates`. Schedulers leave the pod alone until the controller
behind each gate has removed it: a queue that admits jobs (Kueue), a controller that prepares something first.

## Signs
`spec.schedulingGates` is not empty, and the condition PodScheduled has the reason SchedulingGated. There are no events.

## Fix
Look at what the controller that owns the gate says: for `kueue.x-k8s.io/admission` the Workload of the pod and its queue. If
that controller is gone, the gate has to be removed by hand; gates can only be removed, never added.

## Not this
A pod without gates on which no scheduler acts is SchedulerAbsent. A readiness gate concerns a pod that runs:
ReadinessGateUnmet.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let gates: Vec<&str> = facts.gates().collect();
    if gates.is_empty() || !facts.awaits_node() {
        return Vec::new();
    }
    let (gate, has) = if gates.len() == 1 { ("gate", "has") } else { ("gates", "have") };
    let headline = format!("the scheduling {gate} {} {has} not been removed", named(&gates));
    let cited: Vec<_> =
        gates.iter().filter_map(|gate| facts.cite(&["spec", "schedulingGates", gate, "name"])).collect();
    let whose = match gates.iter().any(|g| g.starts_with("kueue.x-k8s.io/")) {
        true => facts.look(["get", "workloads.kueue.x-k8s.io"]),
        false => facts.look(["get", "pod", &facts.pod.name, "-o", "jsonpath={.spec.schedulingGates}"]),
    };
    // The test keeps the patch from removing another gate than the one that was seen here.
    let remove = gates.iter().enumerate().take(4).map(|(at, gate)| {
        let patch = format!(
            r#"[{{"op":"test","path":"/spec/schedulingGates/{at}/name","value":"{gate}"}},{{"op":"remove","path":"/spec/schedulingGates/{at}"}}]"#
        );
        Remedy::last_resort(
            format!("Only if the controller behind {gate} is gone for good. What the gate holds back, a quota or a preparation, is then skipped:"),
            facts.kubectl(["patch", "pod", &facts.pod.name, "--type=json", "-p", &patch]),
        )
    });
    let remove: Vec<_> = remove.collect();
    vec![
        Finding::new(facts.subject(), headline)
            .because(cited)
            .because(facts.cite_condition("PodScheduled", "reason"))
            .remedy(whose)
            .remedy(Remedy::advice(format!(
                "The controller that owns {} removes it when its own condition is met: see that it runs and what it waits for.",
                named(&gates)
            )))
            .remedy(remove),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    #[test]
    fn a_gate_is_named_and_no_other_scheduling_rule_speaks() {
        let case = Case::pod(
            json!({"containers": [{"name": "app"}], "schedulingGates": [{"name": "example.com/quota"}]}),
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}),
        );
        let finding = one(case.check(&RULE));
        assert_eq!(finding.headline, "the scheduling gate example.com/quota has not been removed");
        none(case.check(&super::super::scheduler_absent::RULE));
    }

    #[test]
    fn a_pod_without_gates_is_not_gated() {
        none(Case::pod(json!({"containers": []}), json!({"phase": "Pending"})).check(&RULE));
    }
}
