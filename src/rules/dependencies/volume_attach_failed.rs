//! A volume cannot be attached to the node.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::facts::volumes::Attachment;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeAttachFailed",
    stage: Stage::Dependencies,
    summary: "the volume cannot be attached to the node",
    explains: &["VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
Before a disk can be mounted it is attached to the node's machine, by the attacher of its CSI driver: a controller, not the
driver's pod on the node. That failed, or nobody has answered.

## Signs
A FailedAttachVolume event, whose error is quoted, or `status.attachError` of the VolumeAttachment. `timed out waiting for
external-attacher` means that the driver's controller does not run, or has no right or no connection to the storage.

## Fix
Look at the driver's controller and its log. Errors that say unauthorized or access denied are about the cloud credentials of
the driver, not about the pod.

## Not this
A disk that another node holds is VolumeMultiAttach; a disk that is gone is ClaimLost; a node that is full is
VolumeLimitReached.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let node = facts.pod.node_name().unwrap_or_default();
    let told: Vec<Finding> = facts
        .mount_failures()
        .iter()
        .filter(|f| match f.trouble {
            Trouble::AttachFailed => true,
            // A claim that was read and has lost its disk is a reason of its own.
            Trouble::Gone => facts.claim_of(&f.volume).is_none_or(|claim| claim.found().is_none()),
            _ => false,
        })
        .map(|failure| {
            let source = facts.source_of(&failure.volume);
            if failure.trouble == Trouble::Gone {
                let headline = format!("{} cannot be attached to {node}: {}", source.title, failure.gist());
                let finding = Finding::new(facts.subject(), headline).because(failure.event.cite());
                return finding
                    .because(source.evidence)
                    .remedy(facts.look(["get", "pvc"]))
                    .remedy(Remedy::advice(GONE));
            }
            let (why, attacher) = why(failure.gist());
            let headline = format!("{} cannot be attached to {node}: {why}", source.title);
            let finding =
                Finding::new(facts.subject(), headline).because(failure.event.cite()).because(source.evidence);
            remedied(finding, attacher)
        })
        .collect();
    if told.is_empty() && facts.awaits_volumes() && facts.mount_failures().is_empty() {
        recorded(facts, node)
    } else {
        told
    }
}

const GONE: &str = "Compare the disk that the PersistentVolume names with those that the storage has; only a backup brings back one that was deleted.";

/// What the VolumeAttachment says where no event is left.
fn recorded(facts: &Facts<'_>, node: &str) -> Vec<Finding> {
    let here = |a: &Attachment| a.node == node && !a.attached;
    let of_claim = |pv: &str| facts.attachments(pv).into_iter().find(here);
    facts
        .claims()
        .iter()
        .filter_map(|claim| {
            let attachment = of_claim(claim.volume_name()?)?;
            let (why, attacher) = why(attachment.error.as_deref()?);
            let headline = format!("{} cannot be attached to {node}: {why}", facts.source_of(&claim.volume).title);
            let error = facts.cite_other("VolumeAttachment", &attachment.name, &["status", "attachError", "message"]);
            Some(remedied(Finding::new(facts.subject(), headline).because(error), attacher))
        })
        .collect()
}

/// The error in words, and the driver whose attacher is silent.
fn why(error: &str) -> (String, Option<String>) {
    let silent = error.split_once("external-attacher of ").and_then(|(_, rest)| rest.split(' ').next());
    let lower = error.to_ascii_lowercase();
    match silent {
        Some(driver) => (format!("the attacher of CSI driver {driver} does not answer"), Some(driver.to_owned())),
        None if lower.contains("attachment timeout") || lower.contains("attachdetachment timeout") => {
            ("the attacher of its driver does not answer".to_owned(), None)
        }
        None => (error.to_owned(), None),
    }
}

fn remedied(finding: Finding, attacher: Option<String>) -> Finding {
    let driver = attacher.unwrap_or_else(|| "the volume's CSI driver".to_owned());
    finding
        .remedy(Remedy::look(Command::kubectl(["get", "volumeattachments"])))
        .remedy(Remedy::look(Command::kubectl(["get", "csidrivers"])))
        .remedy(Remedy::advice(format!(
            "Bring the controller of {driver} to run, with its credentials for the storage; it then attaches the volume by itself."
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
    }

    fn failed(error: &str) -> Case {
        waiting().event("FailedAttachVolume", "", &format!("AttachVolume.Attach failed for volume \"pv-1\" : {error}"))
    }

    #[test]
    fn a_silent_attacher_is_named() {
        let finding =
            one(failed("timed out waiting for external-attacher of ebs.csi.aws.com CSI driver to attach volume vol-1")
                .check(&RULE));
        assert_eq!(
            finding.headline,
            "volume d (claim data, PersistentVolume pv-1) cannot be attached to node-1: the attacher of CSI driver ebs.csi.aws.com does not answer"
        );
    }

    #[test]
    fn any_other_error_is_quoted() {
        let finding =
            one(failed("rpc error: code = Internal desc = UnauthorizedOperation: You are not authorized").check(&RULE));
        assert!(finding.headline.ends_with("UnauthorizedOperation: You are not authorized"));
    }

    #[test]
    fn a_disk_that_is_elsewhere_or_gone_is_another_reason() {
        none(
            failed("rpc error: code = Internal desc = VolumeInUse: vol-1 is already attached to an instance")
                .check(&RULE),
        );
        none(failed("rpc error: code = NotFound desc = volume vol-1 not found").check(&RULE));
    }

    #[test]
    fn a_disk_that_is_gone_is_told_although_its_claim_was_not_read() {
        let unread = Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/volumes", json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))
            .event("FailedAttachVolume", "", "AttachVolume.Attach failed for volume \"pv-1\" : rpc error: code = NotFound desc = volume vol-1 not found");
        assert!(one(unread.check(&RULE)).headline.ends_with("volume vol-1 not found"));
    }

    #[test]
    fn a_later_success_ends_it() {
        let case = failed("rpc error: code = Internal desc = x").with(json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "ok", "namespace": "n"}, "reason": "SuccessfulAttachVolume", "lastTimestamp": "2026-01-01T11:59:30Z",
            "message": "AttachVolume.Attach succeeded for volume \"pv-1\"",
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}}));
        none(case.check(&RULE));
    }

    #[test]
    fn without_events_the_volume_attachment_tells() {
        let attachment = json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": "csi-1"},
            "spec": {"nodeName": "node-1", "source": {"persistentVolumeName": "pv-1"}},
            "status": {"attached": false, "attachError": {"message": "no quota"}}});
        assert!(one(waiting().with(attachment).check(&RULE)).headline.ends_with("no quota"));
    }
}
