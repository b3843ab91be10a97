//! Nodes that would take the pod are cordoned.

use crate::facts::Facts;
use crate::facts::scheduling::{Filter, named};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodeCordoned",
    stage: Stage::Scheduling,
    summary: "nodes that would take the pod are cordoned",
    explains: &[],
    check,
    explain: r#"
## Meaning
Someone, or a tool that upgrades or removes nodes, has cordoned the node: the pods on it stay, no new ones come.

## Signs
`spec.unschedulable` of the node is true. The scheduler says `were unschedulable`.

## Fix
Uncordon the node if the work on it is done, or wait for it.

## Not this
A node that is not ready is NodeUnready; one that is kept for others is UntoleratedTaint.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Cordoned) else { return Vec::new() };
    let Some(fit) = facts.fit().filter(|_| !obstacle.hearsay) else {
        let are = if obstacle.count == 1 { "node is" } else { "nodes are" };
        let headline = format!("{} {are} cordoned", obstacle.count);
        let look = Remedy::look(Command::kubectl(["get", "nodes"]));
        return vec![facts.obstructed(obstacle, headline, facts.cite_asks()).remedy(look)];
    };
    let names = fit.names(obstacle);
    let headline = match (obstacle.alone, names.len()) {
        (true, 1) => format!("{} has room for the pod, but is cordoned", named(&names)),
        (true, _) => format!("{} have room for the pod, but are cordoned", named(&names)),
        (false, 1) => format!("{} is cordoned", named(&names)),
        (false, _) => format!("{} are cordoned", named(&names)),
    };
    let cited = fit.verdicts_of(obstacle).take(4).filter_map(|v| {
        let taint = ["spec", "taints", "node.kubernetes.io/unschedulable", "effect"];
        facts.cite_node(v.node, &["spec", "unschedulable"]).or_else(|| facts.cite_node(v.node, &taint))
    });
    let evidence: Vec<_> = cited.chain(facts.cite_asks()).collect();
    let uncordon = names.first().map(|node| {
        Remedy::change("If the work on the node is done, let pods in again:", Command::kubectl(["uncordon", node]))
    });
    let look = names.first().map(|node| Remedy::look(Command::kubectl(["describe", "node", node])));
    vec![facts.obstructed(obstacle, headline, evidence).remedy(look).remedy(uncordon)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_cordoned_node_with_room_is_a_way_out() {
        let mut cordoned = node("a", "4");
        cordoned["spec"] = json!({"unschedulable": true,
            "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]});
        let case = refused("0/1 nodes are available: 1 node(s) were unschedulable.").complete(&["nodes"]);
        let case = case.with(cordoned);
        assert_eq!(one(case.check(&RULE)).headline, "a has room for the pod, but is cordoned");
        none(case.check(&super::super::untolerated_taint::RULE));
    }

    #[test]
    fn a_cordoned_node_that_does_not_suit_anyway_is_not_told() {
        let mut cordoned = node("a", "4");
        cordoned["spec"]["unschedulable"] = true.into();
        let case = refused("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.")
            .edit("/spec/containers/0/resources", json!({"requests": {"cpu": "64"}}))
            .with(cordoned)
            .with(node("b", "4"))
            .complete(&["nodes"]);
        none(case.check(&RULE));
    }

    #[test]
    fn without_the_nodes_the_schedulers_number_is_told() {
        let said = |text: &str| one(refused(text).check(&RULE)).headline;
        assert_eq!(said("0/2 nodes are available: 2 node(s) were unschedulable."), "2 nodes are cordoned");
        assert_eq!(said("0/1 nodes are available: 1 node(s) were unschedulable."), "1 node is cordoned");
    }

    #[test]
    fn cordoned_nodes_that_lack_room_too_are_no_way_out_by_themselves() {
        let cordoned = |name: &str| {
            let mut node = node(name, "4");
            node["spec"]["unschedulable"] = true.into();
            node
        };
        let asking = |cpu: &str| {
            let text = "0/2 nodes are available: 2 node(s) were unschedulable.";
            let case = refused(text).edit("/spec/containers/0/resources", json!({"requests": {"cpu": cpu}}));
            let case = case.with(cordoned("a")).with(cordoned("b")).complete(&["nodes", "pods"]);
            one(case.check(&RULE)).headline
        };
        assert_eq!(asking("2"), "a and b have room for the pod, but are cordoned");
        assert_eq!(asking("8"), "a and b are cordoned");
    }
}
