//! A host port that the pod asks for is taken on every usable node.

use crate::facts::Facts;
use crate::facts::scheduling::{Filter, named};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "HostPortConflict",
    stage: Stage::Scheduling,
    summary: "the host port that the pod asks for is taken on the usable nodes",
    explains: &[],
    check,
    explain: r#"
## Meaning
A container with a `hostPort` (or in a pod with `hostNetwork`, with any port) needs that port on the node's own address. Only
one pod per node, address and protocol can have it, so there can be no more such pods than nodes.

## Signs
On each node that suits the pod otherwise another pod holds the port. The scheduler says
`didn't have free ports for the requested pod ports`.

## Fix
Leave out `hostPort` and use a Service, or take another port. If it is a new version of the same Deployment that waits for the
old pod to go, let the old one go first (`maxSurge: 0`).

## Not this
A program that finds its port taken inside the pod ends with an ApplicationError.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(Filter::HostPort) else { return Vec::new() };
    let holders = facts.fit().map(|fit| fit.port_holders(obstacle)).unwrap_or_default();
    let wanted = facts.host_ports();
    let headline = match holders.as_slice() {
        [] if wanted.is_empty() => format!("the scheduler finds a host port taken on {} of the nodes", obstacle.count),
        [] => format!("the scheduler finds host port {} taken on {} of the nodes", named(&wanted), obstacle.count),
        [(node, port, space, pod)] => format!("host port {port} of {node} is taken by pod {pod} of namespace {space}"),
        [(node, port, space, pod), rest @ ..] => format!(
            "host port {port} is taken on {} nodes, on {node} by pod {pod} of namespace {space}",
            rest.len() + 1
        ),
    };
    let held = holders.iter().take(4).flat_map(|(_, _, space, pod)| facts.cite_peer(space, pod, &["spec", "nodeName"]));
    let evidence: Vec<_> = facts.cite_host_ports().into_iter().chain(held).collect();
    let look = holders
        .first()
        .map(|(_, _, space, pod)| Remedy::look(Command::kubectl(["get", "pod", pod, "-n", space, "-o", "wide"])));
    vec![
        facts
            .obstructed(obstacle, headline, evidence)
            .remedy(look)
            .remedy(facts.owner.edit("Leave out hostPort (a Service reaches the pod without it) or take another port:"))
            .remedy(Remedy::advice("Add a node: there can be one such pod on each.")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::rules::testing::{Case, none, one};

    fn with_holder(port: serde_json::Value) -> Case {
        let mut holder = placed("old", "a", "0");
        holder["spec"]["containers"][0]["ports"] = json!([port]);
        refused("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.")
            .edit("/spec/containers/0/ports", json!([{"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}]))
            .with(holder)
            .with(node("a", "4"))
            .complete(&["nodes"])
    }

    #[test]
    fn the_pod_that_holds_the_port_is_named() {
        let finding =
            one(with_holder(json!({"containerPort": 1, "hostPort": 8080, "hostIP": "10.0.0.1"})).check(&RULE));
        assert_eq!(finding.headline, "host port 8080/TCP of a is taken by pod old of namespace n");
    }

    #[test]
    fn another_protocol_does_not_clash() {
        let case = with_holder(json!({"containerPort": 1, "hostPort": 8080, "protocol": "UDP"}));
        none(case.edit("/status/conditions/0/message", json!("")).check(&RULE));
    }
}
