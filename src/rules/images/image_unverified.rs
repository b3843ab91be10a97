//! A policy refuses the image.

use super::{failing, node_name, on_node, wanted};
use crate::facts::{Facts, FailedPull, PullFault};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImageUnverified",
    stage: Stage::Images,
    summary: "a policy of the node refuses the image: its signature, or whose credentials pulled it",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The node may only run images that bear a valid signature, or that the pod itself has the right to pull; this image, though it
can be had, does not qualify.

## Signs
The container waits with SignatureValidationFailed, or the message says `Source image rejected`. Or it waits with
ErrImageNeverPull although another pod on the same node has the image: recent kubelets check whether this pod's own
credentials ever gave access to it (feature KubeletEnsureSecretPulledImages).

## Fix
Signature: sign the image with the key that the node's policy names, or correct the policy (/etc/containers/policy.json).
Credentials: name the pull secret in this pod too, and let it pull with imagePullPolicy: IfNotPresent.

## Not this
A registry that refuses is ImagePullUnauthorized. An admission webhook that checks signatures refuses the whole pod:
WebhookDenied.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |pull: &FailedPull<'_>| match is_present(pull) {
        true => {
            format!("{} has {}, but this pod has no credentials that gave access to it", node_name(facts), wanted(pull))
        }
        false => format!("the signature policy of {} refuses {}", node_name(facts), wanted(pull)),
    };
    let findings = failing(facts, PullFault::Unverified, headline, |pull| match is_present(pull) {
        true => vec![
            facts
                .owner
                .edit("Name the image's pull secret in spec.imagePullSecrets and set imagePullPolicy: IfNotPresent"),
        ],
        false => on_node(
            facts,
            format!("Sign the image with a key that the policy of {} names, or correct that policy.", node_name(facts)),
        ),
    });
    let pulls = facts.failed_pulls();
    let unverified = pulls.iter().filter(|pull| pull.fault == PullFault::Unverified);
    let judged = findings.into_iter().zip(unverified).map(|(finding, pull)| {
        match facts.pod_with_image_on_node(pull.image.text) {
            Some(pod) if is_present(pull) => {
                let node = facts.cite_other("Pod", pod, &["spec", "nodeName"]);
                finding.certainty(Certainty::Likely).because(node)
            }
            _ => finding,
        }
    });
    judged.collect()
}

/// Whether the image is on the node and only this pod may not use it.
fn is_present(pull: &FailedPull<'_>) -> bool {
    pull.error.contains("pull policy of Never") || pull.container.waiting_reason() == Some("ErrImageNeverPull")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{backing_off, waiting};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_missing_signature() {
        let error = "image pull failed for r.example/a:1 because the signature validation failed: Source image rejected: A signature was required, but no signature exists";
        let finding = one(waiting("r.example/a:1", "SignatureValidationFailed", error).check(&RULE));
        assert!(finding.headline.starts_with("the signature policy of node-1 refuses"), "{}", finding.headline);
    }

    #[test]
    fn an_image_that_only_other_pods_may_use() {
        let case = waiting(
            "r.example/a:1",
            "ErrImageNeverPull",
            "Container image \"r.example/a:1\" is not present with pull policy of Never",
        )
        .with(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "n"},
                "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "r.example/a:1"}]},
                "status": {"containerStatuses": [{"name": "c", "imageID": "sha256:00"}]}}));
        assert_eq!(one(case.check(&RULE)).certainty, Certainty::Likely);
    }

    #[test]
    fn a_refusal_by_the_registry_is_not_this() {
        none(backing_off("r.example/a:1", "denied: requested access to the resource is denied").check(&RULE));
    }
}
