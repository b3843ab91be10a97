//! The containers have ended, and the kubelet has not finished with the pod's volumes.

use super::force;
use crate::facts::time::{human, seconds_between};
use crate::facts::{Event, Facts, State};
use crate::finding::{Certainty, Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeUnmountStuck",
    stage: Stage::Termination,
    summary: "a volume cannot be unmounted or detached, so the deletion does not end",
    explains: &[],
    check,
    explain: r#"
## Meaning
The containers have ended, the grace period is over, the node reports, and no finalizer is left; but the kubelet has not
confirmed the deletion. It does so only after it has unmounted the volumes and cleaned up. A mount that is busy, or whose
server or driver does not answer, holds it there.

## Signs
An event FailedUnMount or FailedDetachVolume. Since 1.20 the kubelet mostly writes such errors only to its own log; then two
minutes without progress are the sign (a rule of thumb).

## Fix
Read the kubelet's log on that node for this pod, and mend the volume: the server, the driver's node pod, the process that
keeps the mount busy.

## Not this
`FailedMount … not registered` during a deletion is noise. A node that does not report is DeletionUnconfirmed.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(deletion) = facts.deletion() else { return Vec::new() };
    if deletion.confirmed || !deletion.stopped || facts.node_state().is_silent() || facts.pod.node_name().is_none() {
        return Vec::new();
    }
    let began = facts.pod.deletion_began();
    let unmounts = |e: &&Event| {
        let m = &e.message;
        let words = m.starts_with("Unmount") || m.starts_with("Unmap") || m.starts_with("DetachVolume");
        words && e.seen_since(began)
    };
    let reasons = ["FailedUnMount", "FailedUnmount", "FailedMount", "FailedDetachVolume", "FailedDetach"];
    let event = facts.events.with(&reasons).find(unmounts);
    let name = facts.node_title();
    let idle = facts.containers.iter().filter_map(|c| match &c.state {
        State::Ended(exit) => exit.finished,
        _ => None,
    });
    let since = idle.max().map_or(-deletion.left, |end| seconds_between(end, facts.now).min(-deletion.left));
    let lasting = !facts
        .pod
        .spec
        .volumes
        .iter()
        .flatten()
        .all(|v| v.projected.is_some() || v.secret.is_some() || v.config_map.is_some() || v.downward_api.is_some());
    let (headline, certainty) = match event {
        Some(event) => (format!("{name} cannot let go of a volume of the pod: {}", event.message), Certainty::Certain),
        None if deletion.is_overdue() && since > 120 && facts.finalizers().is_empty() => (
            format!(
                "the containers have stopped, and for {} {name} has not finished cleaning up after them",
                human(since)
            ),
            if lasting { Certainty::Likely } else { Certainty::Possible },
        ),
        None => return Vec::new(),
    };
    let ended = facts.main_containers().filter_map(|c| facts.cite_status(c, &["state", "terminated", "finishedAt"]));
    let finding = Finding::new(facts.subject(), headline)
        .certainty(certainty)
        .because(event.map(|e| e.cite()))
        .because(ended)
        .because(facts.cite_deletion())
        .because(facts.cite(&["spec", "nodeName"]))
        .remedy(Remedy::look(Command::kubectl(["describe", "node", name])))
        .remedy(Remedy::advice(format!(
            "Read the kubelet's log on {name} for this pod, and mend the volume that it names."
        )));
    vec![
        finding
            .remedy(force(facts, "The mount stays behind on the node. Only if nothing writes to the volume any more:")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::termination::tests_support::{deleted, ended, node, running};
    use crate::rules::testing::{none, one};

    #[test]
    fn the_error_of_an_unmount_is_quoted() {
        let error = "UnmountVolume.TearDown failed for volume \"data\" : umount: target is busy.";
        let case = deleted(ended(), "2026-01-01T11:55:00Z", 30).with(node("True")).event("FailedUnMount", "", error);
        assert!(one(case.check(&RULE)).headline.ends_with("target is busy."));
    }

    #[test]
    fn no_progress_for_long_with_a_lasting_volume_is_likely() {
        let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
        let case = deleted(ended(), "2026-01-01T11:55:00Z", 30).with(node("True")).edit("/spec/volumes", volumes);
        assert_eq!(one(case.check(&RULE)).certainty, Certainty::Likely);
    }

    #[test]
    fn a_running_container_a_finalizer_and_mount_noise_are_not_told() {
        none(deleted(running(), "2026-01-01T11:55:00Z", 30).with(node("True")).check(&RULE));
        let held = deleted(ended(), "2026-01-01T11:55:00Z", 30).edit("/metadata/finalizers", json!(["a.b/c"]));
        none(held.check(&RULE));
        let noise =
            "MountVolume.SetUp failed for volume \"kube-api\" : object \"n\"/\"kube-root-ca.crt\" not registered";
        none(deleted(ended(), "2026-01-01T11:59:50Z", 30).event("FailedMount", "", noise).check(&RULE));
    }
}
