//! A path of the node that the pod wants is not there, or is of another type.

use crate::facts::Facts;
use crate::facts::mounts::{MountFailure, Trouble};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "HostPathMismatch",
    stage: Stage::Dependencies,
    summary: "a hostPath volume is not there on the node, or is of another type",
    explains: &["VolumeMountFailed", "ContainerStartFailed", "MountTargetInvalid"],
    check,
    explain: r#"
## Meaning
A hostPath volume with a type (`Directory`, `File`, `Socket`, …), or a local PersistentVolume, names a path that does not exist
on the pod's node or is something else there. The kubelet checks before it mounts.

## Signs
A FailedMount event with `hostPath type check failed: … is not a directory`, or `path "…" does not exist` for a local
PersistentVolume; or a container error of the runtime that cannot make the path.

## Fix
Make the path on the node, or let the kubelet make it (`type: DirectoryOrCreate`), or keep the pod to nodes that have it. Each
node has its own files: a path on one says nothing about the next.

## Not this
A path inside the container that cannot be mounted upon is MountTargetInvalid.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let node = facts.pod.node_name().unwrap_or_default();
    let mut findings: Vec<Finding> = facts
        .mount_failures()
        .iter()
        .filter_map(|failure| {
            let Trouble::PathMismatch(path) = &failure.trouble else { return None };
            let source = facts.source_of(&failure.volume);
            let headline = match failure.error.split_once(" is not a") {
                Some((_, kind)) => {
                    format!("{} wants a{kind} at {path} of {node}, and there is none", volume_title(facts, failure))
                }
                None if failure.error.starts_with("invalid HostPath") => {
                    format!("the path {path} of {} is not allowed: it goes up with ..", source.title)
                }
                None => format!("{path}, which {} asks for, does not exist on {node}", volume_title(facts, failure)),
            };
            let volume = facts.volume(&failure.volume).map_or(failure.volume.clone(), |v| v.name.clone());
            let type_ = facts.cite(&["spec", "volumes", &volume, "hostPath", "type"]);
            Some(remedied(
                facts,
                path,
                Finding::new(facts.subject(), headline)
                    .because(failure.event.cite())
                    .because(source.evidence)
                    .because(type_),
            ))
        })
        .collect();
    findings.extend(facts.main_containers().filter_map(|container| {
        let path = unmade(container.waiting_message())?;
        let volumes = facts.pod.spec.volumes.iter().flatten();
        let volume =
            volumes.into_iter().find(|v| v.host_path.as_ref().is_some_and(|h| h.path.trim_end_matches('/') == path))?;
        let headline = format!("{path}, which volume {} asks for, cannot be made on {node}", volume.name);
        let finding = Finding::new(facts.subject_of(container), headline)
            .because(facts.cite_status(container, &["state", "waiting", "message"]))
            .because(facts.cite(&["spec", "volumes", &volume.name, "hostPath", "path"]));
        Some(remedied(facts, path, finding))
    }));
    findings
}

fn remedied(facts: &Facts<'_>, path: &str, finding: Finding) -> Finding {
    let node = facts.pod.node_name().unwrap_or("the node");
    finding
        .remedy(
            facts
                .owner
                .edit("Correct the path or its type (type: DirectoryOrCreate makes a directory that is not there)"),
        )
        .remedy(Remedy::advice(format!(
            "Make {path} on {node} as what the volume asks for, or keep the pod to nodes that have it (nodeSelector)."
        )))
}

/// The volume by the pod's name for it; its path is told beside it.
fn volume_title(facts: &Facts<'_>, failure: &MountFailure<'_>) -> String {
    format!("volume {}", facts.volume(&failure.volume).map_or(failure.volume.as_str(), |v| v.name.as_str()))
}

/// The path in containerd's `failed to mkdir "/data/x": mkdir /data/x: read-only file system`.
fn unmade(message: &str) -> Option<&str> {
    let starts = ["failed to mkdir \"", "failed to stat \""];
    let rest = starts.iter().find_map(|start| Some(message.split_once(start)?.1))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn waiting(message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/volumes", json!([{"name": "h", "hostPath": {"path": "/data/x", "type": "Directory"}}]))
            .event("FailedMount", "", message)
    }

    #[test]
    fn a_path_of_another_type_is_named_with_what_was_asked_for() {
        let case = waiting(
            "MountVolume.SetUp failed for volume \"h\" : hostPath type check failed: /data/x is not a directory",
        );
        assert_eq!(
            one(case.check(&RULE)).headline,
            "volume h wants a directory at /data/x of node-1, and there is none"
        );
    }

    #[test]
    fn a_local_disk_that_is_not_there_counts() {
        let case = waiting(
            "MountVolume.NewMounter initialization failed for volume \"local-pv\" : path \"/mnt/ssd1\" does not exist",
        );
        assert_eq!(
            one(case.check(&RULE)).headline,
            "/mnt/ssd1, which volume local-pv asks for, does not exist on node-1"
        );
    }

    #[test]
    fn a_path_that_the_runtime_cannot_make_counts() {
        let message = "failed to generate container \"acd9\" spec: failed to generate spec: failed to mkdir \"/data/x\": mkdir /data/x: read-only file system";
        let case = waiting("other").edit(
            "/status/containerStatuses/0/state/waiting",
            json!({"reason": "CreateContainerError", "message": message}),
        );
        assert_eq!(one(case.check(&RULE)).headline, "/data/x, which volume h asks for, cannot be made on node-1");
    }

    #[test]
    fn a_missing_disk_is_not_a_missing_path() {
        none(
            waiting("MountVolume.MountDevice failed for volume \"pvc-1\" : special device /dev/sdb does not exist")
                .check(&RULE),
        );
    }
}
