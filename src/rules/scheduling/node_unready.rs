//! Nodes that would take the pod are not ready or under pressure.

use crate::facts::scheduling::{Filter, Obstacle, named};
use crate::facts::time::{human, seconds_between};
use crate::facts::{Evidence, Facts};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;
use crate::snapshot::Node;

pub(super) const RULE: Rule = Rule {
    reason: "NodeUnready",
    stage: Stage::Scheduling,
    summary: "nodes that would take the pod are not ready or under pressure",
    explains: &[],
    check,
    explain: r#"
## Meaning
The cluster taints a node that is not ready, does not report, runs out of memory, disk or process ids, or is not yet set up.
No pod goes there until that is over, except pods that tolerate it, such as those of most DaemonSets.

## Signs
A taint `node.kubernetes.io/not-ready`, `unreachable`, `memory-pressure`, `disk-pressure`, `pid-pressure`,
`network-unavailable` or the like, and the node's condition behind it.

## Fix
Find out what the node has: its conditions, its kubelet, its network plugin, its disk. A node that will not come back is to be
removed from the cluster and replaced.

## Not this
A taint that someone set on purpose is UntoleratedTaint. A pod that ran on the node when it was lost is NodeLost.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Unready) else { return Vec::new() };
    vec![seen(facts, obstacle).unwrap_or_else(|| heard(facts, obstacle))]
}

fn seen(facts: &Facts<'_>, obstacle: &Obstacle) -> Option<Finding> {
    let fit = facts.fit().filter(|_| !obstacle.hearsay)?;
    let names = fit.names(obstacle);
    let first = fit.verdicts_of(obstacle).next()?.node;
    let headline = match (obstacle.alone, names.len()) {
        (true, 1) => format!("{} would take the pod, but {}", named(&names), state(facts, first)),
        (true, _) => format!(
            "{} would take the pod, but none of them is fit: {} {}",
            named(&names),
            first.metadata.name,
            state(facts, first)
        ),
        (false, 1) => format!("{} {}", named(&names), state(facts, first)),
        (false, _) => format!("{} are not fit: {} {}", named(&names), first.metadata.name, state(facts, first)),
    };
    let mut evidence: Vec<Evidence> = Vec::new();
    for verdict in fit.verdicts_of(obstacle).take(3) {
        let node = verdict.node;
        for (type_, _) in wrong(node) {
            evidence.extend(facts.cite_node(node, &["status", "conditions", type_, "status"]));
            evidence.extend(facts.cite_node(node, &["status", "conditions", type_, "message"]));
        }
    }
    for (_, taint, node) in fit.taints_in_the_way(facts, obstacle).iter().take(3) {
        evidence.extend(facts.cite_node(node, &["spec", "taints", &taint.key, "effect"]));
    }
    evidence.extend(facts.cite_asks());
    let name = &first.metadata.name;
    Some(
        facts
            .obstructed(obstacle, headline, evidence)
            .remedy(Remedy::look(Command::kubectl(["describe", "node", name])))
            .remedy(Remedy::advice(format!("{} The pod is then placed by itself.", cure(first)))),
    )
}

/// What brings a node back, by what it says of itself.
fn cure(node: &Node) -> String {
    let name = &node.metadata.name;
    match wrong(node).next() {
        _ if node.is_lost() => format!("Bring {name} back: see that the machine, its network and its kubelet are up."),
        Some((type_, _)) if type_.ends_with("Pressure") => {
            format!("Relieve {name} of its {type_}: find what fills it and make room.")
        }
        _ => format!("Bring {name} back: look at its kubelet, its container runtime and its network plugin."),
    }
}

/// The conditions of a node that are not as they should be: type and since when.
fn wrong(node: &Node) -> impl Iterator<Item = (&str, Option<jiff::Timestamp>)> {
    let bad = |c: &&crate::snapshot::Condition| match c.type_.as_str() {
        "Ready" => c.status != "True",
        "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable" => c.status == "True",
        _ => false,
    };
    node.status.conditions.iter().filter(bad).map(|c| (c.type_.as_str(), c.last_transition_time))
}

/// A node's state as a predicate: `is NotReady for 5m`.
fn state(facts: &Facts<'_>, node: &Node) -> String {
    let mut wrong: Vec<_> = wrong(node).collect();
    wrong.sort_by_key(|(type_, _)| *type_ != "Ready");
    let span = |since: Option<jiff::Timestamp>| match since {
        Some(since) => format!(" for {}", human(seconds_between(since, facts.now))),
        None => String::new(),
    };
    match wrong.first() {
        Some(("Ready", since)) if node.is_lost() => format!("has not reported{}", span(*since)),
        Some(("Ready", since)) => format!("is NotReady{}", span(*since)),
        Some((type_, since)) => format!("is under {type_}{}", span(*since)),
        None => "is marked as not ready for pods".to_owned(),
    }
}

fn heard(facts: &Facts<'_>, obstacle: &Obstacle) -> Finding {
    let are = if obstacle.count == 1 { "node is" } else { "nodes are" };
    let headline = format!("{} {are} not ready or under pressure", obstacle.count);
    facts.obstructed(obstacle, headline, facts.cite_asks()).remedy(Remedy::look(Command::kubectl(["get", "nodes"])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{Case, none, one};

    fn unready() -> Case {
        let mut node = node("a", "4");
        node["spec"]["taints"] = json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]);
        node["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "message": "cni", "lastTransitionTime": "2026-01-01T11:55:00Z"}]);
        refused("0/1 nodes are available: 1 node(s) had untolerated taint(s).").with(node).complete(&["nodes"])
    }

    #[test]
    fn the_node_and_since_when_are_told() {
        assert_eq!(one(unready().check(&RULE)).headline, "a would take the pod, but is NotReady for 5m");
    }

    #[test]
    fn a_daemon_sets_pod_that_tolerates_it_is_not_kept_off() {
        let tolerations = json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]);
        none(
            unready()
                .edit("/spec/tolerations", tolerations)
                .edit("/status/conditions/0/message", json!(""))
                .check(&RULE),
        );
    }
}
