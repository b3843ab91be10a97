//! What rules show of the nodes: numbers, names and places in the nodes' objects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fit::allocatable;
use super::labels::{required, written};
use super::peers::host_ports;
use super::{Filter, Fit, Obstacle, Says, Verdict, demand, taints};
use crate::facts::{Evidence, Facts, Quantity, closest, selector};
use crate::snapshot::{self, Node, Taint};

/// Rows of a table of nodes, at most.
const ROWS: usize = 8;

/// A resource of which the pod finds too little.
pub struct Shortage<'f> {
    /// Its name.
    pub resource: &'f str,
    /// What the pod requests.
    pub asked: Quantity,
    /// The nodes that lack it, the nearest first.
    pub rooms: Vec<Room<'f>>,
}

/// How much of a resource one node has.
pub struct Room<'f> {
    /// The node's name.
    pub node: &'f str,
    /// What it offers to pods.
    pub allocatable: Quantity,
    /// What the pods there request.
    pub taken: Quantity,
    /// What is left.
    pub free: Quantity,
    /// How much more the pod asks for.
    pub short: Quantity,
}

impl Shortage<'_> {
    /// An amount of this resource.
    pub fn show(&self, amount: Quantity) -> String {
        amount.show(self.resource)
    }

    /// The most that a node offers, whatever runs there.
    pub fn largest(&self) -> Option<&Room<'_>> {
        self.rooms.iter().max_by_key(|r| r.allocatable)
    }

    /// What is free on all of them together.
    pub fn free_together(&self) -> Quantity {
        let free = self.rooms.iter().map(|r| r.free).filter(|f| !f.is_negative());
        free.fold(Quantity::ZERO, Quantity::plus)
    }

    /// The numbers.
    pub fn table(&self, say: &str) -> Evidence {
        let row = |r: &Room<'_>| {
            let amounts = [r.allocatable, r.taken, r.free, r.short].map(|amount| self.show(amount));
            std::iter::once(r.node.to_owned()).chain(amounts).collect()
        };
        rows(say, &["Node", "Allocatable", "Requested", "Free", "Short by"], self.rooms.iter().map(row))
    }
}

/// A table of at most eight rows, which says how many more there are.
fn rows(say: &str, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Evidence {
    let mut all: Vec<_> = rows.collect();
    let more = all.len().saturating_sub(ROWS);
    all.truncate(ROWS);
    let say = if more == 0 { say.to_owned() } else { format!("{say}, and {more} more nodes") };
    Evidence::table(say, columns, all)
}

/// Names in a sentence: three at most, then how many more.
pub fn named<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} and {b}"),
        [a, b, c] => format!("{a}, {b} and {c}"),
        [a, b, c, rest @ ..] => format!("{a}, {b}, {c} and {} more", rest.len()),
    }
}

/// The scheduler's own words for an obstacle that only it speaks of.
pub fn clause(facts: &Facts<'_>, filter: Filter) -> Option<String> {
    let place = matches!(filter, Filter::Selector | Filter::Affinity);
    let clauses = &facts.scheduling_sentence()?.clauses;
    let of = clauses.iter().find(|c| c.says == Says::Filter(filter) || place && c.says == Says::Place)?;
    Some(of.text.trim_end_matches('.').to_owned())
}

impl<'a> Fit<'a> {
    /// The nodes that an obstacle is about, the nearest first.
    pub fn verdicts_of<'f>(&'f self, obstacle: &'f Obstacle) -> impl Iterator<Item = &'f Verdict<'a>> {
        obstacle.nodes.iter().filter_map(|at| self.verdicts.get(*at))
    }

    /// Their names.
    pub fn names(&self, obstacle: &Obstacle) -> Vec<&'a str> {
        self.verdicts_of(obstacle).map(|v| v.node.metadata.name.as_str()).collect()
    }

    /// Every node that was looked at.
    pub fn nodes(&self) -> impl Iterator<Item = &'a Node> {
        self.verdicts.iter().map(|v| v.node)
    }

    /// The resources that an obstacle is about, each with the nodes that lack it.
    pub fn shortages<'f>(&'f self, obstacle: &'f Obstacle) -> Vec<Shortage<'f>> {
        let of = |(n, (resource, asked)): (usize, &'f (String, Quantity))| {
            let room = |v: &'f Verdict<'a>| {
                let (allocatable, taken) = (allocatable(v.node, resource), v.taken.get(n).copied().unwrap_or_default());
                let free = allocatable.minus(taken);
                let node = v.node.metadata.name.as_str();
                (*asked > free).then(|| Room { node, allocatable, taken, free, short: asked.minus(free) })
            };
            let rooms: Vec<_> = self.verdicts_of(obstacle).filter_map(room).collect();
            let concerned = Filter::of_resource(resource) == obstacle.filter && !rooms.is_empty();
            concerned.then_some(Shortage { resource, asked: *asked, rooms })
        };
        self.requests.iter().enumerate().filter_map(of).collect()
    }

    /// How many pods are on an obstacle's nodes, and how many may be.
    pub fn pod_counts(&self, obstacle: &Obstacle) -> Evidence {
        let row = |v: &Verdict<'_>| {
            let name = v.node.metadata.name.clone();
            vec![name, allocatable(v.node, "pods").show("pods"), v.pods.to_string()]
        };
        rows(
            "pods that the nodes allow, and pods that are there",
            &["Node", "Allowed", "There"],
            self.verdicts_of(obstacle).map(row),
        )
    }

    /// The values that nodes have for a label, the most frequent first.
    pub fn values_of(&self, label: &str) -> Vec<&'a str> {
        let mut count: BTreeMap<&'a str, usize> = BTreeMap::new();
        for value in self.nodes().filter_map(|n| n.metadata.labels.get(label)) {
            *count.entry(value).or_default() += 1;
        }
        let mut values: Vec<_> = count.into_iter().map(|(value, n)| (std::cmp::Reverse(n), value)).collect();
        values.sort_unstable();
        values.into_iter().map(|(_, value)| value).collect()
    }

    /// Labels of nodes whose key is close to `label`.
    pub fn close_labels(&self, label: &str) -> Vec<String> {
        let keys: BTreeSet<&str> = self.nodes().flat_map(|n| n.metadata.labels.keys()).map(String::as_str).collect();
        closest(label, keys.into_iter())
    }

    /// A table of one label on the obstacle's nodes.
    pub fn label_table(&self, obstacle: &Obstacle, label: &str) -> Evidence {
        let row = |v: &Verdict<'_>| {
            let value = v.node.metadata.labels.get(label).map_or("<none>", String::as_str);
            vec![v.node.metadata.name.clone(), value.to_owned()]
        };
        rows(&format!("what the nodes have as {label}"), &["Node", label], self.verdicts_of(obstacle).map(row))
    }

    /// The taints in the way on an obstacle's nodes, each once, as `kubectl taint` writes them, with the taint and a node.
    pub fn taints_in_the_way(&self, facts: &Facts<'_>, obstacle: &Obstacle) -> Vec<(String, &'a Taint, &'a Node)> {
        let mut seen = BTreeMap::new();
        for verdict in self.verdicts_of(obstacle) {
            let blocking = verdict.node.spec.taints.iter();
            let open: BTreeSet<String> =
                taints::untolerated(&facts.pod.spec, verdict.node).map(taints::written).collect();
            for taint in blocking.filter(|t| taints::kind(&t.key) == obstacle.filter) {
                let text = taints::written(taint);
                if open.contains(&text) {
                    seen.entry(text).or_insert((taint, verdict.node));
                }
            }
        }
        seen.into_iter().map(|(text, (taint, node))| (text, taint, node)).collect()
    }

    /// Who holds the host port that the pod asks for, node by node: node, port, namespace and name of the pod.
    pub fn port_holders(&self, obstacle: &Obstacle) -> Vec<(&'a str, &str, &'a str, &'a str)> {
        let of = |at: &usize| {
            let (pod, port) = self.ports.get(at)?;
            let node = self.verdicts.get(*at)?.node.metadata.name.as_str();
            Some((node, port.as_str(), snapshot::namespace_of(pod), snapshot::name_of(pod)))
        };
        obstacle.nodes.iter().filter_map(of).collect()
    }

    /// The pods that keep the pod away, node by node: node, the pod there, the topology key, and whether the rule is the
    /// pod's own.
    pub fn repelled_by(&self, obstacle: &Obstacle) -> Vec<(&'a str, &'a Value, &str, bool)> {
        let of = |v: &'_ Verdict<'a>| {
            let blocker = self.repulsion.blocker(v.node)?;
            Some((v.node.metadata.name.as_str(), blocker.pod, blocker.key.as_str(), blocker.own_rule))
        };
        self.verdicts_of(obstacle).filter_map(of).collect()
    }

    /// The terms of the required pod affinity as selector and topology key, and whether a partner runs anywhere.
    pub fn partners_sought(&self) -> (Vec<(String, &str)>, bool) {
        let Some(attraction) = &self.attraction else { return (Vec::new(), false) };
        let terms = attraction.terms.iter();
        let told = terms.map(|t| (written(t.label_selector.as_ref()), t.topology_key.as_str())).collect();
        (told, attraction.has_partner())
    }

    /// The spread constraints that an obstacle's nodes would break: key, selector, skew, the fewest pods in a domain, and the
    /// table of domains. No table if the nodes lack the key.
    pub fn spreads_broken(&self, obstacle: &Obstacle) -> Vec<(&str, &str, i64, i64, Option<Evidence>)> {
        let broken = self.spreads.iter().filter(|s| self.verdicts_of(obstacle).any(|v| !s.admits(v.node)));
        broken
            .map(|s| {
                let mut domains: Vec<(&str, i64)> = s.counts.iter().map(|(domain, n)| (*domain, *n)).collect();
                domains.sort_unstable_by_key(|(domain, n)| (*n, *domain));
                let say = format!("pods with {} in each {}", s.selector, s.key);
                let row = |(domain, n): (&str, i64)| vec![domain.to_owned(), n.to_string()];
                let labelled = self.verdicts_of(obstacle).any(|v| v.node.metadata.labels.contains_key(&s.key));
                let table = labelled.then(|| rows(&say, &[&s.key, "Pods"], domains.into_iter().map(row)));
                (s.key.as_str(), s.selector.as_str(), s.max_skew, s.fewest, table)
            })
            .collect()
    }
}

impl Facts<'_> {
    /// What the pod requests of a node, cited: of each container, of the whole pod, and its overhead.
    pub fn cite_requests(&self, resource: &str) -> Vec<Evidence> {
        let containers = self.main_containers().filter_map(|c| self.cite_spec(c, &["resources", "requests", resource]));
        containers
            .take(ROWS)
            .chain(self.cite(&["spec", "resources", "requests", resource]))
            .chain(self.cite(&["spec", "overhead", resource]))
            .collect()
    }

    /// Whether the pod requests a resource as a whole or has an overhead of it.
    pub fn pod_has_own_request(&self, resource: &str) -> bool {
        self.cite(&["spec", "resources", "requests", resource]).is_some()
            || self.cite(&["spec", "overhead", resource]).is_some()
    }

    /// All that the pod asks of a node, cited, for a node that could give it.
    pub fn cite_asks(&self) -> Vec<Evidence> {
        let requests = self.object().map(demand::requests).unwrap_or_default();
        let requests = requests.iter().flat_map(|(resource, _)| self.cite_requests(resource));
        requests.chain(self.cite_host_ports()).take(ROWS).collect()
    }

    /// The host ports that the pod asks for, cited.
    pub fn cite_host_ports(&self) -> Vec<Evidence> {
        let mut cited = Vec::new();
        for container in self.main_containers() {
            for (at, port) in container.spec.ports.iter().flatten().enumerate() {
                if port.host_port.is_some_and(|p| p > 0) {
                    cited.extend(self.cite_spec(container, &["ports", &at.to_string(), "hostPort"]));
                }
            }
        }
        cited
    }

    /// The host ports that the pod asks for: `8080/TCP`.
    pub fn host_ports(&self) -> Vec<String> {
        self.object().map(host_ports).unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    /// The required node affinity as people read it, and the labels that it is about.
    pub fn required_affinity(&self) -> Option<(String, Vec<&str>)> {
        let required = required(&self.pod.spec)?;
        let terms = required.node_selector_terms.iter();
        let mut keys: Vec<&str> =
            terms.flat_map(|t| t.match_expressions.iter().flatten()).map(|r| r.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        Some((selector::words(required), keys))
    }

    /// The node to which node affinity pins the pod by its name, as that of a DaemonSet's pod does.
    pub fn pinned_node(&self) -> Option<&str> {
        let [term] = required(&self.pod.spec)?.node_selector_terms.as_slice() else { return None };
        let [field] = term.match_fields.as_deref()? else { return None };
        let [name] = field.values.as_deref()? else { return None };
        (field.key == "metadata.name" && field.operator == "In").then_some(name.as_str())
    }
}

/// A pod on its way off a node.
pub struct Leaving<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// When its grace period ends.
    pub ends: Option<jiff::Timestamp>,
}

/// A dynamic resource claim of the pod.
pub struct Claimed<'f> {
    /// Its name within the pod.
    pub name: &'f str,
    /// The ResourceClaim's name; nothing if it has not been made from its template yet.
    pub object: Option<&'f str>,
    /// The template that it is made from.
    pub template: Option<&'f str>,
    /// Whether devices are allocated to it.
    pub allocated: bool,
}

impl<'a> Facts<'a> {
    /// The pods on a node that are being deleted.
    pub fn leaving_pods(&self, node: &str) -> Vec<Leaving<'a>> {
        let leaving = self.snapshot().all("Pod").iter().filter_map(|pod| {
            let on_node = pod.pointer("/spec/nodeName").and_then(Value::as_str) == Some(node);
            let ended = matches!(pod.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed"));
            let ends =
                pod.pointer("/metadata/deletionTimestamp").and_then(Value::as_str).filter(|_| on_node && !ended)?;
            let (namespace, name) = (snapshot::namespace_of(pod), snapshot::name_of(pod));
            Some(Leaving { namespace, name, ends: ends.parse().ok() })
        });
        leaving.collect()
    }

    /// A field of a pod of any namespace, cited.
    pub fn cite_peer(&self, namespace: &str, name: &str, steps: &[&str]) -> Option<Evidence> {
        Evidence::field(self.snapshot().object("Pod", namespace, name).found()?, steps)
    }

    /// The pod's dynamic resource claims.
    pub fn resource_claims(&self) -> Vec<Claimed<'_>> {
        let made = self.pod.status.resource_claim_statuses.as_deref().unwrap_or_default();
        let claims = self.pod.spec.resource_claims.iter().flatten();
        claims
            .map(|claim| {
                let status = made.iter().find(|s| s.name == claim.name).and_then(|s| s.resource_claim_name.as_deref());
                let object = claim.resource_claim_name.as_deref().or(status);
                let found = object.and_then(|name| self.lookup("ResourceClaim", name).found());
                Claimed {
                    name: &claim.name,
                    object,
                    template: claim.resource_claim_template_name.as_deref(),
                    allocated: found.is_some_and(|c| c.pointer("/status/allocation").is_some()),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
