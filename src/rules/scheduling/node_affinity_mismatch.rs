//! The pod's required node affinity holds for no suitable node.

use crate::facts::scheduling::{Filter, Obstacle, clause, named};
use crate::facts::{Evidence, Facts};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodeAffinityMismatch",
    stage: Stage::Scheduling,
    summary: "the pod's required node affinity holds for no node",
    explains: &[],
    check,
    explain: r#"
## Meaning
A pod with required node affinity goes only to nodes for which one of its terms holds, and in that term every expression. None
holds for any node. A DaemonSet's pod is pinned to one node by its name in the same way.

## Signs
The labels of the nodes against `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`. The scheduler says
`didn't match Pod's node affinity/selector`.

## Fix
Correct the affinity in the pod's owner, label a node, or add a node for which it holds, for example in the zone that it names.

## Not this
`preferredDuringScheduling…` keeps no pod off a node. If the affinity holds for some node, what keeps the pod off that node is
the cause.
"#,
};

const REQUIRED: [&str; 4] = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Affinity) else { return Vec::new() };
    let finding = if obstacle.hearsay {
        heard(facts, obstacle)
    } else {
        seen(facts, obstacle).unwrap_or_else(|| heard(facts, obstacle))
    };
    vec![finding]
}

fn seen(facts: &Facts<'_>, obstacle: &Obstacle) -> Option<Finding> {
    let fit = facts.fit()?;
    let (wanted, keys) = facts.required_affinity()?;
    let headline = match facts.pinned_node() {
        Some(node) if fit.nodes().all(|n| n.metadata.name != node) => {
            format!("the pod is pinned to node {node}, which does not exist")
        }
        _ => format!("no node satisfies the pod's required node affinity: {wanted}"),
    };
    let there = keys.iter().map(|key| match fit.values_of(key).as_slice() {
        [] => Evidence::derived(format!("no node has a label {key}")),
        values => Evidence::derived(format!("nodes have {key} = {}", named(values))),
    });
    let terms = facts.cite(&[&REQUIRED[..], &["nodeSelectorTerms"]].concat());
    let table = keys.first().map(|key| fit.label_table(obstacle, key));
    let evidence: Vec<_> = terms.into_iter().chain(there).chain(table).collect();
    let columns =
        if keys.is_empty() { vec!["--show-labels".to_owned()] } else { vec!["-L".to_owned(), keys.join(",")] };
    let look = ["get", "nodes"].into_iter().map(str::to_owned).chain(columns);
    Some(
        facts
            .obstructed(obstacle, headline, evidence)
            .remedy(Remedy::look(Command::kubectl(look)))
            .remedy(facts.owner.edit("Correct the pod's required node affinity:"))
            .remedy(Remedy::advice(format!("Add or label a node with {wanted}."))),
    )
}

fn heard(facts: &Facts<'_>, obstacle: &Obstacle) -> Finding {
    let what = clause(facts, Filter::Affinity).unwrap_or_default();
    let headline = match facts.required_affinity() {
        Some((wanted, _)) => format!("the scheduler says of {} of the nodes: {what} ({wanted})", obstacle.count),
        None => format!("the scheduler says of {} of the nodes: {what}", obstacle.count),
    };
    let evidence = facts.cite(&REQUIRED);
    facts
        .obstructed(obstacle, headline, evidence)
        .remedy(Remedy::look(Command::kubectl(["get", "nodes", "--show-labels"])))
        .remedy(facts.owner.edit("Correct the pod's required node affinity:"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{Case, none, one};

    fn pinned(term: Value) -> Case {
        refused("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
            .edit(
                "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
                json!({"nodeSelectorTerms": [term]}),
            )
            .complete(&["nodes"])
    }

    #[test]
    fn the_zone_that_has_no_node_is_named() {
        let mut there = node("a", "4");
        there["metadata"]["labels"]["zone"] = "x".into();
        let case =
            pinned(json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["y"]}]})).with(there);
        let finding = one(case.check(&RULE));
        assert_eq!(finding.headline, "no node satisfies the pod's required node affinity: zone=y");
        assert!(finding.evidence.contains(&Evidence::derived("nodes have zone = x")));
    }

    #[test]
    fn a_daemon_sets_pod_is_only_about_its_own_node() {
        let term = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]});
        let mut cordoned = node("b", "4");
        cordoned["spec"]["unschedulable"] = true.into();
        let case = pinned(term.clone()).with(node("a", "4")).with(cordoned);
        none(case.check(&RULE));
        one(case.check(&super::super::node_cordoned::RULE));
        let gone = one(pinned(term).with(node("a", "4")).check(&RULE));
        assert_eq!(gone.headline, "the pod is pinned to node b, which does not exist");
    }
}
