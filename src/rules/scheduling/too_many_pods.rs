//! The usable nodes are at their pod limit.

use crate::facts::Facts;
use crate::facts::scheduling::{Filter, named};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "TooManyPods",
    stage: Stage::Scheduling,
    summary: "the usable nodes hold as many pods as they allow",
    explains: &[],
    check,
    explain: r#"
## Meaning
A node takes only so many pods (`status.allocatable.pods`, often 110, on some clouds bound to the number of network
addresses), whatever they request.

## Signs
On each node that suits the pod otherwise as many pods run as it allows. The scheduler says `Too many pods`.

## Fix
Remove pods that are not needed, finished ones do not count; add a node; or raise the kubelet's `maxPods` if the network has
addresses for more.

## Not this
A node without free cpu or memory is InsufficientCPU or InsufficientMemory.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::Pods) else { return Vec::new() };
    let names = facts.fit().map(|fit| fit.names(obstacle)).unwrap_or_default();
    let (headline, table) = match facts.fit().filter(|_| !obstacle.hearsay) {
        Some(fit) if names.len() == 1 => {
            (format!("{} holds as many pods as it allows", named(&names)), Some(fit.pod_counts(obstacle)))
        }
        Some(fit) => (format!("{} hold as many pods as they allow", named(&names)), Some(fit.pod_counts(obstacle))),
        None => (format!("the scheduler finds too many pods on {} of the nodes", obstacle.count), None),
    };
    let look = names.first().map(|node| {
        let field = format!("spec.nodeName={node}");
        Remedy::look(Command::kubectl(["get", "pods", "--all-namespaces", "--field-selector", &field]))
    });
    vec![
        facts
            .obstructed(obstacle, headline, table)
            .remedy(look)
            .remedy(Remedy::advice("Remove pods that are not needed, or add a node.")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_node_at_its_limit_takes_no_more() {
        let case = |limit: &str| {
            let mut node = node("a", "4");
            node["status"]["allocatable"]["pods"] = limit.into();
            refused("0/1 nodes are available: 1 Insufficient cpu.")
                .with(node)
                .with(placed("x", "a", "0"))
                .complete(&["nodes"])
        };
        assert_eq!(one(case("1").check(&RULE)).headline, "a holds as many pods as it allows");
        none(case("2").check(&RULE));
    }
}
