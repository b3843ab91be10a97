//! Why a claim is still Pending: from the claim's own events, and where they are gone, from what it asks for.

use crate::facts::Facts;
use crate::facts::cited::Evidence;
use crate::facts::events::Event;
use crate::facts::volume_words::VolumeWord;
use crate::facts::volumes::{Claim, ClaimObject};
use crate::finding::{Certainty, Standing};
use crate::snapshot::Lookup;

/// What a Pending claim waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// For a pod that uses it to get a node: a consequence of that pod's own trouble.
    Consumer,
    /// For a StorageClass of that name, which does not exist.
    Class(String),
    /// For any StorageClass: it names none, and the cluster had no default.
    AnyClass,
    /// For a provisioner that has not answered; its name is empty if it is not known.
    Provisioner(String),
    /// For a provisioner that is at work on it.
    Provisioning,
    /// For a provisioner that tried and failed, with that error.
    Failed(String),
    /// For a PersistentVolume that fits; with what the controller says about the one that was asked for.
    Volume(String),
    /// For something that cannot be told.
    Unknown,
}

/// A claim that is Pending, and why.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The claim.
    pub claim: Claim,
    /// What it waits for.
    pub wait: Wait,
    /// How sure that is.
    pub certainty: Certainty,
    /// Whether it has waited for longer than is usual.
    pub standing: Standing,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// The component that binds claims.
const BINDER: &str = "persistentvolume-controller";

/// Seconds that a claim is given to be bound before its waiting counts as wrong: a rule of thumb, four rounds of the
/// volume controller, which looks at every claim each 15 seconds.
const USUAL_WAIT: i64 = 60;

/// A StorageClass with this provisioner has volumes made by hand.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

impl Facts<'_> {
    /// The pod's claims that are Pending, each with why, if the pod still has to get its claims.
    pub fn pending_claims(&self) -> Vec<Pending> {
        if !self.awaits_claims() {
            return Vec::new();
        }
        // A claim that could not be read is Pending if the scheduler says that one is, and the claim's own events tell why.
        let unbound = self.scheduler_on_volumes().say(&VolumeWord::Unbound);
        let pending = |c: &Claim| match &c.object {
            Lookup::Found(object) => object.phase == "Pending" && !object.deleting,
            Lookup::NotFound => false,
            _ => unbound && self.told_by_events(c).is_some(),
        };
        self.claims().into_iter().filter(pending).map(|claim| self.pending(claim)).collect()
    }

    fn pending(&self, claim: Claim) -> Pending {
        let (wait, certainty, mut evidence) = match self.told_by_events(&claim) {
            Some((wait, event)) => (wait, Certainty::Certain, vec![event.cite()]),
            None => self.told_by_spec(&claim),
        };
        evidence.extend(self.cite_claim(&claim, &["status", "phase"]));
        let young = claim.age(self.now).is_some_and(|age| age < USUAL_WAIT);
        let takes_time = matches!(wait, Wait::Provisioner(_) | Wait::Unknown | Wait::Volume(_) | Wait::AnyClass);
        let in_progress = wait == Wait::Provisioning || young && takes_time;
        let standing = if in_progress { Standing::InProgress } else { Standing::Wrong };
        Pending { claim, wait, certainty, standing, evidence }
    }

    /// The last word of those who work on the claim. The volume controller repeats itself on every round, also while a
    /// provisioner reports what came of its tries, so the provisioner's word counts more.
    fn told_by_events<'c>(&self, claim: &'c Claim) -> Option<(Wait, &'c Event)> {
        let events = || claim.events.iter();
        let binder = events().find_map(|e| Some((binder_says(claim, e)?, e)));
        let failed =
            events().find(|e| e.reason == "ProvisioningFailed" && e.source != BINDER && missing_class(e).is_none());
        let done = events().find(|e| e.reason == "ProvisioningSucceeded");
        let trying = events().find(|e| e.reason == "Provisioning");
        let later = |a: &Event, b: Option<&Event>| b.is_none_or(|b| a.seen_since(b.last));
        match (binder, failed) {
            (Some((Wait::Class(name), _)), _) if matches!(self.lookup("StorageClass", &name), Lookup::Found(_)) => None,
            // A failure makes the scheduler choose a node anew, and the claim waits for that again.
            (Some((Wait::Consumer, event)), Some(failure)) if !failure.seen_since(event.last) => {
                Some((Wait::Consumer, event))
            }
            (Some((Wait::Class(_) | Wait::Failed(_) | Wait::AnyClass, event)), Some(failure))
                if later(failure, Some(event)) =>
            {
                Some((Wait::Failed(failure.message.clone()), failure))
            }
            (Some((Wait::Consumer | Wait::Provisioner(_), _)) | None, Some(failure)) if later(failure, done) => {
                Some((Wait::Failed(failure.message.clone()), failure))
            }
            (Some((Wait::Provisioner(_), _)) | None, None) if trying.is_some_and(|e| self.is_recent(e)) => {
                trying.map(|e| (Wait::Provisioning, e))
            }
            (told, _) => told,
        }
    }

    /// Whether an event is so fresh that what it reports is probably still going on: ten minutes, a rule of thumb.
    fn is_recent(&self, event: &Event) -> bool {
        event.age(self.now).is_none_or(|age| age < 600)
    }

    fn told_by_spec(&self, claim: &Claim) -> (Wait, Certainty, Vec<Evidence>) {
        let unknown = (Wait::Unknown, Certainty::Certain, Vec::new());
        let Some(object) = claim.found() else { return unknown };
        let cite = |steps: &[&str]| self.cite_claim(claim, steps).into_iter().collect::<Vec<_>>();
        let class = cite(&["spec", "storageClassName"]);
        if let (Some(volume), Lookup::NotFound) = (object.volume_name(), &claim.bound) {
            let wait = Wait::Volume(format!("PersistentVolume {volume}, which it names, does not exist"));
            let absence = self.cite_missing("PersistentVolume", volume);
            return (wait, Certainty::Certain, cite(&["spec", "volumeName"]).into_iter().chain(absence).collect());
        }
        match (object.class.as_deref(), &claim.class) {
            (Some(""), _) => (Wait::Volume(String::new()), Certainty::Certain, class),
            (Some(name), Lookup::NotFound) => {
                let absence = self.cite_missing("StorageClass", name);
                (Wait::Class(name.to_owned()), Certainty::Certain, class.into_iter().chain(absence).collect())
            }
            (Some(_), Lookup::Found(found)) if found.waits_for_consumer && object.selected_node.is_none() => {
                (Wait::Consumer, Certainty::Certain, class)
            }
            (Some(name), Lookup::Found(found)) if found.provisioner == NO_PROVISIONER => {
                let provisioner = self.cite_other("StorageClass", name, &["provisioner"]);
                (Wait::Volume(String::new()), Certainty::Certain, class.into_iter().chain(provisioner).collect())
            }
            (None, _) if object.provisioner.is_none() => {
                let without = self.cite_claim_without(claim, &["spec", "storageClassName"]);
                (Wait::AnyClass, Certainty::Likely, without.into_iter().collect())
            }
            _ => self.told_by_provisioner(claim, object).unwrap_or(unknown),
        }
    }

    /// A claim that was handed to a provisioner and has no volume yet. That the provisioner is silent and not failing is told
    /// only by its events, so it is less sure where they could not be read.
    fn told_by_provisioner(&self, claim: &Claim, object: &ClaimObject) -> Option<(Wait, Certainty, Vec<Evidence>)> {
        let name = object.provisioner.clone()?;
        let annotated = ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
        let evidence = annotated.iter().find_map(|key| self.cite_claim(claim, &["metadata", "annotations", key]));
        let unread = matches!(
            self.snapshot().absence::<()>("Event", &self.target.namespace, None),
            Lookup::Refused | Lookup::Failed
        );
        let certainty = if unread { Certainty::Possible } else { Certainty::Likely };
        Some((Wait::Provisioner(name), certainty, evidence.into_iter().collect()))
    }
}

/// What the volume controller says about a claim. Source: `pkg/controller/volume/persistentvolume/pv_controller.go`.
fn binder_says(claim: &Claim, event: &Event) -> Option<Wait> {
    let message = event.message.as_str();
    match event.reason.as_str() {
        "ProvisioningFailed" => match missing_class(event) {
            Some(class) => Some(Wait::Class(class.to_owned())),
            None => (event.source == BINDER).then(|| Wait::Failed(message.to_owned())),
        },
        "FailedBinding" if message.contains("no storage class is set") => match claim.found().map(|c| &c.class) {
            Some(None) => Some(Wait::AnyClass),
            Some(Some(_)) => Some(Wait::Volume(String::new())),
            None => Some(Wait::Volume(message.to_owned())),
        },
        "FailedBinding" | "VolumeMismatch" => Some(Wait::Volume(message.to_owned())),
        "ExternalProvisioning" => Some(Wait::Provisioner(provisioner_in(message).to_owned())),
        "WaitForFirstConsumer" | "WaitForPodScheduled" => Some(Wait::Consumer),
        _ => None,
    }
}

/// The StorageClass that an event says does not exist.
fn missing_class(event: &Event) -> Option<&str> {
    let (_, rest) = event.message.split_once("storageclass.storage.k8s.io \"")?;
    let (class, after) = rest.split_once('"')?;
    after.starts_with(" not found").then_some(class)
}

/// The name in `… external provisioner 'csi.example.com' …`, quoted either way.
fn provisioner_in(message: &str) -> &str {
    let rest = message.split_once("provisioner ").map_or("", |(_, rest)| rest);
    let mut parts = rest.splitn(3, ['\'', '"']);
    match (parts.next(), parts.next()) {
        (Some(""), Some(name)) => name,
        _ => "",
    }
}

#[cfg(test)]
mod tests;
