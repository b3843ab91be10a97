//! The claim waits for a provisioner that does not answer.

use crate::facts::Facts;
use crate::facts::claims::{Pending, Wait};
use crate::facts::time::human;
use crate::facts::volume_words::VolumeWord;
use crate::finding::{Certainty, Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ProvisionerSilent",
    stage: Stage::Scheduling,
    summary: "the claim waits for a provisioner that does not answer",
    explains: &["ClaimUnbound", "BindingFailed"],
    check,
    explain: r#"
## Meaning
Kubernetes handed the claim to the provisioner that its StorageClass names, and nobody of that name has made a volume or
reported an error. Often the driver's controller is not installed, does not run, or goes by another name.

## Signs
The claim's event ExternalProvisioning, again and again, and none of the provisioner itself; or the annotation
`volume.kubernetes.io/storage-provisioner` on a claim that stays Pending. The scheduler gives up after ten minutes with
`binding volumes: … deadline exceeded`.

## Fix
Bring the provisioner to run. It is a controller, most often in kube-system or a namespace of its own; the name in the
StorageClass has to be exactly the one under which it serves.

## Not this
A provisioner that reports errors is ProvisioningFailed.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = facts.pending_claims();
    let mut findings: Vec<Finding> = pending.iter().filter_map(|p| found(facts, p)).collect();
    let said = facts.scheduler_on_volumes();
    let explained =
        pending.iter().any(|p| matches!(p.wait, Wait::Failed(_) | Wait::Provisioner(_) | Wait::Provisioning));
    if said.say(&VolumeWord::BindTimeout) && !explained {
        let claims = facts.claims();
        let open: Vec<&str> =
            claims.iter().filter(|c| c.found().is_none_or(|o| o.phase != "Bound")).map(|c| c.name.as_str()).collect();
        if !open.is_empty() {
            let headline =
                format!("a node was chosen, but the volume for claim {} did not come in time", open.join(", "));
            let finding = Finding::new(facts.subject(), headline).certainty(Certainty::Likely).because(said.cite());
            findings.push(finding.remedy(facts.look(["get", "pvc"])));
        }
    }
    findings
}

fn found(facts: &Facts<'_>, pending: &Pending) -> Option<Finding> {
    let Wait::Provisioner(name) = &pending.wait else { return None };
    let claim = &pending.claim;
    let by_class = claim.class.as_ref().found().map(|c| c.provisioner.as_str());
    let name = Some(name.as_str()).filter(|n| !n.is_empty()).or(by_class).unwrap_or("of its class");
    let since = claim.age(facts.now).map_or_else(String::new, |age| format!(" for {}", human(age)));
    let headline = format!("claim {} has waited{since} for provisioner {name}, which has not answered", claim.name);
    Some(
        Finding::new(claim.subject(), headline)
            .certainty(pending.certainty)
            .standing(pending.standing)
            .because(pending.evidence.clone())
            .because(facts.cite_claim(claim, &["spec", "storageClassName"]))
            .remedy(facts.look(["describe", "pvc", &claim.name]))
            .remedy(Remedy::look(Command::kubectl(["get", "csidrivers"])))
            .remedy(Remedy::look(Command::kubectl(["get", "pods", "-A"])))
            .remedy(Remedy::advice(format!(
                "Bring the controller of {name} to run, and see that it serves under exactly that name; the claim is then served by itself."
            ))),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::finding::Standing;
    use crate::rules::testing::{Case, none, one};

    fn pod(created: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": "slow"}, "status": {"phase": "Pending"},
            "metadata": {"name": "data", "namespace": "n", "uid": "c", "creationTimestamp": created,
                "annotations": {"volume.kubernetes.io/storage-provisioner": "csi.example.com"}}}))
    }

    fn said(reason: &str, source: &str, message: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": reason, "namespace": "n"}, "reason": reason, "message": message,
            "source": {"component": source}, "lastTimestamp": "2026-01-01T11:59:00Z",
            "involvedObject": {"kind": "PersistentVolumeClaim", "namespace": "n", "name": "data", "uid": "c"}})
    }

    const EXTERNAL: &str = "waiting for a volume to be created, either by external provisioner \"csi.example.com\" or manually created by system administrator";

    #[test]
    fn a_claim_that_only_the_volume_controller_speaks_of_has_a_silent_provisioner() {
        let case =
            pod("2026-01-01T11:49:00Z").with(said("ExternalProvisioning", "persistentvolume-controller", EXTERNAL));
        assert_eq!(
            one(case.check(&RULE)).headline,
            "claim data has waited for 11m for provisioner csi.example.com, which has not answered"
        );
    }

    #[test]
    fn without_events_the_annotation_tells_and_is_less_sure_where_they_were_refused() {
        assert_eq!(one(pod("2026-01-01T11:00:00Z").check(&RULE)).certainty, Certainty::Likely);
        assert_eq!(one(pod("2026-01-01T11:00:00Z").refused("events").check(&RULE)).certainty, Certainty::Possible);
    }

    #[test]
    fn a_provisioner_that_reports_an_error_is_not_silent() {
        let case = pod("2026-01-01T11:49:00Z").with(said("ProvisioningFailed", "csi.example.com_0", "quota"));
        none(case.check(&RULE));
    }

    #[test]
    fn a_new_claim_is_given_a_minute() {
        let case =
            pod("2026-01-01T11:59:30Z").with(said("ExternalProvisioning", "persistentvolume-controller", EXTERNAL));
        assert_eq!(case.check(&RULE).remove(0).standing, Standing::InProgress);
    }
}
