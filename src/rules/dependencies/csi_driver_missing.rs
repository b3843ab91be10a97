//! The node has no such CSI driver.

use crate::facts::mounts::Trouble;
use crate::facts::time::seconds_between;
use crate::facts::volume_words::VolumeWord;
use crate::facts::{Evidence, Facts};
use crate::finding::{Certainty, Command, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;
use crate::snapshot::Lookup;

pub(super) const RULE: Rule = Rule {
    reason: "CSIDriverMissing",
    stage: Stage::Dependencies,
    summary: "the node has no such CSI driver registered",
    explains: &["VolumeAttachFailed", "VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
The volume is served by a CSI driver whose part on the pod's node is not there: its DaemonSet has no pod on the node, the pod
fails, or it has not registered with the kubelet yet, which takes moments after a node's start.

## Signs
A FailedMount event with `driver name … not found in the list of registered CSI drivers`, an attach error that the CSINode does
not contain the driver, or a CSINode without it. A driver that has registered and died shows as `dial unix …: connection
refused`.

## Fix
Bring the driver's pod on that node to run: see whether its DaemonSet tolerates the node's taints and selects the node.

## Not this
A driver that is there and fails is VolumeAttachFailed or VolumeMountFailed.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let node = facts.pod.node_name().unwrap_or_default();
    let mut findings: Vec<Finding> = facts
        .mount_failures()
        .iter()
        .filter_map(|failure| {
            let Trouble::DriverMissing(driver) = &failure.trouble else { return None };
            let source = facts.source_of(&failure.volume);
            let driver = driver.as_deref().or_else(|| source.claim.as_ref()?.driver()).unwrap_or("of the volume");
            let headline = if failure.error.contains("dial unix") {
                format!("CSI driver {driver} does not answer on {node}, so {} cannot be mounted", source.title)
            } else if failure.error.contains("no CSIDriver object") || failure.error.contains("only supports") {
                format!("CSI driver {driver} does not serve volumes that a pod defines inline, as {} is", source.title)
            } else {
                format!("{node} has no CSI driver {driver}, which {} needs", source.title)
            };
            // Drivers register within moments of a node's start.
            let fresh = failure.event.first.is_some_and(|t| seconds_between(t, facts.now) < 60);
            let standing = if fresh { Standing::InProgress } else { Standing::Wrong };
            let finding = Finding::new(facts.subject(), headline).standing(standing);
            Some(remedied(node, finding.because(failure.event.cite()).because(source.evidence)))
        })
        .collect();
    if findings.is_empty() && facts.awaits_volumes() {
        findings.extend(unregistered(facts, node));
    }
    for word in facts.scheduler_on_volumes().words {
        if let VolumeWord::DriverMissing(driver) = word {
            let headline = format!("nodes that would suit the pod have no CSI driver {driver}");
            let look = Remedy::look(Command::kubectl(["get", "csinodes"]));
            let finding = Finding::new(facts.subject(), headline).alternative();
            findings.push(finding.because(facts.scheduler_on_volumes().cite()).remedy(look));
        }
    }
    findings
}

/// What the node's list of drivers says where no event is left.
fn unregistered(facts: &Facts<'_>, node: &str) -> Option<Finding> {
    let Lookup::Found(drivers) = facts.drivers_on(node) else { return None };
    let claims = facts.claims();
    let claim = claims.iter().find(|c| c.driver().is_some_and(|d| !drivers.iter().any(|name| name == d)))?;
    let driver = claim.driver()?;
    let list = if drivers.is_empty() { "none".to_owned() } else { drivers.join(", ") };
    let headline = format!("{node} has no CSI driver {driver}, which claim {} needs", claim.name);
    let finding = Finding::new(facts.subject(), headline)
        .certainty(Certainty::Likely)
        .because(
            claim.volume_name().and_then(|pv| facts.cite_other("PersistentVolume", pv, &["spec", "csi", "driver"])),
        )
        .because(facts.cite_other("CSINode", node, &["metadata", "name"]))
        .because(Evidence::derived(format!("CSI drivers that CSINode {node} lists: {list}")));
    Some(remedied(node, finding))
}

fn remedied(node: &str, finding: Finding) -> Finding {
    let field = format!("spec.nodeName={node}");
    finding
        .remedy(Remedy::look(Command::kubectl(["get", "csinode", node, "-o", "yaml"])))
        .remedy(Remedy::look(Command::kubectl(["get", "pods", "-A", "-o", "wide", "--field-selector", &field])))
        .remedy(Remedy::advice(format!(
            "Bring the driver's pod on {node} to run: see that its DaemonSet exists, selects the node and tolerates its taints."
        )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn waiting() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/volumes", json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))
            .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
                "spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"}}))
            .with(json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
                "spec": {"csi": {"driver": "efs.example.com", "volumeHandle": "fs-1"}}}))
    }

    fn registered(drivers: serde_json::Value) -> Case {
        waiting().with(json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": "node-1"}, "spec": {"drivers": drivers}}))
    }

    #[test]
    fn the_kubelet_knows_its_drivers() {
        let message = "MountVolume.MountDevice failed for volume \"pv-1\" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name efs.example.com not found in the list of registered CSI drivers";
        let finding = one(waiting().event("FailedMount", "", message).check(&RULE));
        assert!(
            finding.headline.starts_with("node-1 has no CSI driver efs.example.com, which volume d (claim data, "),
            "{}",
            finding.headline
        );
    }

    #[test]
    fn without_events_the_nodes_list_tells() {
        assert_eq!(one(registered(json!([])).check(&RULE)).certainty, Certainty::Likely);
        none(registered(json!([{"name": "efs.example.com"}])).check(&RULE));
        none(waiting().check(&RULE));
    }

    #[test]
    fn an_attacher_that_does_not_answer_is_not_a_missing_driver_on_the_node() {
        let message = "AttachVolume.Attach failed for volume \"pv-1\" : timed out waiting for external-attacher of efs.example.com CSI driver to attach volume fs-1";
        none(waiting().event("FailedAttachVolume", "", message).check(&RULE));
    }
}
