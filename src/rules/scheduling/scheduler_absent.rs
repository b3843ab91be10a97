//! No scheduler has taken the pod up.

use crate::facts::Facts;
use crate::facts::time::human;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SchedulerAbsent",
    stage: Stage::Scheduling,
    summary: "no scheduler has taken up the pod",
    explains: &[],
    check,
    explain: r#"
## Meaning
A pod is placed by the scheduler that `spec.schedulerName` names. If no scheduler of that name runs, the pod waits for ever, and
nothing says so: no condition, no event.

## Signs
The pod has no node, no condition PodScheduled and no event of a scheduler, although it is older than 30 seconds (a rule of
thumb: a scheduler looks at a new pod within a second).

## Fix
Install or start that scheduler, or have the pod's owner name one that runs; the usual one is `default-scheduler`.

## Not this
A pod with scheduling gates is SchedulingGated. A scheduler that looked and found no node says why: InsufficientCPU and others.
"#,
};

/// A scheduler looks at a new pod within a second; a busy one within some. A rule of thumb, in seconds.
const PATIENCE: i64 = 30;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let young = facts.pod.age(facts.now).is_none_or(|age| age < PATIENCE);
    let seen = facts.scheduling_tried()
        || facts.pod.condition("PodScheduled").is_some()
        || facts.autoscaler_says().len() > 1
        || facts.events.latest("BindingConditionsPending").is_some();
    if !facts.awaits_node() || facts.gates().next().is_some() || young || seen {
        return Vec::new();
    }
    let name = facts.pod.spec.scheduler_name.as_deref().unwrap_or("default-scheduler");
    let age = human(facts.pod.age(facts.now).unwrap_or_default());
    let headline = format!("the scheduler {name} has not taken up the pod in {age}");
    let start = match name {
        "default-scheduler" => {
            Remedy::advice("See that kube-scheduler runs in the control plane and what its log says.")
        }
        _ => Remedy::advice(format!("Install or start the scheduler {name}, if the pod is meant for it.")),
    };
    let other = facts.owner.edit("Name a scheduler that runs, usually default-scheduler, as schedulerName of the pod:");
    let look = Remedy::look(Command::kubectl(["get", "pods", "--all-namespaces", "-l", "component=kube-scheduler"]));
    let look_for = Remedy::look(Command::kubectl(["get", "deployments", "--all-namespaces"]));
    let is_default = name == "default-scheduler";
    vec![
        Finding::new(facts.subject(), headline)
            .because(facts.cite(&["spec", "schedulerName"]))
            .because(facts.cite_absence(&["status", "conditions", "PodScheduled"]))
            .because(facts.cite(&["metadata", "creationTimestamp"]))
            .remedy(if is_default { look } else { look_for })
            .remedy(start)
            .remedy((!is_default).then_some(other)),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::refused;
    use crate::rules::testing::{Case, none, one};

    fn unseen() -> Case {
        Case::pod(json!({"schedulerName": "volcano", "containers": [{"name": "app"}]}), json!({"phase": "Pending"}))
    }

    #[test]
    fn a_pod_that_nobody_looked_at_for_minutes_has_no_scheduler() {
        assert_eq!(one(unseen().check(&RULE)).headline, "the scheduler volcano has not taken up the pod in 10m");
    }

    #[test]
    fn a_pod_of_a_few_seconds_is_starting() {
        none(unseen().edit("/metadata/creationTimestamp", json!("2026-01-01T11:59:50Z")).check(&RULE));
    }

    #[test]
    fn a_scheduler_that_found_no_node_is_not_absent() {
        none(refused("0/1 nodes are available: 1 Insufficient cpu.").check(&RULE));
    }
}
