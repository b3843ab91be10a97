//! From a target to the reports about it: one for a pod; for an owner that of its sickest pods, grouped by cause, or why
//! there are none.

use serde_json::Value;

use crate::facts::{Facts, controlled_by};
use crate::rank::Cause;
use crate::report::{MOST_NOTES, Report, Verdict, report};
use crate::snapshot::{Snapshot, Target, name_of, namespace_of};

/// Diagnoses a target.
pub fn diagnose(snapshot: &Snapshot, target: &Target) -> Vec<Report> {
    let mut own = report(snapshot, target);
    if target.kind == "Pod" {
        return vec![own];
    }
    let pods = snapshot.all("Pod").iter().filter(|pod| belongs_to(snapshot, pod, target)).map(pod_target);
    let (mut sick, mut fine): (Vec<Report>, Vec<Report>) =
        pods.map(|pod| report(snapshot, &pod)).partition(|r| !r.verdict.is_fine());
    if replaced_its_pods(snapshot, target) {
        let over = sick.extract_if(.., |r| r.verdict == Verdict::Failed);
        own.notes.extend(over.filter_map(|pod| Some((pod.causes.first()?.rule.reason.to_owned(), pod.summary))));
        own.notes.dedup();
        own.notes.truncate(MOST_NOTES);
    }
    let mut sick = grouped(sick);
    let own_trouble = own.causes.iter().any(|cause| !sick.iter().any(|pod| tells(pod, cause.rule.reason)));
    if own_trouble || sick.is_empty() && own.verdict != Verdict::Unknown {
        sick.insert(0, own);
    } else if sick.is_empty() {
        // It falls short, and its pods say why: they are on their way.
        fine.retain(|r| r.verdict == Verdict::InProgress);
        sick = if fine.is_empty() { vec![own] } else { grouped(fine) };
    }
    sick
}

/// Whether the target has all the pods that it asks for, so that one which has failed is over: it was replaced. A Job's
/// failed pods are its own story.
fn replaced_its_pods(snapshot: &Snapshot, target: &Target) -> bool {
    let complete = || Facts::new(snapshot, target).workload().is_some_and(|w| !w.falls_short());
    !matches!(target.kind, "Node" | "Job" | "CronJob") && complete()
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

    fn of_set(ready: i64, pods: Vec<Value>) -> Vec<Report> {
        let mut snapshot = Snapshot::default();
        snapshot.add(json!({"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop", "uid": "1"},
            "spec": {"replicas": 1}, "status": {"replicas": 1, "readyReplicas": ready}}));
        pods.into_iter().for_each(|pod| snapshot.add(pod));
        snapshot.settle();
        diagnose(&snapshot, &Target { kind: "StatefulSet", namespace: "shop".to_owned(), name: "db".to_owned() })
    }

    fn pod(name: &str, status: Value) -> Value {
        json!({"kind": "Pod", "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "1970-01-01T00:00:00Z",
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "1", "controller": true}]},
            "spec": {"containers": [{"name": "app"}]}, "status": status})
    }

    #[test]
    fn a_set_without_its_pods_is_not_called_healthy() {
        let reports = of_set(0, vec![]);
        assert_eq!(reports[0].verdict, Verdict::Unknown);
        assert_eq!(reports[0].summary, "unknown: 0/1 ready, and nothing that was read says why");
    }

    #[test]
    fn a_set_whose_pods_are_on_their_way_is_so_too() {
        let reports = of_set(0, vec![pod("db-0", json!({"phase": "Pending"}))]);
        assert_eq!((reports[0].target.name.as_str(), reports[0].verdict), ("db-0", Verdict::InProgress));
    }

    #[test]
    fn an_evicted_pod_that_was_replaced_is_over() {
        let evicted =
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."});
        let reports = of_set(1, vec![pod("db-old", evicted.clone())]);
        assert_eq!(reports[0].verdict, Verdict::Healthy);
        assert_eq!(reports[0].notes[0].0, "NodePressureEvicted");
        assert_eq!(of_set(0, vec![pod("db-old", evicted)])[0].verdict, Verdict::Failed);
    }
}
