//! Nodes cannot attach another volume.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::facts::volume_words::VolumeWord;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeLimitReached",
    stage: Stage::Scheduling,
    summary: "suitable nodes cannot attach another volume",
    explains: &["VolumeAttachFailed", "VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
A machine takes a limited number of disks. Its CSI driver tells the number, and the scheduler counts; a driver that tells too
large a number fails when it attaches.

## Signs
The scheduler says `exceed max volume count`. On a node: a FailedAttachVolume event with the storage's own word for the limit, or
the pod's reason VolumeAttachmentLimitExceeded.

## Fix
Add a node, use larger machines, or put fewer pods with volumes on one node. `spec.drivers[].allocatable.count` of the CSINode is
the limit.

## Not this
A quota of the storage as a whole is ProvisioningFailed.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let look = || Remedy::look(Command::kubectl(["get", "csinodes", "-o", "yaml"]));
    let advice = || Remedy::advice("Add a node, or spread the pods that have volumes over more nodes.");
    let node = facts.pod.node_name().unwrap_or("the node");
    if facts.pod.reason() == "VolumeAttachmentLimitExceeded" {
        let headline = format!("{node} could not attach another volume, so the kubelet rejected the pod");
        let finding = Finding::new(facts.subject(), headline).because(facts.cite(&["status", "reason"]));
        return vec![finding.because(facts.cite(&["status", "message"])).remedy(look()).remedy(advice())];
    }
    let full = facts.mount_failures();
    let mut findings: Vec<Finding> = full
        .iter()
        .filter(|f| f.trouble == Trouble::LimitReached)
        .map(|failure| {
            let source = facts.source_of(&failure.volume);
            Finding::new(
                facts.subject(),
                format!("{node} cannot attach {}: it has as many volumes as it can take", source.title),
            )
            .because(failure.event.cite())
            .because(source.evidence)
            .remedy(look())
            .remedy(advice())
        })
        .collect();
    let said = facts.scheduler_on_volumes();
    findings.extend(said.words.iter().filter_map(|word| {
        let VolumeWord::LimitReached(count) = word else { return None };
        let nodes = match count {
            Some(1) => "1 otherwise suitable node has".to_owned(),
            Some(n) => format!("{n} otherwise suitable nodes have"),
            None => "otherwise suitable nodes have".to_owned(),
        };
        let finding =
            Finding::new(facts.subject(), format!("{nodes} as many volumes attached as possible")).alternative();
        Some(finding.because(said.cite()).remedy(look()).remedy(advice()))
    }));
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(sentence: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}]}),
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": sentence}]}),
        )
    }

    #[test]
    fn the_scheduler_counts() {
        let finding =
            one(pod("0/3 nodes are available: 1 Insufficient cpu, 2 node(s) exceed max volume count.").check(&RULE));
        assert_eq!(finding.headline, "2 otherwise suitable nodes have as many volumes attached as possible");
    }

    #[test]
    fn the_storage_counts_too() {
        let message = "AttachVolume.Attach failed for volume \"pv-1\" : rpc error: code = ResourceExhausted desc = attachment limit exceeded";
        let case = pod("").edit("/spec/nodeName", json!("node-1")).event("FailedAttachVolume", "", message);
        assert!(one(case.check(&RULE)).headline.starts_with("node-1 cannot attach volume pv-1"));
    }

    #[test]
    fn too_many_pods_is_another_limit() {
        none(pod("0/3 nodes are available: 3 Too many pods.").check(&RULE));
    }
}
