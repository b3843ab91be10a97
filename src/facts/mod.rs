//! What the snapshot says, joined and parsed once in the terms of the field: all that a rule sees.
//!
//! Facts read no clock, no environment and no file: the snapshot's `taken_at` is the only clock.

pub(crate) mod cited;
mod containers;
mod creation;
mod deletion;
mod dependencies;
mod events;
mod exits;
mod finalizers;
mod images;
#[cfg(test)]
pub(crate) mod known_messages;
mod owner;
mod phrase;
mod pod;
mod probes;
mod progress;
pub mod quantity;
mod resize;
mod sandbox;
pub mod scheduling;
pub mod selector;
mod start;
mod status;
pub mod time;
mod workload;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

pub use cited::{Evidence, ObjectName, Path, Table};
pub use containers::{Container, Exit, Restart, Role, State, is_usual_wait};
pub use creation::{Denial, Excess, Refusal};
pub use deletion::{Deletion, NodeState};
pub use dependencies::{
    claims, lacks, mount_errors, mounts, references, unfit_volumes, volume_reach, volume_source, volume_words, volumes,
    writes,
};
pub use ends::{End, Job};
pub use events::{Event, Events};
pub use exit::{Ending, Signal};
pub use exits::{ends, exit, logs, memory, pod_end};
pub use finalizers::Finalizer;
pub use image::Image;
pub use images::{image, pull_fault, pulls};
pub use logs::{LastWords, Telling};
pub use owner::{Owner, controlled_by};
pub use pod::Pod;
pub use pod_end::{PodEnd, Pressure, Rejection};
pub use probes::{Answer, Handler, PortMismatch, Probe, ProbeKind, ProbePort, ProbeTrouble};
pub use progress::{HOOK_USUAL, INIT_USUAL};
pub use pull_fault::{PullFault, classify as fault_of_pull};
pub use pulls::{FailedPull, PullSecret, RunningPull};
pub use quantity::Quantity;
pub use resize::Resize;
pub use sandbox::{SandboxFailure, SandboxFault};
pub use scheduling::Claimed;
pub use start::{HookFailure, Lack, Mechanism, Problem, StartFailure, User};
pub use workload::{Idle, Workload};

use crate::finding::{Command, Remedy, Subject};
use crate::resource::Kind;
use crate::snapshot::{self, Lookup, Node, Snapshot, Target};

/// Everything that is known about one target, read-only.
pub struct Facts<'a> {
    snapshot: &'a Snapshot,
    /// What the diagnosis is about.
    pub target: Target,
    /// When the snapshot was taken.
    pub now: Timestamp,
    /// The pod. Empty if the target is something else.
    pub pod: Pod,
    /// The pod's containers in the order in which they start.
    pub containers: Vec<Container>,
    /// The pod's events, the latest first.
    pub events: Events,
    /// Who makes the pod again; for a target that is no pod, the target itself.
    pub owner: Owner,
    object: Option<&'a Value>,
    scheduling: std::cell::OnceCell<scheduling::Scheduling<'a>>,
}

impl<'a> Facts<'a> {
    /// Joins what the snapshot holds about `target`.
    pub fn new(snapshot: &'a Snapshot, target: &Target) -> Self {
        let object = snapshot.object(target.kind, &target.namespace, &target.name).found();
        let pod = if target.kind == "Pod" { object.map(Pod::read).unwrap_or_default() } else { Pod::default() };
        let mut containers = object.map(|o| Container::all(o, &pod.spec, &pod.status)).unwrap_or_default();
        let now = snapshot.taken_at();
        for container in &mut containers {
            container.judge(now, snapshot.header.undated, is_at_its_end(&pod));
        }
        let node = if target.kind == "Node" { snapshot.node(&target.name).found() } else { None };
        let uid = object.map(snapshot::uid_of).or(node.map(|n| n.metadata.uid.as_str())).unwrap_or_default();
        let owner = match target.kind {
            "Pod" => Owner::of_pod(snapshot, &pod),
            kind => Owner::new(kind, &target.name, &target.namespace),
        };
        Self {
            snapshot,
            target: target.clone(),
            now,
            events: Events::of(snapshot.all("Event"), target.kind, &target.namespace, &target.name, uid),
            pod,
            containers,
            owner,
            object,
            scheduling: std::cell::OnceCell::new(),
        }
    }

    /// kubectl's STATUS word; of an object that makes pods, how many of them are ready.
    pub fn status_word(&self) -> String {
        match self.target.kind {
            "Pod" => status::word(&self.pod, &self.containers),
            "Node" => status::of_node(self.node()),
            _ => self.workload().map(|w| w.word()).unwrap_or_default(),
        }
    }

    /// The target's uid; empty if it is not known.
    pub fn target_uid(&self) -> &str {
        self.object.map(snapshot::uid_of).unwrap_or_default()
    }

    /// Whether every container does what it is there for: it runs and is ready, or it has done its work; and the kubelet
    /// counts the pod as ready.
    pub fn all_serve(&self) -> bool {
        let serves = |c: &Container| c.is_done() || c.is_running() && (c.is_ready() || c.role == Role::Init);
        let reported = self.main_containers().next().is_some();
        reported && self.pod.is_true("Ready") && self.main_containers().all(serves)
    }

    /// The target itself.
    pub fn subject(&self) -> Subject {
        Subject::object(self.target.kind, &self.target.name)
    }

    /// One of the pod's containers as the subject of a finding.
    pub fn subject_of(&self, container: &Container) -> Subject {
        Subject::container(&self.pod.name, &container.name)
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|c| c.name == name)
    }

    /// The containers that the pod's life depends on: all but ephemeral ones.
    pub fn main_containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(|c| c.role != Role::Ephemeral)
    }

    /// The target's object as the API server gave it; for parsers within facts.
    pub(in crate::facts) fn object(&self) -> Option<&'a Value> {
        self.object
    }

    /// The snapshot; for parsers within facts.
    pub(in crate::facts) fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// Another object of the target's namespace, or one without namespace.
    pub fn lookup(&self, kind: &str, name: &str) -> Lookup<&'a Value> {
        self.snapshot.object(kind, &self.target.namespace, name)
    }

    /// The node that the pod is bound to, or that the diagnosis is about.
    pub fn node(&self) -> Lookup<&'a Node> {
        match self.target.kind {
            "Node" => self.snapshot.node(&self.target.name),
            _ => self.pod.node_name().map_or(Lookup::NotAsked, |name| self.snapshot.node(name)),
        }
    }

    /// A node by name, if it was read.
    pub fn node_named(&self, name: &str) -> Option<&'a Node> {
        self.snapshot.node(name).found()
    }

    /// Events about another object. `uid` is empty if it is not known.
    pub fn events_about(&self, kind: &str, name: &str, uid: &str) -> Events {
        let namespaced = Kind::named(kind).is_none_or(|k| k.namespaced);
        let namespace = if namespaced { self.target.namespace.as_str() } else { "" };
        Events::of(self.snapshot.all("Event"), kind, namespace, name, uid)
    }

    /// The target's value at `steps`, cited.
    pub fn cite(&self, steps: &[&str]) -> Option<Evidence> {
        Evidence::field(self.object?, steps)
    }

    /// That the target has no value at `steps`.
    pub fn cite_absence(&self, steps: &[&str]) -> Option<Evidence> {
        Evidence::without_field(self.object?, steps)
    }

    /// A field of a container's spec, cited.
    pub fn cite_spec(&self, container: &Container, steps: &[&str]) -> Option<Evidence> {
        self.cite(&[&["spec", container.spec_list(), &container.name], steps].concat())
    }

    /// A field of a container's status, cited.
    pub fn cite_status(&self, container: &Container, steps: &[&str]) -> Option<Evidence> {
        self.cite(&[&["status", container.status_list(), &container.name], steps].concat())
    }

    /// A field of one of a container's ends, cited: `exitCode`, `reason`, `message`, `finishedAt`.
    pub fn cite_exit(&self, container: &Container, exit: &Exit, field: &str) -> Option<Evidence> {
        let state = if exit.is_last { "lastState" } else { "state" };
        self.cite_status(container, &[state, "terminated", field])
    }

    /// A field of one of the pod's conditions, cited: `status`, `reason`, `message`.
    pub fn cite_condition(&self, type_: &str, field: &str) -> Option<Evidence> {
        self.cite(&["status", "conditions", type_, field])
    }

    /// A field of another object, cited.
    pub fn cite_other(&self, kind: &str, name: &str, steps: &[&str]) -> Option<Evidence> {
        Evidence::field(self.lookup(kind, name).found()?, steps)
    }

    /// A field of a node, cited.
    pub fn cite_node(&self, node: &Node, steps: &[&str]) -> Option<Evidence> {
        Evidence::field(&snapshot::node_object(node), steps)
    }

    /// That an object does not exist; nothing unless the server said so.
    pub fn cite_missing(&self, kind: &str, name: &str) -> Option<Evidence> {
        let absent = match kind {
            "Node" => self.snapshot.node(name).is_absent(),
            _ => self.lookup(kind, name).is_absent(),
        };
        let object = ObjectName::missing(kind, &self.target.namespace, name);
        absent.then_some(Evidence::Absent { object, path: None })
    }

    /// Names of existing objects of that kind in the target's namespace that are close to `wanted`: four at most, the
    /// nearest first.
    pub fn close_names(&self, kind: &str, wanted: &str) -> Vec<String> {
        let names: BTreeSet<&str> = self
            .snapshot
            .all(kind)
            .iter()
            .filter(|o| matches!(snapshot::namespace_of(o), "") || snapshot::namespace_of(o) == self.target.namespace)
            .map(snapshot::name_of)
            .collect();
        closest(wanted, names.into_iter())
    }

    /// `kubectl VERB … -n NAMESPACE` that only reads.
    pub fn look<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Remedy {
        Remedy::look(self.kubectl(args))
    }

    /// `kubectl … -n NAMESPACE`.
    pub fn kubectl<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut all: Vec<String> = args.into_iter().map(|a| a.as_ref().to_owned()).collect();
        all.extend(["-n".to_owned(), self.target.namespace.clone()]);
        Command::kubectl(all)
    }

    /// `kubectl logs POD -c CONTAINER [--previous]`, for the run in which that end came.
    pub fn look_at_log(&self, container: &Container, exit: &Exit) -> Remedy {
        let mut args = vec!["logs", &self.pod.name, "-c", &container.name];
        if exit.is_last {
            args.push("--previous");
        }
        self.look(args)
    }
}

/// A pod at a glance, without its surroundings: whether it is fine, and kubectl's STATUS word.
pub fn glance(object: &Value) -> (bool, String) {
    let pod = Pod::read(object);
    let containers = Container::all(object, &pod.spec, &pod.status);
    let fine = pod.phase() == "Succeeded" || pod.phase() == "Running" && pod.is_true("Ready");
    (fine && !pod.is_deleting(), status::word(&pod, &containers))
}

/// The names of a pod's containers in the order in which they start.
pub fn container_names(object: &Value) -> Vec<String> {
    let pod = Pod::read(object);
    Container::all(object, &pod.spec, &pod.status).into_iter().map(|c| c.name).collect()
}

/// Whether the whole pod is at its end: deleted, evicted or given up.
fn is_at_its_end(pod: &Pod) -> bool {
    pod.is_deleting() || pod.phase() == "Failed" && (!pod.reason().is_empty() || pod.is_true("DisruptionTarget"))
}

/// The names nearest to `wanted` by edit distance, four at most; a name counts as near if less than half of it differs or
/// one contains the other. Keys of ConfigMaps and Secrets often differ in case and separators alone, which counts as near.
pub fn closest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    let target = plain(wanted);
    let mut near: Vec<(usize, &str)> = names
        .filter(|n| *n != wanted)
        .map(|n| (edit_distance(&target, &plain(n)), n))
        .filter(|(distance, n)| {
            let (longest, n) = (target.len().max(n.len()), plain(n));
            let within = n.contains(&target) || target.contains(&n);
            2 * distance < longest || (target.len() > 2 && n.len() > 2 && within)
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(4).map(|(_, n)| n.to_owned()).collect()
}

/// Levenshtein's distance between two names, of which the first 256 characters count.
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(256).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(256).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            left = (diagonal + usize::from(ca != *cb)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
