//! No usable node has the memory free that the pod requests.

use super::insufficient_cpu::lack;
use crate::facts::scheduling::Filter;
use crate::finding::Stage;
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "InsufficientMemory",
    stage: Stage::Scheduling,
    summary: "no usable node has as much memory free as the pod requests",
    explains: &[],
    check: |facts| lack(facts, Filter::Memory),
    explain: r#"
## Meaning
As InsufficientCPU, for memory. The sum of the requests on a node cannot go over what the node offers to pods
(`status.allocatable`), however little memory is in use.

## Signs
The report computes allocatable, requested, free and short by for each node that suits the pod otherwise. The scheduler says
`Insufficient memory`.

## Fix
Request what the program needs and no more; lower the requests of others; add a node.

## Not this
A container that was killed for its memory is OOMKilled; a pod that was thrown off its node is NodePressureEvicted.
"#,
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, refused};
    use crate::rules::testing::{none, one};

    #[test]
    fn memory_is_counted_apart_from_cpu() {
        let case = |memory: &str| {
            refused("0/1 nodes are available: 1 Insufficient memory.")
                .edit("/spec/containers/0/resources", json!({"requests": {"memory": memory, "cpu": "1"}}))
                .with(node("a", "4"))
                .complete(&["nodes"])
        };
        let finding = one(case("900Gi").check(&RULE));
        assert_eq!(
            finding.headline,
            "no node is large enough for the 900Gi memory requested: a, the largest, offers 16Gi"
        );
        none(case("900Gi").check(&super::super::insufficient_cpu::RULE));
    }
}
