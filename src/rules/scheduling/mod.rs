//! No node was found for the pod.

mod binding_failed;
mod claim_lost;
mod claim_missing;
mod claim_unbound;
mod gang_incomplete;
mod host_port_conflict;
mod insufficient_cpu;
mod insufficient_ephemeral_storage;
mod insufficient_extended_resource;
mod insufficient_memory;
mod no_matching_volume;
mod no_nodes;
mod node_affinity_mismatch;
mod node_cordoned;
mod node_selector_mismatch;
mod node_unready;
mod pod_affinity_unsatisfied;
mod pod_anti_affinity_conflict;
mod preemption_pending;
mod provisioner_silent;
mod provisioning_failed;
mod resource_claim_pending;
mod scheduler_absent;
mod scheduler_refused;
mod scheduling_gated;
mod storage_class_missing;
mod too_many_pods;
mod topology_spread_violated;
mod untolerated_taint;
mod volume_in_use;
mod volume_limit_reached;
mod volume_node_conflict;

use super::Rule;

/// The reasons of this stage, in the order in which they are read. What the pod asks for comes before the state of nodes, and
/// that before taints, which are meant to stay: the order of the causes if several nodes stand side by side.
pub const RULES: &[Rule] = &[
    scheduling_gated::RULE,
    scheduler_absent::RULE,
    no_nodes::RULE,
    insufficient_cpu::RULE,
    insufficient_memory::RULE,
    insufficient_ephemeral_storage::RULE,
    insufficient_extended_resource::RULE,
    too_many_pods::RULE,
    node_selector_mismatch::RULE,
    node_affinity_mismatch::RULE,
    pod_affinity_unsatisfied::RULE,
    pod_anti_affinity_conflict::RULE,
    topology_spread_violated::RULE,
    host_port_conflict::RULE,
    claim_missing::RULE,
    claim_unbound::RULE,
    storage_class_missing::RULE,
    provisioner_silent::RULE,
    provisioning_failed::RULE,
    no_matching_volume::RULE,
    claim_lost::RULE,
    volume_node_conflict::RULE,
    volume_limit_reached::RULE,
    volume_in_use::RULE,
    node_unready::RULE,
    node_cordoned::RULE,
    untolerated_taint::RULE,
    resource_claim_pending::RULE,
    preemption_pending::RULE,
    gang_incomplete::RULE,
    binding_failed::RULE,
    scheduler_refused::RULE,
];
