//! Nodes as protobuf: of five thousand nodes JSON is 99 MB and protobuf a quarter of it, and most of that is skipped.
//!
//! Field numbers from k8s.io/api core/v1, k8s.io/apimachinery meta/v1, api/resource and runtime, `generated.proto` of 0.36.1.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prost::Message;

use super::answer::Sink;
use crate::snapshot::{self, Node};

/// What the API server puts before a protobuf body: it is a `runtime.Unknown` whose field 2 holds the object.
const MAGIC: &[u8] = b"k8s\0";
const LENGTH_DELIMITED: u64 = 2;
/// A single node is no longer than this; etcd holds no object of more than 1.5 MiB.
const NODE_LIMIT: usize = 8 << 20;

#[derive(Clone, PartialEq, Message)]
struct NodeMessage {
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

#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
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

/// A time. Go's zero time, which stands for none, is the year 1.
fn time(from: Option<Time>) -> Option<Timestamp> {
    from.filter(|t| t.seconds > 0).and_then(|t| Timestamp::new(t.seconds, t.nanos).ok())
}

/// Decodes a list of nodes while it comes in, so that never more than one node lies there undecoded.
#[derive(Default)]
pub(super) struct NodeSink {
    is_protobuf: bool,
    buffer: Vec<u8>,
    /// How much of the buffer is done with.
    used: usize,
    place: Place,
    nodes: Vec<Node>,
}

/// Where in the answer the buffer begins.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the magic number.
    #[default]
    Start,
    /// In the envelope, before the list.
    Envelope,
    /// In the list, with so many bytes of it to come.
    List(usize),
    /// After it.
    End,
}

impl Sink for NodeSink {
    fn begin(&mut self, content_type: &str) {
        *self =
            Self { is_protobuf: content_type.starts_with("application/vnd.kubernetes.protobuf"), ..Self::default() };
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), String> {
        self.buffer.extend_from_slice(piece);
        if self.is_protobuf {
            while self.step()? {}
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        Ok(())
    }
}

impl NodeSink {
    /// The nodes, once the whole answer is in.
    pub(super) fn finish(self) -> Result<Vec<Node>, String> {
        if !self.is_protobuf {
            #[derive(serde::Deserialize)]
            struct NodeList {
                items: Option<Vec<Node>>,
            }
            let list: Result<NodeList, _> = serde_json::from_slice(&self.buffer);
            return list
                .map(|list| list.items.unwrap_or_default())
                .map_err(|_| "the answer is no list of nodes".to_owned());
        }
        match self.place {
            Place::End | Place::List(0) => Ok(self.nodes),
            _ => Err("the list of nodes broke off".to_owned()),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Reads one field; false if more bytes are needed.
    fn step(&mut self) -> Result<bool, String> {
        match self.place {
            Place::Start => {
                let Some(magic) = self.rest().get(..MAGIC.len()) else { return Ok(false) };
                if magic != MAGIC {
                    return Err("the answer is no Kubernetes protobuf".to_owned());
                }
                self.used += MAGIC.len();
                self.place = Place::Envelope;
                Ok(true)
            }
            Place::End | Place::List(0) => {
                self.place = Place::End;
                self.used = self.buffer.len();
                Ok(false)
            }
            Place::Envelope => match head(self.rest())? {
                None => Ok(false),
                Some(Head { field: 2, size, length }) => {
                    self.used += size;
                    self.place = Place::List(length);
                    Ok(true)
                }
                Some(Head { size, length, .. }) => Ok(self.skip(size, length)?.is_some()),
            },
            Place::List(left) => {
                let Some(Head { field, size, length }) = head(self.rest())? else { return Ok(false) };
                if field == 2 {
                    let from = self.used + size;
                    let Some(bytes) = self.buffer.get(from..from.saturating_add(length)) else {
                        return within(length).map(|()| false);
                    };
                    let message = NodeMessage::decode(bytes).map_err(|_| "a node does not decode".to_owned())?;
                    self.nodes.push(node(message));
                    self.used = from + length;
                } else if self.skip(size, length)?.is_none() {
                    return Ok(false);
                }
                let left = left.checked_sub(size + length).ok_or("the list of nodes is longer than it says")?;
                self.place = Place::List(left);
                Ok(true)
            }
        }
    }

    fn skip(&mut self, size: usize, length: usize) -> Result<Option<()>, String> {
        within(length)?;
        if self.rest().len() < size + length {
            return Ok(None);
        }
        self.used += size + length;
        Ok(Some(()))
    }
}

fn within(length: usize) -> Result<(), String> {
    if length > NODE_LIMIT { Err("a part of the list of nodes is too long".to_owned()) } else { Ok(()) }
}

/// A length-delimited field's number, the size of its head and its length.
struct Head {
    field: u64,
    size: usize,
    length: usize,
}

/// The next field's head; nothing if it is not all there.
fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some((key, first)) = varint(bytes)? else { return Ok(None) };
    if key & 7 != LENGTH_DELIMITED {
        return Err("the list of nodes does not decode".to_owned());
    }
    let Some((length, second)) = varint(bytes.get(first..).unwrap_or_default())? else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| "the list of nodes is too long".to_owned())?;
    Ok(Some(Head { field: key >> 3, size: first + second, length }))
}

fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, String> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).unwrap_or(0)).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 10 { Err("the list of nodes does not decode".to_owned()) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three nodes as the API server's own serializer writes them.
    const LIST: &[u8] = include_bytes!("tests/nodes.pb");

    fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Node>, String> {
        let mut sink = NodeSink::default();
        sink.begin("application/vnd.kubernetes.protobuf");
        for piece in bytes.chunks(piece) {
            sink.push(piece)?;
        }
        sink.finish()
    }

    #[test]
    fn protobuf_says_the_same_as_json() {
        let json: serde_json::Value = serde_json::from_slice(include_bytes!("tests/nodes.json")).expect("JSON");
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
