//! The kernel killed a process of the container at the container's memory limit.

use crate::facts::{Container, Exit, Facts};
use crate::finding::{Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "OOMKilled",
    stage: Stage::Memory,
    summary: "the container went over its memory limit and the kernel killed a process in it",
    explains: &["KilledBySIGKILL", "ApplicationError", "InitContainerFailed", "ExitedSuccessfully"],
    check,
    explain: r#"
## Meaning
A process in the container used more memory than the container's limit allows, and the kernel killed it. The exit code is
137 if it was the main process; if it was a child, the main process ends in its own way, with any code.

## Signs
`state.terminated.reason` or `lastState.terminated.reason` is `OOMKilled`. Nothing else counts: exit code 137 alone only says
SIGKILL.

## Fix
Raise the limit if the program needs the memory, or make it use less: a smaller heap, fewer workers, a smaller cache. A limit
that is raised without need only postpones the end of a leak.

## Not this
A container without a memory limit is killed when its node runs out of memory (NodeOutOfMemory). A container that was killed
before its program ran is OOMKilledAtStart.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .main_containers()
        .filter_map(|c| c.program_exit().map(|(exit, standing)| (c, exit, standing)))
        .filter(|(_, exit, _)| exit.reason == "OOMKilled")
        .filter_map(|(container, exit, standing)| found(facts, container, exit, standing))
        .collect()
}

fn found(facts: &Facts<'_>, container: &Container, exit: &Exit, standing: Standing) -> Option<Finding> {
    let limit = container.limit("memory")?;
    let finding = Finding::new(
        facts.subject_of(container),
        format!("the kernel killed {} at its memory limit of {limit}", container.title()),
    );
    Some(
        finding
            .standing(standing)
            .because(facts.cite_exit(container, exit, "reason"))
            .because(facts.cite_exit(container, exit, "exitCode"))
            .because(facts.cite_spec(container, &["resources", "limits", "memory"]))
            .remedy(facts.look_at_log(container, exit))
            .remedy(facts.owner.set(
                "Give it more memory, once its use is known to be rightful:",
                "resources",
                &["-c", &container.name, "--limits=memory=MEMORY"],
            )),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn looping(reason: &str, code: i32) -> Case {
        Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": reason, "exitCode": code}}}))
        .edit("/spec/containers/0/resources", json!({"limits": {"memory": "96Mi"}}))
    }

    #[test]
    fn the_kernels_word_is_taken_whatever_the_exit_code() {
        for code in [137, 1, 0] {
            let finding = one(looping("OOMKilled", code).check(&RULE));
            assert_eq!(finding.headline, "the kernel killed container app at its memory limit of 96Mi");
        }
    }

    #[test]
    fn sigkill_without_that_word_is_not_out_of_memory() {
        none(looping("Error", 137).check(&RULE));
    }

    #[test]
    fn a_kill_that_the_container_has_outlived_is_past() {
        let case = Case::container(json!({"restartCount": 4, "ready": true,
            "state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137,
                "startedAt": "2026-01-01T10:50:00Z", "finishedAt": "2026-01-01T10:59:00Z"}}}))
        .edit("/spec/containers/0/resources", json!({"limits": {"memory": "96Mi"}}));
        none(case.check(&RULE));
        assert_eq!(case.check(&RULE).len(), 1);
    }
}
