//! A node is nominated, and the pods that have to leave it are still there.

use crate::facts::time::{human, seconds_between};
use crate::facts::{Evidence, Facts};
use crate::finding::{Command, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PreemptionPending",
    stage: Stage::Scheduling,
    summary: "a node is nominated for the pod, and the pods that must leave it are still there",
    explains: &[
        "InsufficientCPU",
        "InsufficientMemory",
        "InsufficientEphemeralStorage",
        "InsufficientExtendedResource",
        "TooManyPods",
        "PodAntiAffinityConflict",
        "TopologySpreadViolated",
        "HostPortConflict",
        "UntoleratedTaint",
        "NodeCordoned",
        "NodeUnready",
    ],
    check,
    explain: r#"
## Meaning
The pod has a higher priority than others. The scheduler chose a node, asked pods of lower priority there to leave, and waits
until they are gone. They have their whole grace period.

## Signs
`status.nominatedNodeName` names the node; pods on it are being deleted (condition DisruptionTarget, reason
PreemptionByScheduler).

## Fix
Wait. If the victims are past their grace period, find out why they do not go: their finalizers, their node's kubelet.

## Not this
The pod that had to leave is Preempted.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.awaits_node() {
        return Vec::new();
    }
    let nominee = facts.pod.status.nominated_node_name.as_deref().filter(|n| !n.is_empty());
    let waits = facts.scheduling_sentence().is_some_and(|s| s.awaits_victims);
    let victims = nominee.map(|node| facts.leaving_pods(node)).unwrap_or_default();
    let Some(node) = nominee.filter(|_| waits || !victims.is_empty()) else { return Vec::new() };
    let overdue = victims.iter().find(|v| v.ends.is_some_and(|ends| ends < facts.now));
    let names: Vec<&str> = victims.iter().map(|v| v.name).collect();
    let headline = match (overdue, names.as_slice()) {
        (Some(victim), _) => {
            let late = human(victim.ends.map_or(0, |ends| seconds_between(ends, facts.now)));
            format!("{} was to make room on {node}, and is {late} past its grace period", victim.name)
        }
        (None, []) => format!("the pod waits for pods to leave {node}, which is nominated for it"),
        (None, names) => format!("{} leaves {node} to make room for the pod", crate::facts::scheduling::named(names)),
    };
    let leaving =
        victims.iter().take(4).filter_map(|v| facts.cite_peer(v.namespace, v.name, &["metadata", "deletionTimestamp"]));
    let evidence: Vec<Evidence> = facts.cite(&["status", "nominatedNodeName"]).into_iter().chain(leaving).collect();
    let standing = if overdue.is_some() { Standing::Wrong } else { Standing::InProgress };
    let look = victims
        .first()
        .map(|v| Remedy::look(Command::kubectl(["get", "pod", v.name, "-n", v.namespace, "-o", "wide"])));
    let why = overdue.map(|v| Remedy::advice(format!("Find out why {} does not go: diagnose that pod.", v.name)));
    vec![
        Finding::new(facts.subject(), headline)
            .standing(standing)
            .because(evidence)
            .because(facts.cite_sentence())
            .remedy(look)
            .remedy(why)
            .remedy(overdue.is_none().then(|| Remedy::advice("Wait: the victims have their grace period to end."))),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::rules::testing::{Case, none, one};

    fn nominated(ends: Option<&str>) -> Case {
        let mut victim = placed("low", "a", "4");
        if let Some(ends) = ends {
            victim["metadata"]["deletionTimestamp"] = ends.into();
        }
        refused("0/1 nodes are available: 1 Insufficient cpu.")
            .edit("/status/nominatedNodeName", json!("a"))
            .with(victim)
            .with(node("a", "4"))
    }

    #[test]
    fn a_victim_within_its_grace_period_is_waited_for() {
        let finding = one(nominated(Some("2026-01-01T12:00:20Z")).check(&RULE));
        assert_eq!(
            (finding.standing, finding.headline.as_str()),
            (Standing::InProgress, "low leaves a to make room for the pod")
        );
    }

    #[test]
    fn a_victim_past_its_grace_period_is_the_trouble() {
        let finding = one(nominated(Some("2026-01-01T11:50:00Z")).check(&RULE));
        assert_eq!(finding.standing, Standing::Wrong);
    }

    #[test]
    fn a_nomination_without_victims_says_nothing() {
        none(nominated(None).check(&RULE));
    }
}
