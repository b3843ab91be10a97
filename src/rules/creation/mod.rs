//! The pod was never made: the API server refused it, or nobody asked for it. These rules look at the object that should
//! make pods.

mod creation_forbidden;
mod limit_range_violated;
mod namespace_terminating;
mod owner_scaled_to_zero;
mod pod_security_violated;
mod priority_class_missing;
mod quota_exceeded;
mod runtime_class_missing;
mod service_account_missing;
mod webhook_denied;
mod webhook_unavailable;

use super::Rule;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::Finding;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    quota_exceeded::RULE,
    limit_range_violated::RULE,
    pod_security_violated::RULE,
    service_account_missing::RULE,
    priority_class_missing::RULE,
    webhook_denied::RULE,
    webhook_unavailable::RULE,
    creation_forbidden::RULE,
    namespace_terminating::RULE,
    runtime_class_missing::RULE,
    owner_scaled_to_zero::RULE,
];

/// A finding for each refusal that `say` has a headline for, with the API server's answer as evidence.
fn refused(facts: &Facts<'_>, say: impl Fn(&Denial) -> Option<String>) -> Vec<(Refusal, Finding)> {
    let found = |refusal: Refusal| {
        let finding = Finding::new(facts.subject(), say(&refusal.denial)?)
            .because(refusal.evidence.clone())
            .remedy(facts.look(["describe", &facts.owner.argument()]));
        Some((refusal, finding))
    };
    facts.refusals().into_iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests_support {
    use serde_json::json;

    use crate::rules::testing::Case;

    /// A ReplicaSet that has got that answer and lacks its one pod.
    pub fn answered(error: &str) -> Case {
        Case::of(
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "n", "uid": "u"},
            "spec": {"replicas": 1, "template": {"spec": {"serviceAccountName": "web-sa", "priorityClassName": "urgent",
                "runtimeClassName": "sandboxed"}}},
            "status": {"replicas": 0, "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": error}]}}),
        )
    }

    /// The same, but the pod has been made since.
    pub fn outlived(error: &str) -> Case {
        answered(error).edit("/status/replicas", json!(1))
    }
}
