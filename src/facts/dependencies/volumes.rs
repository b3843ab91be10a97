//! The pod's volumes, and the way from each to what it stands for: claim, PersistentVolume, StorageClass.

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::cited::Evidence;
use crate::facts::events::Events;
use crate::facts::time::seconds_between;
use crate::facts::{Container, Facts};
use crate::finding::Subject;
use crate::snapshot::{self, Lookup};

/// A claim that one of the pod's volumes stands for.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The claim's name.
    pub name: String,
    /// The pod's volume.
    pub volume: String,
    /// Whether it is made for this pod (a generic ephemeral volume) and called POD-VOLUME.
    pub ephemeral: bool,
    /// Whether the volume is mounted read-only, as the pod wants it.
    pub read_only: bool,
    /// Whether the claim exists, and what it asks for.
    pub object: Lookup<ClaimObject>,
    /// The PersistentVolume that the claim names.
    pub bound: Lookup<core::PersistentVolumeSpec>,
    /// The StorageClass that the claim names.
    pub class: Lookup<Class>,
    /// What was reported about the claim.
    pub events: Events,
}

/// A claim as the API server gave it.
#[derive(Debug, Clone, Default)]
pub struct ClaimObject {
    /// What it asks for.
    pub spec: core::PersistentVolumeClaimSpec,
    /// `Pending`, `Bound`, `Lost`; empty if the API server does not say.
    pub phase: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// The provisioner that the volume controller handed the claim to.
    pub provisioner: Option<String>,
    /// The node that the scheduler chose for its first consumer.
    pub selected_node: Option<String>,
    /// The StorageClass, by field or by the annotation of old; empty if the claim wants none, nothing if it says nothing.
    pub class: Option<String>,
    /// The uid of the pod that owns it, for a claim made for one pod.
    pub owner_pod: Option<String>,
}

/// A StorageClass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Class {
    /// Who makes its volumes.
    pub provisioner: String,
    /// Whether its volumes are made only when a pod that uses them has got a node.
    pub waits_for_consumer: bool,
}

/// Annotations of claims. Source: component-helpers `storage/volume/pv_helpers.go`.
const PROVISIONER: [&str; 2] =
    ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

impl ClaimObject {
    fn read(object: &Value) -> Self {
        let note = |key: &str| object.get("metadata")?.get("annotations")?.get(key)?.as_str().map(str::to_owned);
        let spec: core::PersistentVolumeClaimSpec = part(object, "spec");
        let time = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            phase: object.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default().to_owned(),
            created: time.and_then(|t| t.parse().ok()),
            deleting: object.pointer("/metadata/deletionTimestamp").is_some_and(|t| !t.is_null()),
            provisioner: PROVISIONER.iter().find_map(|key| note(key)),
            selected_node: note(SELECTED_NODE),
            class: spec.storage_class_name.clone().or_else(|| note(OLD_CLASS)),
            owner_pod: owners
                .into_iter()
                .flatten()
                .find(|o| text(o, "kind").as_deref() == Some("Pod"))
                .and_then(|o| text(o, "uid")),
            spec,
        }
    }

    /// Whether only one pod of all may use it.
    pub fn is_for_one_pod(&self) -> bool {
        self.spec.access_modes.iter().flatten().any(|m| m == "ReadWriteOncePod")
    }

    /// Whether only one node may use it.
    pub fn is_for_one_node(&self) -> bool {
        let modes = self.spec.access_modes.as_deref().unwrap_or_default();
        !modes.is_empty() && modes.iter().all(|m| m.starts_with("ReadWriteOnce"))
    }

    /// The storage that it asks for, as written.
    pub fn size(&self) -> Option<&str> {
        self.spec.resources.as_ref()?.requests.as_ref()?.get("storage").map(|q| q.0.as_str())
    }

    /// The PersistentVolume that it names.
    pub fn volume_name(&self) -> Option<&str> {
        self.spec.volume_name.as_deref().filter(|n| !n.is_empty())
    }
}

impl Claim {
    /// The claim as the subject of a finding.
    pub fn subject(&self) -> Subject {
        Subject::object("PersistentVolumeClaim", &self.name)
    }

    /// The claim's object, if it was found.
    pub fn found(&self) -> Option<&ClaimObject> {
        self.object.as_ref().found()
    }

    /// The PersistentVolume's name.
    pub fn volume_name(&self) -> Option<&str> {
        self.found()?.volume_name()
    }

    /// The CSI driver of its PersistentVolume.
    pub fn driver(&self) -> Option<&str> {
        Some(self.bound.as_ref().found()?.csi.as_ref()?.driver.as_str())
    }

    /// Seconds since it was made.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        self.found()?.created.map(|t| seconds_between(t, now))
    }
}

impl Facts<'_> {
    /// The pod's claims in the order of its volumes.
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        for volume in self.pod.spec.volumes.iter().flatten() {
            let (name, ephemeral, read_only) = match volume {
                core::Volume { persistent_volume_claim: Some(source), .. } => {
                    (source.claim_name.clone(), false, source.read_only == Some(true))
                }
                core::Volume { ephemeral: Some(_), name, .. } => (format!("{}-{name}", self.pod.name), true, false),
                _ => continue,
            };
            if !claims.iter().any(|c| c.name == name) {
                claims.push(self.claim(name, &volume.name, ephemeral, read_only));
            }
        }
        claims
    }

    fn claim(&self, name: String, volume: &str, ephemeral: bool, read_only: bool) -> Claim {
        let value = self.lookup("PersistentVolumeClaim", &name);
        let uid = value.as_ref().found().map_or("", |o| snapshot::uid_of(o));
        let events = self.events_about("PersistentVolumeClaim", &name, uid);
        let object = value.map(ClaimObject::read);
        let found = object.as_ref().found();
        let bound = match found.and_then(ClaimObject::volume_name) {
            Some(pv) => self.lookup("PersistentVolume", pv).map(|o| part(o, "spec")),
            None => Lookup::NotAsked,
        };
        let class = match found.and_then(|c| c.class.as_deref()).filter(|c| !c.is_empty()) {
            Some(class) => self.lookup("StorageClass", class).map(Class::read),
            None => Lookup::NotAsked,
        };
        Claim { volume: volume.to_owned(), ephemeral, read_only, object, bound, class, events, name }
    }

    /// The pod's volume, by its name in the pod or by that of the PersistentVolume behind it.
    pub fn volume(&self, name: &str) -> Option<&core::Volume> {
        let named = |name: &str| self.pod.spec.volumes.iter().flatten().find(|v| v.name == name);
        named(name).or_else(|| {
            let claims = self.claims();
            named(&claims.iter().find(|c| c.volume_name() == Some(name))?.volume)
        })
    }

    /// The claim behind a volume that the kubelet or a controller calls by the name of the pod's volume, of the claim's
    /// PersistentVolume, or of the claim.
    pub fn claim_of(&self, volume: &str) -> Option<Claim> {
        let claims = self.claims();
        let by_name = |c: &&Claim| c.volume == volume || c.volume_name() == Some(volume) || c.name == volume;
        claims.iter().find(by_name).cloned()
    }

    /// Whether the pod stays, is on a node, and its kubelet has not got to the point where containers are made: volumes are set up
    /// before the sandbox, and the sandbox before images and containers.
    pub fn awaits_volumes(&self) -> bool {
        let never_ran = || self.main_containers().all(|c| c.state.is_unmade() && c.last.is_none() && c.restarts() == 0);
        let waiting = match self.sandbox_condition() {
            Some("True") => false,
            Some("False") => !self.containers.iter().any(Container::is_running),
            _ => never_ran() && (self.pod.status.pod_ip.is_none() || self.pod.spec.host_network == Some(true)),
        };
        self.pod.node_name().is_some() && !self.pod.is_terminal() && !self.pod.is_deleting() && waiting
    }

    /// Whether the pod still has to get its claims: it has no node, or waits on its node for its volumes.
    pub fn awaits_claims(&self) -> bool {
        let over = self.pod.is_terminal() || self.pod.is_deleting();
        !over && (self.pod.node_name().is_none() || self.awaits_volumes())
    }

    /// Other pods of the namespace that use a claim and have not ended: name and node.
    pub fn other_users(&self, claim: &str) -> Vec<(String, Option<String>)> {
        let text = |o: &Value, path: &str| o.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let uses = |o: &&Value| {
            let volumes = o.pointer("/spec/volumes").and_then(Value::as_array);
            volumes.into_iter().flatten().any(|v| text(v, "/persistentVolumeClaim/claimName") == claim)
        };
        self.snapshot()
            .all("Pod")
            .iter()
            .filter(|o| snapshot::namespace_of(o) == self.target.namespace && snapshot::name_of(o) != self.pod.name)
            .filter(|o| !matches!(text(o, "/status/phase").as_str(), "Succeeded" | "Failed"))
            .filter(uses)
            .map(|o| (snapshot::name_of(o).to_owned(), Some(text(o, "/spec/nodeName")).filter(|n| !n.is_empty())))
            .collect()
    }

    /// What the attach controller recorded about a PersistentVolume: for each VolumeAttachment its name, its node, whether
    /// it is attached, and the error of the last try.
    pub fn attachments(&self, volume: &str) -> Vec<Attachment> {
        let text = |o: &Value, path: &str| o.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let of_volume = |o: &&Value| text(o, "/spec/source/persistentVolumeName").as_deref() == Some(volume);
        let read = |o: &Value| Attachment {
            name: snapshot::name_of(o).to_owned(),
            node: text(o, "/spec/nodeName").unwrap_or_default(),
            attached: o.pointer("/status/attached").and_then(Value::as_bool).unwrap_or(false),
            error: text(o, "/status/attachError/message"),
        };
        self.snapshot().all("VolumeAttachment").iter().filter(of_volume).map(read).collect()
    }

    /// The CSI drivers that a node's kubelet has registered.
    pub fn drivers_on(&self, node: &str) -> Lookup<Vec<String>> {
        self.lookup("CSINode", node).map(|o| {
            let drivers = o.pointer("/spec/drivers").and_then(Value::as_array);
            let name = |d: &Value| d.get("name").and_then(Value::as_str).map(str::to_owned);
            drivers.into_iter().flatten().filter_map(name).collect()
        })
    }

    /// A field of a claim, cited.
    pub fn cite_claim(&self, claim: &Claim, steps: &[&str]) -> Option<Evidence> {
        self.cite_other("PersistentVolumeClaim", &claim.name, steps)
    }

    /// That a claim does not have a field.
    pub fn cite_claim_without(&self, claim: &Claim, steps: &[&str]) -> Option<Evidence> {
        Evidence::without_field(self.lookup("PersistentVolumeClaim", &claim.name).found()?, steps)
    }

    /// Where the pod names the claim, cited.
    pub fn cite_claim_name(&self, claim: &Claim) -> Option<Evidence> {
        let volume = ["spec", "volumes", claim.volume.as_str()];
        let source: &[&str] = if claim.ephemeral { &["name"] } else { &["persistentVolumeClaim", "claimName"] };
        self.cite(&[&volume[..], source].concat())
    }
}

/// A VolumeAttachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// The node.
    pub node: String,
    /// Whether the volume is attached there.
    pub attached: bool,
    /// The error of the last try to attach it.
    pub error: Option<String>,
}

impl Class {
    fn read(object: &Value) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            provisioner: text("provisioner"),
            waits_for_consumer: text("volumeBindingMode") == "WaitForFirstConsumer",
        }
    }
}

fn part<T: Default + for<'de> Deserialize<'de>>(object: &Value, key: &str) -> T {
    object.get(key).and_then(|v| T::deserialize(v).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
