//! Why no node takes the pod, computed from the objects as the scheduler's filters do, and supported by its sentence.

mod demand;
mod fit;
mod labels;
mod obstacles;
mod peers;
mod selection;
mod sentence;
mod spread;
mod taints;
#[cfg(test)]
pub(crate) mod testing;
mod views;

pub use fit::{Fit, Verdict, candidates};
pub use obstacles::Obstacle;
pub use selection::{has_suitable, selection};
pub use sentence::{Clause, Says, Sentence};
pub use views::{Claimed, Leaving, Room, Shortage, clause, named};

use super::{Event, Evidence, Facts};
use crate::finding::{Certainty, Finding, Standing};

/// What refuses a node, in the order in which causes are told: first what the pod asks for, then the state of nodes, and last
/// what is meant to stay as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// Too little free cpu.
    Cpu,
    /// Too little free memory.
    Memory,
    /// Too little free ephemeral-storage.
    EphemeralStorage,
    /// Too little of any other resource: GPUs, huge pages.
    Extended,
    /// As many pods as the node allows.
    Pods,
    /// A label of the pod's `nodeSelector` is not there.
    Selector,
    /// The required node affinity does not hold.
    Affinity,
    /// No partner of the required pod affinity is there.
    PodAffinity,
    /// Anti-affinity, the pod's own or that of a pod that is there.
    PodAntiAffinity,
    /// A topology spread constraint would be broken.
    Spread,
    /// A host port is taken.
    HostPort,
    /// A bound volume cannot be reached, or something else about volumes that only the scheduler knows.
    Volume,
    /// The node is not ready, or under pressure.
    Unready,
    /// The node is cordoned.
    Cordoned,
    /// A taint that the pod does not tolerate.
    Taint,
}

impl Filter {
    const ALL: [Filter; 15] = [
        Filter::Cpu,
        Filter::Memory,
        Filter::EphemeralStorage,
        Filter::Extended,
        Filter::Pods,
        Filter::Selector,
        Filter::Affinity,
        Filter::PodAffinity,
        Filter::PodAntiAffinity,
        Filter::Spread,
        Filter::HostPort,
        Filter::Volume,
        Filter::Unready,
        Filter::Cordoned,
        Filter::Taint,
    ];

    /// The reason under which it is reported.
    pub fn reason(self) -> &'static str {
        match self {
            Filter::Cpu => "InsufficientCPU",
            Filter::Memory => "InsufficientMemory",
            Filter::EphemeralStorage => "InsufficientEphemeralStorage",
            Filter::Extended => "InsufficientExtendedResource",
            Filter::Pods => "TooManyPods",
            Filter::Selector => "NodeSelectorMismatch",
            Filter::Affinity => "NodeAffinityMismatch",
            Filter::PodAffinity => "PodAffinityUnsatisfied",
            Filter::PodAntiAffinity => "PodAntiAffinityConflict",
            Filter::Spread => "TopologySpreadViolated",
            Filter::HostPort => "HostPortConflict",
            Filter::Volume => "VolumeNodeConflict",
            Filter::Unready => "NodeUnready",
            Filter::Cordoned => "NodeCordoned",
            Filter::Taint => "UntoleratedTaint",
        }
    }

    /// The filter for a resource's name.
    pub fn of_resource(resource: &str) -> Filter {
        match resource {
            "cpu" => Filter::Cpu,
            "memory" => Filter::Memory,
            "ephemeral-storage" => Filter::EphemeralStorage,
            _ => Filter::Extended,
        }
    }
}

/// A set of filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Filters(u16);

impl Filters {
    const NONE: Filters = Filters(0);

    const fn of(filters: &[Filter]) -> Self {
        let mut bits = 0;
        let mut rest = filters;
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u16;
            rest = others;
        }
        Self(bits)
    }

    fn add(&mut self, filter: Filter) {
        self.0 |= 1 << filter as u16;
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a filter is in it.
    pub fn has(self, filter: Filter) -> bool {
        self.0 & 1 << filter as u16 != 0
    }

    /// Whether it holds none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many it holds.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Those in it, in order.
    pub fn iter(self) -> impl Iterator<Item = Filter> {
        Filter::ALL.into_iter().filter(move |f| self.has(*f))
    }
}

impl<'a> Facts<'a> {
    /// Whether the pod has no node and still needs one.
    pub fn awaits_node(&self) -> bool {
        self.target.kind == "Pod"
            && self.object().is_some()
            && !self.pod.unreadable.contains(&"spec")
            && self.pod.node_name().is_none()
            && !self.pod.is_deleting()
            && !self.pod.is_terminal()
            && !self.pod.is_true("PodScheduled")
    }

    /// The names of the pod's scheduling gates.
    pub fn gates(&self) -> impl Iterator<Item = &str> {
        self.pod.spec.scheduling_gates.iter().flatten().map(|g| g.name.as_str())
    }

    /// Whether a scheduler has tried to place the pod.
    pub fn scheduling_tried(&self) -> bool {
        let refused =
            self.pod.condition("PodScheduled").is_some_and(|c| c.reason.as_deref() != Some("SchedulingGated"));
        refused || self.scheduling_event().is_some()
    }

    /// The latest event in which the scheduler, not an autoscaler, says that it could not place the pod.
    pub fn scheduling_event(&self) -> Option<&Event> {
        self.events
            .with(&["FailedScheduling"])
            .find(|e| !e.source.contains("karpenter") && !e.source.contains("autoscaler"))
    }

    /// Events in which an autoscaler says what it makes of the pod, one for each reason.
    pub fn autoscaler_says(&self) -> Vec<&Event> {
        let scaling = self.events.iter().filter(|e| {
            matches!(e.reason.as_str(), "NotTriggerScaleUp" | "TriggeredScaleUp" | "FailedScaleUp" | "Nominated")
                || e.reason == "FailedScheduling" && e.source.contains("karpenter")
        });
        let mut said: Vec<&Event> = Vec::new();
        for event in scaling {
            if !said.iter().any(|s| s.reason == event.reason) {
                said.push(event);
            }
        }
        said
    }

    /// The scheduler's sentence: of the condition, which holds until the next attempt, else of the latest event.
    pub fn scheduling_sentence(&self) -> Option<&Sentence> {
        self.scheduling().sentence.as_ref()
    }

    /// The sentence as evidence.
    pub fn cite_sentence(&self) -> Option<Evidence> {
        let refused = self.pod.condition("PodScheduled").is_some_and(|c| c.status != "True");
        let condition = if refused { self.cite_condition("PodScheduled", "message") } else { None };
        condition.or_else(|| self.scheduling_event().map(Event::cite))
    }

    /// Node by node, why the pod is not there. Nothing if the nodes could not be read, or if the scheduler has not yet looked
    /// at the pod or failed in another way.
    pub fn fit(&self) -> Option<&Fit<'a>> {
        self.scheduling().fit.as_ref()
    }

    /// What keeps the pod without a node, if it is this.
    pub fn obstacle(&self, filter: Filter) -> Option<&Obstacle> {
        self.scheduling().obstacles.iter().find(|o| o.filter == filter)
    }

    /// Whether the pod's search for a node came to nothing because of node selector, room, taints and the like.
    pub fn is_obstructed(&self) -> bool {
        !self.scheduling().obstacles.is_empty()
    }

    /// Whether one of several obstacles does not concern every node.
    pub fn is_obstructed_in_parts(&self) -> bool {
        let all = self.scheduling_sentence().and_then(|s| s.nodes);
        self.scheduling().obstacles.iter().any(|o| Some(o.count) != all)
    }

    /// A finding about an obstacle. What the scheduler and the autoscaler said closes the first of them, and those that rest
    /// on it.
    pub fn obstructed(
        &self,
        obstacle: &Obstacle,
        headline: String,
        evidence: impl IntoIterator<Item = Evidence>,
    ) -> Finding {
        let finding = Finding::new(self.subject(), headline).certainty(obstacle.certainty).because(evidence);
        // What is only one of several readings of the sentence is true, but not said to be the cause.
        let finding = match obstacle.certainty {
            Certainty::Possible => finding.standing(Standing::Past),
            _ => finding,
        };
        let leads = self.scheduling().obstacles.first().is_some_and(|first| first.filter == obstacle.filter);
        let finding = match leads || obstacle.hearsay {
            true => finding.because(self.cite_sentence()).because(self.autoscaler_says().into_iter().map(Event::cite)),
            false => finding,
        };
        if obstacle.alone { finding.alternative() } else { finding }
    }

    fn scheduling(&self) -> &Scheduling<'a> {
        self.scheduling.get_or_init(|| Scheduling::of(self))
    }
}

/// What is computed once for all rules.
#[derive(Default)]
pub(super) struct Scheduling<'a> {
    sentence: Option<Sentence>,
    fit: Option<Fit<'a>>,
    obstacles: Vec<Obstacle>,
}

impl<'a> Scheduling<'a> {
    fn of(facts: &Facts<'a>) -> Self {
        if !facts.awaits_node() {
            return Self::default();
        }
        let refused = facts.pod.condition("PodScheduled").filter(|c| c.status != "True");
        let text =
            refused.and_then(|c| c.message.as_deref()).or_else(|| facts.scheduling_event().map(|e| e.message.as_str()));
        let sentence = text.map(Sentence::parse);
        let failed = refused.is_some_and(|c| c.reason.as_deref() == Some("SchedulerError"));
        if failed || !facts.scheduling_tried() || facts.gates().next().is_some() {
            return Self { sentence, ..Self::default() };
        }
        let fit = Fit::of(facts, sentence.as_ref());
        let selector = facts.pod.spec.node_selector.as_ref().is_some_and(|s| !s.is_empty());
        let affinity = labels::required(&facts.pod.spec).is_some();
        let mut scheduling = Self { fit, ..Self::default() };
        scheduling.obstacles = match (&mut scheduling.fit, &sentence) {
            (Some(fit), sentence) => fit.obstacles(sentence.as_ref()),
            (None, Some(sentence)) => obstacles::heard(sentence, selector, affinity),
            (None, None) => Vec::new(),
        };
        scheduling.sentence = sentence;
        scheduling
    }
}

#[cfg(test)]
mod tests;
