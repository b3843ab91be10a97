//! An image could not be pulled.

mod image_absent_never_pull;
mod image_disk_full;
mod image_inspect_failed;
mod image_name_invalid;
mod image_not_found;
mod image_platform_mismatch;
mod image_pull_failed;
mod image_pull_in_progress;
mod image_pull_queued;
mod image_pull_unauthorized;
mod image_unverified;
mod pull_secret_missing;
mod registry_error;
mod registry_name_unresolved;
mod registry_plain_http;
mod registry_rate_limited;
mod registry_tls_untrusted;
mod registry_unreachable;

use super::Rule;
use crate::facts::{Facts, FailedPull, PullFault};
use crate::finding::{Finding, Remedy};

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    image_not_found::RULE,
    image_pull_unauthorized::RULE,
    pull_secret_missing::RULE,
    image_name_invalid::RULE,
    image_absent_never_pull::RULE,
    image_platform_mismatch::RULE,
    registry_rate_limited::RULE,
    registry_name_unresolved::RULE,
    registry_unreachable::RULE,
    registry_tls_untrusted::RULE,
    registry_plain_http::RULE,
    registry_error::RULE,
    image_pull_in_progress::RULE,
    image_pull_queued::RULE,
    image_disk_full::RULE,
    image_unverified::RULE,
    image_inspect_failed::RULE,
    image_pull_failed::RULE,
];

/// What a container that has no image looks like further on.
const SYMPTOMS: &[&str] = &["InitContainerFailed", "InitContainerRunning", "SidecarNotStarted"];

/// What `say` finds of each pull that fails in that way.
fn failing(facts: &Facts<'_>, fault: PullFault, say: impl Fn(&FailedPull<'_>) -> Finding) -> Vec<Finding> {
    facts.failed_pulls().iter().filter(|pull| pull.fault == fault).map(say).collect()
}

/// A finding about a failed pull: its container, the headline, the kubelet's words.
fn finding(facts: &Facts<'_>, pull: &FailedPull<'_>, headline: String) -> Finding {
    Finding::new(facts.subject_of(pull.container), headline)
        .standing(pull.standing)
        .because(pull.evidence.iter().cloned())
        .because(facts.cite_spec(pull.container, &["image"]))
}

/// Whether the image names no registry and the runtime asked docker.io for it.
fn asks_default_registry(pull: &FailedPull<'_>) -> bool {
    !pull.image.names_registry && pull.error.contains("docker.io/")
}

/// `node-1`, or `the node`.
fn node_name<'f>(facts: &'f Facts<'_>) -> &'f str {
    facts.pod.node_name().unwrap_or("the node")
}

/// `image IMAGE for container app`.
fn wanted(pull: &FailedPull<'_>) -> String {
    format!("image {} for {}", pull.image.text, pull.container.title())
}

/// The remedy that gives the container another image.
fn set_image(facts: &Facts<'_>, pull: &FailedPull<'_>, say: &str, image: &str) -> Remedy {
    if pull.container.spec.image.as_deref() != Some(pull.image.text) {
        return facts.owner.edit("Name another image in the pod's volume");
    }
    facts.owner.set(say, "image", &[&format!("{}={image}", pull.container.name)])
}

/// The remedies that lead to an image which others have: one of near name if there is one, or else any.
fn other_images(facts: &Facts<'_>, pull: &FailedPull<'_>) -> Vec<Remedy> {
    let mut near = facts.similar_images(&pull.image).into_iter();
    let Some(nearest) = near.next() else {
        return vec![set_image(facts, pull, "Name an image that exists:", "IMAGE")];
    };
    let mut remedies = vec![set_image(facts, pull, &format!("{nearest} is in use in this namespace:"), &nearest)];
    let more: Vec<String> = near.collect();
    if !more.is_empty() {
        remedies.push(Remedy::advice(format!("Also in use in this namespace: {}.", more.join(", "))));
    }
    remedies
}

/// What the node's administrator has to do, in one sentence, and the look at the node.
fn on_node(facts: &Facts<'_>, say: String) -> Vec<Remedy> {
    let look =
        facts.pod.node_name().map(|node| Remedy::look(crate::finding::Command::kubectl(["describe", "node", node])));
    look.into_iter().chain(Remedy::advice(say)).collect()
}

#[cfg(test)]
mod testing {
    use serde_json::json;

    use crate::rules::testing::Case;

    /// Container `app` on node-1 backs off from pulling `image`, with that error.
    pub(super) fn backing_off(image: &str, error: &str) -> Case {
        let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {error}");
        waiting(image, "ImagePullBackOff", &message)
    }

    /// Container `app` on node-1 waits with that word and message.
    pub(super) fn waiting(image: &str, reason: &str, message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
            .edit("/spec/containers/0/image", json!(image))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/status/phase", json!("Pending"))
    }
}
