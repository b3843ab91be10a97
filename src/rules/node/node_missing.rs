//! The node that the pod is bound to does not exist.

use crate::facts::{Facts, NodeState};
use crate::finding::{Certainty, Command, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodeMissing",
    stage: Stage::Node,
    summary: "the node that the pod is bound to does not exist",
    explains: &[
        "KubeletSilent",
        "ReadinessProbeFailing",
        "ContainerStatusUnknown",
        "KilledBySIGKILL",
        "ApplicationError",
    ],
    check,
    explain: r#"
## Meaning
The pod is bound to a node of which there is no Node object. Either the node was removed (an autoscaler took the machine
away), or `spec.nodeName` names one that never was. The pod garbage collector deletes such pods after a while.

## Signs
The API server says that the node does not exist; or the pod's condition DisruptionTarget has reason `DeletionByPodGC`.

## Fix
Pods with an owner are made anew on another node. A pod that names its node itself needs another name, or none.

## Not this
A node that exists and says nothing is NodeLost. A node that could not be read is not missing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let collected = facts.disruption() == "DeletionByPodGC";
    let missing = facts.node_state() == NodeState::Missing && facts.target.kind == "Pod";
    if facts.pod.is_deleting() || !missing && !collected || facts.pod.is_terminal() && !collected {
        return Vec::new();
    }
    let near = facts.pod.node_name().map(|n| facts.close_nodes(n)).unwrap_or_default();
    let name = facts.node_title();
    let finding = Finding::new(facts.subject(), format!("node {name}, to which the pod is bound, does not exist"))
        .certainty(Certainty::Certain)
        .standing(Standing::Wrong)
        .because(if missing { facts.cite_node_trouble() } else { Vec::new() })
        .because(facts.cite_whole_condition("DisruptionTarget"))
        .because(facts.cite(&["spec", "nodeName"]))
        .remedy(Remedy::look(Command::kubectl(["get", "nodes"])));
    let choose = match near.is_empty() {
        true => "Leave spec.nodeName out, so that the scheduler chooses a node".to_owned(),
        false => format!("Leave spec.nodeName out, or correct it; there is {}", near.join(", ")),
    };
    vec![match facts.owner.is_pod() {
        true => finding.remedy(facts.owner.edit(&choose)),
        false => {
            finding.remedy(Remedy::advice("The pod garbage collector deletes the pod, and its owner makes another."))
        }
    }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn bound() -> Case {
        Case::pod(json!({"nodeName": "node-9", "containers": [{"name": "app"}]}), json!({"phase": "Running"}))
    }

    #[test]
    fn a_node_that_does_not_exist_is_told_only_if_the_server_said_so() {
        assert!(one(bound().complete(&["nodes"]).check(&RULE)).headline.starts_with("node node-9, to which"));
        none(bound().check(&RULE));
        none(bound().refused("nodes").check(&RULE));
    }

    #[test]
    fn the_garbage_collectors_word_is_enough() {
        let conditions = json!([{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists"}]);
        let case = bound().edit("/status", json!({"phase": "Failed", "conditions": conditions}));
        assert_eq!(one(case.check(&RULE)).evidence.len(), 3);
    }
}
