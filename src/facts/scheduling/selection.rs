//! Whether the nodes that bear the labels of a pod's `nodeSelector` tell by themselves why the pod has no node, so that the other
//! thousands need not be read. They do where the report is the same with them alone as with all nodes.

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use super::demand::{self, items};
use super::fit::{allocatable, by_spec};
use super::obstacles::{PLACE, STATE};
use super::{Filter, Filters, Says, Sentence};
use crate::snapshot::Node;

/// What a node alone decides, with the pods that are on it.
const ROOM: Filters = Filters::of(&[
    Filter::Cpu,
    Filter::Memory,
    Filter::EphemeralStorage,
    Filter::Extended,
    Filter::Pods,
    Filter::HostPort,
]);
/// A longer selector is not put into a question.
const LONGEST: usize = 1000;

/// The label selector of the nodes that are worth reading first. Nothing if the pod has no node selector; if the scheduler does
/// not say that it found too little room, as then perhaps no node bears the labels; and if nodes without them have a say, by the
/// pods there or by a volume.
pub fn selection(pod: &Value) -> Option<String> {
    let wanted = pod.pointer("/spec/nodeSelector")?.as_object()?;
    let refused = items(pod, &["status", "conditions"])
        .find(|c| c.get("type").and_then(Value::as_str) == Some("PodScheduled"))?;
    let sentence = Sentence::parse(refused.get("message")?.as_str()?);
    let (mut found_no_room, mut others) = (false, false);
    for clause in &sentence.clauses {
        match clause.says {
            Says::Filter(filter) if ROOM.has(filter) => found_no_room = true,
            Says::Filter(filter) if STATE.has(filter) || filter == Filter::Selector => {}
            Says::Place | Says::Nothing => {}
            _ => others = true,
        }
    }
    if !found_no_room || others || rests_on_other_nodes(pod) {
        return None;
    }
    let label = |(key, value): (&String, &Value)| {
        let value = value.as_str()?;
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
        (!key.is_empty() && plain(key) && plain(value)).then(|| format!("{key}={value}"))
    };
    let mut labels: Vec<String> = wanted.iter().map(label).collect::<Option<_>>()?;
    labels.sort_unstable();
    let labels = labels.join(",");
    (!labels.is_empty() && labels.len() <= LONGEST).then_some(labels)
}

/// Whether there is a node among these that the pod's selector and affinity admit and that is large enough for it. With none,
/// only all nodes tell what there is instead.
pub fn has_suitable(pod: &Value, nodes: &[Node]) -> bool {
    let spec = pod.get("spec").and_then(|s| core::PodSpec::deserialize(s).ok()).unwrap_or_default();
    let requests = demand::requests(pod);
    nodes.iter().any(|node| {
        let large_enough = || requests.iter().all(|(resource, asked)| *asked <= allocatable(node, resource));
        !by_spec(&spec, node).0.meets(PLACE) && large_enough()
    })
}

fn rests_on_other_nodes(pod: &Value) -> bool {
    let by_pods = ["podAffinity", "podAntiAffinity"].iter().any(|term| {
        items(pod, &["spec", "affinity", term, "requiredDuringSchedulingIgnoredDuringExecution"]).next().is_some()
    });
    let spreads = items(pod, &["spec", "topologySpreadConstraints"]).next().is_some();
    let claims = items(pod, &["spec", "volumes"])
        .any(|v| v.get("persistentVolumeClaim").is_some() || v.get("ephemeral").is_some());
    by_pods || spreads || claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(message: &str, selector: Value) -> Value {
        json!({"spec": {"nodeSelector": selector, "containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]},
            "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}})
    }

    const FULL: &str =
        "0/9 nodes are available: 2 Insufficient cpu, 7 node(s) didn't match Pod's node affinity/selector.";

    #[test]
    fn nodes_of_the_selector_tell_all_where_they_are_full() {
        assert_eq!(selection(&pod(FULL, json!({"pool": "gpu", "a/b": "c"}))).as_deref(), Some("a/b=c,pool=gpu"));
        assert_eq!(selection(&pod(FULL, json!({}))), None);
    }

    #[test]
    fn where_perhaps_no_node_bears_the_labels_all_nodes_are_read() {
        for message in [
            "0/9 nodes are available: 9 node(s) didn't match Pod's node affinity/selector.",
            "0/9 nodes are available: 2 node(s) had untolerated taint(s), 7 node(s) didn't match Pod's node affinity/selector.",
            "0/9 nodes are available: 2 Insufficient cpu, 7 node(s) had volume node affinity conflict.",
            "pod has unbound immediate PersistentVolumeClaims",
        ] {
            assert_eq!(selection(&pod(message, json!({"pool": "gpu"}))), None, "{message}");
        }
    }

    #[test]
    fn where_pods_or_volumes_decide_elsewhere_all_nodes_are_read() {
        for (field, value) in [
            ("topologySpreadConstraints", json!([{"topologyKey": "zone"}])),
            ("volumes", json!([{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}])),
            ("affinity", json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}})),
        ] {
            let mut pod = pod(FULL, json!({"pool": "gpu"}));
            pod["spec"][field] = value;
            assert_eq!(selection(&pod), None, "{field}");
        }
    }

    #[test]
    fn what_is_no_label_goes_into_no_question() {
        for selector in
            [json!({"pool": "a,b"}), json!({"pool": "a b"}), json!({"": "x"}), json!({"pool": 1}), json!(["x"])]
        {
            assert_eq!(selection(&pod(FULL, selector.clone())), None, "{selector}");
        }
    }

    #[test]
    fn a_node_that_is_too_small_or_kept_away_by_affinity_is_not_suitable() {
        let node = |cpu: &str, zone: &str| -> Node {
            serde_json::from_value(json!({"metadata": {"name": "n", "labels": {"pool": "gpu", "zone": zone}},
                "status": {"allocatable": {"cpu": cpu}}}))
            .unwrap()
        };
        let mut pod = pod(FULL, json!({"pool": "gpu"}));
        let term = json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]});
        pod["spec"]["affinity"] =
            json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}});
        assert!(has_suitable(&pod, &[node("1", "a"), node("2", "a")]));
        assert!(!has_suitable(&pod, &[node("1", "a"), node("8", "b")]));
        assert!(!has_suitable(&pod, &[]));
    }
}
