//! How the whole pod was given up: what the kubelet or a controller wrote into the pod's own reason and message, not into
//! that of its containers.
//!
//! Wordings: kubernetes `pkg/kubelet/eviction/helpers.go`, `pkg/kubelet/lifecycle/predicate.go`,
//! `pkg/kubelet/nodeshutdown`, `pkg/kubelet/cm`.

use crate::facts::Facts;
use crate::facts::cited::Evidence;
use crate::facts::phrase::{after, before, between, says, word};
use crate::facts::pod::Pod;
use crate::finding::Standing;

/// Why a pod ended as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodEnd {
    /// The kubelet took it away because its node ran short of something.
    NodePressure(Pressure),
    /// It used more ephemeral storage than its limits allow.
    EphemeralStorage {
        /// The limit; empty if the message does not say.
        limit: String,
        /// The container over its own limit; none if all of them together were over the sum.
        container: Option<String>,
    },
    /// An emptyDir outgrew its size limit.
    EmptyDir {
        /// The volume.
        volume: String,
        /// Its limit.
        limit: String,
    },
    /// The kubelet refused to run it.
    Rejected(Rejection),
    /// The node was shutting down.
    Shutdown,
    /// A critical pod needed its place.
    Preempted,
    /// The node controller of Kubernetes before 1.19 gave its node up.
    NodeLost,
}

/// What a node was short of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pressure {
    /// `memory`, `ephemeral-storage`, `MemoryPressure`; empty if the message does not say.
    pub resource: String,
    /// The threshold below which the kubelet evicts, and what was left.
    pub threshold: Option<(String, String)>,
    /// The containers that the message blames: name, use, request.
    pub blamed: Vec<(String, String, String)>,
    /// Whether the pod was refused when it arrived, or again after the kubelet's restart.
    pub at_admission: bool,
}

/// Why a kubelet refuses a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// Not enough of a resource, or a device that it cannot give.
    Resource,
    /// The node does not match the pod's selector, affinity or operating system.
    Placement,
    /// A host port is taken.
    Ports,
    /// A setting that the node does not allow or have.
    Settings,
    /// Something else, which its message says.
    Other,
}

impl Facts<'_> {
    /// Why the pod ended as a whole, if something other than its own containers ended it.
    pub fn pod_end(&self) -> Option<PodEnd> {
        let message = self.ending_message();
        let disrupted = self.pod.condition("DisruptionTarget").filter(|c| c.status == "True");
        let by_kubelet = disrupted.filter(|c| c.reason.as_deref() == Some("TerminationByKubelet"));
        match (self.pod.reason(), by_kubelet) {
            ("", Some(condition)) if self.pod.is_terminal() => Some(by_message(condition.message.as_deref()?)),
            ("" | "DeadlineExceeded", _) => None,
            (reason, _) => PodEnd::read(reason, &message, &self.pod).map(|end| self.with_blame(end)),
        }
    }

    /// Whom the kubelet blamed for the node's pressure. A restarted kubelet refuses the pod anew and writes that into the
    /// status; the event of the eviction still says it.
    fn with_blame(&self, end: PodEnd) -> PodEnd {
        match end {
            PodEnd::NodePressure(pressure) if pressure.blamed.is_empty() => {
                let of_events = self.events.with(&["Evicted"]).map(|e| blamed(&e.message)).find(|b| !b.is_empty());
                PodEnd::NodePressure(Pressure { blamed: of_events.unwrap_or_default(), ..pressure })
            }
            end => end,
        }
    }

    /// The word of the condition DisruptionTarget, by which whoever takes a pod away says so (since 1.26).
    pub fn disruption(&self) -> &str {
        let target = self.pod.condition("DisruptionTarget").filter(|c| c.status == "True");
        target.and_then(|c| c.reason.as_deref()).unwrap_or_default()
    }

    /// How a pod's removal by someone else stands to the present: it is what is wrong with a pod that has ended, it explains
    /// a pod that is on its way out, and it is over once something else keeps the pod.
    pub fn standing_of_removal(&self) -> Standing {
        match self.deletion() {
            Some(deletion) if deletion.in_grace() && !deletion.stopped && !self.node_state().is_silent() => {
                Standing::InProgress
            }
            Some(_) => Standing::Past,
            None if self.pod.is_terminal() => Standing::Wrong,
            None => Standing::InProgress,
        }
    }

    /// The sentence behind the pod's reason; before Kubernetes wrote it into the status it was only in the event.
    fn ending_message(&self) -> String {
        let reason = self.pod.reason();
        match self.pod.message() {
            "" => self.events.latest(reason).map(|e| e.message.clone()).unwrap_or_default(),
            message => message.to_owned(),
        }
    }

    /// Reason and message of the pod's end as they stand in its status, and the events of the same reason that say more.
    pub fn cite_ending(&self) -> Vec<Evidence> {
        let reason = self.pod.reason();
        let status = [self.cite(&["status", "reason"]), self.cite(&["status", "message"])];
        let condition = if reason.is_empty() { self.cite_condition("DisruptionTarget", "message") } else { None };
        let mut all: Vec<Evidence> = status.into_iter().flatten().chain(condition).collect();
        let said = self.pod.message().trim().to_owned();
        let more = |message: &str| !said.contains(message.trim()) && !says(message, "Attempting");
        all.extend(self.events.with(&[reason]).filter(|e| more(&e.message)).map(|e| e.cite()));
        all
    }
}

impl PodEnd {
    fn read(reason: &str, message: &str, pod: &Pod) -> Option<Self> {
        use Rejection::{Other, Placement, Ports, Resource, Settings};
        Some(match reason {
            "Evicted" => by_message(message),
            "NodeLost" => Self::NodeLost,
            "Preempting" => Self::Preempted,
            "NodeShutdown" | "Terminated" | "Shutdown" => Self::Shutdown,
            "NodePorts" | "PodFitsHostPorts" | "HostPortConflict" => Self::Rejected(Ports),
            "NodeAffinity"
            | "NodeName"
            | "MatchNodeSelector"
            | "NodeSelectorMismatching"
            | "HostName"
            | "TaintToleration"
            | "PodToleratesNodeTaints"
            | "PodOSSelectorNodeLabelDoesNotMatch"
            | "PodOSNotSupported" => Self::Rejected(Placement),
            "SysctlForbidden"
            | "AppArmor"
            | "TopologyAffinityError"
            | "SMTAlignmentError"
            | "PodFeatureUnsupported"
            | "FailedNodeDeclaredFeaturesCheck"
            | "PodLevelResourcesNotSupported"
            | "SupplementalGroupsPolicyNotSupported"
            | "InitContainerRestartPolicyForbidden"
            | "EmptyPodSharedPoolError"
            | "NoNewPrivs"
            | "SysctlUnsupported"
            | "ProcMountType" => Self::Rejected(Settings),
            "UnexpectedAdmissionError" if says(message, "Predicate NodePorts failed") => Self::Rejected(Ports),
            "UnexpectedAdmissionError" if says(message, "Predicate ") => Self::Rejected(Placement),
            "UnexpectedAdmissionError" => Self::Rejected(Resource),
            "InvalidNodeInfo" | "UnknownReason" | "UnexpectedPredicateFailureType" => Self::Rejected(Other),
            reason if reason.starts_with("OutOf") => Self::Rejected(Resource),
            // What the kubelet refuses for a reason of a later version it still words like this.
            _ if pod.phase() == "Failed" && says(message, "Pod was rejected: ") => Self::Rejected(Other),
            _ => return None,
        })
    }
}

/// Sorts the sentence of an eviction or another end by the kubelet's hand.
fn by_message(message: &str) -> PodEnd {
    if let Some(rest) = after(message, "Usage of EmptyDir volume \"") {
        let limit = between(rest, "exceeds the limit \"", "\"").unwrap_or_default();
        return PodEnd::EmptyDir { volume: before(rest, "\"").to_owned(), limit: limit.to_owned() };
    }
    for marker in ["exceeds the total limit of containers ", "storage usage exceeds "] {
        if let Some(rest) = after(message, marker) {
            let limit = word(rest).trim_matches('"').to_owned();
            return PodEnd::EphemeralStorage { limit, container: None };
        }
    }
    if let Some(rest) = after(message, "exceeded its local ephemeral storage limit \"") {
        let container = after(message, "Container ").map(|r| word(r).to_owned());
        return PodEnd::EphemeralStorage { limit: before(rest, "\"").to_owned(), container };
    }
    if says(message, "node shutdown") || says(message, "node is shutting") {
        return PodEnd::Shutdown;
    }
    if says(message, "preempted") {
        return PodEnd::Preempted;
    }
    let admission = between(message, "The node had condition: [", "]");
    let short = after(message, "low on resource: ").map(word).unwrap_or_default();
    PodEnd::NodePressure(Pressure {
        resource: admission.unwrap_or(short).to_owned(),
        threshold: between(message, "Threshold quantity: ", ",").zip(after(message, "available: ").map(word)).map(pair),
        blamed: blamed(message),
        at_admission: admission.is_some(),
    })
}

fn pair((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

/// `Container app was using 616164Ki, request is 0, has larger consumption of memory.` (1.26) and
/// `Container app was using 3841152Ki, which exceeds its request of 0.` (1.20).
fn blamed(message: &str) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    let mut rest = message;
    while let Some(at) = after(rest, " was using ") {
        let subject = before(rest, " was using ").split_whitespace().last().unwrap_or_default();
        let request = ["request is ", "request of "].iter().find_map(|m| after(at, m)).map(word).unwrap_or_default();
        all.push((subject.to_owned(), word(at).to_owned(), request.to_owned()));
        rest = at;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason_of(ending: &PodEnd) -> &'static str {
        match ending {
            PodEnd::NodePressure(_) => "NodePressureEvicted",
            PodEnd::EphemeralStorage { .. } => "EphemeralStorageExceeded",
            PodEnd::EmptyDir { .. } => "EmptyDirLimitExceeded",
            PodEnd::Rejected(Rejection::Resource | Rejection::Other) => "NodeRejected",
            PodEnd::Rejected(Rejection::Placement) => "NodeRejectedPlacement",
            PodEnd::Rejected(Rejection::Ports) => "NodeRejectedPorts",
            PodEnd::Rejected(Rejection::Settings) => "NodeRejectedSettings",
            PodEnd::Shutdown => "NodeShutdown",
            PodEnd::Preempted => "Preempted",
            PodEnd::NodeLost => "NodeLost",
        }
    }

    #[test]
    fn every_known_sentence_of_the_kubelet_has_its_class() {
        let mut pod = Pod::default();
        pod.status.phase = Some("Failed".to_owned());
        let rows = include_str!("../../../tests/data/messages.tsv").lines();
        let rows = rows.filter(|l| l.starts_with("REJ-") || l.starts_with("EVT-")).filter(|l| l.contains("pod.status"));
        let mut wrong = Vec::new();
        for row in rows {
            let columns: Vec<&str> = row.split('\t').collect();
            // A volume limit is the scheduler's reason too, and a kubelet that cannot read its own node says nothing of it.
            if ["REJ-ENV", "REJ-VOLLIMIT", "REJ-NODEINFO", "REJ-FEATURES"].contains(&columns[0]) {
                continue;
            }
            let reason = columns[2].split('|').next().unwrap_or_default().replace('*', "cpu");
            let found = PodEnd::read(&reason, columns[4], &pod).map_or("nothing", |e| reason_of(&e));
            if !columns[5].split('|').any(|wanted| wanted == found) {
                wrong.push(format!("{}: {found}, not {}", columns[0], columns[5]));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_blamed_containers_are_read_from_both_wordings() {
        let old = "The node was low on resource: ephemeral-storage. Container app was using 3841152Ki, which exceeds its \
            request of 0. Container side was using 12Ki, which exceeds its request of 0. ";
        let PodEnd::NodePressure(pressure) = by_message(old) else { panic!() };
        assert_eq!(pressure.resource, "ephemeral-storage");
        assert_eq!(pressure.blamed.len(), 2);
        let new = "The node was low on resource: memory. Threshold quantity: 22300Mi, available: 20082356Ki. Container \
            importer was using 616164Ki, request is 0, has larger consumption of memory. ";
        let PodEnd::NodePressure(pressure) = by_message(new) else { panic!() };
        assert_eq!(pressure.threshold, Some(("22300Mi".to_owned(), "20082356Ki".to_owned())));
        assert_eq!(pressure.blamed, [("importer".to_owned(), "616164Ki".to_owned(), "0".to_owned())]);
    }

    #[test]
    fn a_kubelets_refusal_is_sorted_by_its_words_and_by_what_it_says() {
        let of = |reason: &str, message: &str, phase: &str| {
            let mut pod = Pod::default();
            pod.status.phase = Some(phase.to_owned());
            PodEnd::read(reason, message, &pod).map(|end| reason_of(&end))
        };
        for (reason, message, wanted) in [
            ("UnexpectedAdmissionError", "Predicate NodePorts failed", "NodeRejectedPorts"),
            ("UnexpectedAdmissionError", "Predicate NodeAffinity failed", "NodeRejectedPlacement"),
            ("UnexpectedAdmissionError", "Allocate failed due to no healthy devices", "NodeRejected"),
            ("InvalidNodeInfo", "Kubelet cannot get node info.", "NodeRejected"),
            ("OutOfexample.com/gpu", "Node didn't have enough resource", "NodeRejected"),
            ("OfTheFuture", "Pod was rejected: for a reason of its own", "NodeRejected"),
            ("NodeLost", "", "NodeLost"),
            ("Evicted", "The pod was preempted", "Preempted"),
            ("Evicted", "Pod was terminated in response to imminent node shutdown.", "NodeShutdown"),
            ("Evicted", "Pod was rejected as the node is shutting down.", "NodeShutdown"),
        ] {
            assert_eq!(of(reason, message, "Failed"), Some(wanted), "{reason} {message}");
        }
        assert_eq!(of("OfTheFuture", "Pod was rejected: x", "Running"), None);
        assert_eq!(of("OfTheFuture", "another thing", "Failed"), None);
    }

    #[test]
    fn the_kubelets_condition_tells_where_the_reason_does_not() {
        use crate::rules::testing::Case;
        use serde_json::json;
        let end = |phase: &str, reason: &str, by: &str, status: &str| {
            let condition = json!([{"type": "DisruptionTarget", "status": status, "reason": by,
                "message": "The node was low on resource: memory."}]);
            Case::pod(
                json!({"containers": [{"name": "app"}]}),
                json!({"phase": phase, "reason": reason, "conditions": condition}),
            )
            .facts(|f| f.pod_end().map(|end| reason_of(&end)))
        };
        assert_eq!(end("Failed", "", "TerminationByKubelet", "True"), Some("NodePressureEvicted"));
        assert_eq!(end("Running", "", "TerminationByKubelet", "True"), None, "it still runs");
        assert_eq!(end("Failed", "", "PreemptionByScheduler", "True"), None);
        assert_eq!(end("Failed", "", "TerminationByKubelet", "False"), None);
        assert_eq!(end("Failed", "DeadlineExceeded", "TerminationByKubelet", "True"), None);
        assert_eq!(end("Failed", "NodeLost", "", ""), Some("NodeLost"));
    }

    #[test]
    fn a_removal_keeps_a_pod_that_has_ended_and_explains_one_that_leaves() {
        use crate::rules::testing::Case;
        use serde_json::json;
        let of = |phase: &str, until: &str| {
            let running = json!({"name": "app", "state": {"running": {"startedAt": "2026-01-01T11:50:00Z"}}});
            let case = Case::pod(
                json!({"nodeName": "w", "containers": [{"name": "app"}]}),
                json!({"phase": phase, "containerStatuses": [running]}),
            );
            let until = if until.is_empty() { json!(null) } else { json!(format!("2026-01-01T{until}Z")) };
            case.edit("/metadata/deletionTimestamp", until).facts(|f| f.standing_of_removal())
        };
        assert_eq!(of("Failed", ""), Standing::Wrong);
        assert_eq!(of("Running", ""), Standing::InProgress);
        assert_eq!(of("Running", "12:00:20"), Standing::InProgress);
        assert_eq!(of("Running", "11:50:00"), Standing::Past, "something else keeps it");
    }
}
