//! The time that the pod or its Job was given is over.

use crate::facts::{Evidence, Facts};
use crate::finding::{Finding, Stage, Standing, Subject};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "DeadlineExceeded",
    stage: Stage::Running,
    summary: "activeDeadlineSeconds of the pod or its Job has passed",
    explains: &[
        "KilledBySIGKILL",
        "StoppedBySIGTERM",
        "KilledBySignal",
        "ApplicationError",
        "ExitedSuccessfully",
        "ContainerStatusUnknown",
        "InitContainerFailed",
        "InitContainerRunning",
        "ReadinessProbeFailing",
        "JobBackoffLimitExceeded",
    ],
    check,
    explain: r#"
## Meaning
The pod, or the Job that made it, was given a time (`activeDeadlineSeconds`) and has used it up. The kubelet ends such a pod and
marks it Failed; a Job whose time is over deletes its pods. Retries do not extend a Job's time.

## Signs
The pod's `status.reason` is `DeadlineExceeded`, or the Job's condition Failed bears that reason. Exit codes 137 and 143 of its
containers are consequences.

## Fix
Find out why the work takes longer than it was given: the log's last lines, slow images or volumes, too little CPU. Then raise
activeDeadlineSeconds or make the work smaller.

## Not this
A Job that used up its retries is JobBackoffLimitExceeded. A Deployment's progressDeadlineSeconds ends no pod.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    of_pod(facts).or_else(|| of_job(facts)).into_iter().collect()
}

fn of_pod(facts: &Facts<'_>) -> Option<Finding> {
    if facts.pod.reason() != "DeadlineExceeded" {
        return None;
    }
    let given = facts.pod.spec.active_deadline_seconds;
    let headline = match given {
        Some(seconds) => format!("the pod has used up its activeDeadlineSeconds of {seconds}"),
        None => "the pod's deadline has passed".to_owned(),
    };
    Some(
        Finding::new(facts.subject(), headline)
            .because(facts.cite(&["status", "reason"]))
            .because(facts.cite(&["status", "message"]))
            .because(facts.cite(&["spec", "activeDeadlineSeconds"]))
            .because(facts.cite(&["status", "startTime"]))
            .because(last_words(facts))
            .remedy(facts.owner.edit("Raise activeDeadlineSeconds, or make the work fit into it")),
    )
}

fn of_job(facts: &Facts<'_>) -> Option<Finding> {
    let job = facts.job()?;
    let (type_, "DeadlineExceeded", _) = job.failure()? else { return None };
    let given = job.number("/spec/activeDeadlineSeconds").map(|s| format!(" of {s}")).unwrap_or_default();
    let headline = format!("Job {} has used up its activeDeadlineSeconds{given}", job.name);
    let done = facts.pod.phase() == "Succeeded";
    let condition = |field: &str| facts.cite_other("Job", job.name, &["status", "conditions", type_, field]);
    Some(
        Finding::new(Subject::object("Job", job.name), headline)
            .standing(if done { Standing::Past } else { Standing::Wrong })
            .because(condition("reason"))
            .because(condition("message"))
            .because(facts.cite_other("Job", job.name, &["spec", "activeDeadlineSeconds"]))
            .because(last_words(facts))
            .remedy(facts.look(["describe", "job", job.name]))
            .remedy(facts.owner.edit("Raise activeDeadlineSeconds, or make the work fit into it")),
    )
}

/// The last words of the containers that were still at work.
fn last_words(facts: &Facts<'_>) -> Vec<Evidence> {
    let cut_short = facts.ends().filter(|end| end.exit.code != 0 && !end.exit.is_made_up());
    cut_short.filter_map(|end| facts.last_words(end.container, end.exit)).filter_map(|w| w.brief()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pod(reason: &str) -> Case {
        Case::pod(
            json!({"activeDeadlineSeconds": 20, "containers": [{"name": "app"}]}),
            json!({"phase": "Failed", "reason": reason, "message": "Pod was active on the node longer than the specified deadline"}),
        )
    }

    fn of_job(reason: &str) -> Case {
        Case::pod(json!({"containers": [{"name": "app"}]}), json!({"phase": "Running"}))
            .edit(
                "/metadata/ownerReferences",
                json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "etl", "uid": "j", "controller": true}]),
            )
            .with(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "etl", "namespace": "n"},
                "spec": {"activeDeadlineSeconds": 600}, "status": {"conditions": [{"type": "Failed", "status": "True",
                "reason": reason, "message": "Job was active longer than specified deadline"}]}}))
    }

    #[test]
    fn the_pods_own_deadline_is_named_in_seconds() {
        assert!(one(pod("DeadlineExceeded").check(&RULE)).headline.ends_with("activeDeadlineSeconds of 20"));
        none(pod("Evicted").check(&RULE));
    }

    #[test]
    fn a_jobs_deadline_reaches_its_pods() {
        let finding = one(of_job("DeadlineExceeded").check(&RULE));
        assert!(finding.headline.contains("Job etl has used up its activeDeadlineSeconds of 600"));
        none(of_job("BackoffLimitExceeded").check(&RULE));
    }
}
