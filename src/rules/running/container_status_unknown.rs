//! Nobody saw how the container ended.

use super::finding;
use crate::facts::{End, Ending, Facts};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ContainerStatusUnknown",
    stage: Stage::Running,
    summary: "nobody saw the container end; its exit code is made up",
    explains: &["InitContainerFailed", "SidecarNotStarted", "JobBackoffLimitExceeded"],
    check,
    explain: r#"
## Meaning
The kubelet or the container runtime no longer finds the container that it had started, so it writes an exit code that it did
not see: the kubelet 137 with the reason ContainerStatusUnknown, containerd 255 with the reason Unknown, CRI-O -1. The number
says nothing about the program.

## Signs
The reason, and times that are missing or the same. It comes with a reboot of the node, a restart or reset of the runtime, an
eviction, or a pod that the kubelet refused and never ran.

## Fix
Look for what happened to the node at that time: an event Rebooted, Ready conditions, the other pods there. If the pod runs
again, nothing is left to do.

## Not this
137 with the reason Error is a real SIGKILL (KilledBySIGKILL). A pod whose status.reason is Evicted, OutOfcpu or the like has
its cause there.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.ends().filter(|end| end.ending == Ending::Unseen).map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let (title, code) = (end.container.title(), end.exit.code);
    let headline = match (end.exit.reason.as_str(), code) {
        ("RestartingAllContainers", _) => {
            format!("{title} was removed to restart all containers of the pod; its exit code {code} is made up")
        }
        ("ContainerStatusUnknown", _) => format!("the kubelet lost track of {title}; its exit code {code} is made up"),
        ("Unknown", _) => {
            format!(
                "the runtime found {title} gone after a restart of itself or of the node; its exit code {code} is made up"
            )
        }
        _ => format!("the runtime has no exit code of {title}; {code} stands in its place"),
    };
    let reboot = facts.pod.node_name().and_then(|node| {
        facts
            .events_about("Node", node, "")
            .latest("Rebooted")
            .filter(|e| e.seen_since(end.exit.started))
            .map(|e| e.cite())
    });
    finding(facts, end, headline)
        .because(facts.cite_exit(end.container, end.exit, "message"))
        .because(reboot)
        .remedy(facts.look_at_node())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::looping;
    use super::*;
    use crate::rules::testing::{Case, none, one};

    #[test]
    fn a_made_up_code_is_called_so() {
        let finding = one(looping(137, "ContainerStatusUnknown").check(&RULE));
        assert_eq!(finding.headline, "the kubelet lost track of container app; its exit code 137 is made up");
        assert!(one(looping(255, "Unknown").check(&RULE)).headline.contains("255 is made up"));
        assert!(one(looping(-1, "Error").check(&RULE)).headline.contains("-1 stands in its place"));
    }

    #[test]
    fn a_container_that_its_nodes_restart_interrupted_after_a_long_run_is_well_again() {
        let after = |began: &str| {
            Case::container(
                json!({"restartCount": 3, "ready": true, "state": {"running": {"startedAt": "2026-01-01T11:59:30Z"}},
                "lastState": {"terminated": {"reason": "Unknown", "exitCode": 255, "startedAt": began, "finishedAt": "2026-01-01T11:59:00Z"}}}),
            )
        };
        none(after("2025-12-30T08:00:00Z").check(&RULE));
        one(after("2026-01-01T11:58:00Z").check(&RULE));
    }

    #[test]
    fn a_code_that_was_seen_is_none() {
        none(looping(255, "Error").check(&RULE));
        none(looping(137, "Error").check(&RULE));
    }

    #[test]
    fn on_windows_minus_one_is_the_programs_own() {
        none(looping(-1, "Error").edit("/spec/os", json!({"name": "windows"})).check(&RULE));
    }
}
