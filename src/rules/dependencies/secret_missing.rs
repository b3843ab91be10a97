//! A Secret that the pod needs does not exist.

use crate::facts::Facts;
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SecretMissing",
    stage: Stage::Dependencies,
    summary: "a Secret that the pod mounts or reads for its environment does not exist",
    explains: super::LEFT_WITHOUT,
    check,
    explain: r#"
## Meaning
The pod names a Secret, for a volume or for the environment of a container, that is not in its namespace. A volume holds up
every container of the pod; an environment only its container, which stays in `CreateContainerConfigError`. A CSI driver's own
Secret, which its PersistentVolume names, counts too.

## Signs
`state.waiting.message` says `secret "…" not found`, or a FailedMount event does. Without either: the reference in the pod and
the server's word that the Secret does not exist. Secrets are looked up by their metadata only.

## Fix
Create the Secret in the namespace of the pod, or correct the name. If an operator (cert-manager, External Secrets, Sealed
Secrets) makes it, look at the object from which it is made. Nothing has to be restarted.

## Not this
A pull secret that does not exist is PullSecretMissing: it keeps no container from being configured.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    super::missing_objects(facts, "Secret")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn waiting(volumes: serde_json::Value) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/volumes", volumes)
    }

    #[test]
    fn a_failed_mount_names_it_even_if_secrets_may_not_be_read() {
        let case = waiting(json!([{"name": "tls", "secret": {"secretName": "web-tls"}}])).refused("secrets").event(
            "FailedMount",
            "",
            "MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found",
        );
        assert_eq!(one(case.check(&RULE)).headline, "Secret web-tls, which volume tls needs, does not exist");
    }

    #[test]
    fn one_of_a_projected_volume_counts() {
        let case = waiting(
            json!([{"name": "all", "projected": {"sources": [{"secret": {"name": "a"}}, {"secret": {"name": "b", "optional": true}}]}}]),
        );
        assert_eq!(one(case.complete(&["secrets"]).check(&RULE)).subject.name, "a");
    }

    #[test]
    fn a_drivers_own_secret_is_in_the_drivers_namespace() {
        let message = "MountVolume.MountDevice failed for volume \"pvc-1\" : fetching NodeStageSecretRef rook/csi-node failed: secrets \"csi-node\" not found";
        let finding = one(waiting(json!([])).event("FailedMount", "", message).check(&RULE));
        assert_eq!(finding.headline, "Secret csi-node of namespace rook, which volume pvc-1 needs, does not exist");
    }

    #[test]
    fn a_pull_secret_is_another_matter() {
        none(
            waiting(json!([]))
                .edit("/spec/imagePullSecrets", json!([{"name": "reg"}]))
                .complete(&["secrets"])
                .check(&RULE),
        );
    }
}
