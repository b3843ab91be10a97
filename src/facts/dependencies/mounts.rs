//! Why a volume is not attached or mounted: what the kubelet and the attach controller say, in the wordings of Kubernetes
//! 1.20 to 1.36 and of common CSI drivers.

use crate::facts::Facts;
use crate::facts::events::Event;
use crate::facts::volume_words::quoted;

/// What a failed attach or mount came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A ConfigMap or Secret does not exist; with the namespace, if it is said.
    ObjectMissing {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// The namespace of a driver's own Secret.
        namespace: Option<String>,
        /// The name.
        name: String,
    },
    /// A ConfigMap or Secret lacks a key.
    KeyMissing {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// The key.
        key: String,
    },
    /// A path is not on the node, or is of another type.
    PathMismatch(String),
    /// The volume is reachable only from other nodes.
    WrongNode,
    /// The node has no such CSI driver, or the driver's process does not answer; its name, if it is said.
    DriverMissing(Option<String>),
    /// The volume is attached to another node: its name and the pods that use the volume, as far as they are said.
    AttachedElsewhere {
        /// The other node.
        node: Option<String>,
        /// The other pods.
        pods: Vec<String>,
    },
    /// The node cannot attach another volume.
    LimitReached,
    /// What the PersistentVolume stands for does not exist.
    Gone,
    /// Another pod uses a claim that is for one pod.
    InUse,
    /// The claim of that name does not exist.
    ClaimMissing(String),
    /// The claim of that name is being deleted.
    ClaimDeleting(String),
    /// The claim of that name is not bound.
    ClaimUnbound(String),
    /// Attaching failed in another way.
    AttachFailed,
    /// Mounting failed in another way.
    MountFailed,
    /// Says nothing about the volume: the kubelet has only just begun, or has given up waiting for what others report.
    Noise,
}

/// A volume that could not be attached or mounted, as it was last reported.
#[derive(Debug, Clone)]
pub struct MountFailure<'f> {
    /// The volume: the pod's name for it, or that of its PersistentVolume; empty if the message names none.
    pub volume: String,
    /// What it came from.
    pub trouble: Trouble,
    /// The error without the words before it.
    pub error: &'f str,
    /// The report.
    pub event: &'f Event,
}

const REASONS: [&str; 6] = [
    "FailedMount",
    "FailedMapVolume",
    "FailedAttachVolume",
    "FailedMountOnFilesystemMismatch",
    "FileSystemResizeFailed",
    "VolumeResizeFailed",
];

/// Events that come only after all volumes are there.
const AFTERWARDS: [&str; 7] =
    ["FailedCreatePodSandBox", "SandboxChanged", "Pulling", "Pulled", "Created", "Started", "BackOff"];

/// How long after its last report a failure still counts as present, in seconds. A rule of thumb: the kubelet tries again
/// after two minutes at most, and reports at least each fifth minute what it has already reported often.
const PRESENT: i64 = 900;

impl Facts<'_> {
    /// The failures that keep the pod from its volumes now, for each volume the one that was reported last. None if the
    /// kubelet has got past its volumes.
    pub fn mount_failures(&self) -> Vec<MountFailure<'_>> {
        if !self.awaits_volumes() {
            return Vec::new();
        }
        let past = self.events.with(&AFTERWARDS).filter_map(|e| e.last).max();
        let mut failures: Vec<MountFailure<'_>> = Vec::new();
        for event in self.events.with(&REASONS) {
            let old =
                event.age(self.now).is_some_and(|age| age > PRESENT) || past.is_some_and(|p| event.last < Some(p));
            let failure = MountFailure::read(event);
            if !old
                && !self.is_noise(&failure)
                && !failures.iter().any(|f| f.volume == failure.volume)
                && !self.attached_since(&failure)
            {
                failures.push(failure);
            }
        }
        failures
    }

    /// The kubelet's report that it has waited in vain for volumes, with their names, where no other report says why.
    pub fn waited_in_vain(&self) -> Option<(Vec<&str>, &Event)> {
        let past = self.events.with(&AFTERWARDS).filter_map(|e| e.last).max();
        let fresh =
            |e: &&Event| e.age(self.now).is_none_or(|age| age <= PRESENT) && past.is_none_or(|p| e.last >= Some(p));
        let event = self.events.with(&REASONS).find(|e| e.message.contains("unmounted volumes=[")).filter(fresh)?;
        let (_, rest) = event.message.split_once("unmounted volumes=[")?;
        let names = rest.split(']').next()?.split(' ').filter(|name| !name.is_empty()).collect();
        (self.awaits_volumes() && self.mount_failures().is_empty()).then_some((names, event))
    }

    /// Reading a ConfigMap or Secret through the kubelet's cache takes a moment after its start; only if it never comes that
    /// is a trouble of its own.
    fn is_noise(&self, failure: &MountFailure<'_>) -> bool {
        failure.trouble == Trouble::Noise && !(failure.error.contains("failed to sync") && failure.event.count > 3)
    }

    fn attached_since(&self, failure: &MountFailure<'_>) -> bool {
        let name = format!("\"{}\"", failure.volume);
        let attached = |e: &Event| e.message.contains(&name) && failure.event.last < e.last;
        failure.event.reason == "FailedAttachVolume" && self.events.with(&["SuccessfulAttachVolume"]).any(attached)
    }
}

impl<'f> MountFailure<'f> {
    pub(super) fn read(event: &'f Event) -> Self {
        let (volume, error) = split(&event.message);
        let attach = event.reason == "FailedAttachVolume" || waits_for_attach(&event.message);
        Self { volume: volume.to_owned(), trouble: trouble(&event.message, error, attach), error, event }
    }
}

/// Takes `MountVolume.SetUp failed for volume "V" : ERROR` and its relatives apart.
fn split(message: &str) -> (&str, &str) {
    if let Some((_, rest)) = message.split_once(" for volume \"") {
        let (volume, error) = rest.split_once('"').unwrap_or((rest, ""));
        return (volume, error.trim_start_matches([' ', ':']).trim_end());
    }
    // Unable to attach or mount volumes: unmounted volumes=[…], unattached volumes=[…], failed to process volumes=[…]: ERROR
    let listed = |start: &str| {
        let (_, rest) = message.split_once(start)?;
        rest.split([']', ' ']).next().filter(|v| !v.is_empty())
    };
    let volume = listed("failed to process volumes=[").or_else(|| listed("unmounted volumes=[")).unwrap_or_default();
    let error = message.rsplit_once("]: ").map_or(message, |(_, error)| error);
    (volume, error.trim_end())
}

/// Whether the kubelet waits for another's attaching. For iSCSI and Fibre Channel that phase is its own login to the disk.
fn waits_for_attach(message: &str) -> bool {
    message.contains(".WaitForAttach failed") && !message.contains("iscsi") && !message.contains(" fc disk")
}

fn trouble(message: &str, error: &str, attach: bool) -> Trouble {
    let lower = error.to_ascii_lowercase();
    let has = |needle: &str| lower.contains(needle);
    let any = |needles: &[&str]| needles.iter().any(|n| lower.contains(n));
    if has("not registered") && has("object \"") || has("failed to sync") && has("cache") {
        return Trouble::Noise;
    }
    if message.starts_with("Unable to attach or mount volumes")
        && !has("error processing pvc")
        && any(&["timed out waiting", "context deadline", "context canceled"])
    {
        return Trouble::Noise;
    }
    if let Some(told) = about_object(error).or_else(|| about_claim(error)).or_else(|| about_driver(error, &lower)) {
        return told;
    }
    if let Some(path) = path_of(error) {
        return Trouble::PathMismatch(path.to_owned());
    }
    if message.contains("NodeAffinity check failed")
        || any(&["not in the same availability zone", "zonemismatch", "zone mismatch", "different zone"])
    {
        return Trouble::WrongNode;
    }
    if has("readwriteoncepod access mode and is already in use") {
        return Trouble::InUse;
    }
    if message.starts_with("Multi-Attach error") {
        return elsewhere(error);
    }
    if has("volume attachment is being deleted")
        || has("rbd image") && has("is still being used")
        || attach && any(&IN_USE)
    {
        return Trouble::AttachedElsewhere { node: None, pods: Vec::new() };
    }
    match attach {
        true if any(&LIMITS) => Trouble::LimitReached,
        true if any(&GONE) && (has("volume") || has("disk")) => Trouble::Gone,
        true => Trouble::AttachFailed,
        false => Trouble::MountFailed,
    }
}

/// How drivers say that a volume is attached elsewhere, that a node is full, and that a disk is gone.
const IN_USE: [&str; 8] = [
    "volumeinuse",
    "is already attached to",
    "already attached to instance",
    "already attached to an instance",
    "disk is being used",
    "is attached to node",
    "is attached to instance",
    "resource_in_use_by_another_resource",
];
const LIMITS: [&str; 8] = [
    "resourceexhausted",
    "attachment limit",
    "attachmentlimitexceeded",
    "maximum number of",
    "maximum allowed",
    "maximumdatadisksexceeded",
    "too many volumes",
    "attachment limit exceeded",
];
const GONE: [&str; 4] = ["code = notfound", "volume.notfound", "does not exist", "resourcenotfound"];

fn about_object(error: &str) -> Option<Trouble> {
    if let Some((_, rest)) = error.split_once("SecretRef ") {
        let reference = rest.split(' ').next().unwrap_or_default();
        if let (Some((namespace, name)), true) = (reference.split_once('/'), rest.contains("not found")) {
            let (namespace, name) = (Some(namespace.to_owned()), name.to_owned());
            return Some(Trouble::ObjectMissing { kind: "Secret", namespace, name });
        }
    }
    for (kind, words) in [("ConfigMap", ["configmap \"", "configmaps \""]), ("Secret", ["secret \"", "secrets \""])] {
        let missing = words.iter().flat_map(|w| quoted(error, w)).find(|(_, _, after)| after.starts_with(" not found"));
        if let Some((name, ..)) = missing {
            return Some(Trouble::ObjectMissing { kind, namespace: None, name });
        }
    }
    for (kind, words) in [("ConfigMap", "non-existent config key: "), ("Secret", "non-existent secret key: ")] {
        if let Some((_, key)) = error.split_once(words) {
            let key = key.split([']', ',', ' ', '\n']).next().unwrap_or_default();
            return Some(Trouble::KeyMissing { kind, key: key.to_owned() });
        }
    }
    None
}

fn about_claim(error: &str) -> Option<Trouble> {
    let (_, rest) = error.split_once("error processing PVC ")?;
    let (claim, why) = rest.split_once(": ")?;
    let claim = claim.rsplit('/').next().unwrap_or(claim).to_owned();
    Some(match why {
        why if why.contains("fetch PVC") && why.contains("not found") => Trouble::ClaimMissing(claim),
        why if why.contains("fetch PVC") => Trouble::MountFailed,
        why if why.contains("being deleted") => Trouble::ClaimDeleting(claim),
        why if why.contains("PV ") && why.contains("not found") => Trouble::Gone,
        _ => Trouble::ClaimUnbound(claim),
    })
}

fn about_driver(error: &str, lower: &str) -> Option<Trouble> {
    let word_after = |start: &str| {
        let at = lower.find(start)? + start.len();
        let word = error.get(at..)?.split([' ', ',', '"', ')']).find(|w| !w.is_empty())?;
        Some(word.to_owned())
    };
    if lower.contains("not found in the list of registered csi drivers") {
        return Some(Trouble::DriverMissing(word_after("driver name ")));
    }
    if lower.contains("csinode") && lower.contains("does not contain driver") {
        return Some(Trouble::DriverMissing(word_after("does not contain driver ")));
    }
    if lower.contains("no nodeid annotation") || lower.contains("no nodeid for driver") {
        return Some(Trouble::DriverMissing(word_after("no nodeid for driver ")));
    }
    if lower.contains("not supported by driver ") && lower.contains("volume mode") {
        return Some(Trouble::DriverMissing(word_after("not supported by driver ")));
    }
    let (_, socket) = lower.split_once("dial unix ")?;
    let socket = socket.split([':', ' ', '"']).next().filter(|s| s.ends_with(".sock"))?;
    let driver = socket.rsplit('/').nth(1).filter(|d| d.contains('.'));
    Some(Trouble::DriverMissing(driver.map(str::to_owned)))
}

fn path_of(error: &str) -> Option<&str> {
    if let Some((_, rest)) = error.split_once("hostPath type check failed: ") {
        return Some(rest.split_once(" is not a").map_or(rest, |(path, _)| path));
    }
    if let Some((_, rest)) = error.split_once("invalid HostPath `") {
        return rest.split('`').next();
    }
    let (path, after) = error.strip_prefix("path \"")?.split_once('"')?;
    after.starts_with(" does not exist").then_some(path)
}

/// `Volume is already exclusively attached to node N and can't …`, `Volume is already used by pod(s) a, b and 1 pod(s) in …`.
fn elsewhere(error: &str) -> Trouble {
    let node = error.split_once("attached to node ").and_then(|(_, rest)| rest.split(' ').next()).map(str::to_owned);
    let pods = error.split_once("used by pod(s) ").map_or("", |(_, rest)| rest.split(" and ").next().unwrap_or(rest));
    let pods = pods.split([',', ' ']).filter(|p| !p.is_empty()).map(str::to_owned).collect();
    Trouble::AttachedElsewhere { node, pods }
}

#[cfg(test)]
mod tests;
