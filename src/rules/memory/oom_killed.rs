//! The kernel killed a process of the container at the container's memory limit.

use crate::facts::memory::MemoryLimit;
use crate::facts::{End, Ending, Evidence, Facts};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "OOMKilled",
    stage: Stage::Memory,
    summary: "the container went over its memory limit and the kernel killed a process in it",
    explains: &[
        "KilledBySIGKILL",
        "ApplicationError",
        "ExitedSuccessfully",
        "InitContainerFailed",
        "SidecarNotStarted",
        "ReadinessProbeFailing",
        "JobBackoffLimitExceeded",
    ],
    check,
    explain: r#"
## Meaning
A process in the container used more memory than the container's limit, or the pod's, allows, and the kernel killed it. The
exit code is 137 if it was the main process; if it was a child, the main process ends in its own way, with any code. What lies
in a memory volume (an emptyDir of medium Memory) counts as well.

## Signs
`state.terminated.reason` or `lastState.terminated.reason` is `OOMKilled`. Nothing else counts: exit code 137 alone only says
SIGKILL.

## Fix
Raise the limit if the program needs the memory, or make it use less: a smaller heap, fewer workers, a smaller cache. A limit
that is raised without need only postpones the end of a leak.

## Not this
A container without a memory limit is killed when its node runs out of memory (NodeOutOfMemory). A container that was killed
before its program ran is OOMKilledAtStart. If the heap that the runtime was given does not fit, that is the cause
(HeapOverLimit).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .ends()
        .filter(|end| end.ending == Ending::OutOfMemory)
        .filter_map(|end| Some(found(facts, &end, facts.memory_limit(end.container)?)))
        .collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>, limit: MemoryLimit) -> Finding {
    let title = end.container.title();
    let whose = if limit.of_pod { "the pod's memory limit" } else { "its memory limit" };
    let headline = match end.exit.code {
        137 => format!("the kernel killed {title} at {whose} of {}{}", limit.text, end.when()),
        code => format!(
            "the kernel killed a process in {title} at {whose} of {}, whereupon the program ended with exit code {code}{}",
            limit.text,
            end.when()
        ),
    };
    let volumes: Vec<Evidence> = facts
        .memory_volumes(end.container)
        .into_iter()
        .filter_map(|name| facts.cite(&["spec", "volumes", name, "emptyDir", "medium"]))
        .collect();
    let note = (!volumes.is_empty()).then(|| {
        Evidence::derived("what lies in a memory volume counts against the limit of the container that wrote it")
    });
    Finding::new(facts.subject_of(end.container), headline)
        .standing(end.standing)
        .because(facts.cite_exit(end.container, end.exit, "reason"))
        .because(facts.cite_exit(end.container, end.exit, "exitCode"))
        .because(limit.evidence.clone())
        .because(volumes)
        .because(note)
        .because(facts.last_words(end.container, end.exit).and_then(|w| w.brief()))
        .remedy(facts.look_at_log(end.container, end.exit))
        .remedy(more(facts, end, &limit))
}

/// Twice the limit, as a rule of thumb that is called so.
fn more(facts: &Facts<'_>, end: &End<'_>, limit: &MemoryLimit) -> Remedy {
    let double = limit.amount.times(2).show("memory");
    let sum = format!("twice its limit of {} is {double}, a rule of thumb", limit.text);
    if limit.of_pod {
        return facts
            .owner
            .edit(&format!("Raise the pod's spec.resources.limits.memory, if its use is rightful; {sum}"));
    }
    facts.owner.set(
        &format!("Give it more memory, if its use is rightful; {sum}:"),
        "resources",
        &["-c", &end.container.name, &format!("--limits=memory={double}")],
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
        let main = one(looping("OOMKilled", 137).check(&RULE));
        assert_eq!(main.headline, "the kernel killed container app at its memory limit of 96Mi");
        for code in [1, 0, 143] {
            let child = one(looping("OOMKilled", code).check(&RULE));
            assert!(child.headline.contains(&format!("ended with exit code {code}")), "{}", child.headline);
        }
    }

    #[test]
    fn sigkill_without_that_word_is_not_out_of_memory() {
        none(looping("Error", 137).check(&RULE));
    }

    #[test]
    fn the_pods_limit_counts_for_a_container_without_one() {
        let case = looping("OOMKilled", 137)
            .edit("/spec/containers/0/resources", json!({}))
            .edit("/spec/resources", json!({"limits": {"memory": "1Gi"}}));
        assert!(one(case.check(&RULE)).headline.contains("at the pod's memory limit of 1Gi"));
    }

    #[test]
    fn without_any_limit_it_is_the_nodes_memory() {
        none(looping("OOMKilled", 137).edit("/spec/containers/0/resources", json!({})).check(&RULE));
    }

    #[test]
    fn what_lies_in_a_memory_volume_is_mentioned() {
        let case = looping("OOMKilled", 137)
            .edit("/spec/volumes", json!([{"name": "cache", "emptyDir": {"medium": "Memory"}}]))
            .edit("/spec/containers/0/volumeMounts", json!([{"name": "cache", "mountPath": "/cache"}]));
        let counts = |e: &Evidence| matches!(e, Evidence::Derived { say, .. } if say.contains("memory volume"));
        assert!(one(case.check(&RULE)).evidence.iter().any(counts));
    }

    #[test]
    fn more_memory_is_offered_with_its_sum() {
        let finding = one(looping("OOMKilled", 137)
            .edit(
                "/metadata/ownerReferences",
                json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "s", "controller": true}]),
            )
            .check(&RULE));
        let change = finding.remedies.last().unwrap();
        assert!(change.say.contains("twice its limit of 96Mi is 192Mi, a rule of thumb"));
        assert!(change.command.as_ref().unwrap().to_string().ends_with("-c app --limits=memory=192Mi"));
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
