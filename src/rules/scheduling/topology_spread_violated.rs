//! A spread constraint that forbids leaves no usable node.

use crate::facts::Facts;
use crate::facts::scheduling::{Filter, named};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "TopologySpreadViolated",
    stage: Stage::Scheduling,
    summary: "a DoNotSchedule spread constraint excludes every usable node",
    explains: &[],
    check,
    explain: r#"
## Meaning
A topology spread constraint with `whenUnsatisfiable: DoNotSchedule` forbids a domain (nodes with the same value of
`topologyKey`) that would then hold more than `maxSkew` pods above the emptiest domain. Domains count even if the pod cannot go
there: by default those of tainted, cordoned and full nodes too (`nodeTaintsPolicy: Ignore`).

## Signs
The pods that match the constraint, counted per domain. The scheduler says `didn't match pod topology spread constraints`, with
`(missing required label)` where nodes lack the key.

## Fix
Make room in the emptiest domain; or let the constraint leave out domains where the pod cannot go (`nodeTaintsPolicy: Honor`),
raise `maxSkew`, or use `ScheduleAnyway`.

## Not this
Anti-affinity forbids a domain at the first pod: PodAntiAffinityConflict.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Spread) else { return Vec::new() };
    let fit = facts.fit();
    let broken = fit.map(|fit| fit.spreads_broken(obstacle)).unwrap_or_default();
    let nodes = fit.map(|fit| fit.names(obstacle)).unwrap_or_default();
    let headline = match broken.first() {
        None => format!("the scheduler finds a spread constraint violated on {} of the nodes", obstacle.count),
        Some((key, _, _, _, None)) => {
            format!("{} bear no label {key}, over which the pod must be spread", named(&nodes))
        }
        Some((key, selector, skew, fewest, Some(_))) => format!(
            "on {} the pods with {selector} would differ by more than {skew} from the emptiest {key}, which holds {fewest}",
            named(&nodes)
        ),
    };
    let tables = broken.into_iter().filter_map(|(.., table)| table);
    let evidence: Vec<_> = facts.cite(&["spec", "topologySpreadConstraints"]).into_iter().chain(tables).collect();
    vec![
        facts
            .obstructed(obstacle, headline, evidence)
            .remedy(Remedy::advice("Make the emptiest domain fit for the pod: it is where the pod has to go."))
            .remedy(facts.owner.edit(
                "Change the constraint: nodeTaintsPolicy: Honor leaves out nodes whose taints the pod does not tolerate, ScheduleAnyway only prefers:",
            )),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::rules::testing::{Case, none, one};

    fn spread(policy: &str) -> Case {
        let mut first = placed("one", "a", "0");
        first["metadata"]["labels"]["app"] = "x".into();
        let mut tainted = node("b", "4");
        tainted["spec"]["taints"] = json!([{"key": "k", "effect": "NoSchedule"}]);
        refused("0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) had untolerated taint(s).")
            .edit("/metadata/labels", json!({"app": "x"}))
            .edit(
                "/spec/topologySpreadConstraints",
                json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": policy,
                    "labelSelector": {"matchLabels": {"app": "x"}}}]),
            )
            .with(first)
            .with(node("a", "4"))
            .with(tainted)
            .complete(&["nodes", "pods"])
    }

    #[test]
    fn a_domain_where_the_pod_cannot_go_counts_as_the_emptiest() {
        let finding = one(spread("DoNotSchedule").check(&RULE));
        assert_eq!(
            finding.headline,
            "on a the pods with app=x would differ by more than 1 from the emptiest kubernetes.io/hostname, which holds 0"
        );
    }

    #[test]
    fn a_wish_keeps_no_pod_away() {
        none(spread("ScheduleAnyway").edit("/status/conditions/0/message", json!("")).check(&RULE));
    }
}
