//! What a pod without a node makes worth asking: the nodes, and who has the room on those that come into question.

use serde_json::Value;

use super::super::ask::Question;
use super::Wants;
use super::read::{self, list, text};
use crate::snapshot::{Lookup, Node, Snapshot, namespace_of};

/// On so many nodes the pods are counted.
const NODES: usize = 10;

impl Wants<'_> {
    pub(super) fn may_be_scheduled(&mut self, pod: &Value) {
        let is_held = !list(pod, "/spec/schedulingGates").is_empty();
        let is_over = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") || read::is_terminating(pod);
        if is_held || is_over {
            return;
        }
        self.want(Question::Nodes);
        if depends_on_pods(pod) {
            self.want(Question::Neighbours { namespace: namespace_of(pod).to_owned() });
        }
        for claim in list(pod, "/spec/resourceClaims") {
            self.get("ResourceClaim", namespace_of(pod), text(claim, "/resourceClaimName"));
        }
        if let Lookup::Found(_) = self.snapshot.nodes() {
            for node in (self.depth.candidates)(self.snapshot, pod).into_iter().take(NODES) {
                self.want(Question::PodsOn { node, whole: false });
            }
        }
    }
}

/// Whether other pods decide where this one may run.
fn depends_on_pods(pod: &Value) -> bool {
    let terms = ["podAffinity", "podAntiAffinity"];
    terms.iter().any(|term| {
        !list(pod, &format!("/spec/affinity/{term}/requiredDuringSchedulingIgnoredDuringExecution")).is_empty()
    }) || list(pod, "/spec/topologySpreadConstraints").iter().any(|c| text(c, "/whenUnsatisfiable") != "ScheduleAnyway")
}

/// The nodes that a pod could run on by labels, taints and state, those with the most memory and then processors first; if
/// there are none, all nodes in that order.
pub(super) fn most_allocatable(snapshot: &Snapshot, pod: &Value) -> Vec<String> {
    let Lookup::Found(nodes) = snapshot.nodes() else { return Vec::new() };
    let mut ranked: Vec<(&Node, bool, u128, u128)> =
        nodes.iter().map(|n| (n, could_run(n, pod), amount(n, "memory"), amount(n, "cpu"))).collect();
    ranked
        .sort_by(|a, b| (b.1, b.2, b.3).cmp(&(a.1, a.2, a.3)).then_with(|| a.0.metadata.name.cmp(&b.0.metadata.name)));
    ranked.into_iter().take(NODES).map(|(node, ..)| node.metadata.name.clone()).collect()
}

fn could_run(node: &Node, pod: &Value) -> bool {
    let selector = pod.pointer("/spec/nodeSelector").and_then(Value::as_object);
    let selected = selector
        .into_iter()
        .flatten()
        .all(|(key, value)| node.metadata.labels.get(key).map(String::as_str) == value.as_str());
    let tolerations = list(pod, "/spec/tolerations");
    let tolerated = node.spec.taints.iter().filter(|t| t.effect != "PreferNoSchedule").all(|taint| {
        tolerations.iter().any(|toleration| {
            let (key, effect) = (text(toleration, "/key"), text(toleration, "/effect"));
            let equal = text(toleration, "/operator") == "Exists" || text(toleration, "/value") == taint.value;
            (key.is_empty() || key == taint.key) && (effect.is_empty() || effect == taint.effect) && equal
        })
    });
    selected && tolerated && node.is_ready() && !node.spec.unschedulable
}

/// Roughly how much a node offers, in thousandths: only for an order, so digits behind the point do not count.
fn amount(node: &Node, resource: &str) -> u128 {
    let text = node.status.allocatable.get(resource).map(String::as_str).unwrap_or_default();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    let number: u128 = digits.parse().unwrap_or(0);
    let unit = unit.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let factor: u128 = match unit {
        "m" => 1,
        "k" => 1_000_000,
        "Ki" => 1_000 << 10,
        "M" => 1_000_000_000,
        "Mi" => 1_000 << 20,
        "G" => 1_000_000_000_000,
        "Gi" => 1_000 << 30,
        "T" => 1_000_000_000_000_000,
        "Ti" => 1_000 << 40,
        _ => 1_000,
    };
    number.saturating_mul(factor)
}
