//! Nodes that would take the pod bear taints that it does not tolerate.

use crate::facts::scheduling::{Filter, Obstacle, named};
use crate::facts::{Evidence, Facts};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "UntoleratedTaint",
    stage: Stage::Scheduling,
    summary: "nodes that would take the pod bear taints that it does not tolerate",
    explains: &[],
    check,
    explain: r#"
## Meaning
A taint with the effect NoSchedule or NoExecute keeps every pod off its node that does not tolerate it by key, value and effect.
Someone put it there to keep the node for a purpose.

## Signs
`spec.taints` of the nodes against `spec.tolerations` of the pod. The scheduler says `untolerated taint`; since 1.34 it no
longer says which.

## Fix
If the pod belongs on such nodes, give its owner the toleration. If the taint has outlived its purpose, remove it. Otherwise
the pod needs another node.

## Not this
Taints that the cluster sets for a node's state (`node.kubernetes.io/not-ready`, `disk-pressure`) are NodeUnready, and that of
`kubectl cordon` is NodeCordoned. `PreferNoSchedule` keeps no pod away.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Taint) else { return Vec::new() };
    let finding = seen(facts, obstacle).unwrap_or_else(|| heard(facts, obstacle));
    vec![finding]
}

fn seen(facts: &Facts<'_>, obstacle: &Obstacle) -> Option<Finding> {
    let fit = facts.fit().filter(|_| !obstacle.hearsay)?;
    let names = fit.names(obstacle);
    let taints = fit.taints_in_the_way(facts, obstacle);
    let (first, ..) = taints.first()?;
    let texts: Vec<&str> = taints.iter().map(|(text, ..)| text.as_str()).collect();
    let nodes = named(&names);
    let headline = match (obstacle.alone, names.len(), texts.len()) {
        (true, 1, 1) => format!("{nodes} has room for the pod; only the taint {first} is in the way"),
        (true, 1, _) => format!("{nodes} has room for the pod; only its taints {} are in the way", named(&texts)),
        (true, ..) => format!("{nodes} have room for the pod; only their taints are in the way ({})", named(&texts)),
        _ => format!("the pod does not tolerate {} of {nodes}", named(&texts)),
    };
    let cited = taints.iter().take(4).flat_map(|(_, taint, node)| {
        let field = |name| facts.cite_node(node, &["spec", "taints", &taint.key, name]);
        [field("value"), field("effect")].into_iter().flatten()
    });
    let tolerations = match facts.cite_absence(&["spec", "tolerations"]) {
        Some(absence) => absence,
        None => Evidence::derived(format!("none of spec.tolerations matches {}", named(&texts))),
    };
    let evidence: Vec<_> = cited.chain([tolerations]).chain(facts.cite_asks()).collect();
    let add: Vec<String> = taints
        .iter()
        .map(|(_, t, _)| match t.value.as_str() {
            "" => format!("{{key: {}, operator: Exists, effect: {}}}", t.key, t.effect),
            value => format!("{{key: {}, operator: Equal, value: {value}, effect: {}}}", t.key, t.effect),
        })
        .collect();
    let say = format!("If the pod belongs there, add to the pod's tolerations: {}", add.join(", "));
    let remove = taints.first().map(|(text, _, node)| {
        let name = &node.metadata.name;
        let say =
            format!("If the taint has outlived its purpose, remove it from {name}, which opens the node to every pod:");
        Remedy::change(say, Command::kubectl(["taint", "node", name, &format!("{text}-")]))
    });
    let look = names.first().map(|node| Remedy::look(Command::kubectl(["describe", "node", node])));
    Some(facts.obstructed(obstacle, headline, evidence).remedy(look).remedy(facts.owner.edit(&say)).remedy(remove))
}

fn heard(facts: &Facts<'_>, obstacle: &Obstacle) -> Finding {
    let clauses = facts.scheduling_sentence().into_iter().flat_map(|s| &s.clauses);
    let mut keys: Vec<&str> = clauses.filter_map(|c| c.taint()).collect();
    keys.dedup();
    let which = if keys.is_empty() { String::new() } else { format!(": {}", named(&keys)) };
    let bear = if obstacle.count == 1 { "node bears" } else { "nodes bear" };
    let headline = format!("{} {bear} taints that the pod does not tolerate{which}", obstacle.count);
    facts
        .obstructed(obstacle, headline, facts.cite(&["spec", "tolerations"]).into_iter().chain(facts.cite_asks()))
        .remedy(Remedy::look(Command::kubectl([
            "get",
            "nodes",
            "-o",
            "custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
        ])))
        .remedy(facts.owner.edit("If the pod belongs on such nodes, add the toleration to its template:"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{Case, none, one};

    fn tainted(taint: Value) -> Case {
        let mut node = node("a", "4");
        node["spec"]["taints"] = json!([taint]);
        refused("0/1 nodes are available: 1 node(s) had untolerated taint(s).").with(node).complete(&["nodes"])
    }

    #[test]
    fn the_only_taint_in_the_way_is_named() {
        let case = tainted(json!({"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}));
        let finding = one(case.check(&RULE));
        assert_eq!(finding.headline, "a has room for the pod; only the taint dedicated=gpu:NoSchedule is in the way");
        let tolerant = case.edit("/spec/tolerations", json!([{"key": "dedicated", "operator": "Exists"}]));
        none(tolerant.edit("/status/conditions/0/message", json!("")).check(&RULE));
    }

    #[test]
    fn a_taint_of_the_nodes_state_is_told_as_that() {
        let case = tainted(json!({"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}));
        none(case.check(&RULE));
        one(case.check(&super::super::node_unready::RULE));
    }

    #[test]
    fn old_schedulers_name_the_taint() {
        let case =
            refused("0/3 nodes are available: 3 node(s) had taint {dedicated: batch}, that the pod didn't tolerate.");
        let finding = one(case.refused("nodes").check(&RULE));
        assert_eq!(finding.headline, "3 nodes bear taints that the pod does not tolerate: dedicated");
    }
}
