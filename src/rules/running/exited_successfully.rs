//! The program ended with 0 although its container is restarted after every end.

use super::finding;
use crate::facts::{End, Ending, Evidence, Facts, Restart, Role};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ExitedSuccessfully",
    stage: Stage::Running,
    summary: "the program ends with 0 though its container is meant to keep running",
    explains: &["SidecarNotStarted", "ReadinessProbeFailing"],
    check,
    explain: r#"
## Meaning
The container's main process ended and said that it succeeded, but its restart policy is Always: the kubelet starts it again
after every end, and waits longer each time (CrashLoopBackOff). Either the process puts its server into the background and
ends, or it is a task that is done and belongs into a Job.

## Signs
`terminated.reason` is `Completed`, the exit code 0, and the restart count grows.

## Fix
Run the server in the foreground: most have an option for it (`nginx -g 'daemon off;'`, `catalina.sh run`), and a start script
ends with `exec PROGRAM`. A shell without a terminal ends at once: give it something to do. For a task, use a Job, or a
restartPolicy of OnFailure or Never for a pod that stands alone.

## Not this
A program that the kubelet stopped because a liveness probe failed often ends with 0, too (LivenessProbeFailing). With
restartPolicy OnFailure or Never an end with 0 is success.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let restarted = |end: &End<'_>| {
        end.ending == Ending::Success && end.container.restart() == Restart::Always && end.container.role != Role::Init
    };
    facts.ends().filter(restarted).map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let own_policy = facts.cite_spec(end.container, &["restartPolicy"]);
    finding(facts, end, format!("{}, which is success, and restartPolicy Always starts it again", end.told()))
        .because(own_policy.or_else(|| facts.cite(&["spec", "restartPolicy"])))
        .because(command(facts, end))
        .because(facts.cite_last_words(end))
        .remedy(facts.owner.edit("If it is a server, make its command keep a process in the foreground"))
        .remedy(Remedy::advice("If it is a task that is done once, run it as a Job."))
}

/// The command, as it says whether a process stays in the foreground.
fn command(facts: &Facts<'_>, end: &End<'_>) -> Vec<Evidence> {
    ["command", "args"].iter().filter_map(|field| facts.cite_spec(end.container, &[field])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::looping;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_server_that_goes_into_the_background_ends_with_success() {
        let finding = one(looping(0, "Completed").edit("/spec/restartPolicy", json!("Always")).check(&RULE));
        assert!(finding.headline.contains("exit code 0") && finding.headline.contains("restartPolicy Always"));
    }

    #[test]
    fn a_task_that_is_done_is_no_failure() {
        for policy in ["OnFailure", "Never"] {
            let case = looping(0, "Completed").edit("/spec/restartPolicy", json!(policy)).edit(
                "/status/containerStatuses/0/state",
                json!({"terminated": {"exitCode": 0, "reason": "Completed"}}),
            );
            none(case.check(&RULE));
        }
    }

    #[test]
    fn success_beside_a_child_that_ran_out_of_memory_is_none() {
        none(looping(0, "OOMKilled").check(&RULE));
    }
}
