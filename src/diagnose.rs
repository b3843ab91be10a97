//! From a target to the reports about it: one for a pod; for an owner that of its sickest pods, grouped by cause, or why
//! there are none.

use serde_json::Value;

use crate::facts::controlled_by;
use crate::rank::Cause;
use crate::report::{Report, report};
use crate::snapshot::{Snapshot, Target, name_of, namespace_of};

/// Diagnoses a target.
pub fn diagnose(snapshot: &Snapshot, target: &Target) -> Vec<Report> {
    let own = report(snapshot, target);
    if target.kind == "Pod" {
        return vec![own];
    }
    let pods = snapshot.all("Pod").iter().filter(|pod| belongs_to(snapshot, pod, target)).map(pod_target);
    let mut sick = grouped(pods.map(|pod| report(snapshot, &pod)).filter(|r| !r.verdict.is_fine()).collect());
    let own_trouble = own.causes.iter().any(|cause| !sick.iter().any(|pod| tells(pod, cause.rule.reason)));
    if own_trouble || sick.is_empty() {
        sick.insert(0, own);
    }
    sick
}

/// Whether a report has the reason as a cause or under one.
fn tells(report: &Report, reason: &str) -> bool {
    let is_told = |c: &Cause| c.rule.reason == reason || c.symptoms.iter().any(|(rule, _)| rule.reason == reason);
    report.causes.iter().any(is_told)
}

/// The pod as a target.
fn pod_target(pod: &Value) -> Target {
    Target { kind: "Pod", namespace: namespace_of(pod).to_owned(), name: name_of(pod).to_owned() }
}

fn belongs_to(snapshot: &Snapshot, pod: &Value, target: &Target) -> bool {
    match target.kind {
        "Node" => pod.pointer("/spec/nodeName").and_then(Value::as_str) == Some(&target.name),
        kind => namespace_of(pod) == target.namespace && controlled_by(snapshot, pod, kind, &target.name),
    }
}

/// One report for all pods with the same causes, the worst first.
fn grouped(mut reports: Vec<Report>) -> Vec<Report> {
    reports.sort_by(|a, b| (a.verdict, &a.target).cmp(&(b.verdict, &b.target)));
    let mut groups: Vec<Report> = Vec::new();
    for report in reports {
        let same = |other: &&mut Report| other.verdict == report.verdict && reasons(other) == reasons(&report);
        match groups.iter_mut().find(same) {
            Some(group) => group.also.push(report.target.name),
            None => groups.push(report),
        }
    }
    groups
}

fn reasons(report: &Report) -> Vec<(&str, Option<&str>)> {
    report.causes.iter().map(|c| (c.rule.reason, c.finding.subject.container.as_deref())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn diagnosed(objects: Vec<Value>) -> Vec<Report> {
        let mut snapshot = Snapshot::default();
        objects.into_iter().for_each(|object| snapshot.add(object));
        snapshot.settle();
        diagnose(&snapshot, &Target { kind: "Job", namespace: "shop".to_owned(), name: "etl".to_owned() })
    }

    fn failed_job(reason: &str) -> Value {
        json!({"kind": "Job", "metadata": {"name": "etl", "namespace": "shop", "uid": "1"}, "spec": {},
            "status": {"conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "it is over"}]}})
    }

    #[test]
    fn a_job_that_failed_is_not_healthy_when_its_pods_are_gone() {
        for reason in ["DeadlineExceeded", "BackoffLimitExceeded"] {
            let reports = diagnosed(vec![failed_job(reason)]);
            assert!(!reports[0].verdict.is_fine(), "{reason}");
        }
    }

    #[test]
    fn what_a_pods_report_tells_of_its_job_is_not_told_again() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "etl-x", "namespace": "shop", "ownerReferences": [
                {"apiVersion": "batch/v1", "kind": "Job", "name": "etl", "uid": "1", "controller": true}]},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "app"}]},
            "status": {"phase": "Failed", "containerStatuses": [{"name": "app",
                "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]}});
        let reports = diagnosed(vec![failed_job("BackoffLimitExceeded"), pod]);
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].target.kind, "Pod");
    }
}
