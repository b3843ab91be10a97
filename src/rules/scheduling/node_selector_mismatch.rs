//! No suitable node bears the labels of the pod's `nodeSelector`.

use crate::facts::scheduling::{Filter, Obstacle, clause, named};
use crate::facts::{Evidence, Facts};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodeSelectorMismatch",
    stage: Stage::Scheduling,
    summary: "no node bears the labels that the pod's nodeSelector demands",
    explains: &[],
    check,
    explain: r#"
## Meaning
A pod with a `nodeSelector` goes only to nodes that bear every label in it, with exactly that value. No node does.

## Signs
The labels of the nodes against `spec.nodeSelector`. The scheduler says `didn't match Pod's node affinity/selector`, which
stands for required node affinity too.

## Fix
Correct the selector in the pod's owner, or label a node that is what the selector means.

## Not this
If some node bears the labels and something else keeps the pod off it, that is the cause: a taint, a cordon, a lack of room.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Selector) else { return Vec::new() };
    let finding = if obstacle.hearsay { Some(heard(facts, obstacle)) } else { seen(facts, obstacle) };
    finding.into_iter().collect()
}

fn seen(facts: &Facts<'_>, obstacle: &Obstacle) -> Option<Finding> {
    let fit = facts.fit()?;
    let selector = facts.pod.spec.node_selector.as_ref()?;
    // Keys whose value no node has come first; if each is there on some node, only their combination is not.
    let (absent, present): (Vec<_>, Vec<_>) =
        selector.iter().partition(|(key, value)| !fit.values_of(key).contains(&value.as_str()));
    let wanted =
        |labels: &[(&String, &String)]| -> Vec<String> { labels.iter().map(|(k, v)| format!("{k}={v}")).collect() };
    let headline = match absent.as_slice() {
        [] => format!("no node bears all labels of the pod's nodeSelector: {}", wanted(&present).join(", ")),
        absent => format!("no node bears the label {} of the pod's nodeSelector", wanted(absent).join(" or ")),
    };
    let told = if absent.is_empty() { &present } else { &absent };
    let cited = told.iter().filter_map(|(key, _)| facts.cite(&["spec", "nodeSelector", key]));
    let known = told.iter().map(|(key, _)| match fit.values_of(key).as_slice() {
        [] => match fit.close_labels(key).as_slice() {
            [] => Evidence::derived(format!("no node has a label {key}")),
            close => Evidence::derived(format!("no node has a label {key}; nodes have {}", named(close))),
        },
        values => Evidence::derived(format!("nodes have {key} = {}", named(values))),
    });
    let table = told.first().map(|(key, _)| fit.label_table(obstacle, key));
    let columns: Vec<&str> = told.iter().map(|(key, _)| key.as_str()).collect();
    let label = told.first().zip(fit.names(obstacle).first().copied()).map(|((key, value), node)| {
        let say = format!("If {node} is such a node, label it:");
        Remedy::change(say, Command::kubectl(["label", "node", node, &format!("{key}={value}")]))
    });
    let evidence: Vec<_> = cited.chain(known).chain(table).collect();
    Some(
        facts
            .obstructed(obstacle, headline, evidence)
            .remedy(Remedy::look(Command::kubectl(["get", "nodes", "-L", &columns.join(",")])))
            .remedy(facts.owner.edit("Correct the pod's nodeSelector:"))
            .remedy(label),
    )
}

fn heard(facts: &Facts<'_>, obstacle: &Obstacle) -> Finding {
    let what = clause(facts, Filter::Selector).unwrap_or_default();
    let headline = format!("the scheduler says of {} of the nodes: {what}", obstacle.count);
    facts
        .obstructed(obstacle, headline, facts.cite(&["spec", "nodeSelector"]))
        .remedy(Remedy::look(Command::kubectl(["get", "nodes", "--show-labels"])))
        .remedy(facts.owner.edit("Correct the pod's nodeSelector:"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::finding::Certainty;
    use crate::rules::testing::{none, one};

    const SENTENCE: &str = "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s).";

    fn labelled(name: &str, key: &str, value: &str) -> serde_json::Value {
        let mut node = node(name, "4");
        node["metadata"]["labels"][key] = value.into();
        node
    }

    #[test]
    fn the_label_that_no_node_bears_is_named_with_what_there_is() {
        let case = refused(SENTENCE)
            .edit("/spec/nodeSelector", json!({"disktype": "ssd"}))
            .with(labelled("a", "disktype", "hdd"))
            .with(node("b", "4"))
            .complete(&["nodes"]);
        let finding = one(case.check(&RULE));
        assert_eq!(finding.headline, "no node bears the label disktype=ssd of the pod's nodeSelector");
        assert!(finding.evidence.contains(&Evidence::derived("nodes have disktype = hdd")));
    }

    #[test]
    fn a_node_that_matches_but_is_tainted_is_another_cause() {
        let mut tainted = labelled("b", "pool", "gpu");
        tainted["spec"]["taints"] = json!([{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]);
        let case = refused(SENTENCE)
            .edit("/spec/nodeSelector", json!({"pool": "gpu"}))
            .with(node("a", "4"))
            .with(tainted)
            .complete(&["nodes"]);
        none(case.check(&RULE));
        one(case.check(&super::super::untolerated_taint::RULE));
    }

    #[test]
    fn without_nodes_selector_and_taint_cannot_be_told_apart() {
        let case = refused(SENTENCE).edit("/spec/nodeSelector", json!({"pool": "gpu"})).refused("nodes");
        none(case.check(&RULE));
        assert_eq!(case.check(&RULE).first().map(|f| f.certainty), Some(Certainty::Possible));
    }
}
