//! The ConfigMaps, Secrets and keys that the pod needs and that are not there.

use crate::facts::cited::Evidence;
use crate::facts::mounts::Trouble;
use crate::facts::references::{By, Reference};
use crate::facts::volume_words::quoted;
use crate::facts::{Container, Facts};
use crate::finding::{Standing, Subject};
use crate::snapshot::Lookup;

/// A ConfigMap or Secret, or a key of one, that is not there.
#[derive(Debug, Clone)]
pub struct Lack {
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// The object's namespace, if it is not the pod's.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
    /// The key, if the object is there and lacks it.
    pub key: Option<String>,
    /// Who needs it.
    pub needed_by: Vec<By>,
    /// Keys of it that the pod asks for.
    pub keys_wanted: Vec<String>,
    /// `Wrong` if it keeps the pod; `InProgress` if it is there by now; `Past` if the pod does not need it at this moment.
    pub standing: Standing,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// The ConfigMap with the cluster's root certificate, which a controller puts into every namespace. It is no part of what
/// people deploy, and snapshots leave it out.
pub const ROOT_CA: &str = "kube-root-ca.crt";

/// Seconds after which a volume has been tried again: the kubelet's longest pause is a little over two minutes.
/// Source: `pkg/util/goroutinemap/exponentialbackoff`.
const RETRIED: i64 = 180;

impl Facts<'_> {
    /// The ConfigMaps or Secrets that the pod needs and that do not exist.
    pub fn lacking_objects(&self, kind: &'static str) -> Vec<Lack> {
        let references: Vec<Reference> =
            self.references().into_iter().filter(|r| r.kind == kind && !r.optional).collect();
        let mut lacks: Vec<Lack> = Vec::new();
        for reference in &references {
            if lacks.iter().any(|l| l.name == reference.name) {
                continue;
            }
            let same: Vec<&Reference> = references.iter().filter(|r| r.name == reference.name).collect();
            lacks.extend(self.lack(&same, None, |told| told == &Told::Object(kind, reference.name.clone())));
        }
        for failure in self.mount_failures() {
            if let Trouble::ObjectMissing { kind: k, namespace, name } = &failure.trouble
                && *k == kind
                && !lacks.iter().any(|l| l.name == *name)
            {
                let space = namespace.as_deref().unwrap_or(&self.target.namespace);
                let there = self.snapshot().object(kind, space, name).found().is_some();
                if there && failure.event.age(self.now).is_some_and(|age| age >= RETRIED) {
                    continue;
                }
                let by = By::Volume(self.volume(&failure.volume).map_or(failure.volume.clone(), |v| v.name.clone()));
                lacks.push(Lack {
                    kind,
                    namespace: namespace.clone(),
                    name: name.clone(),
                    key: None,
                    needed_by: vec![by],
                    keys_wanted: Vec::new(),
                    standing: if there { Standing::InProgress } else { Standing::Wrong },
                    evidence: vec![failure.event.cite()],
                });
            }
        }
        lacks
    }

    /// The keys that the pod needs and that its ConfigMaps or Secrets do not have.
    pub fn lacking_keys(&self, kind: &'static str) -> Vec<Lack> {
        let all = self.references();
        let keyed: Vec<&Reference> = all.iter().filter(|r| r.kind == kind && !r.optional && r.key.is_some()).collect();
        let mut lacks: Vec<Lack> = Vec::new();
        for reference in &keyed {
            if lacks.iter().any(|l| l.name == reference.name && l.key == reference.key) {
                continue;
            }
            let key = reference.key.clone().unwrap_or_default();
            let same: Vec<&Reference> =
                keyed.iter().copied().filter(|r| r.name == reference.name && r.key == reference.key).collect();
            lacks.extend(self.lack(&same, Some(&key), |told| match told {
                Told::Key(k, name, told_key) => *k == kind && name == &reference.name && told_key == &key,
                Told::VolumeKey(k, volume, told_key) => {
                    *k == kind && told_key == &key && same.iter().any(|r| r.by == By::Volume(volume.clone()))
                }
                Told::Object(..) => false,
            }));
        }
        lacks
    }

    /// Whether what these references ask for is not there, and what that does to the pod.
    fn lack(&self, references: &[&Reference], key: Option<&str>, is_told: impl Fn(&Told) -> bool) -> Option<Lack> {
        let first = references.first()?;
        let known = self.is_there(first, key);
        let told: Vec<Heard> = self.told_by_kubelet().into_iter().filter(|h| is_told(&h.told)).collect();
        let blocks = |r: &&&Reference| match &r.by {
            By::Environment { container, .. } => self.container(container).is_some_and(cannot_configure),
            By::Volume(_) => self.awaits_volumes(),
        };
        let standing = match (known, told.is_empty()) {
            (Some(true), false) if told.iter().any(|h| h.age.is_none_or(|age| age < RETRIED)) => Standing::InProgress,
            (Some(true), _) | (None, true) => return None,
            _ if self.pod.is_deleting() || self.pod.is_terminal() => return None,
            (None, false) => Standing::Wrong,
            (Some(false), _) if references.iter().any(|r| blocks(&r)) => Standing::Wrong,
            (Some(false), _) => Standing::Past,
        };
        if first.name == ROOT_CA && told.is_empty() {
            return None;
        }
        let mut evidence: Vec<Evidence> = told.into_iter().map(|h| h.evidence).collect();
        evidence.truncate(2);
        let places = references.iter().filter(|r| r.key.is_some() == key.is_some());
        evidence.extend(places.take(3).filter_map(|r| self.cite_reference(r)));
        evidence.extend(match (known, key) {
            (Some(true), None) => self.cite_other(first.kind, &first.name, &["metadata", "creationTimestamp"]),
            (Some(false), None) => self.cite_missing(first.kind, &first.name),
            (_, Some(_)) => {
                self.keys_of(first.kind, &first.name).map(|keys| Evidence::derived(keys_in_words(first, &keys)))
            }
            _ => None,
        });
        let mut needed_by: Vec<By> = Vec::new();
        let mut keys_wanted: Vec<String> = Vec::new();
        for reference in references {
            if !needed_by.contains(&reference.by) {
                needed_by.push(reference.by.clone());
            }
            keys_wanted.extend(reference.key.clone().filter(|k| !keys_wanted.contains(k)));
        }
        let (kind, name) = (first.kind, first.name.clone());
        Some(Lack {
            kind,
            namespace: None,
            name,
            key: key.map(str::to_owned),
            needed_by,
            keys_wanted,
            standing,
            evidence,
        })
    }

    /// Whether the object, or its key, exists; nothing if that is not known.
    fn is_there(&self, reference: &Reference, key: Option<&str>) -> Option<bool> {
        match (self.lookup(reference.kind, &reference.name), key) {
            (Lookup::Found(_), None) => Some(true),
            (Lookup::Found(_), Some(key)) => {
                Some(self.keys_of(reference.kind, &reference.name)?.iter().any(|k| k == key))
            }
            (Lookup::NotFound, None) => Some(false),
            _ => None,
        }
    }

    /// What the kubelet says is missing: about a container in its state, about a volume in an event.
    fn told_by_kubelet(&self) -> Vec<Heard> {
        let of_containers = self.main_containers().filter(|c| cannot_configure(c)).filter_map(|c| {
            let evidence = || self.cite_status(c, &["state", "waiting", "message"]);
            let from_event = || {
                let mut failed = self.events.with(&["Failed"]);
                let event = failed
                    .find(|e| e.container.as_deref().is_none_or(|n| n == c.name) && Told::read(&e.message).is_some())?;
                Some((Told::read(&event.message)?, event.cite()))
            };
            let (told, evidence) = match Told::read(c.waiting_message()) {
                Some(told) => (told, evidence()?),
                None if c.waiting_message().is_empty() => from_event()?,
                None => return None,
            };
            Some(Heard { told, evidence, age: None })
        });
        let of_volumes = self.mount_failures().into_iter().filter_map(|failure| {
            let volume = self.volume(&failure.volume).map_or(failure.volume.clone(), |v| v.name.clone());
            let told = match failure.trouble {
                Trouble::ObjectMissing { kind, namespace: None, name } => Told::Object(kind, name),
                Trouble::KeyMissing { kind, key } => Told::VolumeKey(kind, volume.clone(), key),
                _ => return None,
            };
            let age = failure.event.age(self.now);
            Some(Heard { told, evidence: failure.event.cite(), age })
        });
        of_containers.chain(of_volumes).collect()
    }
}

/// Something that the kubelet says is missing, and where it says so.
struct Heard {
    told: Told,
    evidence: Evidence,
    /// Seconds since it was last said, if it is not the present state.
    age: Option<i64>,
}

/// What a message of the kubelet says is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// An object: kind and name.
    Object(&'static str, String),
    /// A key: kind, name, key.
    Key(&'static str, String, String),
    /// A key of the object behind a volume: kind, volume, key.
    VolumeKey(&'static str, String, String),
}

impl Told {
    /// Reads the message of a container whose configuration cannot be built.
    fn read(message: &str) -> Option<Self> {
        if let Some((_, rest)) = message.split_once("couldn't find key ") {
            for (kind, word) in [("ConfigMap", " in ConfigMap "), ("Secret", " in Secret ")] {
                if let Some((key, object)) = rest.split_once(word) {
                    let name = object.split(' ').next()?.rsplit('/').next()?;
                    return Some(Told::Key(kind, name.to_owned(), key.to_owned()));
                }
            }
        }
        for (kind, words) in [("ConfigMap", ["configmap \"", "configmaps \""]), ("Secret", ["secret \"", "secrets \""])]
        {
            let missing =
                words.iter().flat_map(|w| quoted(message, w)).find(|(_, _, after)| after.starts_with(" not found"));
            if let Some((name, ..)) = missing {
                return Some(Told::Object(kind, name));
            }
        }
        None
    }
}

impl Lack {
    /// The object as the subject of a finding, with the container if just one needs it.
    pub fn subject(&self) -> Subject {
        let mut containers = self.needed_by.iter().map(|by| match by {
            By::Environment { container, .. } => Some(container),
            By::Volume(_) => None,
        });
        let first = containers.next().flatten();
        let container = first.filter(|_| containers.all(|c| c == first)).cloned();
        Subject { kind: self.kind.to_owned(), name: self.name.clone(), container }
    }
}

fn cannot_configure(container: &Container) -> bool {
    container.waiting_reason() == Some("CreateContainerConfigError")
}

fn keys_in_words(reference: &Reference, keys: &[String]) -> String {
    let object = format!("{} {}", reference.kind, reference.name);
    match keys {
        [] => format!("{object} has no keys at all"),
        [one] => format!("{object} has only the key {one}"),
        _ => format!("{object} has the keys {}", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests;
