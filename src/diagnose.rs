//! From a target to the reports about it: one for a pod; for an owner that of its sickest pods, grouped by cause, or why
//! there are none.

use serde_json::Value;

use crate::facts::controlled_by;
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
    let own_trouble = !own.causes.is_empty();
    if own_trouble || sick.is_empty() {
        sick.insert(0, own);
    }
    sick
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
