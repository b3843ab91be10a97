//! Required anti-affinity, the pod's own or that of a pod that is there, leaves no usable node.

use crate::facts::Facts;
use crate::facts::scheduling::Filter;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;
use crate::snapshot::{name_of, namespace_of};

pub(super) const RULE: Rule = Rule {
    reason: "PodAntiAffinityConflict",
    stage: Stage::Scheduling,
    summary: "required anti-affinity, the pod's or an existing pod's, excludes every usable node",
    explains: &[],
    check,
    explain: r#"
## Meaning
Required anti-affinity keeps a pod out of every topology domain (the same value of `topologyKey`) in which a pod with the labels
of the term runs. It works both ways: a pod that is there keeps others out by its own rule.

## Signs
In the domain of each node that suits the pod otherwise such a pod runs. The scheduler says `didn't match pod anti-affinity
rules`, or `didn't satisfy existing pods anti-affinity rules` if the rule is the other pod's.

## Fix
Ask for no more replicas than there are domains, add a node, or ask with `preferredDuringScheduling…` instead of insisting.
A rolling update with one replica per node needs `maxSurge: 0`.

## Not this
A spread constraint is TopologySpreadViolated; it counts pods instead of forbidding them.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::PodAntiAffinity) else { return Vec::new() };
    let repelled = facts.fit().map(|fit| fit.repelled_by(obstacle)).unwrap_or_default();
    let required = ["spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let headline = match repelled.first() {
        None => format!("the scheduler finds anti-affinity in the way on {} of the nodes", obstacle.count),
        Some((node, pod, key, own)) => {
            let whose = if *own { "the pod's own anti-affinity" } else { "that pod's anti-affinity" };
            let more = match repelled.len() {
                1 => String::new(),
                n => format!(", and so it is on {} more nodes", n - 1),
            };
            let pod = name_of(pod);
            if *key == "kubernetes.io/hostname" {
                format!("{whose} keeps it off {node}, where {pod} runs (one per {key}){more}")
            } else {
                format!("{whose} keeps it off {node}, in whose {key} {pod} runs{more}")
            }
        }
    };
    let own_rule = repelled.is_empty() || repelled.iter().any(|(.., own)| *own);
    let mut evidence: Vec<_> = facts.cite(&required).filter(|_| own_rule).into_iter().collect();
    for (_, pod, _, own) in repelled.iter().take(4) {
        evidence.extend(facts.cite_peer(namespace_of(pod), name_of(pod), &["spec", "nodeName"]));
        evidence.extend(facts.cite_peer(namespace_of(pod), name_of(pod), &required).filter(|_| !own));
    }
    let look = repelled.first().map(|(_, pod, ..)| {
        Remedy::look(Command::kubectl(["get", "pod", name_of(pod), "-n", namespace_of(pod), "-o", "wide"]))
    });
    let relax = facts.owner.edit("Ask for it as preferredDuringSchedulingIgnoredDuringExecution instead:");
    vec![
        facts
            .obstructed(obstacle, headline, evidence)
            .remedy(look)
            .remedy(Remedy::advice("Add a node in a domain of its own, or ask for fewer replicas."))
            .remedy(own_rule.then_some(relax)),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::rules::testing::{none, one};

    fn anti(app: &str) -> Value {
        json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            [{"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}]}})
    }

    #[test]
    fn the_rule_may_be_the_pods_or_the_neighbours() {
        let case = |own: Value, theirs: Value| {
            let mut neighbour = placed("old", "a", "0");
            neighbour["metadata"]["labels"]["app"] = "x".into();
            neighbour["spec"]["affinity"] = theirs;
            refused("0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.")
                .edit("/spec/affinity", own)
                .edit("/metadata/labels", json!({"app": "x"}))
                .with(neighbour)
                .with(node("a", "4"))
                .complete(&["nodes", "pods"])
        };
        let own = one(case(anti("x"), json!({})).check(&RULE));
        assert!(own.headline.starts_with("the pod's own anti-affinity keeps it off a, where old runs"));
        let theirs = one(case(json!({}), anti("x")).check(&RULE));
        assert!(theirs.headline.starts_with("that pod's anti-affinity"));
        none(case(anti("y"), anti("y")).edit("/status/conditions/0/message", json!("")).check(&RULE));
    }
}
