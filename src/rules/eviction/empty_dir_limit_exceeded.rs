//! An emptyDir volume outgrew its size limit.

use super::{OF_THE_END, successor};
use crate::facts::{Facts, PodEnd};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "EmptyDirLimitExceeded",
    stage: Stage::Eviction,
    summary: "an emptyDir volume outgrew its sizeLimit and the pod was evicted",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
The pod wrote more into an emptyDir than its `sizeLimit`. The kubelet looks from time to time, so the volume can be far over
the limit when the pod goes.

## Signs
`status.reason` is `Evicted`, and the message says `Usage of EmptyDir volume … exceeds the limit`.

## Fix
Raise `sizeLimit`, write less, or use a volume with a claim.

## Not this
All of a pod's writing together is EphemeralStorageExceeded. A node short of disk is NodePressureEvicted.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(PodEnd::EmptyDir { volume, limit }) = facts.pod_end() else { return Vec::new() };
    let finding = Finding::new(
        facts.subject(),
        format!("emptyDir {volume} grew past its limit of {limit}, and the pod was evicted"),
    )
    .standing(facts.standing_of_removal())
    .because(facts.cite_ending())
    .because(facts.cite(&["spec", "volumes", &volume, "emptyDir", "sizeLimit"]))
    .remedy(facts.owner.edit(&format!("Raise the sizeLimit of volume {volume}, or have less written to it")))
    .remedy(successor(facts));
    vec![finding]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn evicted(message: &str) -> Case {
        Case::pod(
            json!({"containers": [], "volumes": [{"name": "s", "emptyDir": {"sizeLimit": "16Mi"}}]}),
            json!({"phase": "Failed", "reason": "Evicted", "message": message}),
        )
    }

    #[test]
    fn volume_and_limit_are_told() {
        let finding = one(evicted("Usage of EmptyDir volume \"s\" exceeds the limit \"16Mi\". ").check(&RULE));
        assert_eq!(finding.headline, "emptyDir s grew past its limit of 16Mi, and the pod was evicted");
        assert_eq!(finding.evidence.len(), 3);
    }

    #[test]
    fn other_evictions_are_not_told() {
        none(evicted("The node was low on resource: memory. ").check(&RULE));
    }
}
