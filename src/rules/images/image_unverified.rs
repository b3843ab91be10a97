//! A policy refuses the image.

use super::{failing, finding, node_name, on_node, wanted};
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
The node runs only images that bear a valid signature, or that the pod itself has the right to pull; this image, though it
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
    failing(facts, PullFault::Unverified, |pull| {
        let node = node_name(facts);
        let Some(other) = facts.pod_with_image_on_node(pull.image.text).filter(|_| may_not_pull(pull)) else {
            return finding(facts, pull, format!("the signature policy of {node} refuses {}", wanted(pull))).remedy(
                on_node(
                    facts,
                    format!("Sign the image with a key that the policy of {node} names, or correct that policy."),
                ),
            );
        };
        let headline = format!("{node} has {}, but this pod has no credentials that gave access to it", wanted(pull));
        finding(facts, pull, headline)
            .certainty(Certainty::Likely)
            .because(facts.cite_other("Pod", other, &["spec", "nodeName"]))
            .remedy(
                facts.owner.edit(
                    "Name the image's pull secret in spec.imagePullSecrets and set imagePullPolicy: IfNotPresent",
                ),
            )
    })
}

/// Whether the container uses only what its node has.
fn may_not_pull(pull: &FailedPull<'_>) -> bool {
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
