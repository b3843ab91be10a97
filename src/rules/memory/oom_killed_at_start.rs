//! The memory limit is too low for the container to start at all.

use crate::facts::{Container, Evidence, Exit, Facts};
use crate::finding::{Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "OOMKilledAtStart",
    stage: Stage::Memory,
    summary: "the memory limit is too low even to start the container",
    explains: &[
        "OOMKilled",
        "NodeOutOfMemory",
        "ContainerStartFailed",
        "KilledBySIGKILL",
        "ApplicationError",
        "InitContainerFailed",
        "SidecarNotStarted",
        "JobBackoffLimitExceeded",
    ],
    check,
    explain: r#"
## Meaning
The runtime's own process that prepares the container was killed at the container's memory limit, or the runtime refuses the
limit as too low: the program never ran. A limit of a few MiB does that, and so does a memory volume that is already full when
the container restarts.

## Signs
The message of StartError, RunContainerError or CreateContainerError says `container init was OOM-killed (memory limit too
low?)`, `memory limit … too low; should be at least …` or `Minimum memory limit allowed is …`.

## Fix
Raise the limit; a limit that was meant as 64Mi and was written as 64m or 64k is one of a few bytes. Empty or shrink a memory
volume that the container mounts.

## Not this
A program that ran and was killed at the limit is OOMKilled.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.main_containers().filter_map(|container| found(facts, container)).collect()
}

fn found(facts: &Facts<'_>, container: &Container) -> Option<Finding> {
    let (message, standing) = complaint(facts, container)?;
    let limit = facts.memory_limit(container);
    let at = limit.as_ref().map(|l| format!(" of {}", l.text)).unwrap_or_default();
    let volumes: Vec<Evidence> = facts
        .memory_volumes(container)
        .into_iter()
        .filter_map(|name| facts.cite(&["spec", "volumes", name, "emptyDir", "medium"]))
        .collect();
    let headline = format!("the memory limit{at} of {} is too low even to start it", container.title());
    Some(
        Finding::new(facts.subject_of(container), headline)
            .standing(standing)
            .because(message)
            .because(limit.and_then(|l| l.evidence))
            .because(volumes)
            .remedy(facts.look(["describe", "pod", &facts.pod.name]))
            .remedy(facts.owner.set(
                "Raise the limit, and check its unit (64Mi, not 64m or 64k):",
                "resources",
                &["-c", &container.name, "--limits=memory=MEMORY"],
            )),
    )
}

/// Where the runtime complains about the limit: in the status, or in an event of a container that does not run.
fn complaint(facts: &Facts<'_>, container: &Container) -> Option<(Evidence, Standing)> {
    if says_so(container.waiting_message()) {
        return facts.cite_status(container, &["state", "waiting", "message"]).map(|e| (e, Standing::Wrong));
    }
    if let Some((exit, standing)) = container.exit().filter(|(exit, _): &(&Exit, _)| says_so(&exit.message)) {
        return facts.cite_exit(container, exit, "message").map(|e| (e, standing));
    }
    let about = |name: &Option<String>| name.as_deref().is_none_or(|n| n == container.name);
    let started = container.is_running() || container.is_done() || container.program_exit().is_some();
    let event = facts.events.with(&["Failed"]).find(|e| about(&e.container) && says_so(&e.message))?;
    (!started).then(|| (event.cite(), Standing::Wrong))
}

/// The words of runc, crun, Docker and CRI-O.
fn says_so(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let low = message.contains("memory limit") && message.contains("too low") && !message.contains("too low?");
    [
        "container init was oom-killed",
        "oom: the memory limit could be too low",
        "possibly oom-killed",
        "minimum memory limit allowed is",
    ]
    .iter()
    .any(|words| message.contains(words))
        || low && message.contains("should be at least")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    const RUNC: &str = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown";

    fn start_error(message: &str) -> Case {
        Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "StartError", "exitCode": 128, "message": message}}}))
        .edit("/spec/containers/0/resources", json!({"limits": {"memory": "4Mi"}}))
    }

    #[test]
    fn every_runtime_has_its_words_for_it() {
        for message in [
            RUNC,
            "Error: set memory limit 4194304 too low; should be at least 12582912 bytes",
            "Minimum memory limit allowed is 6MB",
            "OOM: the memory limit could be too low",
        ] {
            let finding = one(start_error(message).check(&RULE));
            assert_eq!(finding.headline, "the memory limit of 4Mi of container app is too low even to start it");
        }
    }

    #[test]
    fn every_recorded_wording_is_known() {
        let rows =
            include_str!("../../../tests/data/messages.tsv").lines().map(|row| row.split('\t').collect::<Vec<_>>());
        for row in rows.filter(|row| row[5] == RULE.reason) {
            assert!(says_so(row[4]), "{}", row[4]);
        }
    }

    #[test]
    fn a_container_that_waits_says_it_in_its_message() {
        let case = start_error("").edit(
            "/status/containerStatuses/0/state",
            json!({"waiting": {"reason": "RunContainerError", "message": RUNC}}),
        );
        one(case.check(&RULE));
    }

    #[test]
    fn another_failure_to_start_is_none() {
        none(start_error("exec: \"nope\": executable file not found in $PATH").check(&RULE));
        none(start_error("memory limit exceeded by the program").check(&RULE));
    }

    #[test]
    fn an_event_alone_does_not_speak_of_a_container_that_runs() {
        let running = Case::container(json!({"state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}}}));
        none(running.event("Failed", "app", RUNC).check(&RULE));
    }
}
