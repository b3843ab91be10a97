//! The runtime cannot kill a container or tear down the sandbox.

use super::force;
use crate::facts::{Event, Facts};
use crate::finding::{Command, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "KillFailed",
    stage: Stage::Termination,
    summary: "the runtime cannot kill the container or tear down its sandbox",
    explains: &["GracePeriodRunning", "GracePeriodOverrun", "VolumeUnmountStuck", "PreStopHookRunning"],
    check,
    explain: r#"
## Meaning
The kubelet asked the container runtime to end the pod, and got an error. With `KillContainer` a process does not die: it
hangs in the kernel, or the runtime hangs. With `KillPodSandbox` the containers have ended and the network plugin cannot take
the pod's network down.

## Signs
Event FailedKillPod after the deletion was asked for, still coming.

## Fix
It follows from the quoted error: mend the network plugin, the runtime, or the disk or server that the process waits for.

## Not this
A program that uses its whole grace period is GracePeriodRunning.
"#,
};

/// For how long an error that no longer comes still counts, in seconds. A rule of thumb: the kubelet tries again every one
/// or two minutes.
const FRESH: i64 = 600;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(deletion) = facts.deletion() else { return Vec::new() };
    let began = facts.pod.deletion_began();
    let Some(event) = facts.events.latest("FailedKillPod").filter(|e| e.seen_since(began)) else { return Vec::new() };
    let fresh = event.age(facts.now).is_some_and(|age| age <= FRESH) && !deletion.confirmed;
    let name = facts.node_title();
    let finding = Finding::new(facts.subject(), headline(event, name))
        .standing(if fresh { Standing::Wrong } else { Standing::Past })
        .because(event.cite())
        .because(facts.cite_deletion())
        .because(facts.cite_running())
        .remedy(Remedy::look(Command::kubectl(["describe", "node", name])))
        .remedy(Remedy::advice(format!("Mend what the error names on {name}; the kubelet tries again by itself.")));
    vec![finding.remedy(force(facts, &format!("Only if you know that nothing of the pod still runs on {name}:")))]
}

fn headline(event: &Event, node: &str) -> String {
    let message = event.message.strip_prefix("error killing pod: ").unwrap_or(&event.message);
    let what = match (message.contains("KillContainer"), message.contains("KillPodSandbox")) {
        (true, _) => "kill a container of the pod",
        (false, true) => "tear down the pod's sandbox",
        _ => "end the pod",
    };
    format!("the runtime of {node} cannot {what}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::termination::tests_support::{deleted, running};
    use crate::rules::testing::{none, one};

    const NETWORK: &str = "error killing pod: failed to \"KillPodSandbox\" for \"8692\" with KillPodSandboxError: \"cni plugin \
        not initialized\"";

    #[test]
    fn the_runtimes_error_is_quoted() {
        let finding =
            one(deleted(running(), "2026-01-01T12:05:00Z", 600).event("FailedKillPod", "", NETWORK).check(&RULE));
        assert!(finding.headline.starts_with("the runtime of node-1 cannot tear down the pod's sandbox: failed to"));
    }

    #[test]
    fn an_error_from_before_the_deletion_or_of_a_living_pod_is_not_told() {
        none(
            deleted(running(), "2026-01-01T12:10:00Z", 600)
                .event("FailedKillPod", "", NETWORK)
                .edit("/metadata/deletionTimestamp", serde_json::json!("2026-01-01T12:09:50Z"))
                .check(&RULE),
        );
        let alive = crate::rules::testing::Case::container(serde_json::json!({"state": running()}));
        none(alive.event("FailedKillPod", "", NETWORK).check(&RULE));
    }
}
