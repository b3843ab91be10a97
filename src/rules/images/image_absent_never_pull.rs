//! The image is not on the node and may not be pulled.

use super::{failing, finding, node_name};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImageAbsentNeverPull",
    stage: Stage::Images,
    summary: "imagePullPolicy is Never and the image is not on the node",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The container says imagePullPolicy: Never, so the kubelet only uses an image that is on the node already, and it is not.

## Signs
The container waits with ErrImageNeverPull.

## Fix
Let it pull with imagePullPolicy: IfNotPresent, or load the image onto every node that the pod can be bound to (`kind load
docker-image`, `minikube image load`, `ctr -n k8s.io images import`). The name must be the same, registry and tag included.

## Not this
Recent kubelets use the same words when the image is there but was pulled with credentials that this pod does not have:
where another pod runs the image on the same node, it is ImageUnverified.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::NeverPull, |pull| {
        let title = pull.container.title();
        let headline = format!(
            "image {} is not on {}, and {title} never pulls (imagePullPolicy)",
            pull.image.text,
            node_name(facts)
        );
        finding(facts, pull, headline)
            .because(facts.cite_spec(pull.container, &["imagePullPolicy"]))
            .remedy(facts.owner.edit(&format!("Set imagePullPolicy: IfNotPresent for {title}")))
            .remedy(Remedy::advice(format!("Or load the image onto {}, by exactly that name.", node_name(facts))))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::waiting;
    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn never() -> Case {
        waiting(
            "r.example/app:1",
            "ErrImageNeverPull",
            "Container image \"r.example/app:1\" is not present with pull policy of Never",
        )
        .edit("/spec/containers/0/imagePullPolicy", json!("Never"))
    }

    #[test]
    fn an_image_that_is_not_there_and_may_not_come() {
        let finding = one(never().check(&RULE));
        assert!(finding.headline.contains("is not on node-1"), "{}", finding.headline);
        assert_eq!(finding.evidence.len(), 3);
    }

    #[test]
    fn an_image_that_another_pod_of_the_node_runs_is_there() {
        none(
            never()
                .with(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "n"},
                "spec": {"nodeName": "node-1", "containers": [{"name": "c", "image": "r.example/app:1"}]},
                "status": {"containerStatuses": [{"name": "c", "imageID": "sha256:00"}]}}))
                .check(&RULE),
        );
    }

    #[test]
    fn a_pull_that_was_tried_is_not_this() {
        none(waiting("r.example/app:1", "ErrImagePull", "manifest unknown").check(&RULE));
    }
}
