//! No node was found for the pod.

mod claim_lost;
mod claim_missing;
mod claim_unbound;
mod no_matching_volume;
mod provisioner_silent;
mod provisioning_failed;
mod storage_class_missing;
mod volume_in_use;
mod volume_limit_reached;
mod volume_node_conflict;

use super::Rule;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
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
];
