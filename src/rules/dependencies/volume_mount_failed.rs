//! A volume cannot be mounted on the node.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::finding::{Certainty, Command, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeMountFailed",
    stage: Stage::Dependencies,
    summary: "mounting failed on the node; the tool's output is quoted",
    explains: &[],
    check,
    explain: r#"
## Meaning
The kubelet or a driver tried to mount a volume on the pod's node, and the tool that does it failed. No container of the pod
starts before all its volumes are mounted.

## Signs
A FailedMount event. What follows `Output:` or `desc =` is what the tool itself said: access denied, no such export, unknown
file system, connection timed out, damaged file system.

## Fix
It is the node that mounts, not the pod: names are resolved, firewalls passed and helpers found from the node. The kubelet tries
again by itself, each two minutes at least.

## Not this
Missing ConfigMaps, Secrets, paths, drivers and attached disks have reasons of their own. "object … not registered" is a kubelet
that has restarted, and "timed out waiting for the condition" alone says nothing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let node = facts.pod.node_name().unwrap_or("the node");
    let mut findings: Vec<Finding> = facts
        .mount_failures()
        .iter()
        .filter(|f| matches!(f.trouble, Trouble::MountFailed | Trouble::Noise))
        .map(|failure| {
            let source = facts.source_of(&failure.volume);
            let title = if failure.volume.is_empty() { "the pod's volumes" } else { source.title.as_str() };
            let meaning = failure.meaning();
            let why = meaning.map_or_else(|| failure.gist().to_owned(), |m| m.means.to_owned());
            Finding::new(facts.subject(), format!("{node} cannot mount {title}: {why}"))
                .because(failure.event.cite())
                .because(source.evidence)
                .remedy(facts.look(["describe", "pod", &facts.pod.name]))
                .remedy(meaning.map(|m| Remedy::advice(m.fix)))
        })
        .collect();
    findings.extend(facts.waited_in_vain().map(|(volumes, event)| {
        let which = if volumes.len() == 1 { "volume" } else { "volumes" };
        let headline = format!("{node} has not mounted {which} {} in time, and nothing says why", volumes.join(", "));
        Finding::new(facts.subject(), headline)
            .certainty(Certainty::Possible)
            .because(event.cite())
            .remedy(Remedy::look(Command::kubectl(["get", "volumeattachments"])))
            .remedy(Remedy::advice(format!("Look at the kubelet's log on {node}, and at the volume's driver there.")))
    }));
    // Changing the owner of every file of a large volume takes long, and is not a failure.
    if findings.is_empty() && facts.awaits_volumes() {
        findings.extend(facts.events.latest("VolumePermissionChangeInProgress").map(|event| {
            Finding::new(facts.subject(), format!("{node} is still giving the files of a volume to the pod's fsGroup"))
                .standing(Standing::InProgress)
                .because(event.cite())
                .remedy(facts.owner.edit(
                    "Let it look at the top directory only (securityContext.fsGroupChangePolicy: OnRootMismatch)",
                ))
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn waiting() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/volumes", json!([{"name": "n", "nfs": {"server": "10.0.0.5", "path": "/x"}}]))
    }

    fn failed(error: &str) -> Case {
        waiting().event("FailedMount", "", &format!("MountVolume.SetUp failed for volume \"n\" : {error}"))
    }

    #[test]
    fn what_the_tool_said_is_explained() {
        let finding =
            one(failed("mount failed: exit status 32\nOutput: mount: /var/x: unknown filesystem type 'nfs'.")
                .check(&RULE));
        assert_eq!(
            finding.headline,
            "node-1 cannot mount volume n (NFS 10.0.0.5:/x): the node has no mount helper for NFS"
        );
    }

    #[test]
    fn what_is_not_known_is_quoted() {
        let finding = one(failed("rpc error: code = Internal desc = the moon is full").check(&RULE));
        assert_eq!(finding.headline, "node-1 cannot mount volume n (NFS 10.0.0.5:/x): the moon is full");
    }

    #[test]
    fn a_pod_that_runs_has_its_volumes() {
        let running = json!({"running": {"startedAt": "2026-01-01T11:55:00Z"}});
        none(
            failed("rpc error: code = Internal desc = x")
                .edit("/status/containerStatuses/0/state", running)
                .check(&RULE),
        );
    }

    #[test]
    fn a_sandbox_that_fails_later_shows_that_the_volumes_are_there() {
        let case = failed("rpc error: code = Internal desc = x").with(json!({"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "later", "namespace": "n"}, "reason": "FailedCreatePodSandBox", "message": "m",
            "lastTimestamp": "2026-01-01T11:59:30Z", "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}}));
        none(case.check(&RULE));
    }

    #[test]
    fn having_waited_says_little() {
        let waited = |case: Case| {
            case.event(
                "FailedMount",
                "",
                "Unable to attach or mount volumes: unmounted volumes=[n], unattached volumes=[n k]: timed out waiting for the condition",
            )
        };
        assert_eq!(one(waited(waiting()).check(&RULE)).certainty, Certainty::Possible);
        let finding = one(waited(failed("rpc error: code = Internal desc = x")).check(&RULE));
        assert!(finding.headline.ends_with(": x"), "{}", finding.headline);
    }
}
