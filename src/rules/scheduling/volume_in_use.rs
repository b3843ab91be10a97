//! A claim for one pod is used by another.

use crate::facts::Facts;
use crate::facts::mounts::Trouble;
use crate::facts::volume_words::VolumeWord;
use crate::facts::volumes::Claim;
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeInUse",
    stage: Stage::Scheduling,
    summary: "a ReadWriteOncePod claim is used by another pod",
    explains: &["VolumeAttachFailed", "VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
The access mode ReadWriteOncePod lets one pod of the whole cluster use the claim, and another pod has it.

## Signs
The claim's accessModes, and another pod that is on a node, has not ended and names the same claim. The scheduler says `…
ReadWriteOncePod access mode already in-use by another pod`; the kubelet says so in a FailedMount event.

## Fix
End the other pod. A Deployment with such a claim needs the strategy Recreate and one replica. Pods that share data need
ReadWriteMany, or ReadWriteOnce on one node.

## Not this
A ReadWriteOnce volume on another node is VolumeMultiAttach.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.awaits_claims() {
        return Vec::new();
    }
    let said = facts.scheduler_on_volumes();
    let failures = facts.mount_failures();
    let mount = failures.iter().find(|f| f.trouble == Trouble::InUse);
    let told = mount.map(|f| f.event.cite()).or_else(|| said.say(&VolumeWord::InUse).then(|| said.cite()).flatten());
    let claims = facts.claims();
    let single: Vec<&Claim> = claims.iter().filter(|c| c.found().is_some_and(|o| o.is_for_one_pod())).collect();
    let mut findings: Vec<Finding> = single
        .iter()
        .filter_map(|claim| {
            let users = facts.other_users(&claim.name);
            let (pod, node) = users.into_iter().find_map(|(pod, node)| Some((pod, node?)))?;
            let headline = format!("claim {} is for one pod at a time, and pod {pod} on {node} has it", claim.name);
            let finding = Finding::new(claim.subject(), headline)
                .because(facts.cite_claim(claim, &["spec", "accessModes"]))
                .because(facts.cite_other("Pod", &pod, &["spec", "nodeName"]))
                .because(told.clone())
                .remedy(facts.look(["get", "pod", &pod, "-o", "wide"]));
            Some(remedied(facts, finding, &pod))
        })
        .collect();
    if findings.is_empty() && told.is_some() {
        let names: Vec<&str> =
            if single.is_empty() { claims.iter().collect() } else { single }.iter().map(|c| c.name.as_str()).collect();
        let which =
            if names.is_empty() { "a disk of the pod is".to_owned() } else { format!("claim {} is", names.join(", ")) };
        let finding = Finding::new(facts.subject(), format!("{which} in use by another pod")).because(told);
        findings.push(remedied(facts, finding.remedy(facts.look(["get", "pods", "-o", "wide"])), "the other pod"));
    }
    findings
}

fn remedied(facts: &Facts<'_>, finding: Finding, pod: &str) -> Finding {
    let recreate = (facts.owner.kind == "Deployment").then(|| {
        let patch = r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#;
        Remedy::change(
            "Let the Deployment end its old pod before it starts the new one; each update then is a pause in service:",
            facts.kubectl(["patch", &facts.owner.argument(), "--type=merge", "-p", patch]),
        )
    });
    finding
        .remedy(recreate)
        .remedy(Remedy::advice(format!("End {pod}, by scaling its owner down; this pod then goes on by itself.")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(mode: &str) -> Case {
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
            "spec": {"accessModes": [mode], "volumeName": "pv-1"}, "status": {"phase": "Bound"}}))
    }

    fn other(phase: &str, node: Option<&str>) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "first", "namespace": "n"}, "status": {"phase": phase},
            "spec": {"nodeName": node, "volumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "data"}}]}})
    }

    #[test]
    fn the_pod_that_has_it_is_named() {
        let finding = one(pod("ReadWriteOncePod").with(other("Running", Some("node-1"))).check(&RULE));
        assert_eq!(finding.headline, "claim data is for one pod at a time, and pod first on node-1 has it");
    }

    #[test]
    fn a_pod_that_has_ended_or_has_no_node_holds_nothing() {
        none(pod("ReadWriteOncePod").with(other("Succeeded", Some("node-1"))).check(&RULE));
        none(pod("ReadWriteOncePod").with(other("Pending", None)).check(&RULE));
    }

    #[test]
    fn other_access_modes_let_pods_share() {
        none(pod("ReadWriteOnce").with(other("Running", Some("node-1"))).check(&RULE));
    }

    #[test]
    fn the_scheduler_is_enough() {
        let said = json!([{"type": "PodScheduled", "status": "False",
            "message": "0/3 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode."}]);
        let finding = one(pod("ReadWriteOncePod").edit("/status/conditions", said).check(&RULE));
        assert_eq!(finding.headline, "claim data is in use by another pod");
    }
}
