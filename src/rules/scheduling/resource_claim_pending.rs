//! A dynamic resource claim of the pod is missing or not allocated.

use crate::facts::scheduling::{Says, named};
use crate::facts::{Claimed, Facts};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;
use crate::snapshot::Lookup;

pub(super) const RULE: Rule = Rule {
    reason: "ResourceClaimPending",
    stage: Stage::Scheduling,
    summary: "a ResourceClaim of the pod is missing or not allocated",
    explains: &["SchedulerAbsent"],
    check,
    explain: r#"
## Meaning
The pod asks for devices through ResourceClaims (dynamic resource allocation). A claim that it names does not exist, has not
been made from its template yet, or finds no device that matches. Without its claims the scheduler does not even try the pod.

## Signs
`spec.resourceClaims` against the ResourceClaims of the namespace and their `status.allocation`. The scheduler says
`resourceclaim … not found`, `cannot allocate all claims`, or nothing at all. On the node the event
FailedPrepareDynamicResources says that the driver could not prepare the device.

## Fix
Make the claim that is missing, correct its name, or look at its device class, its requests and the ResourceSlices that the
device drivers publish.

## Not this
GPUs that are requested as `nvidia.com/gpu` are InsufficientExtendedResource. PersistentVolumeClaims have their own reasons.
"#,
};

/// The controller makes claims from templates within seconds; a rule of thumb.
const PATIENCE: i64 = 30;

/// Events about claims of a pod: of the controller that makes them, of the scheduler that waits for a device.
const SAID: [&str; 2] = ["FailedResourceClaimCreation", "BindingConditionsPending"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if let Some(finding) = unprepared(facts) {
        return vec![finding];
    }
    let claims = facts.resource_claims();
    let heard = facts.scheduling_sentence().is_some_and(|s| s.says(Says::Reason("ResourceClaimPending")))
        || facts.events.with(&SAID).next().is_some();
    let young = facts.pod.age(facts.now).is_none_or(|age| age < PATIENCE);
    if !facts.awaits_node() || facts.gates().next().is_some() || young || claims.is_empty() && !heard {
        return Vec::new();
    }
    let silent = !facts.scheduling_tried();
    let trouble = claims.iter().filter_map(|claim| told(facts, claim, heard, silent));
    let findings: Vec<Finding> = trouble.collect();
    match findings.is_empty() && heard {
        true => vec![in_its_words(facts, &claims)],
        false => findings,
    }
}

/// The pod has its node, and the driver of a device cannot prepare it there.
fn unprepared(facts: &Facts<'_>) -> Option<Finding> {
    let event = facts.events.latest("FailedPrepareDynamicResources").filter(|_| facts.awaits_volumes())?;
    let node = facts.node_title();
    let said = ["Failed to prepare dynamic resources: ", "prepare dynamic resources: "];
    let why = said.iter().fold(event.message.trim(), |text, start| text.strip_prefix(start).unwrap_or(text));
    let headline = format!("{node} cannot prepare what the pod claims: {why}");
    let claims = facts.cite(&["spec", "resourceClaims"]);
    Some(
        Finding::new(facts.subject(), headline)
            .because(event.cite())
            .because(claims)
            .remedy(facts.look(["get", "resourceclaims"]))
            .remedy(Remedy::advice(format!("Look at the device driver's pod on {node}: that it runs, and its log."))),
    )
}

/// What is wrong with one claim. An unallocated claim is no trouble by itself: the scheduler allocates it with the node.
fn told(facts: &Facts<'_>, claim: &Claimed<'_>, heard: bool, silent: bool) -> Option<Finding> {
    let at = facts.cite(&["spec", "resourceClaims", claim.name]);
    let Some(object) = claim.object else {
        let template = claim.template?;
        let say = format!("no ResourceClaim has been made for the pod from the template {template}");
        let finding = Finding::new(facts.subject(), say).because(at);
        return (heard || silent).then(|| {
            finding
                .because(facts.cite_missing("ResourceClaimTemplate", template))
                .because(facts.cite_sentence())
                .because(facts.events.with(&SAID).map(|e| e.cite()))
                .remedy(facts.look(["get", "resourceclaimtemplates", template]))
        });
    };
    let (certainty, headline) = match facts.lookup("ResourceClaim", object) {
        Lookup::NotFound => (Certainty::Certain, format!("the ResourceClaim {object} does not exist")),
        Lookup::Found(_) if claim.allocated => return None,
        Lookup::Found(_) if heard => (Certainty::Certain, format!("the ResourceClaim {object} is not allocated")),
        Lookup::Found(_) => return None,
        _ if heard => (Certainty::Certain, format!("the ResourceClaim {object} is not there or not allocated")),
        _ if silent => (
            Certainty::Likely,
            format!("no scheduler tries the pod, as long as its ResourceClaim {object} is not there"),
        ),
        _ => return None,
    };
    let silence = silent.then(|| facts.cite_absence(&["status", "conditions", "PodScheduled"])).flatten();
    Some(
        Finding::new(facts.subject(), headline)
            .certainty(certainty)
            .because(at)
            .because(facts.cite_missing("ResourceClaim", object))
            .because(silence)
            .because(facts.cite_sentence())
            .remedy(facts.look(["get", "resourceclaims", object, "-o", "yaml"]))
            .remedy(Remedy::advice(format!(
                "Make the ResourceClaim {object} in this namespace, or see which devices its device class offers."
            ))),
    )
}

fn in_its_words(facts: &Facts<'_>, claims: &[Claimed<'_>]) -> Finding {
    let names: Vec<&str> = claims.iter().map(|c| c.object.unwrap_or(c.name)).collect();
    let headline = match names.as_slice() {
        [] => "the scheduler cannot allocate what the pod claims".to_owned(),
        names => format!("the scheduler cannot allocate the pod's resource claims: {}", named(names)),
    };
    Finding::new(facts.subject(), headline)
        .because(facts.cite(&["spec", "resourceClaims"]))
        .because(facts.cite_sentence())
        .because(facts.events.with(&SAID).map(|e| e.cite()))
        .remedy(facts.look(["get", "resourceclaims"]))
        .remedy(Remedy::advice("See which devices the ResourceSlices of the nodes offer, and who holds them."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::refused;
    use crate::rules::testing::{Case, none, one};

    fn claiming(status: serde_json::Value) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "resourceClaims": [{"name": "gpu", "resourceClaimName": "shared"}]}),
            status,
        )
    }

    #[test]
    fn a_claim_that_does_not_exist_is_certain_and_one_that_nobody_looked_for_is_likely() {
        let silent = || claiming(json!({"phase": "Pending"}));
        let missing = one(silent().complete(&["resourceclaims.resource.k8s.io"]).check(&RULE));
        assert_eq!(
            (missing.certainty, missing.headline.as_str()),
            (Certainty::Certain, "the ResourceClaim shared does not exist")
        );
        assert_eq!(one(silent().check(&RULE)).certainty, Certainty::Likely);
    }

    #[test]
    fn a_device_that_its_driver_cannot_prepare_is_told_until_the_pod_starts() {
        let said =
            "Failed to prepare dynamic resources: prepare dynamic resources: DRA driver g.example is not registered";
        let bound = |status| {
            claiming(status).edit("/spec/nodeName", json!("node-1")).event("FailedPrepareDynamicResources", "", said)
        };
        assert_eq!(
            one(bound(json!({"phase": "Pending"})).check(&RULE)).headline,
            "node-1 cannot prepare what the pod claims: DRA driver g.example is not registered"
        );
        let running = json!([{"name": "app", "state": {"running": {"startedAt": "2026-01-01T11:59:00Z"}}}]);
        none(bound(json!({"phase": "Running", "containerStatuses": running})).check(&RULE));
    }

    #[test]
    fn a_claim_without_complaint_is_allocated_with_the_node() {
        let claim = json!({"kind": "ResourceClaim", "metadata": {"name": "shared", "namespace": "n"}});
        none(claiming(json!({"phase": "Pending"})).with(claim).check(&RULE));
        none(refused("0/1 nodes are available: 1 Insufficient cpu.").check(&RULE));
    }

    #[test]
    fn where_the_claims_tell_nothing_the_schedulers_words_do() {
        let said = |case: Case| one(case.check(&RULE)).headline;
        let words = "0/1 nodes are available: 1 cannot allocate all claims.";
        assert_eq!(said(refused(words)), "the scheduler cannot allocate what the pod claims");
        let claim = json!({"kind": "ResourceClaim", "metadata": {"name": "shared", "namespace": "n"}, "status": {"allocation": {}}});
        let claims = json!([{"name": "gpu", "resourceClaimName": "shared"}]);
        let allocated = refused(words).edit("/spec/resourceClaims", claims.clone()).with(claim);
        assert_eq!(said(allocated), "the scheduler cannot allocate the pod's resource claims: shared");
        let open = json!({"kind": "ResourceClaim", "metadata": {"name": "shared", "namespace": "n"}});
        let open = one(refused(words).edit("/spec/resourceClaims", claims).with(open).check(&RULE));
        assert_eq!(open.certainty, Certainty::Certain);
        assert!(open.headline.contains("ResourceClaim shared is not allocated"), "{}", open.headline);
    }
}
