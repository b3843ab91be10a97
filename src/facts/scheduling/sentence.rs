//! What the scheduler says of a pod that it could not place, from Kubernetes 1.9 to 1.36.

use super::{Filter, taints};

/// The scheduler's sentence, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sentence {
    /// The whole sentence.
    pub text: String,
    /// How many nodes it is about, if it says so.
    pub nodes: Option<usize>,
    /// Its parts, in its order.
    pub clauses: Vec<Clause>,
    /// Whether it says that the pods which have to leave the nominated node are still there.
    pub awaits_victims: bool,
}

/// One cause in the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The number of nodes, if it is one about nodes.
    pub count: Option<usize>,
    /// What it means.
    pub says: Says,
    /// The clause without its number.
    pub text: String,
}

/// What a clause means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// One of the filters that are computed from the objects too.
    Filter(Filter),
    /// Node selector or node affinity: the scheduler does not say which.
    Place,
    /// A reason of the vocabulary for which there is no computation.
    Reason(&'static str),
    /// Something that another clause says better.
    Nothing,
    /// Something of a plugin that is not known.
    Unknown,
}

use Says::{Nothing, Place, Reason};
const CPU: Says = Says::Filter(Filter::Cpu);
const MEMORY: Says = Says::Filter(Filter::Memory);
const EPHEMERAL: Says = Says::Filter(Filter::EphemeralStorage);
const EXTENDED: Says = Says::Filter(Filter::Extended);
const UNREADY: Says = Says::Filter(Filter::Unready);
const ANTI: Says = Says::Filter(Filter::PodAntiAffinity);
const VOLUME_NODE: Says = Reason("VolumeNodeConflict");
const CLAIM: Says = Reason("ResourceClaimPending");
const GANG: Says = Reason("GangIncomplete");
const REFUSED: Says = Reason("SchedulerRefused");

/// Words by which a clause is known, in lower case; all words of a row must stand in it, and the first such row counts.
#[rustfmt::skip]
const WORDS: &[(&[&str], Says)] = &[
    (&["placements are available"], GANG),
    (&["tasks in gang unschedulable"], GANG),
    (&["waiting for mincount pods from a gang"], GANG),
    (&["waiting for pods's", "to appear"], GANG),
    (&["pod group is unschedulable"], GANG),
    (&["pod group is waiting for preemption"], GANG),
    (&["no pods from pod group are assigned"], GANG),
    (&["rejected while waiting on permit"], GANG),
    (&["rejected due to timeout after waiting", "at plugin"], GANG),
    (&["rejected pod", "by permit plugin"], GANG),
    (&["no nodes available to schedule pods"], Reason("NoNodes")),
    (&["waiting for scheduling gates"], Reason("SchedulingGated")),
    (&["scheduling is blocked due to non-empty scheduling gates"], Reason("SchedulingGated")),
    (&["skip schedule deleting pod"], Nothing),
    (&["is being deleted, cannot be assigned"], Nothing),
    (&["device binding"], CLAIM),
    (&["claim ", " binding timeout"], CLAIM),
    (&["claim ", " binding failed"], CLAIM),
    (&["prebind plugin \"volumebinding\"", "timed out"], Reason("ProvisionerSilent")),
    (&["prebind plugin \"volumebinding\"", "deadline exceeded"], Reason("ProvisionerSilent")),
    (&["node affinity doesn't match node"], VOLUME_NODE),
    (&["running prebind plugin \"volumebinding\""], Reason("ProvisioningFailed")),
    (&["running prebind plugin"], Reason("BindingFailed")),
    (&["running bind plugin"], Reason("BindingFailed")),
    (&["binding rejected"], Reason("BindingFailed")),
    (&["insufficient cpu"], CPU),
    (&["insufficient memory"], MEMORY),
    (&["insufficient ephemeral-storage"], EPHEMERAL),
    (&["pod level request for", "is insufficient"], CLAIM),
    (&["insufficient "], EXTENDED),
    (&["cannot schedule extended resource claim"], EXTENDED),
    (&["cannot fit resource"], EXTENDED),
    (&["too many pods"], Says::Filter(Filter::Pods)),
    (&["didn't match pod's node affinity"], Place),
    (&["didn't match node selector"], Says::Filter(Filter::Selector)),
    (&["scheduler-enforced node affinity"], Says::Filter(Filter::Affinity)),
    (&["pod affinity terms conflict"], Says::Filter(Filter::Affinity)),
    (&["didn't satisfy plugin", "volume", "simultaneously"], VOLUME_NODE),
    (&["didn't satisfy plugin", "nodeaffinity"], Place),
    (&["didn't satisfy plugin", "volume"], VOLUME_NODE),
    (&["didn't match the requested node"], Reason("NodeMissing")),
    (&["didn't match the requested hostname"], Reason("NodeMissing")),
    (&["were unschedulable"], Says::Filter(Filter::Cordoned)),
    (&["had unknown conditions"], UNREADY),
    (&["were not ready"], UNREADY),
    (&["were out of disk space"], UNREADY),
    (&["had memory pressure"], UNREADY),
    (&["had disk pressure"], UNREADY),
    (&["had pid pressure"], UNREADY),
    (&["had unavailable network"], UNREADY),
    (&["pod affinity/anti-affinity"], Nothing),
    (&["existing pods anti-affinity"], ANTI),
    (&["pod anti-affinity rules"], ANTI),
    (&["pod affinity rules"], Says::Filter(Filter::PodAffinity)),
    (&["pod topology spread constraints"], Says::Filter(Filter::Spread)),
    (&["free ports for the requested pod ports"], Says::Filter(Filter::HostPort)),
    (&["unbound immediate persistentvolumeclaims"], Reason("ClaimUnbound")),
    (&["volume controller to create the persistentvolumeclaim"], Reason("ClaimMissing")),
    (&["persistentvolumeclaim", "bound to non-existent persistentvolume"], Reason("ClaimLost")),
    (&["bound to non-existent pv"], Reason("ClaimLost")),
    (&["persistentvolumeclaim had no pv name"], Reason("ClaimUnbound")),
    (&["persistentvolumeclaim \"", "\" not found"], Reason("ClaimMissing")),
    (&["could not find v1.persistentvolumeclaim"], Reason("ClaimMissing")),
    (&["persistentvolumeclaim \"", "is being deleted"], Reason("ClaimMissing")),
    (&["pvc ", "pod is not owner"], Reason("ClaimMissing")),
    (&["pvc ", "is not owned by pod"], Reason("ClaimMissing")),
    (&["persistentvolume \"", "\" not found"], Reason("ClaimLost")),
    (&["persistentvolume's node affinity"], VOLUME_NODE),
    (&["volume node affinity conflict"], VOLUME_NODE),
    (&["no available volume zone"], VOLUME_NODE),
    (&["didn't find available persistent volumes to bind"], Reason("NoMatchingVolume")),
    (&["did not have enough free storage"], Reason("ProvisioningFailed")),
    (&["exceed max volume count"], Reason("VolumeLimitReached")),
    (&["csi driver is not installed"], Reason("CSIDriverMissing")),
    (&["no available disk"], Reason("VolumeInUse")),
    (&["readwriteoncepod"], Reason("VolumeInUse")),
    (&["storageclass", "\" not found"], Reason("StorageClassMissing")),
    (&["volumebindingmode not set"], REFUSED),
    (&["resourceclaim"], CLAIM),
    (&["resource claim"], CLAIM),
    (&["cannot allocate all claims"], CLAIM),
    (&["timed out trying to allocate devices"], CLAIM),
    (&["device class", "does not exist"], CLAIM),
    (&["filter plugin"], REFUSED),
    (&["running prefilter plugin"], REFUSED),
    (&["/scheduler/"], REFUSED),
    (&["extender"], REFUSED),
    (&["parsing pod:"], REFUSED),
    (&["can't be assumed"], REFUSED),
    (&["node", "not found in cache"], REFUSED),
];

/// What follows the causes: what the scheduler tried after its filters had refused every node.
const TAILS: [&str; 7] = [
    ". preemption: ",
    ". no new claims to deallocate",
    ". still not schedulable",
    ". deallocation of resourceclaim",
    ". deletion of resourceclaim",
    ". not found",
    ", preemption: ",
];

impl Sentence {
    /// Takes a sentence apart.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let awaits_victims = lower.contains("terminating pod on the nominated node")
            || lower.contains("waiting for preemption to complete");
        let whole = |nodes| Self { text: text.to_owned(), nodes, clauses: vec![Clause::read(text)], awaits_victims };
        let Some((before, body)) = text.split_once(" nodes are available: ") else { return whole(None) };
        let nodes = before.rsplit_once('/').filter(|(zero, _)| *zero == "0").and_then(|(_, n)| n.parse().ok());
        if nodes.is_none() {
            return whole(None);
        }
        let lower = body.to_ascii_lowercase();
        let end = TAILS.iter().filter_map(|tail| lower.find(tail)).min().unwrap_or(body.len());
        let body = body.get(..end).unwrap_or(body).trim_end_matches('.');
        let clauses = split(body).into_iter().map(Clause::read).collect();
        Self { text: text.to_owned(), nodes, clauses, awaits_victims }
    }

    /// Whether any clause has that meaning.
    pub fn says(&self, says: Says) -> bool {
        self.clauses.iter().any(|c| c.says == says)
    }

    /// Whether it stopped before it looked at any node: a claim is missing or unbound. Nothing is known then of the other
    /// filters.
    pub fn looked_at_no_node(&self) -> bool {
        let early = |c: &Clause| {
            let of_claims =
                ["ClaimMissing", "ClaimUnbound", "ClaimLost", "StorageClassMissing", "ResourceClaimPending"];
            matches!(c.says, Says::Reason(reason) if of_claims.contains(&reason))
        };
        !self.clauses.is_empty() && self.clauses.iter().all(early)
    }
}

/// Clauses are parted by commas before a number; other commas stand within a clause.
fn split(body: &str) -> Vec<&str> {
    let mut clauses = Vec::new();
    let mut start = 0;
    for (at, _) in body.match_indices(", ") {
        let next = body.get(at + 2..).unwrap_or_default();
        let digits = next.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && next.as_bytes().get(digits) == Some(&b' ') {
            clauses.extend(body.get(start..at));
            start = at + 2;
        }
    }
    clauses.extend(body.get(start..));
    clauses
}

impl Clause {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let (count, rest) = match text.split_once(' ') {
            Some((number, rest)) => match number.parse() {
                Ok(count) => (Some(count), rest),
                Err(_) => (None, text),
            },
            None => (None, text),
        };
        Self { count, says: meaning(rest), text: rest.to_owned() }
    }

    /// The resource that is short: `cpu`, `nvidia.com/gpu`.
    pub fn resource(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("Insufficient ")?;
        let name = rest.split([' ', ',', ';']).next()?.trim_end_matches('.');
        Some(name).filter(|n| !n.is_empty())
    }

    /// The taint's key, as versions before 1.34 name it.
    pub fn taint(&self) -> Option<&str> {
        let (_, braced) = self.text.split_once("taint {")?;
        let (inner, _) = braced.split_once('}')?;
        Some(inner.split_once(':').map_or(inner, |(key, _)| key).trim())
    }
}

fn meaning(text: &str) -> Says {
    let lower = text.to_ascii_lowercase();
    if lower.contains("untolerated taint") || lower.contains("had taint") {
        let clause = Clause { count: None, says: Says::Unknown, text: text.to_owned() };
        return Says::Filter(clause.taint().map_or(Filter::Taint, taints::kind));
    }
    let found = WORDS.iter().find(|(words, _)| words.iter().all(|word| lower.contains(word)));
    found.map_or(Says::Unknown, |(_, says)| *says)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reasons that a row of the list may lead to; those with a plus are told under the reason on the right.
    fn accepted(root_cause: &str) -> Vec<&str> {
        let renamed = |reason: &'_ str| match reason {
            "+SchedulerExtenderFailed" | "+SchedulerError" => Some("SchedulerRefused"),
            "+StorageCapacityExhausted" => Some("ProvisioningFailed"),
            "+EphemeralClaimConflict" | "+ClaimDeleting" => Some("ClaimMissing"),
            "+StorageClassInvalid" => Some("SchedulerRefused"),
            "+DeviceClassMissing" => Some("ResourceClaimPending"),
            "+NodeFeatureMissing" | "+SchedulerPolicyMismatch" => Some(""),
            _ => None,
        };
        root_cause.split('|').map(|r| renamed(r).unwrap_or(r.trim_start_matches('+'))).collect()
    }

    #[test]
    fn every_sentence_of_the_scheduler_is_understood() {
        let rows = include_str!("../../../tests/data/messages.tsv").lines().filter(|l| l.starts_with("SCH-"));
        let mut seen = 0;
        for row in rows {
            let [id, _, reason, _, example, root_cause, ..] = row.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            if root_cause == "-" || root_cause == "Preempted" || reason == "BindingConditionsPending" {
                continue;
            }
            seen += 1;
            let sentence = Sentence::parse(example);
            let reasons: Vec<&str> = sentence
                .clauses
                .iter()
                .flat_map(|c| match c.says {
                    Says::Filter(filter) => vec![filter.reason()],
                    Says::Place => vec!["NodeSelectorMismatch", "NodeAffinityMismatch"],
                    Says::Reason(reason) => vec![reason],
                    Says::Nothing | Says::Unknown => vec![""],
                })
                .chain(sentence.awaits_victims.then_some("PreemptionPending"))
                .collect();
            let found = accepted(root_cause).iter().any(|r| reasons.contains(r));
            // A pod that is deleted while it is bound is no failure, and errors that are about a claim lead to the claim.
            let about_a_claim = matches!(id, "SCH-BIND-OTHER" | "SCH-FILTER-ERR" | "SCH-PREFILTER-ERR");
            let excepted = about_a_claim || example.contains("is being deleted, cannot");
            assert!(found || excepted, "{id}: {reasons:?}, not {root_cause}: {example}");
        }
        assert!(seen > 60);
    }

    #[test]
    fn commas_within_a_clause_do_not_part_it() {
        let sentence = Sentence::parse(
            "0/4 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 3 Insufficient cpu.",
        );
        let counts: Vec<_> = sentence.clauses.iter().map(|c| (c.count, c.says)).collect();
        assert_eq!(counts, [(Some(1), Says::Filter(Filter::Taint)), (Some(3), CPU)]);
        assert_eq!(sentence.nodes, Some(4));
    }

    #[test]
    fn what_was_tried_after_the_filters_is_no_cause() {
        let sentence = Sentence::parse(
            "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
        );
        assert_eq!(sentence.clauses.len(), 1);
        assert_eq!(sentence.clauses[0].resource(), Some("nvidia.com/gpu"));
    }

    #[test]
    fn text_that_nobody_wrote_is_unknown() {
        for text in ["", "0/ nodes are available: ", "0/3 nodes are available: 3 node(s) had the wrong moon phase."] {
            assert!(Sentence::parse(text).clauses.iter().all(|c| c.says == Says::Unknown), "{text}");
        }
    }

    #[test]
    fn only_a_number_and_a_blank_after_a_comma_begin_a_clause() {
        assert_eq!(split("1 a, 2 b"), ["1 a", "2 b"]);
        for whole in ["1 a, 2nd b", "1 a,  b", "1 a, b"] {
            assert_eq!(split(whole), [whole]);
        }
    }
}
