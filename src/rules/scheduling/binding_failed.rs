//! A node was chosen, but binding failed.

use crate::facts::Facts;
use crate::facts::scheduling::Says;
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "BindingFailed",
    stage: Stage::Scheduling,
    summary: "a node was chosen, but binding the pod to it failed",
    explains: &[],
    check,
    explain: r#"
## Meaning
The scheduler found a node and then could not bind the pod, or prepare what has to be bound with it. It tries again, with any
node.

## Signs
The condition PodScheduled has the reason SchedulerError, and its message names a PreBind or Bind plugin.

## Fix
The quoted error says what refused: the API server (a conflict passes by itself, a denial by a webhook or by RBAC does not), or
a plugin.

## Not this
A volume that is not provisioned in time is ProvisionerSilent. A pod that was deleted meanwhile needs no node.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    quoted(facts, "BindingFailed", "a node was chosen, but binding the pod to it failed")
}

/// What is found if all that is known is the scheduler's own error, which is quoted.
pub(super) fn quoted(facts: &Facts<'_>, reason: &'static str, headline: &str) -> Vec<Finding> {
    let says = facts.scheduling_sentence().is_some_and(|s| s.says(Says::Reason(reason)));
    if !says || !facts.awaits_node() {
        return Vec::new();
    }
    // A conflict with another change of the same object is tried again at once.
    let passing =
        facts.scheduling_sentence().is_some_and(|s| s.text.contains("please apply your changes to the latest version"));
    let certainty = if passing { Certainty::Likely } else { Certainty::Certain };
    vec![
        Finding::new(facts.subject(), headline)
            .certainty(certainty)
            .because(facts.cite_sentence())
            .because(facts.cite_condition("PodScheduled", "reason"))
            .remedy(facts.look(["describe", "pod", &facts.pod.name]))
            .remedy(Remedy::advice("The error says who refused: look at that component, and at the scheduler's log.")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn an_error_of_the_bind_plugin_is_quoted() {
        let case = refused("running Bind plugin \"DefaultBinder\": pods \"p\" is forbidden: denied");
        one(case.edit("/status/conditions/0/reason", json!("SchedulerError")).check(&RULE));
    }

    #[test]
    fn volumes_and_deleted_pods_have_their_own_reasons() {
        for message in [
            "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded",
            "running Bind plugin \"DefaultBinder\": pod p is being deleted, cannot be assigned to a host",
        ] {
            none(refused(message).check(&RULE));
        }
    }
}
