//! No PersistentVolume fits the claim, and none is made for it.

use crate::facts::claims::{Pending, Wait};
use crate::facts::volume_words::VolumeWord;
use crate::facts::{Evidence, Facts};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NoMatchingVolume",
    stage: Stage::Scheduling,
    summary: "no PersistentVolume fits the claim (static provisioning, no-provisioner class)",
    explains: &["ClaimUnbound"],
    check,
    explain: r#"
## Meaning
The claim is served only from PersistentVolumes that somebody made by hand: it names no class (""), or one whose provisioner is
kubernetes.io/no-provisioner. None of them fits: class, size, access mode, volume mode, labels, or node.

## Signs
The claim's event FailedBinding; `spec.storageClassName` is "" and the claim is Pending; the scheduler says `didn't find
available persistent volumes to bind`. A volume that is Released still belongs to the claim that is gone.

## Fix
Make a PersistentVolume that fits, or let the claim name a class that has a provisioner. A Released volume can be used again once
its `claimRef` is taken out, with the data that is on it.

## Not this
A claim that names no class at all gets the default one; without a default that is StorageClassMissing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = facts.pending_claims();
    let mut findings: Vec<Finding> = pending.iter().filter_map(|p| found(facts, p)).collect();
    let said = facts.scheduler_on_volumes();
    let waiting: Vec<&str> = pending.iter().map(|p| p.claim.name.as_str()).collect();
    let claims = facts.claims();
    let all: Vec<&str> = claims.iter().map(|c| c.name.as_str()).collect();
    let which = match if waiting.is_empty() { all } else { waiting }.as_slice() {
        [] => "the pod".to_owned(),
        names => format!("claim {}", names.join(", ")),
    };
    for word in &said.words {
        let headline = match word {
            VolumeWord::NoneToBind(n) => {
                format!("{} no volume for {which} to bind and cannot get one", nodes(*n, "has", "have"))
            }
            VolumeWord::NoRoom(n) => {
                format!("{} too little storage left for {which}", nodes(*n, "has", "have"))
            }
            _ => continue,
        };
        let finding = Finding::new(facts.subject(), headline).alternative().because(said.cite());
        let finding = pending.iter().fold(finding, |f, p| f.because(wants(facts, p)));
        findings.push(finding.remedy(facts.look(["get", "pvc"])).remedy(volumes()));
    }
    findings
}

fn nodes(count: Option<u32>, one: &str, many: &str) -> String {
    match count {
        Some(1) => format!("1 node {one}"),
        Some(n) => format!("{n} nodes {many}"),
        None => format!("the nodes {many}"),
    }
}

fn volumes() -> Remedy {
    Remedy::look(Command::kubectl(["get", "pv"]))
}

/// What the claim asks of a volume.
fn wants(facts: &Facts<'_>, pending: &Pending) -> Vec<Evidence> {
    let fields: [&[&str]; 3] =
        [&["spec", "resources", "requests", "storage"], &["spec", "accessModes"], &["spec", "storageClassName"]];
    fields.iter().filter_map(|steps| facts.cite_claim(&pending.claim, steps)).collect()
}

fn found(facts: &Facts<'_>, pending: &Pending) -> Option<Finding> {
    let Wait::Volume(why) = &pending.wait else { return None };
    let claim = &pending.claim;
    let class = claim.found().and_then(|c| c.class.clone()).unwrap_or_default();
    let headline = match (why.is_empty(), class.is_empty()) {
        (false, _) => format!("claim {} gets no volume: {why}", claim.name),
        (_, true) => format!(
            "claim {} wants a volume made by hand (storageClassName \"\"), and none that is free fits",
            claim.name
        ),
        _ => format!(
            "claim {} wants a volume of class {class}, which are made by hand, and none that is free fits",
            claim.name
        ),
    };
    let unfit = facts.unfit_volumes(claim);
    let rows: Vec<Vec<String>> = unfit.iter().take(6).map(|u| vec![u.volume.clone(), u.why.join(", ")]).collect();
    let table = (!rows.is_empty())
        .then(|| Evidence::table("PersistentVolumes that are not in use", &["Name", "Does not fit"], rows));
    let released = unfit.iter().find(|u| u.released).map(|u| {
        let patch = r#"[{"op":"remove","path":"/spec/claimRef"}]"#;
        Remedy::last_resort(
            format!(
                "Gives {} to this claim: whatever claim it was reserved for does not get it back, and what it holds is seen by this pod. Only if that is meant:",
                u.volume
            ),
            Command::kubectl(["patch", "pv", &u.volume, "--type=json", "-p", patch]),
        )
    });
    let size = claim.found().and_then(|c| c.size()).unwrap_or("the size").to_owned();
    Some(
        Finding::new(claim.subject(), headline)
            .certainty(pending.certainty)
            .standing(pending.standing)
            .because(pending.evidence.clone())
            .because(wants(facts, pending))
            .because(table)
            .remedy(facts.look(["describe", "pvc", &claim.name]))
            .remedy(volumes())
            .remedy(Remedy::advice(format!(
                "Make a PersistentVolume of at least {size} with the claim's class and access modes; the claim is then bound by itself."
            )))
            .remedy(Remedy::advice("Or create the claim anew with a StorageClass that has a provisioner: the class of a claim cannot be changed."))
            .remedy(released),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(spec: Value, sentence: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": sentence}]}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec, "status": {"phase": "Pending"},
            "metadata": {"name": "data", "namespace": "n", "uid": "c", "creationTimestamp": "2026-01-01T11:00:00Z"}}))
    }

    #[test]
    fn a_claim_without_class_needs_a_volume_made_by_hand() {
        let finding =
            one(pod(json!({"storageClassName": "", "resources": {"requests": {"storage": "5Gi"}}}), "").check(&RULE));
        assert_eq!(
            finding.headline,
            "claim data wants a volume made by hand (storageClassName \"\"), and none that is free fits"
        );
        assert!(format!("{:?}", finding.remedies).contains("at least 5Gi"));
    }

    #[test]
    fn a_released_volume_is_offered_with_its_price() {
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "status": {"phase": "Released"},
            "spec": {"capacity": {"storage": "5Gi"}, "claimRef": {"namespace": "n", "name": "gone", "uid": "x"}}});
        let finding = one(pod(json!({"storageClassName": ""}), "").with(volume).check(&RULE));
        assert!(format!("{:?}", finding.remedies).contains("Gives pv-1 to this claim"));
    }

    #[test]
    fn nodes_without_a_volume_to_bind_are_an_alternative() {
        let sentence = "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't find available persistent volumes to bind.";
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local"},
            "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"});
        let finding = one(pod(json!({"storageClassName": "local"}), sentence).with(class).check(&RULE));
        assert_eq!(finding.headline, "2 nodes have no volume for claim data to bind and cannot get one");
        assert!(finding.alternative);
    }

    #[test]
    fn a_class_with_a_provisioner_is_not_static() {
        none(
            pod(
                json!({"storageClassName": "gp3"}),
                "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            )
            .check(&RULE),
        );
    }
}
