//! What a diagnosis comes to.

use crate::facts::Facts;
use crate::finding::Standing;
use crate::rank::Cause;

/// What a diagnosis comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does not run, serve, finish or go away.
    Blocked,
    /// It ended badly and will not be started again.
    Failed,
    /// Not fine, and no reason applies.
    Unknown,
    /// It does its work, with something wrong now.
    Degraded,
    /// Starting, pulling or terminating within its usual time.
    InProgress,
    /// Nothing is wrong now.
    Healthy,
    /// It has done its work.
    Completed,
}

impl Verdict {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Blocked => "Blocked",
            Verdict::Failed => "Failed",
            Verdict::Unknown => "Unknown",
            Verdict::Degraded => "Degraded",
            Verdict::InProgress => "InProgress",
            Verdict::Healthy => "Healthy",
            Verdict::Completed => "Completed",
        }
    }

    /// Whether there is nothing to do: fine, or on its way.
    pub fn is_fine(self) -> bool {
        matches!(self, Verdict::Healthy | Verdict::Completed | Verdict::InProgress)
    }
}

/// Weighs what was found. `in_progress` says that the pod is on its way and within its usual time.
pub(crate) fn verdict(facts: &Facts<'_>, causes: &[Cause], in_progress: bool) -> Verdict {
    let pod = &facts.pod;
    let wrong = causes.iter().any(|c| c.finding.standing == Standing::Wrong);
    if facts.target.kind != "Pod" {
        let short = facts.workload().is_some_and(|w| w.falls_short());
        return match (wrong, short) {
            (true, _) => Verdict::Blocked,
            (false, true) => Verdict::Unknown,
            (false, false) => Verdict::Healthy,
        };
    }
    match pod.phase() {
        "Failed" if wrong && !pod.is_deleting() => Verdict::Failed,
        _ if wrong && pod.is_true("Ready") && !pod.is_deleting() => Verdict::Degraded,
        _ if wrong => Verdict::Blocked,
        _ if !causes.is_empty() || in_progress => Verdict::InProgress,
        _ if pod.is_deleting() || !pod.unreadable.is_empty() => Verdict::Unknown,
        "Succeeded" => Verdict::Completed,
        "Running" if facts.all_serve() => Verdict::Healthy,
        _ => Verdict::Unknown,
    }
}
