//! The claim's PersistentVolume is gone.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::facts::volume_words::VolumeWord;
use crate::facts::volumes::Claim;
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;
use crate::snapshot::Lookup;

pub(super) const RULE: Rule = Rule {
    reason: "ClaimLost",
    stage: Stage::Scheduling,
    summary: "the claim's PersistentVolume is gone",
    explains: &["ClaimUnbound", "VolumeAttachFailed", "VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
The claim was bound to a PersistentVolume that has been deleted, or belongs to another claim by now; or the disk behind the
volume does not exist any more. Kubernetes does not give the claim another volume, since the data would not be there.

## Signs
The claim's phase is Lost, its event is ClaimLost or ClaimMisbound, or the scheduler says `bound to non-existent
persistentvolume`. A deleted disk shows when it is attached: `code = NotFound`.

## Fix
If the disk is still there, create the PersistentVolume anew under the same name with a claimRef to the claim. If it is not,
restore the data from a backup into a new claim.

## Not this
A claim that has never been bound is ClaimUnbound.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let said = facts.scheduler_on_volumes();
    let mut findings: Vec<Finding> = facts.claims().iter().filter_map(|claim| found(facts, claim)).collect();
    if findings.is_empty() && facts.claims().iter().all(|c| c.found().is_none()) {
        let gone = said.words.iter().find(|w| matches!(w, VolumeWord::VolumeGone(_)));
        findings.extend(gone.map(|_| {
            let claims: Vec<String> = facts.claims().into_iter().map(|c| c.name).collect();
            let headline = format!("the PersistentVolume of claim {} does not exist any more", claims.join(", "));
            Finding::new(facts.subject(), headline).because(said.cite()).remedy(facts.look(["get", "pvc"]))
        }));
    }
    findings
}

fn found(facts: &Facts<'_>, claim: &Claim) -> Option<Finding> {
    let object = claim.found()?;
    let volume = claim.volume_name().unwrap_or("it was bound to");
    let failures = facts.mount_failures();
    let disk = failures
        .iter()
        .find(|f| f.trouble == Trouble::Gone && facts.claim_of(&f.volume).is_some_and(|c| c.name == claim.name));
    let event = claim.events.with(&["ClaimLost", "ClaimMisbound"]).next();
    let said = facts.scheduler_on_volumes();
    let names_it = |w: &VolumeWord| match w {
        VolumeWord::VolumeGone(Some(name)) => *name == claim.name || name == volume,
        VolumeWord::VolumeGone(None) => facts.claims().len() == 1,
        _ => false,
    };
    let told = said.words.iter().any(names_it).then(|| said.cite()).flatten();
    let lost = object.phase == "Lost";
    let absent = object.phase == "Bound" && claim.bound == Lookup::NotFound;
    let headline = match disk {
        _ if lost || absent => format!("claim {} has lost its PersistentVolume {volume}", claim.name),
        Some(failure) => format!(
            "the disk behind claim {} (PersistentVolume {volume}) does not exist: {}",
            claim.name,
            failure.gist()
        ),
        // A volume that was read refutes an older sentence of the scheduler.
        None if told.is_some() && !matches!(claim.bound, Lookup::Found(_)) => {
            format!("claim {} has lost its PersistentVolume {volume}", claim.name)
        }
        None => return None,
    };
    let standing = if facts.awaits_claims() { Standing::Wrong } else { Standing::Past };
    let gone = claim.volume_name().filter(|_| absent).and_then(|v| facts.cite_missing("PersistentVolume", v));
    Some(
        Finding::new(claim.subject(), headline)
            .standing(standing)
            .because(facts.cite_claim(claim, &["status", "phase"]))
            .because(facts.cite_claim(claim, &["spec", "volumeName"]))
            .because(gone)
            .because(event.map(|e| e.cite()))
            .because(told)
            .because(disk.map(|d| d.event.cite()))
            .remedy(facts.look(["describe", "pvc", &claim.name]))
            .remedy(Remedy::advice(format!(
                "If the disk is still there, create PersistentVolume {volume} anew for it, with a claimRef to {}/{} and the claim's uid.",
                facts.target.namespace, claim.name
            )))
            .remedy(Remedy::last_resort(
                "Gives up what was on the volume: deletes the claim, so that an empty one can be created under its name; it stays until its pods are gone:",
                facts.kubectl(["delete", "pvc", &claim.name]),
            )),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(phase: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
            "spec": {"volumeName": "pv-1"}, "status": {"phase": phase}}))
    }

    fn sentence(text: &str) -> Value {
        json!([{"type": "PodScheduled", "status": "False", "message": text}])
    }

    #[test]
    fn the_phase_says_it() {
        assert_eq!(one(pod("Lost").check(&RULE)).headline, "claim data has lost its PersistentVolume pv-1");
    }

    #[test]
    fn so_does_the_scheduler_unless_the_volume_was_read() {
        let said = sentence(
            "0/3 nodes are available: persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"pv-1\".",
        );
        let case = || pod("Bound").edit("/status/conditions", said.clone());
        one(case().check(&RULE));
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "spec": {}});
        none(case().with(volume).check(&RULE));
    }

    #[test]
    fn a_volume_that_was_not_looked_up_is_not_gone() {
        none(pod("Bound").check(&RULE));
        one(pod("Bound").complete(&["persistentvolumes"]).check(&RULE));
    }

    #[test]
    fn a_deleted_disk_shows_when_it_is_attached() {
        let case = pod("Bound").edit("/spec/nodeName", json!("node-1")).event(
            "FailedAttachVolume",
            "",
            "AttachVolume.Attach failed for volume \"pv-1\" : rpc error: code = NotFound desc = volume vol-1 not found",
        );
        assert!(one(case.check(&RULE)).headline.ends_with("does not exist: volume vol-1 not found"));
    }
}
