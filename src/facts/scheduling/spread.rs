//! Topology spread constraints that forbid (`DoNotSchedule`), as the scheduler counts them.
//!
//! Source: scheduler `framework/plugins/podtopologyspread/filtering.go`.

use std::collections::HashMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::labels::{picks, required, selected, written};
use super::peers::{Peers, labels_of};
use super::taints::{cordoned, untolerated};
use crate::facts::selector::selects;
use crate::snapshot::{Node, namespace_of};

/// One constraint with the pods counted per domain.
pub(super) struct Spread<'a> {
    /// The label whose values are the domains.
    pub(super) key: String,
    /// Which pods count.
    pub(super) selector: String,
    /// How many more pods a domain may hold than the emptiest.
    pub(super) max_skew: i64,
    /// The fewest pods that a domain holds; 0 if there are fewer domains than `minDomains`.
    pub(super) fewest: i64,
    /// How many of the domains hold pods, by their name.
    pub(super) counts: HashMap<&'a str, i64>,
    own: i64,
}

/// The pod's constraints that forbid.
pub(super) fn constraints<'a>(spec: &core::PodSpec, peers: &Peers<'a>, nodes: &'a [Node]) -> Vec<Spread<'a>> {
    let hard: Vec<_> =
        spec.topology_spread_constraints.iter().flatten().filter(|c| c.when_unsatisfiable == "DoNotSchedule").collect();
    hard.iter().map(|c| Spread::count(c, &hard, spec, peers, nodes)).collect()
}

impl<'a> Spread<'a> {
    fn count(
        constraint: &core::TopologySpreadConstraint,
        all: &[&core::TopologySpreadConstraint],
        spec: &core::PodSpec,
        peers: &Peers<'a>,
        nodes: &'a [Node],
    ) -> Self {
        let selector = with_own_labels(constraint, labels_of(peers.own));
        let by_affinity = constraint.node_affinity_policy.as_deref() != Some("Ignore");
        let by_taints = constraint.node_taints_policy.as_deref() == Some("Honor");
        let counted: Vec<Option<&'a str>> = nodes
            .iter()
            .map(|node| {
                let labels = &node.metadata.labels;
                let takes_part = all.iter().all(|c| labels.contains_key(&c.topology_key))
                    && (!by_affinity || selected(spec, node) && required(spec).is_none_or(|r| selects(r, node)))
                    && (!by_taints || untolerated(spec, node).next().is_none() && !cordoned(spec, node));
                labels.get(&constraint.topology_key).filter(|_| takes_part).map(String::as_str)
            })
            .collect();
        let mut counts: HashMap<&'a str, i64> = counted.iter().flatten().map(|domain| (*domain, 0)).collect();
        let space = namespace_of(peers.own);
        for peer in peers.bound() {
            let leaving = peer.object.pointer("/metadata/deletionTimestamp").is_some();
            let Some(domain) = counted.get(peer.node).copied().flatten() else { continue };
            if !leaving && namespace_of(peer.object) == space && picks(selector.as_ref(), labels_of(peer.object)) {
                *counts.entry(domain).or_default() += 1;
            }
        }
        let wanted = usize::try_from(constraint.min_domains.unwrap_or(1)).unwrap_or(1);
        let fewest = if counts.len() < wanted { 0 } else { counts.values().copied().min().unwrap_or(0) };
        Self {
            key: constraint.topology_key.clone(),
            selector: written(selector.as_ref()),
            max_skew: i64::from(constraint.max_skew),
            fewest,
            counts,
            own: i64::from(picks(selector.as_ref(), labels_of(peers.own))),
        }
    }

    /// Whether the pod may go into a node's domain. A node without the label is in none.
    pub(super) fn admits(&self, node: &Node) -> bool {
        let Some(domain) = node.metadata.labels.get(&self.key) else { return false };
        self.there(domain) + self.own - self.fewest <= self.max_skew
    }

    /// How many pods a domain holds.
    pub(super) fn there(&self, domain: &str) -> i64 {
        self.counts.get(domain).copied().unwrap_or(0)
    }
}

/// The constraint's selector, narrowed by the pod's own values of `matchLabelKeys`.
fn with_own_labels(constraint: &core::TopologySpreadConstraint, own: &Value) -> Option<LabelSelector> {
    let mut selector = constraint.label_selector.clone()?;
    for key in constraint.match_label_keys.iter().flatten() {
        if let Some(value) = own.get(key).and_then(Value::as_str) {
            selector.match_labels.get_or_insert_default().insert(key.clone(), value.to_owned());
        }
    }
    Some(selector)
}
