//! What the scheduler says about a pod's volumes, in the wordings of Kubernetes 1.9 to 1.36.

use crate::facts::Facts;
use crate::facts::cited::Evidence;

/// One thing that the scheduler's sentence says about volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeWord {
    /// The claim of that name does not exist.
    ClaimMissing(String),
    /// The claim of an ephemeral volume has not been made yet.
    ClaimAwaited(String),
    /// The claim that an ephemeral volume would have belongs to something else.
    ClaimForeign(String),
    /// The claim of that name is being deleted.
    ClaimDeleting(String),
    /// A claim that has to be bound beforehand is not.
    Unbound,
    /// The PersistentVolume of a claim is gone; the claim's or the volume's name, if it is said.
    VolumeGone(Option<String>),
    /// A StorageClass does not exist.
    ClassMissing(String),
    /// So many nodes cannot reach the volume.
    Elsewhere(Option<u32>),
    /// On so many nodes no PersistentVolume fits the claim, and none can be made.
    NoneToBind(Option<u32>),
    /// On so many nodes the driver has too little room left.
    NoRoom(Option<u32>),
    /// So many nodes cannot attach another volume.
    LimitReached(Option<u32>),
    /// Another pod uses the claim or disk.
    InUse,
    /// A node was chosen, but its volume did not come in time.
    BindTimeout,
    /// A node was chosen, but its volume could not be made; the claim, if it is said.
    BindFailed(Option<String>),
    /// Nodes lack that CSI driver.
    DriverMissing(String),
}

/// The scheduler's sentence about the pod, taken apart as far as it concerns volumes.
#[derive(Debug, Clone)]
pub struct VolumeWords {
    /// What it says.
    pub words: Vec<VolumeWord>,
    /// Whether the scheduler said anything about the pod at all.
    pub any: bool,
    evidence: Option<Evidence>,
}

impl VolumeWords {
    /// The sentence as evidence.
    pub fn cite(&self) -> Option<Evidence> {
        self.evidence.clone()
    }

    /// Whether it says that.
    pub fn say(&self, word: &VolumeWord) -> bool {
        self.words.contains(word)
    }
}

impl Facts<'_> {
    /// What the scheduler last said about the volumes of a pod that has no node: the PodScheduled condition, else the latest
    /// FailedScheduling event.
    pub fn scheduler_on_volumes(&self) -> VolumeWords {
        let nothing = VolumeWords { words: Vec::new(), any: false, evidence: None };
        if self.pod.node_name().is_some() {
            return nothing;
        }
        let condition = self.pod.condition("PodScheduled").filter(|c| c.status == "False");
        let (sentence, evidence) = match condition.and_then(|c| c.message.as_deref()).filter(|m| !m.is_empty()) {
            Some(message) => (message, self.cite_condition("PodScheduled", "message")),
            None => match self.events.latest("FailedScheduling") {
                Some(event) => (event.message.as_str(), Some(event.cite())),
                None => return nothing,
            },
        };
        VolumeWords { words: words(sentence), any: true, evidence }
    }
}

/// The clauses about nodes that cannot reach a volume: by node affinity since 1.33 and before, and by zone labels.
const ELSEWHERE: [&str; 3] = [
    "didn't match persistentvolume's node affinity",
    "had volume node affinity conflict",
    "had no available volume zone",
];

/// Reads the scheduler's sentence.
fn words(sentence: &str) -> Vec<VolumeWord> {
    let (sentence, _) = sentence.split_once("preemption:").unwrap_or((sentence, ""));
    let lower = sentence.to_ascii_lowercase();
    let has = |needle: &str| lower.contains(needle);
    let mut words = Vec::new();

    for (name, before, after) in quoted(sentence, "persistentvolumeclaim \"") {
        if before.trim_end().ends_with("ephemeral volume controller to create the") {
            words.push(VolumeWord::ClaimAwaited(name));
        } else if after.starts_with(" not found") {
            words.push(VolumeWord::ClaimMissing(name));
        } else if after.starts_with(" is being deleted") {
            words.push(VolumeWord::ClaimDeleting(name));
        } else if after.starts_with(" bound to non-existent") {
            words.push(VolumeWord::VolumeGone(Some(name)));
        }
    }
    for (name, ..) in quoted(sentence, "could not find v1.PersistentVolumeClaim \"") {
        words.push(VolumeWord::ClaimMissing(name.rsplit('/').next().unwrap_or(&name).to_owned()));
    }
    if let Some(name) = foreign_claim(sentence) {
        words.push(VolumeWord::ClaimForeign(name));
    }
    for (name, _, after) in quoted(sentence, "persistentvolume \"") {
        if after.starts_with(" not found") {
            words.push(VolumeWord::VolumeGone(Some(name)));
        }
    }
    if has("pvc(s) bound to non-existent pv(s)") {
        words.push(VolumeWord::VolumeGone(None));
    }
    for (name, _, after) in quoted(sentence, "storageclass.storage.k8s.io \"") {
        if after.starts_with(" not found") {
            words.push(VolumeWord::ClassMissing(name));
        }
    }
    if has("unbound immediate persistentvolumeclaims")
        || has("had no pv name and storageclass name")
        || has("could not get storageclass")
    {
        words.push(VolumeWord::Unbound);
    }
    let counted = |clauses: &[&str]| {
        let counts: Vec<_> = clauses.iter().filter_map(|c| Some(count_before(&lower, lower.find(c)?))).collect();
        (!counts.is_empty()).then(|| counts.into_iter().flatten().reduce(u32::saturating_add))
    };
    words.extend(counted(&ELSEWHERE).map(VolumeWord::Elsewhere));
    words.extend(counted(&["didn't find available persistent volumes to bind"]).map(VolumeWord::NoneToBind));
    words.extend(counted(&["did not have enough free storage"]).map(VolumeWord::NoRoom));
    words.extend(counted(&["exceed max volume count"]).map(VolumeWord::LimitReached));
    let together = has("didn't satisfy plugin") && has("volume") && has("simultaneously");
    if together || has("node affinity doesn't match node \"") {
        words.push(VolumeWord::Elsewhere(None));
    }
    if has("readwriteoncepod access mode") || has("had no available disk") {
        words.push(VolumeWord::InUse);
    }
    if let Some((_, failure)) = sentence.split_once("running PreBind plugin \"VolumeBinding\":") {
        let claim = ["provisioning failed for PVC \"", "annotation reset for PVC \""];
        let claim = claim.iter().find_map(|start| quoted(failure, start).into_iter().next()).map(|(name, ..)| name);
        if claim.is_some() || failure.contains("failed to check provisioning pvc") {
            words.push(VolumeWord::BindFailed(claim));
        } else if failure.contains("timed out") || failure.contains("deadline exceeded") {
            words.push(VolumeWord::BindTimeout);
        }
    }
    if let Some(at) = lower.find(" csi driver is not installed on the node") {
        let driver = sentence.get(..at).and_then(|s| s.rsplit([' ', ',']).next()).unwrap_or_default();
        words.push(VolumeWord::DriverMissing(driver.to_owned()));
    }
    words
}

/// What stands in quotes after each occurrence of `start`, with the text before and after it.
pub(super) fn quoted<'s>(text: &'s str, start: &str) -> Vec<(String, &'s str, &'s str)> {
    let mut found = Vec::new();
    for (at, matched) in text.match_indices(start) {
        let (before, rest) = (text.get(..at), text.get(at + matched.len()..));
        if let (Some(before), Some((name, after))) = (before, rest.and_then(|r| r.split_once('"'))) {
            found.push((name.to_owned(), before, after));
        }
    }
    found
}

/// `PVC shop/web-scratch was not created for pod …` and its older forms.
fn foreign_claim(sentence: &str) -> Option<String> {
    let (_, rest) = sentence.split_once("PVC ")?;
    let (name, after) = rest.split_once(' ')?;
    let foreign = after.starts_with("was not created for pod") || after.starts_with("is not owned by pod");
    foreign.then(|| name.rsplit('/').next().unwrap_or(name).trim_matches('"').to_owned())
}

/// The number of nodes in `3 node(s) …`, the words before `at`.
fn count_before(sentence: &str, at: usize) -> Option<u32> {
    let before = sentence.get(..at)?.trim_end();
    before.strip_suffix("node(s)").unwrap_or(before).trim_end().rsplit([' ', ',']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::known_messages::known_messages;

    #[test]
    fn every_known_sentence_about_volumes_is_understood() {
        for (id, reasons, example) in known_messages("SCH-") {
            let reason = match words(&example).first() {
                None => continue,
                Some(VolumeWord::ClaimMissing(_) | VolumeWord::ClaimAwaited(_)) => "ClaimMissing",
                Some(VolumeWord::ClaimForeign(_)) => "+EphemeralClaimConflict",
                Some(VolumeWord::ClaimDeleting(_)) => "+ClaimDeleting",
                Some(VolumeWord::Unbound) => "ClaimUnbound",
                Some(VolumeWord::VolumeGone(_)) => "ClaimLost",
                Some(VolumeWord::ClassMissing(_)) => "StorageClassMissing",
                Some(VolumeWord::Elsewhere(_)) => "VolumeNodeConflict",
                Some(VolumeWord::NoneToBind(_)) => "NoMatchingVolume",
                Some(VolumeWord::NoRoom(_)) => "+StorageCapacityExhausted",
                Some(VolumeWord::LimitReached(_)) => "VolumeLimitReached",
                Some(VolumeWord::InUse) => "VolumeInUse",
                Some(VolumeWord::BindTimeout) => "ProvisionerSilent",
                Some(VolumeWord::BindFailed(_)) => "+ProvisioningFailed",
                Some(VolumeWord::DriverMissing(_)) => "CSIDriverMissing",
            };
            // The scheduler wraps any filter's error in these two; the error inside is what matters.
            let wrapped = matches!(reasons[0].as_str(), "-" | "+SchedulerError");
            assert!(reasons.iter().any(|r| r == reason) || wrapped, "{id}: {reason}, not {reasons:?}");
        }
        let silent: Vec<String> = known_messages("SCH-")
            .into_iter()
            .filter(|(_, reasons, example)| {
                let ours = ["Claim", "Volume", "StorageC", "Provision", "NoMatching", "CSI"];
                let other = reasons
                    .iter()
                    .any(|r| !ours.iter().any(|o| r.trim_start_matches('+').starts_with(o)) || r.contains("Invalid"));
                !other && words(example).is_empty()
            })
            .map(|(id, ..)| id)
            .collect();
        assert!(silent.is_empty(), "{silent:?}");
    }

    #[test]
    fn names_and_counts_are_read() {
        let said = words(
            "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had volume node affinity conflict. preemption: 0/4 nodes are available: 4 x.",
        );
        assert_eq!(said, [VolumeWord::Elsewhere(Some(3))]);
        let said = words("0/3 nodes are available: 3 persistentvolumeclaim \"data\" not found.");
        assert_eq!(said, [VolumeWord::ClaimMissing("data".to_owned())]);
        let said = words("error getting PVC \"n/data\": could not find v1.PersistentVolumeClaim \"n/data\"");
        assert_eq!(said, [VolumeWord::ClaimMissing("data".to_owned())]);
        let said = words(
            "0/3 nodes are available: PVC default/web-scratch was not created for pod default/web (pod is not owner).",
        );
        assert_eq!(said, [VolumeWord::ClaimForeign("web-scratch".to_owned())]);
        assert!(words("0/3 nodes are available: 3 Insufficient memory.").is_empty());
    }
}
