//! From which nodes a pod's bound volumes can be reached.

use crate::facts::volumes::Claim;
use crate::facts::{Evidence, Facts, selector};
use crate::snapshot::{Lookup, Node};

/// Why a node cannot reach a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeConflict {
    /// The claim.
    pub claim: String,
    /// The PersistentVolume.
    pub volume: String,
    /// What the volume demands of a node, in words.
    pub wants: String,
}

/// Labels of a PersistentVolume that bind it to a zone or region, the old names of each beside the present ones.
/// Source: `pkg/scheduler/framework/plugins/volumezone`.
const ZONES: [[&str; 2]; 2] = [
    ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"],
    ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
];

/// How far a claim's PersistentVolume can be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// What the volume demands of a node, in words.
    pub wants: String,
    /// How many nodes cannot reach it.
    pub excluded: usize,
    /// How many nodes there are.
    pub nodes: usize,
    /// Each node with what it has of what the volume demands.
    pub table: Evidence,
}

impl Facts<'_> {
    /// Why a node cannot reach one of the pod's bound volumes: the first that its PersistentVolume keeps from the node.
    /// Nothing if it can reach them all, as far as their PersistentVolumes were read.
    pub fn volume_excludes(&self, node: &Node) -> Option<VolumeConflict> {
        self.claims().iter().find_map(|claim| self.excludes(claim, node))
    }

    /// Why a node cannot reach the PersistentVolume of that claim.
    pub fn excludes(&self, claim: &Claim, node: &Node) -> Option<VolumeConflict> {
        let volume = claim.volume_name()?;
        let conflict = |wants: String| VolumeConflict { claim: claim.name.clone(), volume: volume.to_owned(), wants };
        let required = claim.bound.as_ref().found()?.node_affinity.as_ref().and_then(|a| a.required.as_ref());
        if let Some(required) = required.filter(|r| !selector::selects(r, node)) {
            return Some(conflict(selector::words(required)));
        }
        let labels = self.lookup("PersistentVolume", volume).found()?.pointer("/metadata/labels")?.as_object()?;
        let of_node = |names: &[&str; 2]| names.iter().find_map(|n| node.metadata.labels.get(*n));
        if !ZONES.iter().any(|names| of_node(names).is_some()) {
            return None;
        }
        ZONES.iter().find_map(|names| {
            let (name, zones) = names.iter().find_map(|n| Some((n, labels.get(*n)?.as_str()?)))?;
            let fits = of_node(names).is_some_and(|zone| zones.split("__").any(|z| z == zone));
            (!fits).then(|| conflict(format!("{name}={zones}")))
        })
    }

    /// How many of the cluster's nodes cannot reach the PersistentVolume of a claim; nothing if all can, or if the nodes or
    /// the volume were not read.
    pub fn reach(&self, claim: &Claim) -> Option<Reach> {
        let Lookup::Found(nodes) = self.snapshot().nodes() else { return None };
        let conflicts: Vec<_> = nodes.iter().map(|node| (node, self.excludes(claim, node))).collect();
        let wants = conflicts.iter().find_map(|(_, c)| c.as_ref())?.wants.clone();
        let keys = self.demanded(claim);
        let row = |(node, conflict): &(&Node, Option<VolumeConflict>)| {
            let has = keys.iter().map(|key| match node.metadata.labels.get(key) {
                Some(value) => format!("{key}={value}"),
                None => format!("{key} absent"),
            });
            let answer = if conflict.is_none() { "yes" } else { "no" };
            vec![node.metadata.name.clone(), has.collect::<Vec<_>>().join(", "), answer.to_owned()]
        };
        // Those that can reach it first: they are where to look for room.
        let mut rows: Vec<_> = conflicts.iter().map(row).collect();
        rows.sort_by(|a, b| b.last().cmp(&a.last()));
        rows.truncate(MOST_ROWS);
        let excluded = conflicts.iter().filter(|(_, c)| c.is_some()).count();
        let say = format!("{} of {} nodes meet what the volume demands: {wants}", nodes.len() - excluded, nodes.len());
        let table = Evidence::table(say, &["Node", "Has", "Reaches it"], rows);
        Some(Reach { wants, excluded, nodes: nodes.len(), table })
    }

    /// Whether the nodes and every PersistentVolume of the pod were read, so that reach follows from arithmetic.
    pub fn reach_is_known(&self) -> bool {
        let read = |c: &Claim| c.volume_name().is_none() || matches!(c.bound, Lookup::Found(_));
        matches!(self.snapshot().nodes(), Lookup::Found(_))
            && self.claims().iter().all(|c| c.found().is_some() && read(c))
    }

    /// The node labels that a claim's PersistentVolume asks for.
    fn demanded(&self, claim: &Claim) -> Vec<String> {
        let Lookup::Found(spec) = &claim.bound else { return Vec::new() };
        let required = spec.node_affinity.as_ref().and_then(|a| a.required.as_ref());
        let terms = required.map(|r| r.node_selector_terms.as_slice()).unwrap_or_default();
        let mut keys: Vec<String> = Vec::new();
        for requirement in terms.iter().flat_map(|t| t.match_expressions.iter().flatten()) {
            if !keys.contains(&requirement.key) {
                keys.push(requirement.key.clone());
            }
        }
        if keys.is_empty() { vec![ZONES[0][0].to_owned()] } else { keys }
    }
}

/// The most nodes in a table.
const MOST_ROWS: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rules::testing::Case;
    use crate::snapshot::Node;

    fn excluded(volume: Value, labels: Value) -> Option<String> {
        let node: Node = serde_json::from_value(json!({"metadata": {"name": "node-1", "labels": labels}})).unwrap();
        Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
            "spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"}}))
        .with(volume)
        .facts(|f| f.volume_excludes(&node).map(|c| c.wants))
    }

    #[test]
    fn node_affinity_of_a_volume_excludes_other_nodes() {
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "spec": {"nodeAffinity": {"required":
            {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]}}}});
        assert_eq!(excluded(volume.clone(), json!({"zone": "a"})).as_deref(), Some("zone=b"));
        assert_eq!(excluded(volume, json!({"zone": "b"})), None);
    }

    #[test]
    fn zone_labels_of_old_volumes_count_under_both_names() {
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "spec": {},
            "metadata": {"name": "pv-1", "labels": {"failure-domain.beta.kubernetes.io/zone": "a__b"}}});
        assert_eq!(excluded(volume.clone(), json!({"topology.kubernetes.io/zone": "b"})), None);
        assert!(excluded(volume.clone(), json!({"topology.kubernetes.io/zone": "c"})).is_some());
        assert_eq!(excluded(volume, json!({"disk": "ssd"})), None);
    }

    #[test]
    fn reach_is_known_only_with_every_node_and_every_volume() {
        let known = |claim: Option<Value>, volume: bool, nodes: bool| {
            let case = Case::pod(
                json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
                json!({}),
            );
            let of = |spec: Value| json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"}, "spec": spec});
            let case = claim.into_iter().fold(case, |case, spec| case.with(of(spec)));
            let pv = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"}, "spec": {}});
            let case = if volume { case.with(pv) } else { case };
            let case = if nodes { case.complete(&["nodes"]) } else { case };
            case.facts(|f| f.reach_is_known())
        };
        let bound = || Some(json!({"volumeName": "pv-1"}));
        assert!(known(bound(), true, true) && known(Some(json!({})), false, true));
        assert!(!known(bound(), false, true) && !known(bound(), true, false) && !known(None, true, true));
    }
}
