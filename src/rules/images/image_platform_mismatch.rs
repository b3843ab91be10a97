//! The image is for other machines.

use super::{failing, finding, node_name, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImagePlatformMismatch",
    stage: Stage::Images,
    summary: "the image has no variant for the node's architecture or operating system",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The image exists, but only for other processors or another operating system than the node's.

## Signs
`no match for platform in manifest`, `no image found in image index for architecture`, `no matching manifest for` in the
kubelet's message, even though containerd lets it end in `not found`.

## Fix
Build and push the image for the node's platform too (`docker buildx build --platform`), or bind the pod to nodes that the
image is for, through a nodeSelector on kubernetes.io/arch or kubernetes.io/os.

## Not this
An image that says the wrong platform, or none, is pulled and then fails to start: ExecFormatError.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let node = facts.node().found();
    let info = node.map(|n| &n.status.node_info).filter(|i| !i.architecture.is_empty());
    let platform = info.map(|i| match i.operating_system.as_str() {
        "" => i.architecture.clone(),
        system => format!("{system}/{}", i.architecture),
    });
    let place = match &platform {
        Some(platform) => format!("{} ({platform})", node_name(facts)),
        None => node_name(facts).to_owned(),
    };
    let cite = |field| node.and_then(|n| facts.cite_node(n, &["status", "nodeInfo", field]));
    failing(facts, PullFault::Platform, |pull| {
        finding(facts, pull, format!("{} has no variant for {place}", wanted(pull)))
            .because(cite("architecture"))
            .because(cite("operatingSystem"))
            .remedy(Remedy::advice(format!(
                "Build and push the image for {} too.",
                platform.as_deref().unwrap_or("the node's platform")
            )))
            .remedy(facts.owner.edit(
                "Or bind the pod to nodes that the image is for, with a nodeSelector on kubernetes.io/arch and kubernetes.io/os",
            ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_nodes_platform_is_named() {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"},
            "status": {"nodeInfo": {"architecture": "arm64", "operatingSystem": "linux"}}});
        let error = "rpc error: code = NotFound desc = no match for platform in manifest sha256:00: not found";
        let finding = one(backing_off("r.example/app:1", error).with(node).check(&RULE));
        assert_eq!(finding.headline, "image r.example/app:1 for container app has no variant for node-1 (linux/arm64)");
    }

    #[test]
    fn an_image_that_is_not_there_at_all_is_not_this() {
        none(backing_off("r.example/app:1", "r.example/app:1: not found").check(&RULE));
    }
}
