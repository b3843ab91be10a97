//! The runtime cannot read the image that it has.

use super::{failing, finding, node_name, on_node, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImageInspectFailed",
    stage: Stage::Images,
    summary: "the runtime cannot read the image that it has",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
Before it pulls, the kubelet asks the container runtime whether the image is there, and the runtime fails to answer: its
image store on the node is damaged, or the runtime is unwell.

## Signs
The container waits with ImageInspectError; the event InspectFailed has the runtime's words.

## Fix
On the node, remove the image so that it is pulled anew (`crictl rmi IMAGE`), and restart the runtime if that fails. Check the
node's disk. A pod on another node is not touched by it.

## Not this
CRI-O also reports a name that it cannot resolve this way: ImageNameInvalid.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::Uninspectable, |pull| {
        let (node, image) = (node_name(facts), pull.image.text);
        finding(facts, pull, format!("the container runtime of {node} cannot read {}", wanted(pull))).remedy(on_node(
            facts,
            format!("On {node}, remove image {image} from the runtime's store so that it is pulled anew, and check the disk."),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::waiting;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_damaged_image_store() {
        let message = "Failed to inspect image \"\": rpc error: code = Unknown desc = layer not known";
        assert!(
            one(waiting("r.example/a:1", "ImageInspectError", message).check(&RULE)).headline.contains("cannot read")
        );
    }

    #[test]
    fn an_ambiguous_name_is_not_a_damaged_store() {
        let message =
            "Failed to inspect image \"\": short name mode is enforcing, but image name a:1 returns ambiguous list";
        none(waiting("a:1", "ImageInspectError", message).check(&RULE));
    }
}
