//! A claim of the pod is Pending.

use crate::facts::Facts;
use crate::facts::claims::{Pending, Wait};
use crate::facts::mounts::Trouble;
use crate::facts::volume_words::VolumeWord;
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ClaimUnbound",
    stage: Stage::Scheduling,
    summary: "a PersistentVolumeClaim of the pod is Pending; the cause below it is named where it can be",
    explains: &["VolumeMountFailed", "BindingFailed"],
    check,
    explain: r#"
## Meaning
A claim of the pod has no PersistentVolume yet, and its StorageClass does not wait for the pod: it has to be bound before the
pod can be scheduled.

## Signs
The claim's phase is Pending; the scheduler says `pod has unbound immediate PersistentVolumeClaims`.

## Fix
`kubectl describe pvc` shows the claim's own events, which say what it waits for.

## Not this
A claim that waits for its first consumer (WaitForFirstConsumer) is a consequence of the pod's own scheduling, and no cause.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = facts.pending_claims();
    let findings: Vec<Finding> = pending.iter().filter_map(|p| found(facts, p)).collect();
    if !findings.is_empty() {
        return findings;
    }
    let said = facts.scheduler_on_volumes();
    let claims = facts.claims();
    // Claims that were read and are bound by now refute the scheduler's last sentence.
    let open: Vec<&str> = claims.iter().filter(|c| c.found().is_none()).map(|c| c.name.as_str()).collect();
    let unbound = facts.mount_failures().into_iter().find(|f| matches!(f.trouble, Trouble::ClaimUnbound(_)));
    let evidence = match unbound {
        Some(failure) if !open.is_empty() => Some(failure.event.cite()),
        _ if said.say(&VolumeWord::Unbound) && !open.is_empty() => said.cite(),
        _ => return Vec::new(),
    };
    let which = if open.len() == 1 {
        format!("claim {} is", open.join(""))
    } else {
        format!("one of the claims {} is", open.join(", "))
    };
    let finding = Finding::new(facts.subject(), format!("{which} not bound to a volume")).because(evidence);
    vec![finding.because(claims.iter().filter_map(|c| facts.cite_claim_name(c))).remedy(facts.look(["get", "pvc"]))]
}

fn found(facts: &Facts<'_>, pending: &Pending) -> Option<Finding> {
    let claim = &pending.claim;
    let class = claim.found().and_then(|c| c.class.as_deref()).filter(|c| !c.is_empty());
    let headline = match (&pending.wait, facts.pod.node_name()) {
        (Wait::Consumer, None) => return None,
        (Wait::Consumer, Some(node)) => format!(
            "claim {} waits for the scheduler to choose a node for its pod, but the pod was put on {node} without the scheduler",
            claim.name
        ),
        (Wait::Provisioning, _) => format!("claim {} is Pending, and its volume is being made", claim.name),
        _ => match class {
            Some(class) => format!(
                "claim {} of volume {} is Pending: it has no volume of StorageClass {class}",
                claim.name, claim.volume
            ),
            None => format!("claim {} of volume {} is Pending: it has no volume", claim.name, claim.volume),
        },
    };
    let said = facts.scheduler_on_volumes();
    let unbound = said.say(&VolumeWord::Unbound).then(|| said.cite()).flatten();
    let by_name = (pending.wait == Wait::Consumer).then(|| {
        facts.owner.edit("Leave the choice of the node to the scheduler: replace spec.nodeName by a nodeSelector")
    });
    let classes = class.map(|class| Remedy::look(Command::kubectl(["get", "storageclass", class])));
    Some(
        Finding::new(claim.subject(), headline)
            .standing(pending.standing)
            .because(facts.cite_claim(claim, &["status", "phase"]))
            .because(facts.cite_claim(claim, &["spec", "storageClassName"]))
            .because(unbound)
            .remedy(facts.look(["describe", "pvc", &claim.name]))
            .remedy(classes)
            .remedy(by_name),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(claim: Option<Value>) -> Case {
        let case = Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"}]}),
        );
        claim.into_iter().fold(case, Case::with)
    }

    fn claim(phase: &str) -> Option<Value> {
        Some(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n",
            "creationTimestamp": "2026-01-01T11:00:00Z"}, "spec": {"storageClassName": "slow"}, "status": {"phase": phase}}))
    }

    fn class(mode: &str) -> Value {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "slow"}, "provisioner": "p", "volumeBindingMode": mode})
    }

    #[test]
    fn a_pending_claim_is_named_with_its_class() {
        let finding = one(pod(claim("Pending")).check(&RULE));
        assert_eq!(finding.headline, "claim data of volume d is Pending: it has no volume of StorageClass slow");
    }

    #[test]
    fn a_claim_that_waits_for_the_pod_is_no_cause() {
        none(pod(claim("Pending")).with(class("WaitForFirstConsumer")).check(&RULE));
        one(pod(claim("Pending")).with(class("Immediate")).check(&RULE));
    }

    #[test]
    fn a_pod_that_bypassed_the_scheduler_waits_for_ever() {
        let bypassed =
            pod(claim("Pending")).with(class("WaitForFirstConsumer")).edit("/spec/nodeName", json!("node-1"));
        assert!(one(bypassed.check(&RULE)).headline.contains("put on node-1 without the scheduler"));
    }

    #[test]
    fn the_scheduler_is_believed_where_claims_may_not_be_read() {
        assert_eq!(
            one(pod(None).refused("persistentvolumeclaims").check(&RULE)).headline,
            "claim data is not bound to a volume"
        );
    }

    #[test]
    fn a_claim_that_is_bound_by_now_refutes_the_scheduler() {
        none(pod(claim("Bound")).check(&RULE));
    }
}
