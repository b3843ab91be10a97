//! A volume is still attached to another node.

use crate::facts::mounts::Trouble;
use crate::facts::{Evidence, Facts};
use crate::finding::{Certainty, Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeMultiAttach",
    stage: Stage::Dependencies,
    summary: "the volume is still attached to another node, or used by a pod there",
    explains: &["VolumeAttachFailed", "VolumeMountFailed"],
    check,
    explain: r#"
## Meaning
A volume that one node at a time can have (ReadWriteOnce) is still attached to another node. It is detached only when no pod
uses it there any more and that node's kubelet has unmounted it.

## Signs
A FailedAttachVolume event `Multi-Attach error for volume …`, which names the pods that use it; the same in the words of a
driver (`VolumeInUse`, `is already attached to`); or a VolumeAttachment of the volume with another node.

## Fix
End the other pod. A rolling update of a Deployment with such a claim blocks itself: the new pod waits for the volume of the old
one, which stays until the new one is ready; the strategy Recreate ends the old one first. A node that is dead cannot unmount:
Kubernetes waits six minutes after the pod is gone, or for the taint `node.kubernetes.io/out-of-service`.

## Not this
A claim for a single pod (ReadWriteOncePod) is VolumeInUse.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let here = facts.pod.node_name().unwrap_or_default();
    let failures = facts.mount_failures();
    let mut findings = Vec::new();
    for failure in &failures {
        if let Trouble::AttachedElsewhere { node, pods } = &failure.trouble {
            findings.push(found(facts, &failure.volume, node.clone(), pods.clone(), vec![failure.event.cite()]));
        }
    }
    if failures.is_empty() && facts.awaits_volumes() {
        for claim in facts.claims().iter().filter(|c| c.found().is_some_and(|o| o.is_for_one_node())) {
            let Some(pv) = claim.volume_name() else { continue };
            let attachments = facts.attachments(pv);
            if let Some(other) = attachments.iter().find(|a| a.attached && a.node != here)
                && !attachments.iter().any(|a| a.attached && a.node == here)
            {
                let cite = |steps: &[&str]| facts.cite_other("VolumeAttachment", &other.name, steps);
                let evidence =
                    [cite(&["spec", "nodeName"]), cite(&["status", "attached"])].into_iter().flatten().collect();
                let finding = found(facts, &claim.volume, Some(other.node.clone()), Vec::new(), evidence);
                findings.push(finding.certainty(Certainty::Likely));
            }
        }
    }
    findings
}

fn found(
    facts: &Facts<'_>,
    volume: &str,
    node: Option<String>,
    mut pods: Vec<String>,
    mut evidence: Vec<Evidence>,
) -> Finding {
    let here = facts.pod.node_name().unwrap_or_default();
    let source = facts.source_of(volume);
    let users = source.claim.as_ref().map(|c| facts.other_users(&c.name)).unwrap_or_default();
    let elsewhere: Vec<_> = users.into_iter().filter(|(_, n)| n.as_deref().is_some_and(|n| n != here)).collect();
    let attached =
        source.claim.as_ref().and_then(|c| c.volume_name()).map(|pv| facts.attachments(pv)).unwrap_or_default();
    let node = node
        .or_else(|| attached.into_iter().find(|a| a.attached && a.node != here).map(|a| a.node))
        .or_else(|| elsewhere.iter().find(|(p, _)| pods.is_empty() || pods.contains(p)).and_then(|(_, n)| n.clone()));
    if pods.is_empty() {
        pods.extend(elsewhere.iter().filter(|(_, n)| n.is_none() || *n == node).map(|(p, _)| p.clone()));
    }
    for (pod, on) in &elsewhere {
        evidence
            .push(Evidence::derived(format!("pod {pod} on {} uses the same claim", on.as_deref().unwrap_or_default())));
    }
    let place = node.as_ref().map_or_else(|| "another node".to_owned(), |n| format!("node {n}"));
    let by = if pods.is_empty() { String::new() } else { format!(", where {} uses it", pods.join(", ")) };
    let headline =
        format!("{} is still attached to {place}{by}, and can only be attached to one node at a time", source.title);
    let finding = Finding::new(facts.subject(), headline)
        .because(evidence)
        .because(source.evidence)
        .remedy(facts.look(["get", "pods", "-o", "wide"]))
        .remedy(Remedy::look(Command::kubectl(["get", "volumeattachments"])));
    remedied(facts, finding, node.as_deref(), &pods)
}

fn remedied(facts: &Facts<'_>, finding: Finding, node: Option<&str>, pods: &[String]) -> Finding {
    let lost = node.filter(|n| facts.node_named(n).is_some_and(|n| !n.is_ready()));
    let recreate = (facts.owner.kind == "Deployment").then(|| {
        let patch = r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#;
        Remedy::change(
            "Let the Deployment end its old pod before it starts the new one; each update then is a pause in service:",
            facts.kubectl(["patch", &facts.owner.argument(), "--type=merge", "-p", patch]),
        )
    });
    let wait = match (lost, pods) {
        (Some(node), _) => {
            format!("Bring {node} back: its kubelet then unmounts the volume, and it is detached.")
        }
        (None, []) => "Wait: a volume that no pod uses there any more is detached within minutes.".to_owned(),
        (None, pods) => {
            format!("End {} (scale its owner down, or drain its node); the volume is then detached.", pods.join(", "))
        }
    };
    let finding = finding.remedy(recreate).remedy(Remedy::advice(wait));
    let Some(node) = lost else { return finding };
    finding.remedy(Remedy::last_resort(
        format!(
            "Deletes the pods on {node} and takes their volumes away without unmounting; what {node} still writes is lost and can damage the data. Only if you know that the machine is off:"
        ),
        Command::kubectl(["taint", "nodes", node, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"]),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn waiting() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/volumes", json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))
            .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
                "spec": {"volumeName": "pv-1", "accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Bound"}}))
    }

    fn other(phase: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "old", "namespace": "n"}, "status": {"phase": phase},
            "spec": {"nodeName": "node-2", "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}})
    }

    fn multi(rest: &str) -> Case {
        waiting().event(
            "FailedAttachVolume",
            "",
            &format!("Multi-Attach error for volume \"pv-1\" Volume is already {rest}"),
        )
    }

    #[test]
    fn the_pod_that_is_named_is_found_on_its_node() {
        let finding = one(multi("used by pod(s) old").with(other("Running")).check(&RULE));
        assert_eq!(
            finding.headline,
            "volume d (claim data, PersistentVolume pv-1) is still attached to node node-2, where old uses it, and can only be attached to one node at a time"
        );
    }

    #[test]
    fn a_node_that_is_named_is_said() {
        let finding = one(multi("exclusively attached to node node-9 and can't be attached to another").check(&RULE));
        assert!(finding.headline.contains("still attached to node node-9, and"), "{}", finding.headline);
    }

    #[test]
    fn two_pods_with_one_claim_alone_prove_nothing() {
        none(waiting().with(other("Running")).check(&RULE));
    }

    #[test]
    fn without_events_the_volume_attachment_tells() {
        let attachment = |node: &str| {
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": format!("csi-{node}")},
                "spec": {"nodeName": node, "source": {"persistentVolumeName": "pv-1"}}, "status": {"attached": true}})
        };
        assert_eq!(one(waiting().with(attachment("node-2")).check(&RULE)).certainty, Certainty::Likely);
        none(waiting().with(attachment("node-2")).with(attachment("node-1")).check(&RULE));
    }

    #[test]
    fn a_lost_node_is_brought_back_or_given_up_and_a_deployment_can_replace_its_pod_first() {
        let node = |ready: &str| {
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-9"},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        let of = |ready: &str| {
            let owner =
                json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "d", "controller": true}]);
            let case = multi("exclusively attached to node node-9 and can't be attached to another");
            format!("{:?}", one(case.edit("/metadata/ownerReferences", owner).with(node(ready)).check(&RULE)).remedies)
        };
        let lost = of("Unknown");
        assert!(
            lost.contains("Bring node-9 back") && lost.contains("out-of-service") && lost.contains("Recreate"),
            "{lost}"
        );
        let well = of("True");
        assert!(well.contains("detached within minutes") && !well.contains("out-of-service"), "{well}");
    }
}
