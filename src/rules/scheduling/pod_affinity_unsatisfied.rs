//! The partner that the pod's required pod affinity asks for is nowhere where the pod could go.

use crate::facts::Facts;
use crate::facts::scheduling::{Filter, named};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PodAffinityUnsatisfied",
    stage: Stage::Scheduling,
    summary: "the required pod affinity finds no partner pod on a usable node",
    explains: &[],
    check,
    explain: r#"
## Meaning
Required pod affinity lets the pod only onto nodes in whose topology domain (the same value of `topologyKey`) a pod with the
labels of the term runs, in the pod's own namespace unless the term names others.

## Signs
No pod with a node matches the term, or those that do run in other domains. The scheduler says
`didn't match pod affinity rules`.

## Fix
Start the partner, or correct the labels or namespaces of the term; `preferredDuringScheduling…` asks for the same without
insisting.

## Not this
`didn't match pod anti-affinity rules` is PodAntiAffinityConflict; affinity to nodes is NodeAffinityMismatch.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::PodAffinity) else { return Vec::new() };
    let sought = facts.fit().map(|fit| fit.partners_sought()).filter(|(terms, _)| !terms.is_empty());
    let headline = match &sought {
        Some((terms, has_partner)) => {
            let selectors: Vec<&str> = terms.iter().map(|(selector, _)| selector.as_str()).collect();
            let keys: Vec<&str> = terms.iter().map(|(_, key)| *key).collect();
            let nodes = facts.fit().map(|fit| fit.names(obstacle)).unwrap_or_default();
            match has_partner {
                false => format!(
                    "no pod with {} has a node, and the pod must run beside one (same {})",
                    named(&selectors),
                    named(&keys)
                ),
                true => format!(
                    "no pod with {} runs on {} or in the same {}",
                    named(&selectors),
                    named(&nodes),
                    named(&keys)
                ),
            }
        }
        None => format!("the scheduler finds the required pod affinity unsatisfied on {} of the nodes", obstacle.count),
    };
    let required = ["spec", "affinity", "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let selector = sought.iter().flat_map(|(terms, _)| terms).map(|(selector, _)| selector.clone()).next();
    let look = selector.map(|selector| facts.look(["get", "pods", "-l", &selector, "-o", "wide"]));
    vec![
        facts
            .obstructed(obstacle, headline, facts.cite(&required))
            .remedy(look)
            .remedy(Remedy::advice("Start the partner pod, or bring it to a node that suits this pod too."))
            .remedy(facts.owner.edit("Correct the labels of the pod affinity:")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::rules::testing::{Case, none, one};

    fn seeks(app: &str) -> Case {
        refused("0/1 nodes are available: 1 node(s) didn't match pod affinity rules.")
            .edit(
                "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution",
                json!([{"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}]),
            )
            .with(node("a", "4"))
            .complete(&["nodes", "pods"])
    }

    #[test]
    fn the_missing_partner_is_described() {
        let finding = one(seeks("db").check(&RULE));
        assert_eq!(
            finding.headline,
            "no pod with app=db has a node, and the pod must run beside one (same kubernetes.io/hostname)"
        );
    }

    #[test]
    fn a_partner_on_the_node_and_the_first_of_a_group_are_fine() {
        let mut partner = placed("db-0", "a", "0");
        partner["metadata"]["labels"]["app"] = "db".into();
        let quiet = |case: Case| case.edit("/status/conditions/0/message", json!(""));
        none(quiet(seeks("db").with(partner)).check(&RULE));
        none(quiet(seeks("web").edit("/metadata/labels", json!({"app": "web"}))).check(&RULE));
    }
}
