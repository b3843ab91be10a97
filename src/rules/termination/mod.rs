//! The pod is deleted and does not go away.

mod deletion_unconfirmed;
mod finalizer_pending;
mod grace_period_overrun;
mod grace_period_running;
mod kill_failed;
mod pre_stop_hook_failed;
mod pre_stop_hook_running;
mod volume_unmount_stuck;

use super::Rule;
use crate::facts::Facts;
use crate::finding::Remedy;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    grace_period_running::RULE,
    grace_period_overrun::RULE,
    pre_stop_hook_running::RULE,
    pre_stop_hook_failed::RULE,
    kill_failed::RULE,
    volume_unmount_stuck::RULE,
    deletion_unconfirmed::RULE,
    finalizer_pending::RULE,
];

/// A change to the template, for the pods to come: this one is on its way out.
fn for_the_next(facts: &Facts<'_>, change: &str) -> Remedy {
    match facts.owner.is_pod() {
        true => Remedy::advice(format!("{change}, in the manifest, before the pod is made again.")),
        false => facts.owner.edit(&format!("{change}, for the pods to come")),
    }
}

/// The deletion that asks nobody, with what it gives up and when it is right.
fn force(facts: &Facts<'_>, condition: &str) -> Remedy {
    let pod = &facts.pod.name;
    let promise = match facts.owner.kind.as_str() {
        "StatefulSet" => format!("the promise that {pod} runs at most once"),
        _ => "the certainty that nothing of the pod still runs and writes to its volumes".to_owned(),
    };
    let held = match facts.finalizers().is_empty() {
        true => "",
        false => " Forcing alone does not remove a pod with a finalizer.",
    };
    let say = format!("This gives up {promise}. {condition}{held}");
    Remedy::last_resort(say, facts.kubectl(["delete", "pod", pod, "--grace-period=0", "--force"]))
}

#[cfg(test)]
mod tests_support {
    use serde_json::{Value, json};

    use crate::rules::testing::Case;

    /// A pod on `node-1` whose one container has that state, deleted so that its grace period ends then.
    pub fn deleted(state: Value, ends: &str, grace: i64) -> Case {
        Case::container(json!({"state": state}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/status/startTime", json!("2026-01-01T11:50:00Z"))
            .edit("/metadata/deletionTimestamp", json!(ends))
            .edit("/metadata/deletionGracePeriodSeconds", json!(grace))
    }

    /// The state of a container that runs.
    pub fn running() -> Value {
        json!({"running": {"startedAt": "2026-01-01T11:51:00Z"}})
    }

    /// The state of a container that ended after its pod's deletion.
    pub fn ended() -> Value {
        json!({"terminated": {"exitCode": 0, "finishedAt": "2026-01-01T11:54:50Z"}})
    }

    /// The node with that status of its Ready condition.
    pub fn node(ready: &str) -> Value {
        json!({"kind": "Node", "metadata": {"name": "node-1"}, "status": {"conditions": [{"type": "Ready", "status": ready,
            "lastTransitionTime": "2026-01-01T11:50:00Z"}]}})
    }
}
