//! What a pod without a node makes worth asking: the nodes, and who has the room on those that come into question.

use serde_json::Value;

use super::super::ask::Question;
use super::Wants;
use super::read::{self, list, text};
use crate::facts::scheduling::candidates;
use crate::snapshot::{Lookup, namespace_of};

/// On so many nodes at most the pods are counted.
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
        if let Lookup::Found(nodes) = self.snapshot.nodes() {
            let counted = candidates(pod, nodes, NODES).into_iter().map(|node| Question::PodsOn { node, whole: false });
            self.extras.extend(counted);
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
