//! The pod's Job has given up.

use crate::facts::{Evidence, Facts};
use crate::finding::{Effect, Finding, Remedy, Stage, Standing, Subject};
use crate::rules::Rule;

/// The reasons with which a Job gives up because of its pods' failures.
/// Source: `k8s.io/api/batch/v1/types.go`, `JobReason…`.
const REASONS: [&str; 4] = ["BackoffLimitExceeded", "PodFailurePolicy", "MaxFailedIndexesExceeded", "FailedIndexes"];

pub(super) const RULE: Rule = Rule {
    reason: "JobBackoffLimitExceeded",
    stage: Stage::Running,
    summary: "the Job has given up after its retries",
    explains: &[],
    check,
    explain: r#"
## Meaning
Pods of the Job failed more often than `backoffLimit` allows (or its failure policy, or its limits per index), so the Job makes
no more. Why they failed is the cause, and stands with the pods.

## Signs
The Job's condition Failed is True with the reason BackoffLimitExceeded, PodFailurePolicy, MaxFailedIndexesExceeded or
FailedIndexes.

## Fix
Remove the cause of the failures, then run the work again: a failed Job is not started again, it is replaced, and a CronJob
makes the next one at its time.

## Not this
A Job whose time is over is DeadlineExceeded. A Job that makes no pods at all has its reason in its events (QuotaExceeded and
others).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    found(facts).into_iter().collect()
}

fn found(facts: &Facts<'_>) -> Option<Finding> {
    let job = facts.job()?;
    let (type_, reason, _) = job.failure()?;
    if !REASONS.contains(&reason) {
        return None;
    }
    let failed = match job.number("/status/failed") {
        Some(1) => " after 1 failed pod".to_owned(),
        Some(n) => format!(" after {n} failed pods"),
        None => String::new(),
    };
    let limit = match job.number("/spec/backoffLimit") {
        Some(limit) if reason == "BackoffLimitExceeded" => format!(" (backoffLimit {limit})"),
        _ => format!(" ({reason})"),
    };
    let field = |steps: &[&str]| facts.cite_other("Job", job.name, steps);
    let evidence: Vec<Evidence> = [
        field(&["status", "conditions", type_, "reason"]),
        field(&["status", "conditions", type_, "message"]),
        field(&["spec", "backoffLimit"]),
        field(&["status", "failed"]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let done = facts.pod.phase() == "Succeeded";
    Some(
        Finding::new(Subject::object("Job", job.name), format!("Job {} has given up{failed}{limit}", job.name))
            .standing(if done { Standing::Past } else { Standing::Wrong })
            .because(evidence)
            .remedy(facts.look(["describe", "job", job.name]))
            .remedy(again(facts)),
    )
}

/// How the work is run once more.
fn again(facts: &Facts<'_>) -> Remedy {
    if facts.owner.kind == "CronJob" {
        let from = format!("--from={}", facts.owner.argument());
        let command = facts.kubectl(["create", "job", "NAME", &from]);
        return Remedy::change("Once the cause is removed, run it again before its next time:", command);
    }
    let say = "Once the cause is removed, replace the Job from its manifest, which starts it over and loses its pods and their logs:";
    Remedy {
        say: say.to_owned(),
        command: Some(facts.kubectl(["replace", "--force", "-f", "FILE"])),
        effect: Effect::LastResort,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn of_job(type_: &str, reason: &str, phase: &str) -> Case {
        Case::pod(json!({"containers": [{"name": "app"}]}), json!({"phase": phase}))
            .edit("/metadata/ownerReferences", json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "nightly", "uid": "j", "controller": true}]))
            .with(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "nightly", "namespace": "n"},
                "spec": {"backoffLimit": 1}, "status": {"failed": 2, "conditions": [{"type": type_, "status": "True", "reason": reason}]}}))
    }

    #[test]
    fn a_job_that_used_up_its_retries_is_named() {
        for type_ in ["Failed", "FailureTarget"] {
            let finding = one(of_job(type_, "BackoffLimitExceeded", "Failed").check(&RULE));
            assert_eq!(finding.headline, "Job nightly has given up after 2 failed pods (backoffLimit 1)");
        }
    }

    #[test]
    fn a_job_that_goes_on_or_has_run_out_of_time_has_not_given_up() {
        none(of_job("Suspended", "JobSuspended", "Failed").check(&RULE));
        none(of_job("Failed", "DeadlineExceeded", "Failed").check(&RULE));
    }

    #[test]
    fn a_pod_that_did_its_part_is_not_to_blame() {
        none(of_job("Failed", "BackoffLimitExceeded", "Succeeded").check(&RULE));
    }
}
