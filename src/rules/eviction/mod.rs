//! Something took the pod away.

mod empty_dir_limit_exceeded;
mod ephemeral_storage_exceeded;
mod evicted_through_api;
mod node_pressure_evicted;
mod preempted;
mod taint_evicted;

use super::Rule;
use crate::facts::Facts;
use crate::finding::Remedy;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    node_pressure_evicted::RULE,
    ephemeral_storage_exceeded::RULE,
    empty_dir_limit_exceeded::RULE,
    preempted::RULE,
    evicted_through_api::RULE,
    taint_evicted::RULE,
];

/// What containers show once their whole pod has been ended from outside.
pub(super) const OF_THE_END: &[&str] = &[
    "ContainerStatusUnknown",
    "KilledBySIGKILL",
    "KilledBySignal",
    "StoppedBySIGTERM",
    "ApplicationError",
    "ExitedSuccessfully",
    "InitContainerFailed",
    "StartupProbeFailing",
    "LivenessProbeFailing",
    "ReadinessProbeFailing",
    "VolumeMountFailed",
    "SandboxFailed",
    "KillFailed",
    "GracePeriodRunning",
];

/// What becomes of a pod that has ended as a whole: its owner makes another, or nobody does.
pub(super) fn successor(facts: &Facts<'_>) -> Remedy {
    match facts.owner.is_pod() {
        true => Remedy::advice("No controller owns this pod, so nothing makes it anew: make it again yourself."),
        false => facts.look(["get", "pods"]),
    }
}
