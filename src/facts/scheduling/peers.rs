//! The pods that already have a node, and what they do to the pod that has none: room, ports, affinity both ways.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use super::demand::{self, items};
use super::labels::picks;
use crate::facts::Quantity;
use crate::snapshot::{self, Node, Snapshot};

/// A pod that takes room on a node.
pub(super) struct Placed<'a> {
    pub(super) object: &'a Value,
    /// The node's place among the nodes.
    pub(super) node: usize,
    /// Whether it only has a node in prospect, which counts for room but for no other filter here.
    nominated: bool,
}

/// The pods on the nodes, and the pod that looks for one.
pub(super) struct Peers<'a> {
    pub(super) own: &'a Value,
    snapshot: &'a Snapshot,
    nodes: &'a [Node],
    placed: Vec<Placed<'a>>,
}

/// A pod whose presence in a topology domain keeps the pod out of it.
#[derive(Clone)]
pub(super) struct Blocker<'a> {
    /// The pod that is there.
    pub(super) pod: &'a Value,
    /// The label whose value names the domain.
    pub(super) key: String,
    /// Whether the rule is the pod's own, or that of the pod that is there.
    pub(super) own_rule: bool,
}

/// The anti-affinity of the pod and of its peers: by topology key and value, who is in the way.
#[derive(Default)]
pub(super) struct Repulsion<'a>(BTreeMap<String, HashMap<&'a str, Blocker<'a>>>);

/// The required pod affinity: for each term the domains in which a partner runs.
pub(super) struct Attraction<'a> {
    pub(super) terms: Vec<core::PodAffinityTerm>,
    domains: Vec<HashMap<&'a str, ()>>,
    /// The first pod of a group may go anywhere, if it is a partner of its own kind.
    anywhere: bool,
}

impl<'a> Peers<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, nodes: &'a [Node], own: &'a Value) -> Self {
        let place: HashMap<&str, usize> =
            nodes.iter().enumerate().map(|(at, node)| (node.metadata.name.as_str(), at)).collect();
        let priority = |pod: &Value| pod.pointer("/spec/priority").and_then(Value::as_i64).unwrap_or(0);
        let placed = snapshot.all("Pod").iter().filter_map(|object| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty());
            if matches!(text("/status/phase"), Some("Succeeded" | "Failed")) || std::ptr::eq(object, own) {
                return None;
            }
            let bound = text("/spec/nodeName");
            let nominee = text("/status/nominatedNodeName").filter(|_| priority(object) >= priority(own));
            let node = *place.get(bound.or(nominee)?)?;
            Some(Placed { object, node, nominated: bound.is_none() })
        });
        Self { own, snapshot, nodes, placed: placed.collect() }
    }

    /// Per node how much of each resource is requested there, and how many pods are there.
    pub(super) fn taken(&self, resources: &[(String, Quantity)]) -> Vec<(Vec<Quantity>, usize)> {
        let mut taken = vec![(vec![Quantity::ZERO; resources.len()], 0); self.nodes.len()];
        for peer in &self.placed {
            let Some((sums, count)) = taken.get_mut(peer.node) else { continue };
            *count += 1;
            for (sum, (resource, _)) in sums.iter_mut().zip(resources) {
                *sum = sum.plus(demand::request(peer.object, resource));
            }
        }
        taken
    }

    /// The pods that are bound to a node.
    pub(super) fn bound(&self) -> impl Iterator<Item = &Placed<'a>> {
        self.placed.iter().filter(|p| !p.nominated)
    }

    /// A label of a node, by the node's place.
    pub(super) fn domain(&self, node: usize, key: &str) -> Option<&'a str> {
        self.nodes.get(node)?.metadata.labels.get(key).map(String::as_str)
    }

    /// By node the pod that holds a host port which the pod asks for, and the port.
    pub(super) fn port_holders(&self) -> BTreeMap<usize, (&'a Value, String)> {
        let wanted = host_ports(self.own);
        let mut holders = BTreeMap::new();
        if wanted.is_empty() {
            return holders;
        }
        for peer in self.bound() {
            let held = host_ports(peer.object);
            if let Some(port) = wanted.iter().find(|w| held.iter().any(|h| w.clashes(h))) {
                holders.entry(peer.node).or_insert((peer.object, port.to_string()));
            }
        }
        holders
    }

    pub(super) fn attraction(&self, spec: &core::PodSpec) -> Option<Attraction<'a>> {
        let affinity = spec.affinity.as_ref()?.pod_affinity.as_ref()?;
        let terms = affinity.required_during_scheduling_ignored_during_execution.clone().unwrap_or_default();
        if terms.is_empty() {
            return None;
        }
        let partner = |pod: &Value| terms.iter().all(|term| self.concerns(term, self.own, pod));
        let mut domains = vec![HashMap::new(); terms.len()];
        for peer in self.bound().filter(|p| partner(p.object)) {
            for (domain, term) in domains.iter_mut().zip(&terms) {
                domain.extend(self.domain(peer.node, &term.topology_key).map(|value| (value, ())));
            }
        }
        let anywhere = domains.iter().all(HashMap::is_empty) && partner(self.own);
        Some(Attraction { terms, domains, anywhere })
    }

    pub(super) fn repulsion(&self, spec: &core::PodSpec) -> Repulsion<'a> {
        let own_terms = spec
            .affinity
            .as_ref()
            .and_then(|a| a.pod_anti_affinity.as_ref())
            .and_then(|a| a.required_during_scheduling_ignored_during_execution.as_deref())
            .unwrap_or_default();
        let mut repulsion = Repulsion::default();
        for peer in self.bound() {
            let own =
                own_terms.iter().filter(|term| self.concerns(term, self.own, peer.object)).map(|t| (t.clone(), true));
            let rules = peer
                .object
                .pointer("/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution")
                .and_then(Value::as_array);
            let theirs = rules
                .into_iter()
                .flatten()
                .filter_map(|term| core::PodAffinityTerm::deserialize(term).ok())
                .filter(|term| self.concerns(term, peer.object, self.own))
                .map(|term| (term, false));
            for (term, own_rule) in own.chain(theirs) {
                let Some(value) = self.domain(peer.node, &term.topology_key) else { continue };
                let blocker = Blocker { pod: peer.object, key: term.topology_key.clone(), own_rule };
                repulsion.0.entry(term.topology_key).or_default().entry(value).or_insert(blocker);
            }
        }
        repulsion
    }

    /// Whether a term of `owner`'s affinity or anti-affinity is about `pod`: by its namespace and its labels.
    fn concerns(&self, term: &core::PodAffinityTerm, owner: &Value, pod: &Value) -> bool {
        let space = snapshot::namespace_of(pod);
        let listed = term.namespaces.as_deref().unwrap_or_default();
        let in_space = match &term.namespace_selector {
            None if listed.is_empty() => space == snapshot::namespace_of(owner),
            None => listed.iter().any(|n| n == space),
            Some(selector) => {
                let labels =
                    self.snapshot.object("Namespace", "", space).found().and_then(|n| n.pointer("/metadata/labels"));
                listed.iter().any(|n| n == space) || picks(Some(selector), labels.unwrap_or(&Value::Null))
            }
        };
        in_space && picks(term.label_selector.as_ref(), labels_of(pod))
    }
}

impl<'a> Attraction<'a> {
    pub(super) fn admits(&self, node: &Node) -> bool {
        self.terms.iter().zip(&self.domains).all(|(term, domains)| {
            let value = node.metadata.labels.get(&term.topology_key);
            value.is_some_and(|value| self.anywhere || domains.contains_key(value.as_str()))
        })
    }

    /// Whether a partner runs anywhere at all.
    pub(super) fn has_partner(&self) -> bool {
        self.domains.iter().any(|d| !d.is_empty())
    }
}

impl<'a> Repulsion<'a> {
    /// The pod that keeps the pod off a node.
    pub(super) fn blocker(&self, node: &Node) -> Option<&Blocker<'a>> {
        self.0.iter().find_map(|(key, values)| values.get(node.metadata.labels.get(key)?.as_str()))
    }
}

/// A pod's labels; null if it has none.
pub(super) fn labels_of(pod: &Value) -> &Value {
    pod.pointer("/metadata/labels").unwrap_or(&Value::Null)
}

/// A port of the node that a container asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPort<'v> {
    ip: &'v str,
    protocol: &'v str,
    pub(super) port: i64,
}

impl HostPort<'_> {
    /// Source: scheduler `framework/types.go`, `HostPortInfo.CheckConflict`: an address of all zeros stands for every one.
    fn clashes(&self, other: &HostPort<'_>) -> bool {
        let every = |ip: &str| matches!(ip, "" | "0.0.0.0");
        let same_ip = every(self.ip) || every(other.ip) || self.ip == other.ip;
        same_ip && self.protocol == other.protocol && self.port == other.port
    }
}

impl std::fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let colon = if self.ip.is_empty() { "" } else { ":" };
        write!(f, "{}{colon}{}/{}", self.ip, self.port, self.protocol)
    }
}

/// The host ports of a pod's app containers and sidecars.
pub(super) fn host_ports(pod: &Value) -> Vec<HostPort<'_>> {
    let sidecars = items(pod, &["spec", "initContainers"])
        .filter(|c| c.get("restartPolicy").and_then(Value::as_str) == Some("Always"));
    items(pod, &["spec", "containers"])
        .chain(sidecars)
        .flat_map(|c| items(c, &["ports"]))
        .filter_map(|p| {
            let text = |key: &str| p.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
            let port = p.get("hostPort").and_then(Value::as_i64).filter(|port| *port > 0)?;
            Some(HostPort { ip: text("hostIP").unwrap_or_default(), protocol: text("protocol").unwrap_or("TCP"), port })
        })
        .collect()
}
