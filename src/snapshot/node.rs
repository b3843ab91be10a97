//! A node, cut down to what rules read: a cluster has thousands, and a whole one is 20 kB.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A node. Field names and meaning as in `core/v1` Node; what is not here is not kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// Name, uid, labels.
    #[serde(deserialize_with = "lenient")]
    pub metadata: Metadata,
    /// Taints and whether it is cordoned.
    #[serde(deserialize_with = "lenient")]
    pub spec: Spec,
    /// What it offers and how it is.
    #[serde(deserialize_with = "lenient")]
    pub status: Status,
}

/// `metadata` of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The node's name.
    pub name: String,
    /// The node's uid.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// When the node registered.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub creation_timestamp: Option<Timestamp>,
    /// When the node's deletion was asked for.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub deletion_timestamp: Option<Timestamp>,
    /// Labels, on which selectors and affinity act.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "lenient")]
    pub labels: BTreeMap<String, String>,
}

/// `spec` of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Taints.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient")]
    pub taints: Vec<Taint>,
    /// Whether the node is cordoned.
    #[serde(skip_serializing_if = "std::ops::Not::not", deserialize_with = "lenient")]
    pub unschedulable: bool,
}

/// A taint of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Taint {
    /// The taint's key.
    pub key: String,
    /// The taint's value, often empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
    /// When it was added.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub time_added: Option<Timestamp>,
}

/// `status` of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// What pods may request in all, by resource name.
    #[serde(deserialize_with = "lenient")]
    pub allocatable: BTreeMap<String, String>,
    /// What the machine has, by resource name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "lenient")]
    pub capacity: BTreeMap<String, String>,
    /// Ready, MemoryPressure and so on.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient")]
    pub conditions: Vec<Condition>,
    /// Operating system, architecture, versions.
    #[serde(deserialize_with = "lenient")]
    pub node_info: NodeInfo,
}

/// A condition of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `Ready`, `MemoryPressure`, `DiskPressure`, `PIDPressure`, `NetworkUnavailable`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word for machines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// A sentence for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the kubelet last reported it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub last_heartbeat_time: Option<Timestamp>,
    /// Since when it is so.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient")]
    pub last_transition_time: Option<Timestamp>,
}

/// `status.nodeInfo` of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeInfo {
    /// `amd64`, `arm64`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// `containerd://2.1.4`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container_runtime_version: String,
    /// `v1.36.2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kubelet_version: String,
    /// `linux`, `windows`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operating_system: String,
}

impl Node {
    /// The condition of that type.
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.status.conditions.iter().find(|c| c.type_ == type_)
    }

    /// Whether the kubelet says that it is ready. A node without the condition is not.
    pub fn is_ready(&self) -> bool {
        self.condition("Ready").is_some_and(|c| c.status == "True")
    }

    /// Since when the kubelet has not reported: the node controller sets Ready to Unknown after its grace period.
    pub fn is_lost(&self) -> bool {
        self.condition("Ready").is_some_and(|c| c.status == "Unknown")
    }
}

/// A field of an unexpected type counts as absent: one odd field does not lose the node.
fn lenient<'de, D: serde::Deserializer<'de>, T: Default + serde::de::DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
