//! Nodes, whole as far as rules read them.

use std::collections::BTreeMap;

use prost::Message;
use serde::Deserialize;

use super::{Items, Time, time};
use crate::snapshot::{self, Node};

#[derive(Clone, PartialEq, Message)]
pub(in crate::gather) struct NodeMessage {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    spec: Option<NodeSpec>,
    #[prost(message, optional, tag = "3")]
    status: Option<NodeStatus>,
}

#[derive(Clone, PartialEq, Message)]
struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(message, optional, tag = "8")]
    creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    deletion_timestamp: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeSpec {
    #[prost(bool, tag = "4")]
    unschedulable: bool,
    #[prost(message, repeated, tag = "5")]
    taints: Vec<Taint>,
}

#[derive(Clone, PartialEq, Message)]
struct Taint {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(string, tag = "3")]
    effect: String,
    #[prost(message, optional, tag = "4")]
    time_added: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeStatus {
    #[prost(btree_map = "string, message", tag = "1")]
    capacity: BTreeMap<String, Quantity>,
    #[prost(btree_map = "string, message", tag = "2")]
    allocatable: BTreeMap<String, Quantity>,
    #[prost(message, repeated, tag = "4")]
    conditions: Vec<Condition>,
    #[prost(message, optional, tag = "7")]
    node_info: Option<NodeInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantity {
    #[prost(string, tag = "1")]
    string: String,
}

#[derive(Clone, PartialEq, Message)]
struct Condition {
    #[prost(string, tag = "1")]
    type_: String,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(message, optional, tag = "3")]
    last_heartbeat_time: Option<Time>,
    #[prost(message, optional, tag = "4")]
    last_transition_time: Option<Time>,
    #[prost(string, tag = "5")]
    reason: String,
    #[prost(string, tag = "6")]
    message: String,
}

#[derive(Clone, PartialEq, Message)]
struct NodeInfo {
    #[prost(string, tag = "6")]
    container_runtime_version: String,
    #[prost(string, tag = "7")]
    kubelet_version: String,
    #[prost(string, tag = "9")]
    operating_system: String,
    #[prost(string, tag = "10")]
    architecture: String,
}

fn node(from: NodeMessage) -> Node {
    let metadata = from.metadata.unwrap_or_default();
    let spec = from.spec.unwrap_or_default();
    let status = from.status.unwrap_or_default();
    let info = status.node_info.unwrap_or_default();
    let quantities =
        |map: BTreeMap<String, Quantity>| map.into_iter().map(|(name, quantity)| (name, quantity.string)).collect();
    Node {
        metadata: snapshot::Metadata {
            name: metadata.name,
            uid: metadata.uid,
            creation_timestamp: time(metadata.creation_timestamp),
            deletion_timestamp: time(metadata.deletion_timestamp),
            labels: metadata.labels,
        },
        spec: snapshot::Spec {
            taints: spec
                .taints
                .into_iter()
                .map(|t| snapshot::Taint {
                    key: t.key,
                    value: t.value,
                    effect: t.effect,
                    time_added: time(t.time_added),
                })
                .collect(),
            unschedulable: spec.unschedulable,
        },
        status: snapshot::Status {
            allocatable: quantities(status.allocatable),
            capacity: quantities(status.capacity),
            conditions: status.conditions.into_iter().map(condition).collect(),
            node_info: snapshot::NodeInfo {
                architecture: info.architecture,
                container_runtime_version: info.container_runtime_version,
                kubelet_version: info.kubelet_version,
                operating_system: info.operating_system,
            },
        },
    }
}

fn condition(from: Condition) -> snapshot::Condition {
    snapshot::Condition {
        type_: from.type_,
        status: from.status,
        reason: from.reason,
        message: from.message,
        last_heartbeat_time: time(from.last_heartbeat_time),
        last_transition_time: time(from.last_transition_time),
    }
}

impl Items for Vec<Node> {
    type Message = NodeMessage;

    fn clear(&mut self) {
        Vec::clear(self);
    }

    fn take(&mut self, message: NodeMessage) {
        self.push(node(message));
    }

    fn take_json(&mut self, list: &[u8]) -> Result<(), serde_json::Error> {
        #[derive(Deserialize)]
        struct NodeList {
            items: Option<Vec<Node>>,
        }
        *self = serde_json::from_slice::<NodeList>(list)?.items.unwrap_or_default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ListSink, Sink};
    use super::*;

    /// Three nodes as the API server's own serializer writes them.
    const LIST: &[u8] = include_bytes!("../tests/nodes.pb");

    fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Node>, String> {
        let mut sink = ListSink::new(Vec::new());
        sink.begin("application/vnd.kubernetes.protobuf");
        for piece in bytes.chunks(piece) {
            sink.push(piece)?;
        }
        sink.finish()
    }

    #[test]
    fn protobuf_says_the_same_as_json() {
        let json: serde_json::Value = serde_json::from_slice(include_bytes!("../tests/nodes.json")).expect("JSON");
        let expected: Vec<Node> = serde_json::from_value(json["items"].clone()).expect("nodes");
        assert_eq!(expected.len(), 3);
        for piece in [1, 7, 1000, LIST.len()] {
            assert_eq!(decode(LIST, piece), Ok(expected.clone()), "in pieces of {piece}");
        }
    }

    #[test]
    fn an_answer_that_breaks_off_or_lies_is_no_list() {
        for end in [0, 3, 4, 20, 300, LIST.len() / 2] {
            assert!(decode(LIST.get(..end).unwrap_or_default(), 64).is_err(), "{end}");
        }
        for at in 0..LIST.len().min(400) {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = LIST.to_vec();
                bytes[at] = value;
                let _ = decode(&bytes, 97);
            }
        }
    }
}
