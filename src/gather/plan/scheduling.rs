//! What a pod without a node makes worth asking: the nodes, and who has the room on those that come into question.

use serde_json::Value;

use super::super::ask::Question;
use super::Wants;
use super::read::{self, list, text};
use crate::facts::scheduling::{candidates, has_suitable, selection};
use crate::snapshot::{Lookup, Node, namespace_of};

/// On so many nodes at most the pods are counted.
const NODES: usize = 10;

impl<'a> Wants<'a> {
    pub(super) fn may_be_scheduled(&mut self, pod: &Value) {
        let is_held = !list(pod, "/spec/schedulingGates").is_empty();
        let is_over = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") || read::is_terminating(pod);
        if is_held || is_over {
            return;
        }
        let nodes = self.nodes_for(pod);
        if depends_on_pods(pod) {
            self.want(Question::Neighbours { namespace: namespace_of(pod).to_owned() });
        }
        for claim in list(pod, "/spec/resourceClaims") {
            self.get("ResourceClaim", namespace_of(pod), text(claim, "/resourceClaimName"));
        }
        let counted = candidates(pod, nodes.unwrap_or_default(), NODES);
        self.extras.extend(counted.into_iter().map(|node| Question::PodsOn { node, whole: false }));
    }

    /// The nodes that are known for a pod. Where those that its node selector admits may tell all, they are asked for first, and
    /// all nodes only if none of them is suitable.
    fn nodes_for(&mut self, pod: &Value) -> Option<&'a [Node]> {
        let snapshot = self.snapshot;
        if let Lookup::Found(nodes) = snapshot.nodes() {
            return Some(nodes);
        }
        let Some(labels) = selection(pod) else {
            self.want(Question::Nodes);
            return None;
        };
        let nodes = snapshot.nodes_with(&labels);
        self.want(Question::NodesWith { labels });
        if nodes.is_some_and(|nodes| !has_suitable(pod, nodes)) {
            self.want(Question::Nodes);
        }
        nodes
    }
}

/// Whether other pods decide where this one may run.
fn depends_on_pods(pod: &Value) -> bool {
    let terms = ["podAffinity", "podAntiAffinity"];
    terms.iter().any(|term| {
        !list(pod, &format!("/spec/affinity/{term}/requiredDuringSchedulingIgnoredDuringExecution")).is_empty()
    }) || list(pod, "/spec/topologySpreadConstraints").iter().any(|c| text(c, "/whenUnsatisfiable") != "ScheduleAnyway")
}
