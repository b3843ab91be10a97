//! What was asked and what was answered: the only input of a diagnosis.
//!
//! A snapshot holds the objects as the API server gave them, and for everything that is not there, why it is not.
//! The file format is a `v1` List whose first item is a [`Header`]; `gather` fills one from a cluster or from files.

mod lookup;
mod node;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use lookup::Lookup;
pub use node::{Condition, Metadata, Node, NodeInfo, Spec, Status, Taint};

use crate::redact;
use crate::resource::Kind;

/// What a diagnosis is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The kind, one of [`crate::resource::KINDS`].
    pub kind: &'static str,
    /// The namespace; empty for a node.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// The first item of a snapshot file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Header {
    /// `kubectl-why/v1`.
    pub api_version: String,
    /// `Snapshot`.
    pub kind: String,
    /// When the answers were given: the clock of every rule.
    pub taken_at: Option<Timestamp>,
    /// Whether nothing tells when the objects were read: `taken_at` is the newest time in them, and more has passed since.
    #[serde(skip)]
    pub undated: bool,
    /// `pod/api`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The target's namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Log tails, redacted.
    pub logs: Vec<Log>,
    /// Resources (`plural.group`) of which every object (of the namespace) is here.
    pub complete: BTreeSet<String>,
    /// Single objects that were asked for and do not exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<Missing>,
    /// Questions that got no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<Unanswered>,
    /// Nodes of which every pod is here.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub pods_on: BTreeSet<String>,
    /// Label selectors of which every node is here, where not all nodes are.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub nodes_with: BTreeSet<String>,
}

/// The tail of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Log {
    /// The pod's name.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// Whether it is the log of the run before the present one.
    pub previous: bool,
    /// The text, without values that look like secrets.
    pub text: String,
}

/// An object that was asked for and does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Missing {
    /// `plural.group`.
    pub resource: String,
    /// The namespace, if it is not the header's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name that was asked for.
    pub name: String,
}

/// A question that got no answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Unanswered {
    /// `get` or `list`, as RBAC calls it.
    pub verb: String,
    /// `plural.group`, for logs `pods/log`.
    pub resource: String,
    /// The namespace, if it is not the header's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name, for a single object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The server's reason; begins with `forbidden` if the user has no right to ask.
    pub why: String,
}

impl Unanswered {
    /// Whether the user may not ask, as opposed to a fault.
    pub fn is_refusal(&self) -> bool {
        let why = self.why.to_ascii_lowercase();
        why.starts_with("forbidden") || why.starts_with("unauthorized") || why.contains("is forbidden")
    }
}

/// Objects of the cluster at one moment, and what is known not to exist or could not be learned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Everything but the objects.
    pub header: Header,
    objects: BTreeMap<&'static str, Vec<Value>>,
    nodes: Vec<Node>,
}

impl Snapshot {
    /// An empty snapshot with that header, its logs without what looks like a secret.
    pub fn new(mut header: Header) -> Self {
        for log in &mut header.logs {
            log.text = redact::log(&log.text);
        }
        Self { header, ..Self::default() }
    }

    /// When it was taken; the Unix epoch if nothing in it bears a time.
    pub fn taken_at(&self) -> Timestamp {
        self.header.taken_at.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Adds an object, without what is or looks like a secret. One of a kind that the tool does not know, or without a name, is ignored; one that is already here
    /// (by kind, namespace and name; events by uid too) is replaced.
    pub fn add(&mut self, mut object: Value) {
        let Some(kind) = object.get("kind").and_then(Value::as_str).and_then(Kind::named) else { return };
        if name_of(&object).is_empty() {
            return;
        }
        if kind.kind == "Node" {
            if let Ok(node) = serde_json::from_value(object) {
                self.add_node(node);
            }
            return;
        }
        strip(kind.kind, &mut object);
        redact::object(&mut object);
        let list = self.objects.entry(kind.kind).or_default();
        list.push(object);
    }

    /// Adds a node.
    pub fn add_node(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Puts the objects into one order, whatever the order they came in, and drops repeated ones (the last one wins); takes
    /// what looks like a secret out of the logs that came meanwhile.
    pub fn settle(&mut self) {
        for list in self.objects.values_mut() {
            list.reverse();
            list.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
            list.dedup_by(|b, a| key_of(a) == key_of(b));
        }
        self.nodes.reverse();
        self.nodes.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        self.nodes.dedup_by(|b, a| a.metadata.name == b.metadata.name);
        for log in &mut self.header.logs {
            log.text = redact::log(&log.text);
        }
        self.header.logs.sort_by(|a, b| (&a.pod, &a.container, a.previous).cmp(&(&b.pod, &b.container, b.previous)));
        self.header.unanswered.sort();
        self.header.unanswered.dedup();
    }

    /// One object.
    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Lookup<&Value> {
        let here = self.all(kind).iter().find(|o| name_of(o) == name && in_namespace(o, namespace));
        match here {
            Some(object) => Lookup::Found(object),
            None => self.absence(kind, namespace, Some(name)),
        }
    }

    /// One node.
    pub fn node(&self, name: &str) -> Lookup<&Node> {
        match self.nodes.iter().find(|n| n.metadata.name == name) {
            Some(node) => Lookup::Found(node),
            None => self.absence("Node", "", Some(name)),
        }
    }

    /// Every node, if all of them were read.
    pub fn nodes(&self) -> Lookup<&[Node]> {
        if self.is_complete("Node", "") { Lookup::Found(&self.nodes) } else { self.absence("Node", "", None) }
    }

    /// The nodes that are here, if all those are among them which that label selector selects.
    pub fn nodes_with(&self, labels: &str) -> Option<&[Node]> {
        self.header.nodes_with.contains(labels).then_some(&self.nodes)
    }

    /// Every node that happens to be here.
    pub fn known_nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Every object of a kind that happens to be here, of all namespaces; empty for nodes.
    pub fn all(&self, kind: &str) -> &[Value] {
        self.objects.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Whether every object of that kind (in that namespace) is here.
    pub fn is_complete(&self, kind: &str, namespace: &str) -> bool {
        let Some(kind) = Kind::named(kind) else { return false };
        let covers = !kind.namespaced || namespace == self.header.namespace;
        covers && (self.header.complete.contains(&kind.resource()) || self.header.complete.contains(kind.plural))
    }

    /// Why an object, or with no name the list of them, is not here.
    pub fn absence<T>(&self, kind: &str, namespace: &str, name: Option<&str>) -> Lookup<T> {
        let Some(kind) = Kind::named(kind) else { return Lookup::NotAsked };
        if let Some(name) = name {
            let same_space =
                |n: &str| !kind.namespaced || n == namespace || n.is_empty() && namespace == self.header.namespace;
            let missing = |m: &Missing| m.name == name && is_resource(kind, &m.resource) && same_space(&m.namespace);
            if self.is_complete(kind.kind, namespace) || self.header.not_found.iter().any(missing) {
                return Lookup::NotFound;
            }
        }
        let about = |u: &&Unanswered| {
            is_resource(kind, &u.resource) && (u.name.is_empty() || name.is_none_or(|name| u.name == name))
        };
        match self.header.unanswered.iter().find(about) {
            Some(unanswered) if unanswered.is_refusal() => Lookup::Refused,
            Some(_) => Lookup::Failed,
            None => Lookup::NotAsked,
        }
    }

    /// The tail of a container's log, if it was read.
    pub fn log(&self, pod: &str, container: &str, previous: bool) -> Option<&Log> {
        self.header.logs.iter().find(|l| l.pod == pod && l.container == container && l.previous == previous)
    }

    /// The whole snapshot as a `v1` List, as it is written to a file.
    pub fn to_list(&self) -> Value {
        let mut header = self.header.clone();
        header.api_version = "kubectl-why/v1".to_owned();
        header.kind = "Snapshot".to_owned();
        let mut items = vec![serde_json::to_value(header).unwrap_or_default()];
        items.extend(self.objects.values().flatten().cloned());
        items.extend(self.nodes.iter().map(node_object));
        json!({"apiVersion": "v1", "kind": "List", "items": items})
    }
}

/// A node as an API object.
pub fn node_object(node: &Node) -> Value {
    let mut object = serde_json::to_value(node).unwrap_or_default();
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), "v1".into());
        map.insert("kind".to_owned(), "Node".into());
    }
    object
}

/// `metadata.name`, or nothing.
pub fn name_of(object: &Value) -> &str {
    text(object, "name")
}

/// `metadata.namespace`, or nothing.
pub fn namespace_of(object: &Value) -> &str {
    text(object, "namespace")
}

/// `metadata.uid`, or nothing.
pub fn uid_of(object: &Value) -> &str {
    text(object, "uid")
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get("metadata").and_then(|m| m.get(key)).and_then(Value::as_str).unwrap_or_default()
}

fn key_of(object: &Value) -> (&str, &str) {
    (namespace_of(object), name_of(object))
}

fn in_namespace(object: &Value, namespace: &str) -> bool {
    let own = namespace_of(object);
    own.is_empty() || own == namespace
}

fn is_resource(kind: &Kind, resource: &str) -> bool {
    resource == kind.plural || resource == kind.resource()
}

/// Takes out what no rule may read and no file may hold: values of Secrets and ConfigMaps (their keys stay), and the
/// copies of both that `kubectl apply` leaves in annotations. Managed fields are cut down to who manages which finalizer.
fn strip(kind: &str, object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    if matches!(kind, "Secret" | "ConfigMap") {
        for field in ["data", "stringData", "binaryData"] {
            if let Some(Value::Object(data)) = map.get_mut(field) {
                data.values_mut().for_each(|value| *value = Value::Null);
            }
        }
    }
    let Some(Value::Object(metadata)) = map.get_mut("metadata") else { return };
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    match metadata.remove("managedFields") {
        Some(Value::Array(managers)) if metadata.contains_key("finalizers") => {
            let of_finalizers: Vec<Value> = managers.iter().filter_map(finalizer_manager).collect();
            metadata.insert("managedFields".to_owned(), Value::Array(of_finalizers));
        }
        _ => {}
    }
}

fn finalizer_manager(entry: &Value) -> Option<Value> {
    let finalizers = entry.pointer("/fieldsV1/f:metadata/f:finalizers")?;
    let mut kept = Map::new();
    for key in ["manager", "operation", "time"] {
        kept.insert(key.to_owned(), entry.get(key)?.clone());
    }
    kept.insert("fieldsV1".to_owned(), json!({"f:metadata": {"f:finalizers": finalizers}}));
    Some(Value::Object(kept))
}
