//! How far the pod's deletion has got, and how its node is.

use super::containers::Container;
use super::time::{human, seconds_between};
use super::{Evidence, Facts, Role, State};
use crate::snapshot::{Lookup, Node};

/// How long after the end of the grace period a container that still runs counts as overdue, in seconds: the kubelet needs
/// a moment to kill it and to report. A rule of thumb.
const SLACK: i64 = 10;

/// How long a kubelet may take to clean up after stopped containers, in seconds. A rule of thumb: a volume is unmounted and
/// a sandbox torn down within seconds, two minutes is the kubelet's own time limit for most calls of the runtime.
const CLEAN_UP: i64 = 120;

/// A deletion that was asked for and has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// The grace period in seconds. 0 if the pod was forced, or if its kubelet has confirmed its end.
    pub grace: i64,
    /// Seconds until the grace period ends; below zero once it is over.
    pub left: i64,
    /// Whether no container is known to run.
    pub stopped: bool,
    /// Whether the API server waits for nobody's word but that of finalizers: no node has to confirm anything.
    pub confirmed: bool,
}

impl Deletion {
    /// Whether the grace period runs, its slack included.
    pub fn in_grace(&self) -> bool {
        self.left >= -SLACK
    }

    /// Whether the kubelet has had time enough to clean up after the containers.
    pub fn is_overdue(&self) -> bool {
        self.left < -CLEAN_UP
    }

    /// `for another 7m`, or `ended 2m ago`.
    pub fn span(&self) -> String {
        if self.left >= 0 {
            format!("ends in {}", human(self.left))
        } else {
            format!("ended {} ago", human(-self.left))
        }
    }
}

/// How the pod's node is, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeState<'a> {
    /// It reports and is ready.
    Ready(&'a Node),
    /// It reports that it is not ready.
    NotReady(&'a Node),
    /// It has stopped reporting.
    Lost(&'a Node),
    /// It does not exist.
    Missing,
    /// It could not be read, but the node controller has marked the pod as on a node that is not ready.
    Marked,
    /// The pod has none, or it could not be read and nothing points to trouble.
    Unknown,
}

impl<'a> NodeState<'a> {
    /// Whether the node cannot confirm that containers have stopped.
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Missing | Self::Marked)
    }
}

impl<'a> Facts<'a> {
    /// How far the pod's deletion has got.
    pub fn deletion(&self) -> Option<Deletion> {
        let ends = self.pod.grace_ends()?;
        let live = |c: &Container| c.is_running();
        let reported = self.containers.iter().any(|c| c.state != State::Unreported);
        let homeless = self.pod.node_name().is_none();
        let stopped = !self.containers.iter().any(live) && (reported || homeless || self.pod.is_terminal());
        Some(Deletion {
            grace: self.pod.grace_seconds(),
            left: seconds_between(self.now, ends),
            stopped,
            confirmed: homeless || self.pod.meta.deletion_grace_period_seconds == Some(0),
        })
    }

    /// The containers that still run, except those that nobody waits for.
    pub fn running(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(|c| c.is_running() && c.role != Role::Ephemeral)
    }

    /// How the pod's node is, or how the node is that the diagnosis is about.
    pub fn node_state(&self) -> NodeState<'a> {
        match self.node() {
            Lookup::Found(node) if node.is_lost() => NodeState::Lost(node),
            Lookup::Found(node) if node.is_ready() => NodeState::Ready(node),
            Lookup::Found(node) if node.condition("Ready").is_some() => NodeState::NotReady(node),
            Lookup::Found(_) => NodeState::Unknown,
            Lookup::NotFound => NodeState::Missing,
            _ if self.is_marked() => NodeState::Marked,
            _ => NodeState::Unknown,
        }
    }

    /// Seconds since the pod was bound to its node, or created, if the scheduler has not said when.
    pub fn bound_for(&self) -> Option<i64> {
        let scheduled = self.pod.condition("PodScheduled").filter(|c| c.status == "True");
        let since = scheduled.and_then(|c| c.last_transition_time.as_ref()).map(|t| t.0);
        Some(seconds_between(since.or(self.pod.created())?, self.now))
    }

    /// Names of existing nodes that are close to `wanted`.
    pub fn close_nodes(&self, wanted: &str) -> Vec<String> {
        super::closest(wanted, self.snapshot().known_nodes().iter().map(|n| n.metadata.name.as_str()))
    }

    /// The name of that node.
    pub fn node_title(&self) -> &str {
        if self.target.kind == "Node" { &self.target.name } else { self.pod.node_name().unwrap_or("its node") }
    }

    /// Whether the node controller has set the pod to not ready: it writes no reason, and leaves the containers as their
    /// kubelet last reported them. Source: `pkg/util/node/node.go` and `pkg/controller/util/node/controller_utils.go`,
    /// `MarkPodsNotReady`.
    fn is_marked(&self) -> bool {
        let Some(ready) = self.pod.condition("Ready") else { return false };
        let bare = ready.status == "False" && ready.reason.as_deref().unwrap_or_default().is_empty();
        bare && self.pod.is_true("ContainersReady") && self.pod.spec.readiness_gates.is_none()
    }

    /// What shows that the node is in trouble.
    pub fn cite_node_trouble(&self) -> Vec<Evidence> {
        let cited = match self.node_state() {
            NodeState::Lost(node) | NodeState::NotReady(node) | NodeState::Ready(node) => {
                let field = |key| self.cite_node(node, &["status", "conditions", "Ready", key]);
                vec![field("status"), field("message"), field("lastHeartbeatTime"), self.cite_lease()]
            }
            NodeState::Missing => vec![self.cite_missing("Node", self.node_title()), self.cite(&["spec", "nodeName"])],
            NodeState::Marked => vec![
                self.cite_condition("Ready", "status"),
                self.cite_condition("ContainersReady", "status"),
                self.events.latest("NodeNotReady").map(|e| e.cite()),
            ],
            NodeState::Unknown => vec![],
        };
        cited.into_iter().flatten().collect()
    }

    /// When the node's kubelet last renewed its lease.
    fn cite_lease(&self) -> Option<Evidence> {
        let lease = self.snapshot().object("Lease", "kube-node-lease", self.node_title()).found()?;
        Evidence::field(lease, &["spec", "renewTime"])
    }

    /// When the deletion was asked for, and by whose hand its grace ends.
    pub fn cite_deletion(&self) -> Vec<Evidence> {
        let fields = [&["metadata", "deletionTimestamp"], &["metadata", "deletionGracePeriodSeconds"]];
        fields.into_iter().filter_map(|steps| self.cite(steps)).collect()
    }

    /// The states of the containers, cited: `running` with its start.
    pub fn cite_running(&self) -> Vec<Evidence> {
        self.running().filter_map(|c| self.cite_status(c, &["state", "running", "startedAt"])).collect()
    }

    /// The taints of the pod's node that remove pods, cited by their keys.
    pub fn cite_taints(&self) -> Vec<Evidence> {
        let Lookup::Found(node) = self.node() else { return Vec::new() };
        let removing = node.spec.taints.iter().enumerate().filter(|(_, t)| t.effect == "NoExecute");
        removing.filter_map(|(n, _)| self.cite_node(node, &["spec", "taints", &n.to_string(), "key"])).collect()
    }

    /// The fields of one of the pod's conditions that say something.
    pub fn cite_whole_condition(&self, type_: &str) -> Vec<Evidence> {
        ["reason", "message"].into_iter().filter_map(|field| self.cite_condition(type_, field)).collect()
    }

    /// The PodDisruptionBudgets of the namespace that select the pod by labels, cited with what they allow now.
    pub fn cite_budgets(&self) -> Vec<Evidence> {
        let labels = self.pod.meta.labels.clone().unwrap_or_default();
        let selects = |budget: &&serde_json::Value| {
            let wanted = budget.pointer("/spec/selector/matchLabels").and_then(|v| v.as_object());
            budget.pointer("/spec/selector/matchExpressions").is_none()
                && wanted.is_some_and(|w| w.iter().all(|(k, v)| labels.get(k).map(String::as_str) == v.as_str()))
                && crate::snapshot::namespace_of(budget) == self.target.namespace
        };
        let budgets = self.snapshot().all("PodDisruptionBudget").iter().filter(selects);
        budgets.filter_map(|b| Evidence::field(b, &["status", "disruptionsAllowed"])).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rules::testing::Case;

    fn deleted(at: &str, grace: i64) -> Case {
        Case::container(json!({"state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}}}))
            .edit("/metadata/deletionTimestamp", json!(at))
            .edit("/metadata/deletionGracePeriodSeconds", json!(grace))
            .edit("/spec/nodeName", json!("node-1"))
    }

    #[test]
    fn the_deletion_timestamp_is_the_end_of_the_grace_period() {
        let deletion = deleted("2026-01-01T12:05:00Z", 600).facts(|f| f.deletion()).unwrap();
        assert_eq!((deletion.left, deletion.in_grace(), deletion.stopped), (300, true, false));
        assert_eq!(deletion.span(), "ends in 5m");
        assert!(!deleted("2026-01-01T11:55:00Z", 30).facts(|f| f.deletion()).unwrap().in_grace());
    }

    #[test]
    fn a_pod_that_never_had_a_node_waits_for_nobodys_word() {
        let case = Case::pod(json!({"containers": [{"name": "app"}]}), json!({"phase": "Pending"}))
            .edit("/metadata/deletionTimestamp", json!("2026-01-01T11:55:00Z"));
        let deletion = case.facts(|f| f.deletion()).unwrap();
        assert!(deletion.stopped && deletion.confirmed);
    }

    #[test]
    fn the_node_controllers_mark_shows_where_the_node_cannot_be_read() {
        let conditions = json!([{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]);
        let case = deleted("2026-01-01T11:55:00Z", 30).edit("/status/conditions", conditions).refused("nodes");
        assert!(case.facts(|f| f.node_state().is_silent()));
        assert!(!deleted("2026-01-01T11:55:00Z", 30).refused("nodes").facts(|f| f.node_state().is_silent()));
    }

    #[test]
    fn a_kubelet_has_two_minutes_to_clean_up() {
        let overdue = |at: &str| deleted(at, 30).facts(|f| f.deletion()).unwrap().is_overdue();
        assert!(
            !overdue("2026-01-01T12:00:30Z") && !overdue("2026-01-01T11:58:00Z") && overdue("2026-01-01T11:57:59Z")
        );
    }

    fn node(name: &str, conditions: serde_json::Value) -> serde_json::Value {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"conditions": conditions},
            "spec": {"taints": [{"key": "soft", "effect": "NoSchedule"}, {"key": "hard", "effect": "NoExecute"}]}})
    }

    #[test]
    fn a_node_is_what_it_reports() {
        let of = |conditions| {
            deleted("2026-01-01T11:55:00Z", 30)
                .with(node("node-1", conditions))
                .facts(|f| format!("{:?}", f.node_state()).split('(').next().unwrap_or_default().to_owned())
        };
        assert_eq!(of(json!([{"type": "Ready", "status": "True"}])), "Ready");
        assert_eq!(of(json!([{"type": "Ready", "status": "False"}])), "NotReady");
        assert_eq!(of(json!([{"type": "Ready", "status": "Unknown"}])), "Lost");
        assert_eq!(of(json!([])), "Unknown");
        let marked = json!([{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]);
        let unsaid =
            deleted("2026-01-01T11:55:00Z", 30).edit("/status/conditions", marked).with(node("node-1", json!([])));
        assert!(!unsaid.facts(|f| f.node_state().is_silent()), "the node itself was read");
        let missing = deleted("2026-01-01T11:55:00Z", 30).with(node("node-2", json!([]))).complete(&["nodes"]);
        missing.facts(|f| {
            assert!(f.node_state().is_silent());
            assert_eq!(f.close_nodes("node-1"), ["node-2"]);
            assert_eq!(f.cite_node_trouble().len(), 2, "its absence and the pod's own field");
        });
    }

    #[test]
    fn a_pod_is_marked_only_if_its_containers_are_ready_and_nobody_says_why_it_is_not() {
        let silent = |ready: &str, reason: &str, containers: &str| {
            let conditions = json!([{"type": "Ready", "status": ready, "reason": reason},
                {"type": "ContainersReady", "status": containers}]);
            let case = deleted("2026-01-01T11:55:00Z", 30).edit("/status/conditions", conditions).refused("nodes");
            case.facts(|f| f.node_state().is_silent())
        };
        assert!(silent("False", "", "True"));
        assert!(
            !silent("True", "", "True")
                && !silent("False", "ContainersNotReady", "True")
                && !silent("False", "", "False")
        );
    }

    #[test]
    fn leases_taints_and_budgets_are_cited_where_they_concern_the_pod() {
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "node-1", "namespace": "kube-node-lease"}, "spec": {"renewTime": "2026-01-01T11:40:00Z"}});
        let budget = |name: &str, namespace: &str, selector: serde_json::Value| {
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": namespace},
                "spec": {"selector": selector}, "status": {"disruptionsAllowed": 0}})
        };
        let mine = || json!({"matchLabels": {"app": "x"}});
        let case = deleted("2026-01-01T11:55:00Z", 30)
            .edit("/metadata/labels", json!({"app": "x"}))
            .with(node("node-1", json!([{"type": "Ready", "status": "Unknown"}])))
            .with(lease)
            .with(budget("mine", "n", mine()))
            .with(budget("elsewhere", "m", mine()))
            .with(budget("other", "n", json!({"matchLabels": {"app": "y"}})))
            .with(budget("odd", "n", json!({"matchLabels": {"app": "x"}, "matchExpressions": []})))
            .with(budget("none", "n", json!({})));
        case.facts(|f| {
            let shown = |evidence: Vec<crate::facts::Evidence>| format!("{evidence:?}");
            assert!(shown(f.cite_node_trouble()).contains("11:40:00Z"));
            let taints = f.cite_taints();
            assert!(taints.len() == 1 && shown(taints).contains("hard"));
            let budgets = f.cite_budgets();
            assert!(budgets.len() == 1 && shown(budgets).contains("mine"));
        });
    }
}
