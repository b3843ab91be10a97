//! From which nodes the pod's bound volumes can be reached.

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use super::labels::admits;
use crate::snapshot::{Node, Snapshot};

/// Labels by which a volume without node affinity says where it lives. Source: scheduler plugin `volumezone`.
const ZONES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

/// What the bound volumes of a pod demand of its node.
pub(super) struct Reach {
    affinity: Vec<core::NodeSelector>,
    zones: Vec<(&'static str, String)>,
}

impl Reach {
    pub(super) fn of(snapshot: &Snapshot, spec: &core::PodSpec, pod: &str, namespace: &str) -> Self {
        let mut reach = Self { affinity: Vec::new(), zones: Vec::new() };
        for volume in spec.volumes.iter().flatten() {
            let claim = match (&volume.persistent_volume_claim, &volume.ephemeral) {
                (Some(source), _) => source.claim_name.clone(),
                (None, Some(_)) => format!("{pod}-{}", volume.name),
                (None, None) => continue,
            };
            let bound = snapshot.object("PersistentVolumeClaim", namespace, &claim).found();
            let name = bound.and_then(|c| c.pointer("/spec/volumeName")).and_then(Value::as_str).unwrap_or_default();
            let Some(object) = snapshot.object("PersistentVolume", "", name).found() else { continue };
            let required = object.pointer("/spec/nodeAffinity/required");
            reach.affinity.extend(required.and_then(|r| core::NodeSelector::deserialize(r).ok()));
            let labels = object.pointer("/metadata/labels");
            let value = |key: &'static str| Some((key, labels?.get(key)?.as_str()?.to_owned()));
            reach.zones.extend(ZONES.into_iter().filter_map(value));
        }
        reach
    }

    /// Whether every bound volume can be reached from a node. A zone label that the node lacks says nothing.
    pub(super) fn admits(&self, node: &Node) -> bool {
        let here = |key: &str, zones: &str| {
            node.metadata.labels.get(key).is_none_or(|own| zones.split("__").any(|zone| zone == own))
        };
        self.affinity.iter().all(|selector| admits(selector, node))
            && self.zones.iter().all(|(key, zones)| here(key, zones))
    }
}
