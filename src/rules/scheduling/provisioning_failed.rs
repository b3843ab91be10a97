//! The provisioner tried to make the claim's volume and failed.

use crate::facts::Facts;
use crate::facts::claims::{Pending, Wait};
use crate::facts::volume_words::VolumeWord;
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ProvisioningFailed",
    stage: Stage::Scheduling,
    summary: "the provisioner tried to make the volume and failed; its error is quoted",
    explains: &["ClaimUnbound", "BindingFailed"],
    check,
    explain: r#"
## Meaning
The provisioner of the claim's StorageClass has tried to make a volume and got an error from its storage: a quota, a wrong
parameter of the class, a missing right, a zone without room.

## Signs
The claim's event ProvisioningFailed, whose error is quoted. It is repeated while the provisioner tries again, with growing
pauses.

## Fix
Clear what the error says. Wrong parameters are in the StorageClass, which has to be replaced, since it cannot be changed.

## Not this
`storageclass.storage.k8s.io "…" not found` is StorageClassMissing. No word from the provisioner is ProvisionerSilent.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = facts.pending_claims();
    let mut findings: Vec<Finding> = pending.iter().filter_map(|p| found(facts, p)).collect();
    if findings.is_empty() {
        let said = facts.scheduler_on_volumes();
        let failed = said.words.iter().find_map(|word| match word {
            VolumeWord::BindFailed(claim) => Some(claim.clone()),
            _ => None,
        });
        findings.extend(failed.map(|claim| {
            let which = claim.map_or_else(|| "a claim of the pod".to_owned(), |c| format!("claim {c}"));
            Finding::new(
                facts.subject(),
                format!("a node was chosen, but the volume for {which} could not be made there"),
            )
            .because(said.cite())
            .remedy(facts.look(["get", "pvc"]))
        }));
    }
    findings
}

fn found(facts: &Facts<'_>, pending: &Pending) -> Option<Finding> {
    let Wait::Failed(error) = &pending.wait else { return None };
    let claim = &pending.claim;
    let gist = error.rsplit_once(" desc = ").map_or(error.as_str(), |(_, desc)| desc).trim();
    let headline = format!("the volume for claim {} could not be made: {gist}", claim.name);
    Some(
        Finding::new(claim.subject(), headline)
            .standing(pending.standing)
            .because(pending.evidence.clone())
            .because(facts.cite_claim(claim, &["spec", "storageClassName"]))
            .remedy(facts.look(["describe", "pvc", &claim.name]))
            .remedy(Remedy::advice(advice(error))),
    )
}

/// What to do, by the kind of error.
fn advice(error: &str) -> &'static str {
    let lower = error.to_ascii_lowercase();
    let any = |needles: &[&str]| needles.iter().any(|n| lower.contains(n));
    if any(&["quota", "resourceexhausted", "limitexceeded", "no space", "insufficient", "not enough"]) {
        "Free room or raise the limit in the storage, or ask for less; the provisioner tries again by itself."
    } else if any(&[
        "unauthorized",
        "accessdenied",
        "permissiondenied",
        "not authorized",
        "forbidden",
        "webidentityerr",
        "authorizationfailed",
    ]) {
        "Give the driver's identity the right to make volumes; the provisioner tries again by itself."
    } else if any(&["invalidargument", "invalid "]) {
        "Correct the parameters: a StorageClass cannot be changed, so it is deleted and created anew, which leaves its volumes as they are."
    } else {
        "Look at the log of the provisioner's controller, and clear what it reports; it tries again by itself."
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(event: Value) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": "gp3"}, "status": {"phase": "Pending"},
            "metadata": {"name": "data", "namespace": "n", "uid": "c", "creationTimestamp": "2026-01-01T11:00:00Z"}}))
        .with(event)
    }

    fn said(message: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}, "reason": "ProvisioningFailed", "message": message,
            "source": {"component": "ebs.csi.aws.com_x"}, "lastTimestamp": "2026-01-01T11:59:00Z",
            "involvedObject": {"kind": "PersistentVolumeClaim", "namespace": "n", "name": "data", "uid": "c"}})
    }

    #[test]
    fn the_storages_own_words_are_quoted() {
        let error = "failed to provision volume with StorageClass \"gp3\": rpc error: code = ResourceExhausted desc = VolumeLimitExceeded: too much";
        assert_eq!(
            one(pod(said(error)).check(&RULE)).headline,
            "the volume for claim data could not be made: VolumeLimitExceeded: too much"
        );
        assert!(advice(error).starts_with("Free room"));
    }

    #[test]
    fn a_missing_class_is_another_reason() {
        none(pod(said("storageclass.storage.k8s.io \"gp3\" not found")).check(&RULE));
    }

    #[test]
    fn a_failure_that_was_followed_by_success_is_over() {
        let mut done = said("Successfully provisioned volume pvc-1");
        done["reason"] = "ProvisioningSucceeded".into();
        done["metadata"]["name"] = "later".into();
        done["lastTimestamp"] = "2026-01-01T11:59:30Z".into();
        none(pod(said("quota")).with(done).check(&RULE));
    }
}
