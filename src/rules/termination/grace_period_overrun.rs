//! The grace period is over and a container is still there.

use super::force;
use crate::facts::{Facts, NodeState};
use crate::finding::{Certainty, Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "GracePeriodOverrun",
    stage: Stage::Termination,
    summary: "the grace period is over and the container is still there",
    explains: &[],
    check,
    explain: r#"
## Meaning
When the grace period ends, the kubelet kills what is left with SIGKILL. That has not happened, or has not been reported: the
kubelet is stuck, the runtime does not answer, or a process hangs in the kernel (a dead NFS server, a broken disk) where no
signal reaches it.

## Signs
`metadata.deletionTimestamp` lies in the past by more than ten seconds (a rule of thumb), the node reports, and a container is
not reported as ended.

## Fix
Look at the kubelet and the container runtime of the node. A process that hangs in the kernel goes away when its disk or
server comes back, or when the node restarts.

## Not this
A node that does not report is DeletionUnconfirmed. Containers that have ended leave their volumes (VolumeUnmountStuck) and
finalizers (FinalizerPending).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(deletion) = facts.deletion() else { return Vec::new() };
    let node = facts.node_state();
    if deletion.in_grace() || deletion.stopped || deletion.confirmed || node.is_silent() {
        return Vec::new();
    }
    let running: Vec<String> = facts.running().map(|c| c.name.clone()).collect();
    let name = facts.node_title();
    let still = match &running[..] {
        [] => format!("{name} has not reported that the containers stopped"),
        [one] => format!("container {one} still runs on {name}"),
        many => format!("containers {} still run on {name}", many.join(", ")),
    };
    let known = matches!(node, NodeState::Ready(_) | NodeState::NotReady(_));
    let finding = Finding::new(
        facts.subject(),
        format!("the grace period of {}s {}, and {still}", deletion.grace, deletion.span()),
    )
    .certainty(if known { Certainty::Certain } else { Certainty::Likely })
    .because(facts.cite_deletion())
    .because(facts.cite_running())
    .because(facts.cite(&["spec", "nodeName"]))
    .because(facts.cite_node_trouble());
    vec![
        finding
            .remedy(Remedy::look(Command::kubectl(["describe", "node", name])))
            .remedy(Remedy::advice(format!(
                "See the kubelet and the container runtime of {name}; restart them if they hang."
            )))
            .remedy(force(facts, &format!("Only if you know that nothing of the pod still runs on {name}:"))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::termination::tests_support::{deleted, ended, node, running};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_container_that_outlives_the_grace_period_is_told() {
        let finding = one(deleted(running(), "2026-01-01T11:55:00Z", 30).with(node("True")).check(&RULE));
        assert_eq!(finding.headline, "the grace period of 30s ended 5m ago, and container app still runs on node-1");
    }

    #[test]
    fn the_last_seconds_an_ended_container_and_a_lost_node_are_not_told() {
        none(deleted(running(), "2026-01-01T11:59:55Z", 30).with(node("True")).check(&RULE));
        none(deleted(ended(), "2026-01-01T11:55:00Z", 30).with(node("True")).check(&RULE));
        none(deleted(running(), "2026-01-01T11:55:00Z", 30).with(node("Unknown")).check(&RULE));
    }
}
