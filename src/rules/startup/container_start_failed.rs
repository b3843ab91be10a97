//! A container could not be created or started, and no other rule knows why.

use super::finding;
use crate::facts::{Facts, Problem, StartFailure};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ContainerStartFailed",
    stage: Stage::Startup,
    summary: "creating or starting the container failed for a reason that the runtime gives",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The runtime could not create or start the container, for a reason that has no rule of its own and is quoted. Many of these
are the node's: no room left, a runtime that does not answer, a damaged image store, a device or its driver that is not
there.

## Signs
The container waits with CreateContainerError, RunContainerError or PreStartHookError, or ended with StartError; the message
is the whole reason.

## Fix
What the message names. If pods of other owners fail in the same way on the same node and nowhere else, it is the node:
cordon it and look there.

## Not this
A command, a mount, a working directory or a profile that is wrong has a reason of its own.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.start_failures().iter().filter_map(|f| failed(facts, f)).collect()
}

fn failed(facts: &Facts<'_>, failure: &StartFailure<'_>) -> Option<Finding> {
    let title = failure.container.title();
    let node = facts.pod.node_name().unwrap_or("the node");
    let (what, advice) = match failure.problem {
        Problem::InitDied => (
            "its first process died before the program ran, as happens under a memory or process limit that is far too low".to_owned(),
            format!("Raise the memory limit of {title} if it is only a few MiB; otherwise look at the process limit of {node}."),
        ),
        Problem::HostPath => (
            format!("a directory of {node} cannot be made or looked at"),
            format!("Correct the hostPath, or make the directory on {node}."),
        ),
        Problem::Sysctl => (
            "a kernel setting cannot be applied".to_owned(),
            "Leave the sysctl out, or set it on the node if it is not namespaced.".to_owned(),
        ),
        Problem::Sandbox => (
            "the pod's sandbox is gone".to_owned(),
            format!("The kubelet makes a new sandbox by itself; if this goes on, look at the runtime on {node}."),
        ),
        Problem::Device => (
            "a device or its driver is not available".to_owned(),
            format!("Look at the device plugin and the driver on {node}."),
        ),
        Problem::Disk => (format!("{node} has no room left"), format!("Make room on {node}: bytes, inodes and inotify watches.")),
        Problem::ImageStore => (
            format!("the copy of the image on {node} is damaged or gone"),
            format!("Remove the image from {node}, so that it is pulled anew."),
        ),
        Problem::Runtime => (
            format!("the container runtime on {node} does not answer or is busy with an earlier try"),
            format!("Look at the runtime and the disk of {node}."),
        ),
        Problem::Other => (String::new(), "Act on the message above.".to_owned()),
        _ => return None,
    };
    let said = failure.message.trim();
    let headline = match (what.is_empty(), said.is_empty()) {
        (false, _) => format!("{title} cannot start: {what}"),
        (true, false) => format!("{title} cannot start: {said}"),
        (true, true) => format!("{title} cannot start, and neither its status nor an event says why"),
    };
    let unsure = failure.problem == Problem::InitDied;
    Some(
        finding(facts, failure, headline)
            .certainty(if unsure { Certainty::Likely } else { failure.certainty })
            .because(unsure.then(|| facts.cite_spec(failure.container, &["resources", "limits", "memory"])).flatten())
            .remedy(facts.look(["describe", "pod", &facts.pod.name]))
            .remedy(Remedy::advice(advice)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(reason: &str, message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
    }

    #[test]
    fn an_unknown_reason_is_quoted() {
        let finding = one(case("RunContainerError", "runc create failed: error preparing rootfs: x").check(&RULE));
        assert_eq!(finding.headline, "container app cannot start: runc create failed: error preparing rootfs: x");
    }

    #[test]
    fn an_empty_message_is_filled_from_the_event() {
        let case =
            case("CreateContainerError", "").event("Failed", "app", "Error: failed to create containerd container: x");
        assert_eq!(
            one(case.check(&RULE)).headline,
            "container app cannot start: failed to create containerd container: x"
        );
    }

    #[test]
    fn a_word_of_another_version_is_quoted_and_not_sworn_to() {
        let finding = one(case("MoonPhaseError", "the moon is full").check(&RULE));
        assert_eq!(finding.headline, "container app cannot start: MoonPhaseError: the moon is full");
        assert_eq!(finding.certainty, Certainty::Likely);
        none(case("ContainerCreating", "").check(&RULE));
        none(case("CrashLoopBackOff", "back-off 5m0s").check(&RULE));
    }

    #[test]
    fn what_is_the_nodes_is_said_of_the_node() {
        let message = "failed to create containerd container: mkdir /var/lib/x: no space left on device";
        let finding = one(case("CreateContainerError", message).edit("/spec/nodeName", json!("node-1")).check(&RULE));
        assert_eq!(finding.headline, "container app cannot start: node-1 has no room left");
    }

    #[test]
    fn what_other_rules_know_is_left_to_them() {
        for message in [
            r#"exec: "/app": stat /app: no such file or directory"#,
            "container init was OOM-killed (memory limit too low?)",
            "no command specified",
        ] {
            none(case("RunContainerError", message).check(&RULE));
        }
        none(case("ImagePullBackOff", "Back-off pulling image").check(&RULE));
    }
}
