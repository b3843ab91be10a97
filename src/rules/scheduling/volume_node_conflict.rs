//! A bound volume is reachable only from nodes that do not suit the pod.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::facts::volume_words::VolumeWord;
use crate::facts::volumes::Claim;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeNodeConflict",
    stage: Stage::Scheduling,
    summary: "the bound volume is reachable only from nodes (a zone) that do not suit the pod",
    explains: &["VolumeAttachFailed", "VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
A PersistentVolume of the pod belongs to a zone or a node (its nodeAffinity, or its zone label), and the nodes there are absent,
full, tainted or otherwise not for this pod. The others cannot reach the volume.

## Signs
`spec.nodeAffinity` of the PersistentVolume against the nodes' labels. The scheduler says `didn't match PersistentVolume's node
affinity` (1.33 and later), `had volume node affinity conflict`, or `had no available volume zone`.

## Fix
Bring a node that the volume can be reached from, or make room there. The volume cannot move: else the data is copied to a new
claim in another zone. With volumeBindingMode WaitForFirstConsumer a volume is made where its pod can run.

## Not this
If nodes that reach the volume fail for another reason, that reason stands beside this one.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    match facts.pod.node_name() {
        Some(node) => on_wrong_node(facts, node),
        None => unplaced(facts),
    }
}

fn unplaced(facts: &Facts<'_>) -> Vec<Finding> {
    let said = facts.scheduler_on_volumes();
    let counted = said.words.iter().find_map(|w| match w {
        VolumeWord::Elsewhere(count) => Some(*count),
        _ => None,
    });
    let claims = facts.claims();
    let sentence = || counted.and_then(|_| said.cite());
    let mut findings: Vec<Finding> = Vec::new();
    for claim in &claims {
        let (Some(volume), Some(reach)) = (claim.volume_name(), facts.reach(claim)) else { continue };
        let everywhere = reach.excluded == reach.nodes;
        // Where some nodes reach the volume, only the scheduler knows whether the others count.
        if !everywhere && counted.is_none() {
            continue;
        }
        let which = if everywhere {
            "no node is there".to_owned()
        } else {
            format!("{} of {} nodes are not there", reach.excluded, reach.nodes)
        };
        let headline = format!(
            "PersistentVolume {volume} of claim {} is reachable only where {}, and {which}",
            claim.name, reach.wants
        );
        let finding = Finding::new(claim.subject(), headline).because(facts.cite_claim(claim, &["spec", "volumeName"]));
        let finding = if everywhere { finding } else { finding.alternative() };
        findings.push(remedied(facts, claim, finding.because(reach.table).because(sentence()), &reach.wants));
    }
    if findings.is_empty() && counted.is_some() && !facts.reach_is_known() {
        let names: Vec<&str> = claims.iter().map(|c| c.name.as_str()).collect();
        let nodes = match counted.flatten() {
            Some(1) => "1 node".to_owned(),
            Some(n) => format!("{n} nodes"),
            None => "nodes".to_owned(),
        };
        let of = if names.is_empty() { "the pod".to_owned() } else { format!("claim {}", names.join(", ")) };
        let headline = format!("{nodes} cannot reach the volume of {of}");
        let look = facts.look(["get", "pvc"]);
        findings.push(Finding::new(facts.subject(), headline).alternative().because(sentence()).remedy(look));
    }
    findings
}

fn on_wrong_node(facts: &Facts<'_>, node: &str) -> Vec<Finding> {
    let failures = facts.mount_failures();
    let told = failures.iter().filter(|f| f.trouble == Trouble::WrongNode);
    let mut findings: Vec<Finding> = told
        .map(|failure| {
            let source = facts.source_of(&failure.volume);
            Finding::new(facts.subject(), format!("{} cannot be reached from {node}, where the pod is", source.title))
                .because(failure.event.cite())
                .because(source.evidence)
                .remedy(Remedy::look(Command::kubectl(["get", "pv"])))
                .remedy(facts.owner.edit(
                    "Leave the choice of the node to the scheduler, which knows where the volume is (no spec.nodeName)",
                ))
        })
        .collect();
    if findings.is_empty() && facts.awaits_volumes() {
        findings.extend(facts.node_named(node).and_then(|n| facts.volume_excludes(n)).map(|conflict| {
            let headline = format!(
                "PersistentVolume {} of claim {} is reachable only where {}, and {node} is not",
                conflict.volume, conflict.claim, conflict.wants
            );
            Finding::new(facts.subject(), headline)
                .because(facts.cite(&["spec", "nodeName"]))
                .because(facts.cite_other("PersistentVolumeClaim", &conflict.claim, &["spec", "volumeName"]))
                .remedy(Remedy::look(Command::kubectl(["describe", "pv", &conflict.volume])))
                .remedy(facts.owner.edit(
                    "Leave the choice of the node to the scheduler, which knows where the volume is (no spec.nodeName)",
                ))
        }));
    }
    findings
}

fn remedied(facts: &Facts<'_>, claim: &Claim, finding: Finding, wants: &str) -> Finding {
    let volume = claim.volume_name().unwrap_or_default();
    finding
        .remedy(Remedy::look(Command::kubectl(["describe", "pv", volume])))
        .remedy(Remedy::look(Command::kubectl(["get", "nodes", "--show-labels"])))
        .remedy(Remedy::advice(format!("Bring a node with {wants} that suits the pod, or clear what keeps the pod from the one that is there.")))
        .remedy(Remedy::last_resort(
            format!(
                "Gives up what is on {volume} unless it is copied first, or its reclaim policy is Retain: deletes the claim, so that one with a volume elsewhere can be created under its name:"
            ),
            facts.kubectl(["delete", "pvc", &claim.name]),
        ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(sentence: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": sentence}]}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
            "spec": {"volumeName": "pv-b"}, "status": {"phase": "Bound"}}))
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-b"}, "spec": {"nodeAffinity": {"required":
            {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]}}}}))
    }

    fn node(name: &str, zone: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"zone": zone}}})
    }

    #[test]
    fn a_zone_without_nodes_is_certain_without_the_scheduler() {
        let finding = one(pod("").with(node("a", "a")).complete(&["nodes"]).check(&RULE));
        assert_eq!(
            finding.headline,
            "PersistentVolume pv-b of claim data is reachable only where zone=b, and no node is there"
        );
        assert!(!finding.alternative);
    }

    #[test]
    fn where_some_nodes_reach_it_the_scheduler_has_to_say_so() {
        let both = |sentence: &str| pod(sentence).with(node("a", "a")).with(node("b", "b")).complete(&["nodes"]);
        none(both("0/2 nodes are available: 2 Insufficient cpu.").check(&RULE));
        let said = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had volume node affinity conflict.";
        assert!(one(both(said).check(&RULE)).alternative);
    }

    #[test]
    fn nodes_that_may_not_be_read_leave_the_scheduler_to_be_believed() {
        let said = "0/2 nodes are available: 2 node(s) had no available volume zone.";
        assert_eq!(
            one(pod(said).refused("nodes").check(&RULE)).headline,
            "2 nodes cannot reach the volume of claim data"
        );
        none(pod("").refused("nodes").check(&RULE));
    }

    #[test]
    fn a_pod_put_on_the_wrong_node_by_hand_waits_there() {
        let case = pod("").edit("/spec/nodeName", json!("a")).with(node("a", "a")).with(node("b", "b"));
        assert!(one(case.check(&RULE)).headline.ends_with("reachable only where zone=b, and a is not"));
        none(pod("").edit("/spec/nodeName", json!("b")).with(node("b", "b")).check(&RULE));
    }
}
