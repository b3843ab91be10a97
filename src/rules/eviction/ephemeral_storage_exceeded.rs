//! The pod or a container wrote more to its node's disk than its limit allows.

use super::{OF_THE_END, successor};
use crate::facts::{Facts, PodEnd, Quantity};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "EphemeralStorageExceeded",
    stage: Stage::Eviction,
    summary: "the pod used more ephemeral storage than its limit and was evicted",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
Ephemeral storage is what a pod writes to its node's disk: the writable layers of its containers, their logs, and emptyDir
volumes that are not in memory. The limit of one container covers its layer and logs; the sum of the limits covers the pod.

## Signs
`status.reason` is `Evicted`, and the message says `exceeds the total limit of containers` or `exceeded its local ephemeral
storage limit`.

## Fix
Write large files to a volume of their own, log less, or raise the limit `ephemeral-storage`.

## Not this
A node that runs out of disk is NodePressureEvicted. An emptyDir over its own sizeLimit is EmptyDirLimitExceeded.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(PodEnd::EphemeralStorage { limit, container }) = facts.pod_end() else { return Vec::new() };
    let blamed = container.as_deref().and_then(|name| facts.container(name));
    let headline = match blamed {
        Some(container) => format!("{} wrote more to the node's disk than its limit of {limit}", container.title()),
        None => format!("the pod wrote more to the node's disk than the {limit} that its containers' limits add up to"),
    };
    let subject = blamed.map_or_else(|| facts.subject(), |c| facts.subject_of(c));
    let mut finding =
        Finding::new(subject, headline).standing(facts.standing_of_removal()).because(facts.cite_ending());
    for container in facts.main_containers().filter(|c| blamed.is_none_or(|b| b.name == c.name)) {
        finding = finding.because(facts.cite_spec(container, &["resources", "limits", "ephemeral-storage"]));
    }
    let double = Quantity::parse(&limit).map(|l| l.times(2).show("ephemeral-storage"));
    let raise = match (blamed, double) {
        (Some(container), Some(double)) => facts.owner.set(
            &format!("Or raise the limit; twice its limit of {limit} is {double}, a rule of thumb:"),
            "resources",
            &["-c", &container.name, &format!("--limits=ephemeral-storage={double}")],
        ),
        _ => facts.owner.edit("Or raise the limits for ephemeral-storage"),
    };
    vec![
        finding
            .remedy(
                facts.owner.edit("Write what is large to a volume of its own, and send logs to standard output only"),
            )
            .remedy(raise)
            .remedy(successor(facts)),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn evicted(message: &str) -> Case {
        Case::container(json!({"state": {"terminated": {"exitCode": 137}}}))
            .edit("/status/phase", json!("Failed"))
            .edit("/status/reason", json!("Evicted"))
            .edit("/status/message", json!(message))
    }

    #[test]
    fn pod_and_container_limits_are_told_apart() {
        let pod = evicted("Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ");
        assert!(one(pod.check(&RULE)).headline.contains("than the 20Mi that"));
        let container = evicted("Container app exceeded its local ephemeral storage limit \"1Gi\". ");
        let finding = one(container.check(&RULE));
        assert_eq!(finding.headline, "container app wrote more to the node's disk than its limit of 1Gi");
    }

    #[test]
    fn a_node_short_of_disk_is_another_reason() {
        none(evicted("The node was low on resource: ephemeral-storage. ").check(&RULE));
    }
}
