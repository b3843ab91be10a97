//! No room for the image.

use super::{failing, finding, node_name, on_node, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImageDiskFull",
    stage: Stage::Images,
    summary: "the node has no room for the image",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The node's disk ran full, in bytes, inodes or quota, while the image was downloaded or unpacked.

## Signs
`no space left on device` or `disk quota exceeded` in the kubelet's message.

## Fix
Make room on the node: remove what does not belong there, let the kubelet collect unused images, give it a larger disk for
images. A smaller image helps too. If other nodes have room, let the pod be bound to one of them.

## Not this
A pod that was taken away because the disk ran full is NodePressureEvicted.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let node = facts.node().found();
    let pressed = node.filter(|n| n.condition("DiskPressure").is_some_and(|c| c.status == "True"));
    failing(facts, PullFault::DiskFull, |pull| {
        let name = node_name(facts);
        finding(facts, pull, format!("{name} has no disk space left for {}", wanted(pull)))
            .because(pressed.and_then(|n| facts.cite_node(n, &["status", "conditions", "DiskPressure", "status"])))
            .remedy(on_node(
                facts,
                format!("Make room on the disk of {name} that holds the images, or give it a larger one."),
            ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_full_disk_is_named_with_its_node() {
        let error = "failed to extract layer sha256:00: write /var/lib/containerd/x: no space left on device: unknown";
        assert!(
            one(backing_off("r.example/a:1", error).check(&RULE)).headline.starts_with("node-1 has no disk space left")
        );
    }

    #[test]
    fn a_full_disk_of_the_registry_is_not_the_nodes() {
        let error = "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 500 Internal Server Error - Server message: unknown: no space left on device";
        none(backing_off("r.example/a:1", error).check(&RULE));
    }
}
