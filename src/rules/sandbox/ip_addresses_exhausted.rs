//! No address is left for the pod.

use super::{failing, look_at_node, node_name};
use crate::facts::{Facts, SandboxFault};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "IPAddressesExhausted",
    stage: Stage::Sandbox,
    summary: "the network plugin has no address left",
    explains: &["CNIFailed", "SandboxFailed"],
    check,
    explain: r#"
## Meaning
The network plugin found no free address for the pod: the node's range or the pool is used up, the cloud's subnet is empty,
or the machine type allows no more addresses.

## Signs
FailedCreatePodSandBox with `no IP addresses available`, `No IPs available in pools`, `failed to assign an IP address to
container`, `range is full` or the like.

## Fix
Fewer pods on the node (a smaller --max-pods), or more addresses: another pool, a larger range per node, a larger subnet, a
larger machine. If few pods run there, addresses have leaked: with host-local remove the files of dead pods under
/var/lib/cni/networks, or restart the plugin's agent.

## Not this
The scheduler counts pods, not addresses, so TooManyPods does not come first.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, SandboxFault::NoAddress, |failure| {
        let plugin = failure.plugin().map_or_else(String::new, |plugin| format!(" {plugin}"));
        let error = failure.core().map_or_else(String::new, |core| format!(": {core}"));
        // Amazon's plugin says the same while its agent is still starting.
        let starting = failure.error.contains("failed to assign an IP address to container");
        Finding::new(
            facts.subject(),
            format!("network plugin{plugin} on {} has no free address{error}", node_name(facts)),
        )
        .certainty(if starting { Certainty::Likely } else { Certainty::Certain })
        .remedy(look_at_node(facts))
        .remedy(Remedy::advice(
            "Give the plugin more addresses (another pool, a larger range or subnet), or run fewer pods on this node.",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{failing, recovered};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn every_plugins_way_to_say_so() {
        for error in [
            "plugin type=\"ptp\" name=\"gke-pod-network\" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.8.3.1-10.8.3.254",
            "plugin type=\"calico\" failed (add): failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; No IPs available in pools: [10.244.0.0/24]",
            "plugin type=\"cilium-cni\" name=\"cilium\" failed (add): unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure \"range is full\"",
        ] {
            let finding = one(failing(&format!("failed to setup network for sandbox \"b8\": {error}")).check(&RULE));
            assert!(finding.headline.contains("has no free address"), "{}", finding.headline);
        }
    }

    #[test]
    fn once_the_sandbox_is_there_it_is_over() {
        none(
            recovered("plugin type=\"ptp\" failed (add): no IP addresses available in range set: 10.8.3.1-10.8.3.254")
                .check(&RULE),
        );
    }
}
