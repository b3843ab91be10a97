//! The pause image cannot be pulled.

use super::{failing, look_at_node, node_name};
use crate::facts::{Facts, SandboxFault, fault_of_pull};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SandboxImagePullFailed",
    stage: Stage::Sandbox,
    summary: "the node cannot pull the pause image that every pod needs",
    explains: &["SandboxFailed"],
    check,
    explain: r#"
## Meaning
The runtime keeps each pod's sandbox alive with a small image of its own, the pause image, and cannot pull it. The pod names
that image nowhere: it is a setting of the node's runtime.

## Signs
FailedCreatePodSandBox with `failed to get sandbox image`, or with CRI-O's words of a pull.

## Fix
Make the node reach that image: the same causes as for any pull apply (name, credentials, DNS, proxy, certificate). Or set the
runtime's sandbox image (containerd `sandbox_image` or `pinned_images.sandbox`, CRI-O `pause_image`) to one that the node can
pull, for example in a private registry. Every pod that starts on the node needs it.

## Not this
A container's own image has a reason of the images stage.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, SandboxFault::PauseImage, |failure| {
        let node = node_name(facts);
        let image = failure.image().map_or_else(String::new, |image| format!(" {image}"));
        let why = fault_of_pull(&failure.error).words();
        Finding::new(facts.subject(), format!("{node} cannot pull the pause image{image} that every pod needs: {why}"))
            .remedy(look_at_node(facts))
            .remedy(Remedy::advice(format!(
                "Make {node} reach that image, or set the sandbox image of its container runtime to one that it can pull."
            )))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{failing, recovered};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_image_and_the_fault_of_its_pull_are_named() {
        for (error, why) in [
            (
                "failed to start sandbox \"9c\": failed to get sandbox image \"registry.k8s.io/pause:3.10\": failed to pull image \"registry.k8s.io/pause:3.10\": failed to resolve reference: dial tcp: lookup registry.k8s.io: no such host",
                "does not resolve",
            ),
            (
                "initializing source docker://registry.k8s.io/pause:3.10: pinging container registry registry.k8s.io: Get \"https://registry.k8s.io/v2/\": dial tcp: i/o timeout",
                "no usable connection",
            ),
        ] {
            let finding = one(failing(error).check(&RULE));
            assert!(finding.headline.contains("registry.k8s.io/pause:3.10"), "{}", finding.headline);
            assert!(finding.headline.contains(why), "{}", finding.headline);
        }
    }

    #[test]
    fn the_plugins_own_timeouts_are_not_a_pull() {
        none(failing("failed to setup network for sandbox \"b8\": plugin type=\"calico\" failed (add): dial tcp: i/o timeout").check(&RULE));
        none(recovered("failed to get sandbox image \"pause:3\": not found").check(&RULE));
    }
}
