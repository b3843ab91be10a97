//! No usable node has the ephemeral storage free that the pod requests.

use super::insufficient_cpu::lack;
use crate::facts::scheduling::Filter;
use crate::finding::Stage;
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "InsufficientEphemeralStorage",
    stage: Stage::Scheduling,
    summary: "no usable node has as much ephemeral storage free as the pod requests",
    explains: &[],
    check: |facts| lack(facts, Filter::EphemeralStorage),
    explain: r#"
## Meaning
As InsufficientCPU, for ephemeral-storage: the node's own disk, on which images, logs, writable layers and emptyDir volumes
lie. The requests count, not what is on the disk.

## Signs
The report computes allocatable, requested, free and short by for each node that suits the pod otherwise. The scheduler says
`Insufficient ephemeral-storage`.

## Fix
Request less, or put what is large on a PersistentVolumeClaim; add a node with a larger disk.

## Not this
A pod that was evicted because it wrote too much is EphemeralStorageExceeded; one that waits for a volume is ClaimUnbound.
"#,
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{none, one};

    #[test]
    fn the_nodes_own_disk_is_counted() {
        let case = |size: &str| {
            refused("0/1 nodes are available: 1 Insufficient ephemeral-storage.")
                .edit("/spec/containers/0/resources", json!({"requests": {"ephemeral-storage": size}}))
                .with(node("a", "4"))
                .complete(&["nodes"])
        };
        assert!(one(case("900Gi").check(&RULE)).headline.contains("a, the largest, offers 50Gi"));
        none(case("900Gi").edit("/spec/nodeName", json!("a")).check(&RULE));
    }
}
