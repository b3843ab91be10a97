//! Pods, as far as they tell whether a pod is fine: of thirty thousand few deserve a closer look.

use jiff::Timestamp;
use prost::Message;
use serde::Deserialize;

use super::super::progress::Progress;
use super::{Items, Time, time};
use crate::facts::is_usual_wait;

/// A pod that does not run for so long is still starting, a rule of thumb: thousands do while a cluster scales.
const STARTING: i64 = 30;
/// A container that was restarted at least twice, the last time so lately, is worth a look even if the pod is ready.
const FLAPPING: i64 = 600;

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(in crate::gather) struct PodMessage {
    #[prost(message, optional, tag = "1")]
    pub(in crate::gather) metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    spec: Option<PodSpec>,
    #[prost(message, optional, tag = "3")]
    status: Option<PodStatus>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::gather) struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(message, optional, tag = "8")]
    creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    deletion_timestamp: Option<Time>,
    #[prost(message, repeated, tag = "13")]
    owner_references: Vec<OwnerReference>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct OwnerReference {
    #[prost(string, tag = "4")]
    uid: String,
    #[prost(bool, tag = "6")]
    controller: bool,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    #[prost(string, tag = "10")]
    node_name: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    #[prost(string, tag = "1")]
    phase: String,
    #[prost(message, repeated, tag = "2")]
    conditions: Vec<Condition>,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, repeated, tag = "8")]
    container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "10")]
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct Condition {
    #[prost(string, tag = "1")]
    #[serde(rename = "type")]
    type_: String,
    #[prost(string, tag = "2")]
    status: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    #[prost(message, optional, tag = "2")]
    state: Option<State>,
    #[prost(message, optional, tag = "3")]
    last_state: Option<State>,
    #[prost(int32, tag = "5")]
    restart_count: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct State {
    #[prost(message, optional, tag = "1")]
    waiting: Option<Waiting>,
    #[prost(message, optional, tag = "3")]
    terminated: Option<Terminated>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct Waiting {
    #[prost(string, tag = "1")]
    reason: String,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    #[prost(message, optional, tag = "6")]
    finished_at: Option<Time>,
}

/// How a pod looks in a list, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::gather) enum Look {
    /// It serves or has done its work.
    Fine,
    /// Nothing speaks against it, and a closer look could: restarts, a deletion or a start that may take a while.
    Likely,
    /// It has ended badly.
    Ended,
    /// It does not serve.
    Unready,
    /// It has not started.
    Waiting,
    /// A container cannot be made, pulled or kept alive.
    Failing,
}

impl PodMessage {
    /// How it looks at that time.
    pub(in crate::gather) fn look(&self, now: Timestamp) -> Look {
        let since = |t: &Option<Time>| time(*t).map(|t| now.as_second().saturating_sub(t.as_second()));
        let (Some(meta), Some(status)) = (&self.metadata, &self.status) else { return Look::Waiting };
        if meta.deletion_timestamp.is_some() {
            // The timestamp is when the grace period ends.
            return if since(&meta.deletion_timestamp).is_some_and(|over| over < 0) {
                Look::Likely
            } else {
                Look::Unready
            };
        }
        let is_true = |type_: &str| status.conditions.iter().any(|c| c.type_ == type_ && c.status == "True");
        match status.phase.as_str() {
            "Succeeded" => Look::Fine,
            "Running" if is_true("Ready") => {
                let flaps = |c: &ContainerStatus| {
                    let ended = c.last_state.as_ref().and_then(|s| s.terminated.as_ref());
                    c.restart_count >= 2 && ended.and_then(|t| since(&t.finished_at)).is_some_and(|s| s < FLAPPING)
                };
                let unusual =
                    is_true("PodResizePending") || is_true("PodResizeInProgress") || is_true("DisruptionTarget");
                if unusual || status.containers().any(flaps) { Look::Likely } else { Look::Fine }
            }
            "Failed" => Look::Ended,
            _ if status.failure().is_some() => Look::Failing,
            _ if since(&meta.creation_timestamp).is_some_and(|age| age < STARTING) => Look::Likely,
            "Running" | "Unknown" => Look::Unready,
            _ => Look::Waiting,
        }
    }

    /// Its state in a word or two: why a container cannot run, or why or in which phase the pod as a whole is.
    fn state(&self) -> &str {
        let (Some(meta), Some(status)) = (&self.metadata, &self.status) else { return "Unknown" };
        let phase = match status.phase.as_str() {
            _ if meta.deletion_timestamp.is_some() => return "Terminating",
            "Running" => "not ready",
            "" => "Unknown",
            phase => phase,
        };
        let reason = Some(status.reason.as_str()).filter(|reason| !reason.is_empty());
        status.failure().or(reason).unwrap_or(phase)
    }

    /// What is kept of it.
    pub(in crate::gather) fn listed(self, look: Look) -> Listed {
        let meta = self.metadata.unwrap_or_default();
        let owner = meta.owner_references.into_iter().find(|o| o.controller).map(|o| o.uid).unwrap_or_default();
        Listed {
            look,
            created: meta.creation_timestamp.map_or(0, |t| t.seconds),
            namespace: meta.namespace,
            name: meta.name,
            owner,
            node: self.spec.unwrap_or_default().node_name,
        }
    }
}

impl PodStatus {
    fn containers(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.init_container_statuses.iter().chain(&self.container_statuses)
    }

    /// What a container waits for, if it does not come by itself.
    fn failure(&self) -> Option<&str> {
        let waiting = self.containers().filter_map(|c| c.state.as_ref()?.waiting.as_ref());
        let mut reasons = waiting.map(|w| w.reason.as_str());
        reasons.find(|reason| !is_usual_wait(reason))
    }
}

/// A pod of a list that is not fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gather) struct Listed {
    pub(in crate::gather) look: Look,
    /// Seconds since 1970.
    pub(in crate::gather) created: i64,
    pub(in crate::gather) namespace: String,
    pub(in crate::gather) name: String,
    /// The controller's uid; empty for a pod that stands alone.
    pub(in crate::gather) owner: String,
    /// Empty until it is bound.
    pub(in crate::gather) node: String,
}

/// A list of pods: those that are fine are only counted.
pub(in crate::gather) struct PodItems {
    now: Timestamp,
    progress: Progress,
    pub(in crate::gather) fine: usize,
    pub(in crate::gather) others: Vec<Listed>,
}

impl PodItems {
    /// An empty list; the progress is told while the pods come in.
    pub(in crate::gather) fn new(now: Timestamp, progress: Progress) -> Self {
        Self { now, progress, fine: 0, others: Vec::new() }
    }
}

impl Items for PodItems {
    type Message = PodMessage;

    fn clear(&mut self) {
        self.fine = 0;
        self.others.clear();
        self.progress.restart();
    }

    fn take(&mut self, pod: PodMessage) {
        let look = pod.look(self.now);
        self.progress.list((look > Look::Likely).then(|| pod.state()));
        match look {
            Look::Fine => self.fine += 1,
            look => self.others.push(pod.listed(look)),
        }
    }

    fn take_json(&mut self, list: &[u8]) -> Result<(), serde_json::Error> {
        #[derive(Deserialize)]
        struct PodList {
            items: Option<Vec<PodMessage>>,
        }
        let list: PodList = serde_json::from_slice(list)?;
        list.items.into_iter().flatten().for_each(|pod| self.take(pod));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{ListSink, Sink};
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn listed(content_type: &str, bytes: &[u8]) -> (usize, Vec<Listed>) {
        let mut sink = ListSink::new(PodItems::new(at("2026-11-21T13:00:00Z"), Progress::default()));
        sink.begin(content_type);
        bytes.chunks(97).for_each(|piece| sink.push(piece).expect("a piece"));
        let items = sink.finish().expect("a list");
        (items.fine, items.others)
    }

    #[test]
    fn protobuf_and_json_tell_the_same_about_pods() {
        let protobuf = listed("application/vnd.kubernetes.protobuf", include_bytes!("../tests/pods.pb"));
        assert_eq!(protobuf, listed("application/json", include_bytes!("../tests/pods.json")));
        let looks: Vec<Look> = protobuf.1.iter().map(|pod| pod.look).collect();
        assert_eq!((protobuf.0, looks), (1, vec![Look::Failing, Look::Failing, Look::Waiting]));
        assert!(protobuf.1.iter().all(|pod| pod.namespace.starts_with("team-") && !pod.owner.is_empty()));
    }

    fn look(pod: Value) -> Look {
        PodMessage::deserialize(pod).expect("a pod").look(at("2026-11-21T13:00:00Z"))
    }

    #[test]
    fn a_pod_that_does_not_seem_fine_has_a_state() {
        let state = |pod: Value| PodMessage::deserialize(pod).expect("a pod").state().to_owned();
        let waits = |reason: &str| {
            json!({"metadata": {}, "status": {"phase": "Pending", "containerStatuses": [
            {"state": {}}, {"state": {"waiting": {"reason": reason}}}]}})
        };
        assert_eq!(state(waits("ImagePullBackOff")), "ImagePullBackOff");
        assert_eq!(state(waits("ContainerCreating")), "Pending");
        assert_eq!(state(json!({"metadata": {}, "status": {"phase": "Failed", "reason": "Evicted"}})), "Evicted");
        assert_eq!(state(json!({"metadata": {}, "status": {"phase": "Running"}})), "not ready");
        let deleted =
            json!({"metadata": {"deletionTimestamp": "2026-11-21T12:30:00Z"}, "status": {"phase": "Running"}});
        assert_eq!(state(deleted), "Terminating");
        assert_eq!(state(json!({})), "Unknown");
    }

    #[test]
    fn a_pod_that_starts_ends_or_has_recovered_is_likely_fine() {
        let ready = json!([{"type": "Ready", "status": "True"}]);
        let restarted = |at: &str| {
            json!({"metadata": {}, "status": {"phase": "Running", "conditions": ready, "containerStatuses": [
                {"name": "c", "restartCount": 3, "lastState": {"terminated": {"finishedAt": at}}}]}})
        };
        assert_eq!(look(restarted("2026-11-21T12:00:00Z")), Look::Fine);
        assert_eq!(look(restarted("2026-11-21T12:59:00Z")), Look::Likely);
        let new = |created: &str| json!({"metadata": {"creationTimestamp": created}, "status": {"phase": "Pending"}});
        assert_eq!(look(new("2026-11-21T12:59:45Z")), Look::Likely);
        assert_eq!(look(new("2026-11-21T12:50:00Z")), Look::Waiting);
        let deleted = |until: &str| json!({"metadata": {"deletionTimestamp": until}, "status": {"phase": "Running", "conditions": ready}});
        assert_eq!(look(deleted("2026-11-21T13:00:20Z")), Look::Likely);
        assert_eq!(look(deleted("2026-11-21T12:30:00Z")), Look::Unready);
        assert_eq!(look(json!({"metadata": {}, "status": {"phase": "Succeeded"}})), Look::Fine);
        assert_eq!(look(json!({"metadata": {}, "status": {"phase": "Failed"}})), Look::Ended);
        assert_eq!(look(json!({"metadata": {}})), Look::Waiting, "what says nothing is worth a look");
    }
}
