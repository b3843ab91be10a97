//! No usable node has the extended resource or the huge pages free that the pod requests.

use super::insufficient_cpu::lack;
use crate::facts::scheduling::Filter;
use crate::finding::Stage;
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "InsufficientExtendedResource",
    stage: Stage::Scheduling,
    summary: "no usable node has the extended resource (GPU, huge pages) free that the pod requests",
    explains: &[],
    check: |facts| lack(facts, Filter::Extended),
    explain: r#"
## Meaning
Resources beside cpu, memory and ephemeral-storage are offered by a device plugin (`nvidia.com/gpu`) or set aside at boot
(`hugepages-2Mi`). A node that does not name the resource in `status.allocatable` offers none of it.

## Signs
No suitable node has the resource, or all of it is requested by pods that are there. The scheduler says
`Insufficient nvidia.com/gpu` or the like.

## Fix
If no node offers it although the hardware is there, look at the device plugin on that node. Otherwise wait for a pod that
holds one to end, or add a node that has it. The name must be spelled as the device plugin spells it.

## Not this
Devices that are claimed through a ResourceClaim are ResourceClaimPending.
"#,
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{none, one};

    fn wants(resource: &str) -> crate::rules::testing::Case {
        refused("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
            .edit("/spec/containers/0/resources", json!({"requests": {resource: "1"}}))
            .complete(&["nodes"])
    }

    #[test]
    fn a_resource_that_no_node_names_is_offered_by_none() {
        let finding = one(wants("nvidia.com/gpu").with(node("a", "4")).check(&RULE));
        assert_eq!(finding.headline, "no node offers nvidia.com/gpu, of which the pod requests 1");
    }

    #[test]
    fn a_free_device_is_no_shortage() {
        let mut with_gpu = node("a", "4");
        with_gpu["status"]["allocatable"]["example.com/fpga"] = "2".into();
        let case = wants("example.com/fpga").with(with_gpu);
        none(
            case.edit("/status/conditions/0/message", json!("0/1 nodes are available: 1 Too many pods.")).check(&RULE),
        );
    }
}
