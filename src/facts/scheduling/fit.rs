//! Every node's verdict on the pod. Linear in nodes and pods: a cluster has thousands of both.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use super::labels::{required, selected};
use super::obstacles::{self, Obstacle, PLACE};
use super::peers::{Attraction, Peers, Repulsion};
use super::selection::{has_suitable, selection};
use super::sentence::Sentence;
use super::spread::{self, Spread};
use super::taints::{self, cordoned, untolerated};
use super::{Filter, Filters, demand};
use crate::facts::{Facts, Quantity, selector};
use crate::snapshot::{Lookup, Node};

/// One node, and which filters it fails.
pub struct Verdict<'a> {
    /// The node.
    pub node: &'a Node,
    /// Everything that keeps the pod off it.
    pub fails: Filters,
    /// Whether a taint reserves it for the cluster's own work.
    pub(super) reserved: bool,
    /// What the pods there request, in the order of the pod's own requests.
    pub(super) taken: Vec<Quantity>,
    /// How many pods are there.
    pub(super) pods: usize,
}

/// The pod's wishes against all nodes, or against all that bear the labels of its node selector where no other matters.
pub struct Fit<'a> {
    /// What the pod requests as the scheduler counts it, by resource name.
    pub requests: Vec<(String, Quantity)>,
    pub(super) verdicts: Vec<Verdict<'a>>,
    pub(super) attraction: Option<Attraction<'a>>,
    pub(super) repulsion: Repulsion<'a>,
    pub(super) spreads: Vec<Spread<'a>>,
    pub(super) ports: BTreeMap<usize, (&'a Value, String)>,
    of_selector: bool,
}

impl<'a> Fit<'a> {
    /// Looks at every node, if all of them were read, or all that the pod's node selector admits. A file without such a claim
    /// counts too if it holds as many nodes as the scheduler speaks of.
    pub(super) fn of(facts: &Facts<'a>, sentence: Option<&Sentence>) -> Option<Self> {
        let (snapshot, own, spec) = (facts.snapshot(), facts.object()?, &facts.pod.spec);
        let selected = || selection(own).and_then(|s| snapshot.nodes_with(&s)).filter(|nodes| has_suitable(own, nodes));
        let as_many = |nodes: &&[Node]| sentence.and_then(|s| s.nodes) == Some(nodes.len());
        let (nodes, of_selector) = match snapshot.nodes() {
            Lookup::Found(nodes) => (nodes, false),
            _ => match selected() {
                Some(nodes) => (nodes, true),
                None => (Some(snapshot.known_nodes()).filter(as_many)?, false),
            },
        };
        let requests = demand::requests(own);
        let peers = Peers::new(snapshot, nodes, own);
        let attraction = peers.attraction(spec);
        let repulsion = peers.repulsion(spec);
        let spreads = spread::constraints(spec, &peers, nodes);
        let ports = peers.port_holders();
        let claims = facts.claims();
        let mut verdicts = Vec::with_capacity(nodes.len());
        for (at, (node, (taken, pods))) in nodes.iter().zip(peers.taken(&requests)).enumerate() {
            let (mut fails, reserved) = by_spec(spec, node);
            for ((resource, asked), taken) in requests.iter().zip(&taken) {
                if *asked > allocatable(node, resource).minus(*taken) {
                    fails.add(Filter::of_resource(resource));
                }
            }
            if Quantity::whole(i64::try_from(pods).unwrap_or(i64::MAX)) >= allocatable(node, "pods") {
                fails.add(Filter::Pods);
            }
            for (fine, filter) in [
                (attraction.as_ref().is_none_or(|a| a.admits(node)), Filter::PodAffinity),
                (repulsion.blocker(node).is_none(), Filter::PodAntiAffinity),
                (spreads.iter().all(|s| s.admits(node)), Filter::Spread),
                (!ports.contains_key(&at), Filter::HostPort),
                (claims.iter().all(|claim| facts.excludes(claim, node).is_none()), Filter::Volume),
            ] {
                if !fine {
                    fails.add(filter);
                }
            }
            verdicts.push(Verdict { node, fails, reserved, taken, pods });
        }
        Some(Self { requests, verdicts, attraction, repulsion, spreads, ports, of_selector })
    }

    /// The causes among what the nodes say.
    pub(super) fn obstacles(&mut self, sentence: Option<&Sentence>) -> Vec<Obstacle> {
        let mut obstacles = obstacles::among(&mut self.verdicts, sentence, self.of_selector);
        for obstacle in &mut obstacles {
            self.nearest_first(obstacle);
        }
        obstacles
    }

    /// The node that offers the most of a resource, whatever else is against it.
    pub fn largest(&self, resource: &str) -> Option<(&'a str, Quantity)> {
        let sizes = self.verdicts.iter().map(|v| (v.node.metadata.name.as_str(), allocatable(v.node, resource)));
        sizes.max_by_key(|(name, size)| (*size, std::cmp::Reverse(*name)))
    }

    /// Orders an obstacle's nodes: fewest other filters first, then the least that is missing.
    fn nearest_first(&self, obstacle: &mut Obstacle) {
        let missing = |at: &usize| {
            let verdict = self.verdicts.get(*at)?;
            let of = |(n, (resource, asked)): (usize, &(String, Quantity))| {
                let taken = verdict.taken.get(n).copied().unwrap_or_default();
                let short = asked.minus(allocatable(verdict.node, resource).minus(taken));
                (Filter::of_resource(resource) == obstacle.filter && !short.is_negative()).then_some(short)
            };
            Some((verdict.fails.len(), self.requests.iter().enumerate().filter_map(of).max()))
        };
        obstacle.nodes.sort_by_cached_key(missing);
    }
}

/// How much of a resource a node offers to pods; nothing if it does not name it.
pub(super) fn allocatable(node: &Node, resource: &str) -> Quantity {
    node.status.allocatable.get(resource).and_then(|q| Quantity::parse(q)).unwrap_or_default()
}

/// What the pod's spec and the node alone decide.
pub(super) fn by_spec(spec: &core::PodSpec, node: &Node) -> (Filters, bool) {
    let mut fails = Filters::default();
    let mut reserved = false;
    if cordoned(spec, node) {
        fails.add(Filter::Cordoned);
    }
    for taint in untolerated(spec, node) {
        fails.add(taints::kind(&taint.key));
        reserved |= taints::reserves(&taint.key);
    }
    if !selected(spec, node) {
        fails.add(Filter::Selector);
    }
    if required(spec).is_some_and(|r| !selector::selects(r, node)) {
        fails.add(Filter::Affinity);
    }
    (fails, reserved)
}

/// The names of the nodes on which the pods are worth counting for a pod that found no room, best first: those that its
/// selector, affinity and tolerations admit and that are large enough, with the most that they offer; then the others, if any
/// of them counts.
pub fn candidates(pod: &Value, nodes: &[Node], limit: usize) -> Vec<String> {
    let spec = pod.get("spec").and_then(|s| core::PodSpec::deserialize(s).ok()).unwrap_or_default();
    let requests = demand::requests(pod);
    let mut ranked: Vec<_> = nodes
        .iter()
        .map(|node| {
            let (fails, _) = by_spec(&spec, node);
            let too_small = requests.iter().filter(|(r, asked)| *asked > allocatable(node, r)).count();
            let size = requests.iter().map(|(r, _)| allocatable(node, r)).next().unwrap_or(allocatable(node, "cpu"));
            (fails.len(), too_small, std::cmp::Reverse(size), &node.metadata.name, fails.meets(PLACE))
        })
        .collect();
    if selection(pod).is_some() && ranked.iter().any(|(.., misplaced)| !misplaced) {
        ranked.retain(|(.., misplaced)| !misplaced);
    }
    ranked.sort_unstable();
    ranked.into_iter().take(limit).map(|(.., name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_are_counted_where_the_pod_could_go_first() {
        let node = |name: &str, cpu: &str, taint: bool| -> Node {
            let taints = if taint { json!([{"key": "k", "effect": "NoSchedule"}]) } else { json!([]) };
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"taints": taints},
                "status": {"allocatable": {"cpu": cpu}}}))
            .unwrap()
        };
        let nodes =
            [node("tainted", "8", true), node("tiny", "1", false), node("exact", "2", false), node("big", "16", false)];
        let pod = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "2"}}}]}});
        assert_eq!(candidates(&pod, &nodes, 3), ["big", "exact", "tiny"]);
    }

    #[test]
    fn a_node_that_has_exactly_what_is_asked_is_large_enough() {
        let node = |name: &str, cpu: &str, memory: &str| -> Node {
            serde_json::from_value(
                json!({"metadata": {"name": name}, "status": {"allocatable": {"cpu": cpu, "memory": memory}}}),
            )
            .unwrap()
        };
        let nodes = [node("exact", "2", "1Gi"), node("lopsided", "8", "1Mi")];
        let requests = json!({"requests": {"cpu": "2", "memory": "1Gi"}});
        let pod = json!({"spec": {"containers": [{"name": "a", "resources": requests}]}});
        assert_eq!(candidates(&pod, &nodes, 2), ["exact", "lopsided"]);
    }
}
