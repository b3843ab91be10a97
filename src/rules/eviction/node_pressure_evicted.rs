//! The kubelet took the pod away because its node ran short.

use super::{OF_THE_END, successor};
use crate::facts::{Evidence, Facts, PodEnd, Pressure, Quantity};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NodePressureEvicted",
    stage: Stage::Eviction,
    summary: "the kubelet evicted the pod because the node ran short of memory, disk, inodes or PIDs",
    explains: OF_THE_END,
    check,
    explain: r#"
## Meaning
The node had less of a resource left than the kubelet's eviction threshold, so the kubelet ended pods until it had more. It
takes pods that use more than they request first, then those of low priority. A pod that arrives while the node has that
condition is refused with the same reason.

## Signs
`status.reason` is `Evicted`, and the message says `The node was low on resource` or `The node had condition`. Exit codes of
the containers, 137 among them, only follow from it.

## Fix
Find what filled the node: the pod that the message names need not be it. Give pods requests that match their use, so that
the scheduler does not overfill the node and the right pods go first.

## Not this
A pod over a limit of its own is EphemeralStorageExceeded, EmptyDirLimitExceeded or OOMKilled. A drain is EvictedThroughAPI.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(PodEnd::NodePressure(pressure)) = facts.pod_end() else { return Vec::new() };
    let node = facts.node_title();
    let headline = match (pressure.at_admission, pressure.resource.as_str()) {
        (true, condition) => format!("{node} was under {condition}, so its kubelet gave the pod up"),
        (false, "") => format!("the kubelet of {node} evicted the pod to relieve the node"),
        (false, resource) => format!("{node} ran low on {resource}, and its kubelet evicted the pod"),
    };
    let resource = counted(&pressure);
    let mut finding = Finding::new(facts.subject(), headline)
        .standing(facts.standing_of_removal())
        .because(facts.cite_ending())
        .because(facts.cite(&["status", "qosClass"]))
        .because(too_small(&pressure));
    for container in facts.main_containers() {
        finding = finding
            .because(facts.cite_spec(container, &["resources", "requests", resource]))
            .because(facts.cite_spec(container, &["resources", "limits", resource]));
    }
    let finding =
        finding.remedy(facts.pod.node_name().map(|n| Remedy::look(Command::kubectl(["describe", "node", n]))));
    let finding = match resource {
        "memory" | "ephemeral-storage" => finding.remedy(request(facts, &pressure, resource)),
        _ => finding,
    };
    vec![finding.remedy(successor(facts))]
}

/// To request what is used. The message tells of containers how much that was; else the reader has to know.
fn request(facts: &Facts<'_>, pressure: &Pressure, resource: &str) -> Remedy {
    let most = pressure.blamed.iter().filter_map(|(name, used, _)| Some((name, used, Quantity::parse(used)?)));
    let most = most.filter(|(name, ..)| facts.container(name).is_some()).max_by_key(|(.., amount)| *amount);
    let why = "so that it lands where there is room and is not the first to go";
    match most {
        Some((name, used, amount)) => {
            let mebibytes = amount.units().saturating_add((1 << 20) - 1) >> 20;
            let request = format!("--requests={resource}={mebibytes}Mi");
            let say = format!("Request what container {name} used, {used}, {why}:");
            facts.owner.set(&say, "resources", &["-c", name, &request])
        }
        None => {
            let request = format!("--requests={resource}=AMOUNT");
            facts.owner.set(&format!("Request what the program uses, {why}:"), "resources", &[&request])
        }
    }
}

/// The resource that requests are made in.
fn counted(pressure: &Pressure) -> &'static str {
    match pressure.resource.to_ascii_lowercase() {
        r if r.contains("memory") => "memory",
        r if r.contains("disk") || r.contains("storage") || r.contains("fs") => "ephemeral-storage",
        _ => "",
    }
}

/// The message names containers that are over their requests, which is not to say that they filled the node.
fn too_small(pressure: &Pressure) -> Option<Evidence> {
    let (threshold, available) = pressure.threshold.as_ref()?;
    let short = Quantity::parse(threshold)?.minus(Quantity::parse(available)?);
    let used = pressure.blamed.iter().filter_map(|(_, used, _)| Quantity::parse(used));
    let used = used.fold(Quantity::ZERO, Quantity::plus);
    (!pressure.blamed.is_empty() && used < short).then(|| {
        Evidence::derived(format!(
            "what the message names used {}, less than the {} that the node was short of: something else filled it",
            used.show(counted(pressure)),
            short.show(counted(pressure)),
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn evicted(message: &str) -> Case {
        Case::pod(
            json!({"nodeName": "node-1", "containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]}),
            json!({"phase": "Failed", "reason": "Evicted", "message": message}),
        )
    }

    #[test]
    fn both_an_eviction_and_a_refusal_on_arrival_are_told() {
        let finding = one(evicted("The node was low on resource: memory. ").check(&RULE));
        assert_eq!(finding.headline, "node-1 ran low on memory, and its kubelet evicted the pod");
        let finding = one(evicted("Pod was rejected: The node had condition: [DiskPressure]. ").check(&RULE));
        assert_eq!(finding.headline, "node-1 was under DiskPressure, so its kubelet gave the pod up");
    }

    #[test]
    fn what_a_container_used_is_what_it_is_to_request() {
        let message = "The node was low on resource: memory. Container app was using 616164Ki, request is 0, has larger \
            consumption of memory. ";
        let case = evicted(message).edit(
            "/metadata/ownerReferences",
            json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "d", "controller": true}]),
        );
        let commands: Vec<String> =
            one(case.check(&RULE)).remedies.iter().filter_map(|r| Some(r.command.as_ref()?.to_string())).collect();
        assert!(commands.iter().any(|c| c.ends_with("-c app --requests=memory=602Mi")), "{commands:?}");
    }

    #[test]
    fn a_container_that_used_little_is_not_blamed() {
        let message = "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 2Gi. Container \
            app was using 108Ki, request is 0, has larger consumption of ephemeral-storage. ";
        let finding = one(evicted(message).check(&RULE));
        let said = format!("{:?}", finding.evidence);
        assert!(said.contains("used 108Ki, less than the 8Gi"), "{said}");
    }

    #[test]
    fn a_pod_over_its_own_limit_and_a_pod_on_a_node_under_pressure_are_not_told() {
        none(evicted("Usage of EmptyDir volume \"s\" exceeds the limit \"16Mi\". ").check(&RULE));
        none(evicted("The node was low on resource: memory").edit("/status", json!({"phase": "Running"})).check(&RULE));
    }
}
