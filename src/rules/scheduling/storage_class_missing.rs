//! The claim names a StorageClass that does not exist, or none where there is no default.

use crate::facts::Facts;
use crate::facts::claims::{Pending, Wait};
use crate::facts::volume_words::VolumeWord;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "StorageClassMissing",
    stage: Stage::Scheduling,
    summary: "the claim names a StorageClass that does not exist, or there is no default",
    explains: &["ClaimUnbound"],
    check,
    explain: r#"
## Meaning
The claim asks for volumes of a StorageClass that is not in the cluster, so nobody makes one. Or it names no class and the
cluster has no default class.

## Signs
The claim's event ProvisioningFailed `storageclass.storage.k8s.io "…" not found`, or the server's word that the class does not
exist. For a claim without class: FailedBinding `… no storage class is set`.

## Fix
Create the class, or create the claim anew with a class that exists: the class of a claim cannot be changed. A claim that names
none can still be given one. A PersistentVolume made by hand that bears the same class name is bound even if no such class exists.

## Not this
A claim with the class "" wants no class: that is NoMatchingVolume.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = facts.pending_claims();
    let mut findings: Vec<Finding> = pending.iter().filter_map(|p| found(facts, p)).collect();
    if findings.is_empty() {
        let said = facts.scheduler_on_volumes();
        findings.extend(said.words.iter().filter_map(|word| match word {
            VolumeWord::ClassMissing(class) if facts.lookup("StorageClass", class).found().is_none() => {
                let headline = format!("StorageClass {class}, which a claim of the pod names, does not exist");
                Some(Finding::new(facts.subject(), headline).because(said.cite()).remedy(classes()))
            }
            _ => None,
        }));
    }
    findings
}

fn classes() -> Remedy {
    Remedy::look(Command::kubectl(["get", "storageclasses"]))
}

fn found(facts: &Facts<'_>, pending: &Pending) -> Option<Finding> {
    let name = &pending.claim.name;
    let finding = |headline: String| {
        Finding::new(pending.claim.subject(), headline)
            .certainty(pending.certainty)
            .standing(pending.standing)
            .because(pending.evidence.clone())
            .remedy(classes())
    };
    match &pending.wait {
        Wait::Class(class) => {
            let close = facts.close_names("StorageClass", class);
            let meant = if close.is_empty() { "CLASS".to_owned() } else { close.join(" or ") };
            Some(
                finding(format!("claim {name} asks for StorageClass {class}, which does not exist"))
                    .because(facts.cite_claim(&pending.claim, &["spec", "storageClassName"]))
                    .remedy(Remedy::advice(format!("Create StorageClass {class}; the claim is then served by itself.")))
                    .remedy(Remedy::last_resort(
                        format!(
                            "Deletes the claim, which holds no data yet, so that it can be created with storageClassName {meant}; it stays until its pods are gone:"
                        ),
                        facts.kubectl(["delete", "pvc", name]),
                    )),
            )
        }
        Wait::AnyClass => {
            let patch = r#"{"spec":{"storageClassName":"CLASS"}}"#;
            Some(
                finding(format!("claim {name} names no StorageClass, and there was no default one to give it"))
                    .remedy(Remedy::change(
                        "Give the claim a class (Kubernetes 1.28 and later; before, it has to be created anew):",
                        facts.kubectl(["patch", "pvc", name, "--type=merge", "-p", patch]),
                    ))
                    .remedy(Remedy::advice("Or mark one class as the default: annotation storageclass.kubernetes.io/is-default-class=true.")),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(spec: Value) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n", "uid": "c",
            "creationTimestamp": "2026-01-01T11:00:00Z"}, "spec": spec, "status": {"phase": "Pending"}}))
    }

    fn said(reason: &str, message: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": reason, "namespace": "n"}, "reason": reason, "message": message,
            "source": {"component": "persistentvolume-controller"}, "lastTimestamp": "2026-01-01T11:59:00Z",
            "involvedObject": {"kind": "PersistentVolumeClaim", "namespace": "n", "name": "data", "uid": "c"}})
    }

    #[test]
    fn the_claims_own_event_is_enough() {
        let case = pod(json!({"storageClassName": "fast"}))
            .with(said("ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found"));
        assert_eq!(one(case.check(&RULE)).headline, "claim data asks for StorageClass fast, which does not exist");
    }

    #[test]
    fn a_class_that_was_not_looked_up_is_not_missing() {
        none(pod(json!({"storageClassName": "fast"})).check(&RULE));
        one(pod(json!({"storageClassName": "fast"})).complete(&["storageclasses"]).check(&RULE));
    }

    #[test]
    fn a_claim_without_class_is_not_one_that_wants_none() {
        let unset = "no persistent volumes available for this claim and no storage class is set";
        assert!(
            one(pod(json!({})).with(said("FailedBinding", unset)).check(&RULE))
                .headline
                .contains("names no StorageClass")
        );
        none(pod(json!({"storageClassName": ""})).with(said("FailedBinding", unset)).check(&RULE));
    }
}
