//! The network plugin failed.

use super::{failing, look_at_node, node_name};
use crate::facts::{Facts, SandboxFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "CNIFailed",
    stage: Stage::Sandbox,
    summary: "the network plugin cannot set up the pod's sandbox",
    explains: &["SandboxFailed"],
    check,
    explain: r#"
## Meaning
Before any container starts, the runtime calls the node's network plugin (CNI) to give the pod's sandbox its network, and the
plugin failed. The kubelet tries again every few seconds.

## Signs
The event FailedCreatePodSandBox with `failed to setup network for sandbox`, `failed to create pod network sandbox` or
`networkPlugin cni failed`, and the plugin's own error behind it. The containers wait with ContainerCreating.

## Fix
The quoted error says what the plugin lacks: most often its agent on the node does not run, its binary is not there, or its
token has expired. Look at the plugin's own pod on that node, and restart or repair it. Other pods of the same node suffer
from it too; those on other nodes do not.

## Not this
No plugin at all is CNINotReady. A plugin without free addresses is IPAddressesExhausted. A warning from before the sandbox
was made is over.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, SandboxFault::Network, |failure| {
        let node = node_name(facts);
        let plugin = failure.plugin().map_or_else(String::new, |plugin| format!(" {plugin}"));
        let error = failure.core().map_or_else(String::new, |core| format!(": {core}"));
        let headline = format!("network plugin{plugin} on {node} cannot set up the pod's network{error}");
        Finding::new(facts.subject(), headline)
            .remedy(look_at_node(facts))
            .remedy(Remedy::advice(advice(&failure.error).replace("NODE", node)))
    })
}

/// What the plugin's error asks for.
fn advice(error: &str) -> &'static str {
    const KNOWN: &[(&[&str], &str)] = &[
        (
            &["failed to find plugin"],
            "Install the plugin's binary in the CNI directory of NODE, as the plugin's own DaemonSet does, or remove the configuration that names it.",
        ),
        (
            &["network-attachment-definition"],
            "Create the network attachment definition that the pod's annotation names, or correct the annotation.",
        ),
        (
            &["unauthorized"],
            "Restart the plugin's agent on NODE: the token that it gave to the plugin is no longer good.",
        ),
        (
            &[
                "/var/lib/calico/nodename",
                "subnet.env",
                "cilium.sock",
                "cilium agent",
                "cilium daemon",
                "127.0.0.1:50051",
                "readinessindicator",
            ],
            "Get the plugin's agent on NODE to run: the plugin asks it and gets no answer.",
        ),
        (
            &["already has an ip address different"],
            "Remove the left-over network bridge on NODE, or reboot it: its pod network was changed.",
        ),
        (
            &["config version", "incompatible cni versions"],
            "Bring the plugin's binaries and its configuration on NODE to one version.",
        ),
        (&["iptables", "nft"], "Repair iptables on NODE, on which the plugin builds."),
        (
            &["signal: killed", "no error message"],
            "Look at the memory and processes of NODE: something kills the plugin.",
        ),
        (
            &["i/o timeout", "connection refused", "no route to host", "deadline exceeded", "handshake timeout"],
            "Check from NODE the way to the API server and the Service network (kube-proxy), which the plugin needs.",
        ),
    ];
    let error = error.to_ascii_lowercase();
    let known = KNOWN.iter().find(|(signs, _)| signs.iter().any(|sign| error.contains(sign)));
    known
        .map_or("Look at the log of the plugin's agent on NODE, and repair what the quoted error names.", |(_, say)| {
            say
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{failing, recovered};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_plugin_and_its_error_are_named() {
        let finding = one(failing("rpc error: code = Unknown desc = failed to setup network for sandbox \"b8\": plugin type=\"calico\" failed (add): failed to find plugin \"calico\" in path [/usr/lib/cni]").check(&RULE));
        assert_eq!(
            finding.headline,
            "network plugin calico on node-1 cannot set up the pod's network: failed to find plugin \"calico\" in path [/usr/lib/cni]"
        );
        assert!(finding.remedies[2].say.contains("binary"), "{:?}", finding.remedies);
    }

    #[test]
    fn old_and_other_wordings_are_the_same() {
        for (error, plugin) in [
            (
                "failed to set up sandbox container \"25\" network for pod \"web\": networkPlugin cni failed to set up pod \"web_shop\" network: open /run/flannel/subnet.env: no such file or directory",
                "flannel",
            ),
            (
                "failed to create pod network sandbox k8s_web_shop_3f_0(9c): error adding pod shop_web to CNI network \"multus-cni-network\": plugin type=\"multus-shim\" name=\"x\" failed (add): CNI request failed with status 400",
                "multus-shim",
            ),
        ] {
            assert!(
                one(failing(error).check(&RULE)).headline.starts_with(&format!("network plugin {plugin} on")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_warning_from_before_the_sandbox_was_made_is_a_note() {
        let case = recovered("failed to setup network for sandbox \"b8\": plugin type=\"calico\" failed (add): oops");
        none(case.check(&RULE));
        assert_eq!(case.check(&RULE)[0].headline, "the pod's sandbox could not be made at first: oops");
    }

    #[test]
    fn no_plugin_and_no_address_are_other_matters() {
        none(failing("failed to setup network for sandbox \"b8\": cni plugin not initialized").check(&RULE));
        none(failing("failed to setup network for sandbox \"b8\": plugin type=\"ptp\" failed (add): no IP addresses available in range set: 10.8.3.1-10.8.3.254").check(&RULE));
    }
}
