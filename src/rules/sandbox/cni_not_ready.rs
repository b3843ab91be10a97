//! The node has no network plugin.

use super::{failing, look_at_node, node_name, node_subject};
use crate::facts::{Facts, SandboxFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "CNINotReady",
    stage: Stage::Sandbox,
    summary: "the node has no working network plugin",
    explains: &["CNIFailed", "SandboxFailed", "NodeNotReady"],
    check,
    explain: r#"
## Meaning
The container runtime of the node has no network plugin (CNI) to call: none is installed, or its agent has not yet written
its configuration. Until then the node is not ready, and only pods that use the host's network can start on it.

## Signs
The node's Ready condition is False with `network plugin is not ready` or `cni plugin not initialized`; the pod has the event
NetworkNotReady, or FailedCreatePodSandBox with the same words.

## Fix
Install a network plugin if the cluster has none. If it has one, look at its pod on that node: it does not run, cannot pull
its image, or does not tolerate the node's taint. On a node that has just joined, wait a minute.

## Not this
A plugin that is there and fails is CNIFailed.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, SandboxFault::NetworkNotReady, |_| {
        let node = node_name(facts);
        Finding::new(
            node_subject(facts),
            format!("{node} has no working network plugin (CNI), so no pod network can be set up"),
        )
        .remedy(look_at_node(facts))
        .remedy(Remedy::advice(format!(
            "Get the network plugin's pod on {node} to run; if the cluster has no network plugin, install one."
        )))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{creating, failing};
    use super::*;
    use crate::rules::testing::{Case, none, one};

    const SAID: &str = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

    fn on(case: Case, ready: &str, message: &str, since: &str) -> Case {
        case.with(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": [
            {"type": "Ready", "status": ready, "message": message, "lastTransitionTime": since}]}}))
    }

    #[test]
    fn the_nodes_word_comes_before_the_event() {
        let case = on(creating(), "False", SAID, "2026-01-01T11:00:00Z").event(
            "NetworkNotReady",
            "",
            &format!("network is not ready: {SAID}"),
        );
        let finding = one(case.check(&RULE));
        assert_eq!(finding.evidence.len(), 2);
        assert_eq!(finding.subject.name, "node-1");
    }

    #[test]
    fn either_alone_is_enough() {
        one(on(creating(), "False", SAID, "2026-01-01T11:00:00Z").check(&RULE));
        one(creating().event("NetworkNotReady", "", &format!("network is not ready: {SAID}")).check(&RULE));
        one(failing("failed to setup network for sandbox \"b8\": no CNI configuration file in /etc/cni/net.d/. Has your network provider started?").check(&RULE));
    }

    #[test]
    fn a_node_that_has_become_ready_since_is_past_it() {
        none(
            on(creating(), "True", "kubelet is posting ready status", "2026-01-01T11:59:30Z")
                .event("NetworkNotReady", "", &format!("network is not ready: {SAID}"))
                .check(&RULE),
        );
    }

    #[test]
    fn a_pod_that_runs_has_its_network() {
        let running = Case::container(json!({"state": {"running": {}}})).edit("/spec/nodeName", json!("node-1"));
        none(on(running, "False", SAID, "2026-01-01T11:00:00Z").check(&RULE));
    }
}
