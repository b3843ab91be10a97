//! The pod names a claim that does not exist.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::facts::volume_words::VolumeWord;
use crate::facts::volumes::Claim;
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ClaimMissing",
    stage: Stage::Scheduling,
    summary: "the pod names a PersistentVolumeClaim (or ephemeral claim) that does not exist",
    explains: &["VolumeMountFailed", "BindingFailed"],
    check,
    explain: r#"
## Meaning
A volume of the pod stands for a PersistentVolumeClaim that is not in the pod's namespace, or is being deleted and takes no new
pod. The scheduler looks at no node before all claims of a pod exist.

## Signs
The scheduler says `persistentvolumeclaim "…" not found` or `… is being deleted`; the server says that the claim does not exist.
The claim of a generic ephemeral volume is called POD-VOLUME and made within seconds; if that fails the pod has a FailedBinding
event, which is quoted.

## Fix
Create the claim or correct its name. Claims are not shared between namespaces.

## Not this
A claim that exists and is Pending is ClaimUnbound.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.awaits_claims() {
        return Vec::new();
    }
    facts.claims().iter().filter_map(|claim| found(facts, claim)).collect()
}

fn found(facts: &Facts<'_>, claim: &Claim) -> Option<Finding> {
    let said = facts.scheduler_on_volumes();
    let name = || claim.name.clone();
    let failures = facts.mount_failures();
    let told = |trouble: Trouble| failures.iter().find(|f| f.trouble == trouble).map(|f| f.event.cite());
    let by_scheduler = |word: VolumeWord| said.say(&word).then(|| said.cite()).flatten();
    let missing = by_scheduler(VolumeWord::ClaimMissing(name()))
        .or_else(|| by_scheduler(VolumeWord::ClaimAwaited(name())))
        .or_else(|| told(Trouble::ClaimMissing(name())));
    let foreign = by_scheduler(VolumeWord::ClaimForeign(name()));
    let deleting = by_scheduler(VolumeWord::ClaimDeleting(name())).or_else(|| told(Trouble::ClaimDeleting(name())));
    let finding = |headline: String| Finding::new(claim.subject(), headline);

    let Some(object) = claim.found() else {
        let absence = facts.cite_missing("PersistentVolumeClaim", &claim.name);
        return match (absence, missing) {
            (None, None) => {
                let evidence = deleting.or(foreign)?;
                let headline =
                    format!("claim {} of volume {} cannot be used, the scheduler says", claim.name, claim.volume);
                Some(finding(headline).because(evidence).because(facts.cite_claim_name(claim)))
            }
            (absence, missing) => {
                Some(absent(facts, claim).because(absence).because(missing).because(facts.cite_claim_name(claim)))
            }
        };
    };
    if object.deleting {
        let headline = format!("claim {} of volume {} is being deleted and takes no new pod", claim.name, claim.volume);
        let remedy = Remedy::advice(format!(
            "End the pods that still use {}; it then goes away, and can be created anew. Its volume's reclaim policy says whether the data stays.",
            claim.name
        ));
        return Some(
            finding(headline)
                .because(facts.cite_claim(claim, &["metadata", "deletionTimestamp"]))
                .because(deleting)
                .remedy(facts.look(["describe", "pvc", &claim.name]))
                .remedy(remedy),
        );
    }
    if claim.ephemeral && object.owner_pod.as_deref() != Some(&facts.pod.uid) && !facts.pod.uid.is_empty() {
        let headline = format!(
            "claim {} exists and does not belong to this pod, so its ephemeral volume {} cannot be made",
            claim.name, claim.volume
        );
        let remedy = Remedy::advice(format!(
            "Rename the volume or the pod, or delete claim {} if nobody needs what it holds.",
            claim.name
        ));
        let look = facts.look(["describe", "pvc", &claim.name]);
        let own = facts.cite_claim(claim, &["metadata", "name"]);
        return Some(
            finding(headline)
                .because(foreign)
                .because(own)
                .because(facts.cite_claim_name(claim))
                .remedy(look)
                .remedy(remedy),
        );
    }
    None
}

fn absent(facts: &Facts<'_>, claim: &Claim) -> Finding {
    if claim.ephemeral {
        let refused = facts.events.with(&["FailedBinding"]).find(|e| e.message.contains(&claim.volume));
        let why =
            refused.and_then(|e| e.message.split_once(": ")).map_or_else(String::new, |(_, why)| format!(": {why}"));
        let young = facts.pod.age(facts.now).is_some_and(|age| age < 60);
        let standing = if young && refused.is_none() { Standing::InProgress } else { Standing::Wrong };
        return Finding::new(claim.subject(), format!("claim {} of the ephemeral volume {} has not been made{why}", claim.name, claim.volume))
            .standing(standing)
            .because(refused.map(|e| e.cite()))
            .remedy(facts.look(["describe", "pod", &facts.pod.name]))
            .remedy(Remedy::advice("The controller manager makes it (ephemeral-volume-controller): clear what it reports, or see that it runs."));
    }
    let close = facts.close_names("PersistentVolumeClaim", &claim.name);
    let verb = if close.len() == 1 { "exists" } else { "exist" };
    let renamed = (!close.is_empty()).then(|| {
        facts.owner.edit(&format!("Claim {} {verb}: if that is what is meant, correct the name", close.join(", ")))
    });
    Finding::new(claim.subject(), format!("claim {} of volume {} does not exist", claim.name, claim.volume))
        .remedy(facts.look(["get", "pvc"]))
        .remedy(renamed)
        .remedy(Remedy::change(
            format!("Create PersistentVolumeClaim {} from a manifest; the scheduler goes on by itself:", claim.name),
            facts.kubectl(["apply", "-f", "FILE"]),
        ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(volume: Value, sentence: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [volume]}),
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": sentence}]}),
        )
    }

    fn named() -> Value {
        json!({"name": "d", "persistentVolumeClaim": {"claimName": "spool"}})
    }

    fn claim(name: &str, meta: Value) -> Value {
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "n"}, "status": {"phase": "Bound"}});
        claim["metadata"].as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
        claim
    }

    #[test]
    fn the_scheduler_or_the_server_says_that_it_does_not_exist() {
        let said = pod(named(), "0/4 nodes are available: persistentvolumeclaim \"spool\" not found. not found");
        assert_eq!(one(said.check(&RULE)).headline, "claim spool of volume d does not exist");
        one(pod(named(), "").complete(&["persistentvolumeclaims"]).check(&RULE));
    }

    #[test]
    fn a_claim_that_was_not_looked_up_or_is_there_is_not_missing() {
        none(pod(named(), "").check(&RULE));
        none(pod(named(), "").refused("persistentvolumeclaims").check(&RULE));
        let said = pod(named(), "0/4 nodes are available: persistentvolumeclaim \"spool\" not found.");
        none(said.with(claim("spool", json!({}))).check(&RULE));
    }

    #[test]
    fn a_claim_that_is_being_deleted_takes_no_pod() {
        let case = pod(named(), "").with(claim("spool", json!({"deletionTimestamp": "2026-01-01T11:00:00Z"})));
        assert!(one(case.check(&RULE)).headline.ends_with("is being deleted and takes no new pod"));
    }

    #[test]
    fn an_ephemeral_claim_is_named_after_the_pod_and_belongs_to_it() {
        let volume = json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}});
        let case = pod(volume.clone(), "").complete(&["persistentvolumeclaims"]).event(
            "FailedBinding",
            "",
            "ephemeral volume scratch: exceeded quota",
        );
        assert_eq!(
            one(case.check(&RULE)).headline,
            "claim p-scratch of the ephemeral volume scratch has not been made: exceeded quota"
        );
        assert!(
            one(pod(volume.clone(), "").with(claim("p-scratch", json!({}))).check(&RULE))
                .headline
                .contains("does not belong to this pod")
        );
        let own = claim("p-scratch", json!({"ownerReferences": [{"kind": "Pod", "name": "p", "uid": "u"}]}));
        none(pod(volume, "").with(own).check(&RULE));
    }
}
