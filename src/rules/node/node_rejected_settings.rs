//! the kubelet refused the pod: a sysctl, AppArmor, topology or other setting that the node does not allow or have.

use super::{again, describe_node, rejected};
use crate::facts::{Facts, Rejection};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;
use crate::rules::eviction::OF_THE_END;

pub(super) const RULE: Rule = Rule {
    reason: "NodeRejectedSettings",
    stage: Stage::Node,
    summary: "the kubelet refused the pod: a sysctl, AppArmor, topology or other setting that the node does not allow or have",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
The pod asks for something that this node does not allow or have: a sysctl that is not on its list, AppArmor where it is off,
CPUs aligned to one NUMA node where none has enough, a feature of a later version. The scheduler does not know of most of
these, so the next pod can land on the same node.

## Signs
`status.reason` is `SysctlForbidden`, `AppArmor`, `TopologyAffinityError`, `SMTAlignmentError`, `PodFeatureUnsupported` or the
like.

## Fix
Take the setting out, allow it on the node (for sysctls the kubelet flag `--allowed-unsafe-sysctls`), or select the nodes that
have it.

## Not this
A profile that is missing on the node stops the container, not the pod (SecurityProfileMissing).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let complete = |finding: Finding| {
        let finding = finding.because(facts.cite(&["spec", "securityContext", "sysctls"]));
        again(
            facts,
            finding
                .remedy(describe_node(facts))
                .remedy(facts.owner.edit("Take the setting out, or select nodes that allow it")),
        )
    };
    rejected(facts, Rejection::Settings, "whose settings the node does not allow or have")
        .map(complete)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::node::tests_support::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_kubelets_words_are_told() {
        let finding = one(refused(
            "SysctlForbidden",
            "Pod was rejected: forbidden sysctl: \"net.core.somaxconn\" not allowlisted",
        )
        .check(&RULE));
        assert!(
            finding.headline.ends_with("(SysctlForbidden): forbidden sysctl: \"net.core.somaxconn\" not allowlisted"),
            "{}",
            finding.headline
        );
    }

    #[test]
    fn other_refusals_and_evictions_are_not_told() {
        none(refused("OutOfcpu", "").check(&RULE));
        none(refused("Evicted", "The node was low on resource: memory. ").check(&RULE));
    }
}
