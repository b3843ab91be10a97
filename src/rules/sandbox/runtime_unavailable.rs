//! The container runtime does not answer.

use super::{failing, look_at_node, node_name, node_subject};
use crate::facts::{Facts, PullFault, SandboxFault};
use crate::finding::{Certainty, Evidence, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RuntimeUnavailable",
    stage: Stage::Sandbox,
    summary: "the node's container runtime does not answer",
    explains: &["SandboxFailed", "ImagePullFailed", "ContainerStartFailed", "NodeNotReady"],
    check,
    explain: r#"
## Meaning
The kubelet asks the container runtime of its node (containerd, CRI-O, docker) and gets no answer, or none in time: it does
not run, is restarting, or hangs.

## Signs
`connection refused` or `no such file` at the runtime's socket, `code = Unavailable`, `DeadlineExceeded`, a sandbox's name that
is still reserved for an earlier request; or the node's Ready condition says that the runtime is down or that PLEG is not
healthy.

## Fix
On the node, look at the runtime's service and its log, at the disk and at the load, and restart the runtime if it hangs.
Running containers survive that. A single such error while the runtime was being restarted is nothing.

## Not this
Sockets of a network plugin are CNIFailed; a registry that does not answer is RegistryUnreachable.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = failing(facts, SandboxFault::RuntimeDown, |failure| {
        finding(facts).certainty(if names_runtime(&failure.error) { Certainty::Certain } else { Certainty::Likely })
    });
    let asked_later = asked_later(facts);
    if !findings.iter().any(|f| f.standing == Standing::Wrong) && !asked_later.is_empty() {
        findings.push(finding(facts).because(asked_later));
    }
    findings
}

fn finding(facts: &Facts<'_>) -> Finding {
    let node = node_name(facts);
    Finding::new(node_subject(facts), format!("the container runtime of {node} does not answer the kubelet"))
        .remedy(look_at_node(facts))
        .remedy(Remedy::advice(format!(
            "On {node}, look at the container runtime's service and log, and restart it if it hangs."
        )))
}

/// Whether an error is about the runtime's socket, and not only about time that ran out.
fn names_runtime(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    ["dial unix", "code = unavailable", "runtime is down", "runtime not ready", "docker daemon"]
        .iter()
        .any(|s| error.contains(s))
}

/// What containers say of the runtime once there is a sandbox: when an image is pulled, when they are created.
fn asked_later(facts: &Facts<'_>) -> Vec<Evidence> {
    let pulls = facts.failed_pulls().into_iter();
    let pulls = pulls.filter(|p| p.fault == PullFault::RuntimeDown && p.standing == Standing::Wrong);
    let created = facts.main_containers().filter(|c| {
        let message = c.waiting_message();
        message.contains("dial unix") && message.contains(".sock") && message.contains("connect: ")
    });
    let created = created.filter(|c| !matches!(c.waiting_reason(), Some("ErrImagePull" | "ImagePullBackOff")));
    pulls
        .flat_map(|p| p.evidence)
        .chain(created.filter_map(|c| facts.cite_status(c, &["state", "waiting", "message"])))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{creating, failing, recovered};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_socket_that_refuses_is_certain_and_a_deadline_likely() {
        let refused = "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused\"";
        assert_eq!(one(failing(refused).check(&RULE)).certainty, Certainty::Certain);
        assert_eq!(
            one(failing("rpc error: code = DeadlineExceeded desc = context deadline exceeded").check(&RULE)).certainty,
            Certainty::Likely
        );
    }

    #[test]
    fn the_node_says_it_too() {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": [
            {"type": "Ready", "status": "False", "message": "container runtime is down"}]}});
        one(creating().with(node).check(&RULE));
    }

    #[test]
    fn a_pull_meets_the_same_silence() {
        let message = "rpc error: code = Unavailable desc = error reading from server: EOF";
        one(creating()
            .edit(
                "/status/containerStatuses/0/state",
                json!({"waiting": {"reason": "ErrImagePull", "message": message}}),
            )
            .check(&RULE));
    }

    #[test]
    fn a_plugins_socket_is_not_the_runtimes() {
        none(failing("failed to setup network for sandbox \"b8\": plugin type=\"cilium-cni\" failed (add): dial unix /var/run/cilium/cilium.sock: connect: no such file or directory").check(&RULE));
        none(recovered("rpc error: code = DeadlineExceeded desc = context deadline exceeded").check(&RULE));
    }
}
