use serde_json::json;

use super::*;
use crate::rules::testing::Case;

#[test]
fn every_known_answer_of_the_api_server_has_its_class() {
    let rows = include_str!("../../../tests/data/messages.tsv").lines().filter(|l| l.starts_with("CRE-"));
    let mut wrong = Vec::new();
    for row in rows.filter(|l| !l.starts_with("CRE-ENV")) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (id, example, wanted) = (columns[0], columns[4].replace("\\n", "\n"), columns[5]);
        let refusal = Refusal::read(&example, Evidence::derived(""));
        let reason = match refusal.denial {
            Denial::Quota { .. } => "QuotaExceeded",
            Denial::LimitRange(_) => "LimitRangeViolated",
            Denial::PodSecurity { .. } => "PodSecurityViolated",
            Denial::ServiceAccount(_) => "ServiceAccountMissing",
            Denial::PriorityClass(_) => "PriorityClassMissing",
            Denial::RuntimeClass(_) => "+RuntimeClassMissing",
            Denial::Denied { .. } => "WebhookDenied",
            Denial::Uncallable { .. } => "WebhookUnavailable",
            Denial::NamespaceEnding => "+NamespaceTerminating",
            Denial::Predecessor(_) => "+PredecessorStillThere",
            Denial::Passing => "passing",
            Denial::Other => "CreationForbidden",
        };
        let passing = ["+QuotaNotReady", "+APIServerBusy", "+ServiceAccountTokenMissing"].contains(&wanted);
        if reason != if passing { "passing" } else { wanted } {
            wrong.push(format!("{id}: {reason}, not {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_quota_is_read_with_its_numbers_and_only_what_is_over_it() {
    let message = "pods \"b-1\" is forbidden: exceeded quota: team-quota, requested: pods=1,requests.cpu=150m, \
        used: pods=1,requests.cpu=10m, limited: pods=1,requests.cpu=200m";
    let Denial::Quota { quota, excess, .. } = Denial::read(message) else { panic!() };
    assert_eq!(quota, "team-quota");
    let [pods] = &excess[..] else { panic!("{excess:?}") };
    assert_eq!((pods.requested.as_str(), pods.used.as_str(), pods.limited.as_str()), ("1", "1", "1"));
}

const QUOTA: &str = "pods \"b-1\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1";

/// An object that makes pods: three are wanted, and so many are there.
fn maker(kind: &str, name: &str, there: i64, conditions: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "n", "uid": name},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "x"}}},
        "status": {"replicas": there, "readyReplicas": there, "availableReplicas": there, "updatedReplicas": there,
            "conditions": conditions}})
}

fn below(mut object: Value, kind: &str, name: &str) -> Value {
    object["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true}]);
    object
}

fn told(kind: &str, name: &str, reason: &str, message: &str, time: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.{reason}{time}"), "namespace": "n"},
        "reason": reason, "message": message, "lastTimestamp": format!("2026-01-01T{time}Z"),
        "involvedObject": {"kind": kind, "namespace": "n", "name": name, "uid": name}})
}

fn messages(case: &Case) -> Vec<String> {
    case.facts(|f| f.refusals().into_iter().map(|r| r.message).collect())
}

#[test]
fn where_no_event_is_left_a_condition_speaks_of_an_object_that_lacks_pods() {
    let of = |there: i64, type_: &str, status: &str, reason: &str| {
        let condition = json!([{"type": type_, "status": status, "reason": reason, "message": "no"}]);
        messages(&Case::of(maker("Deployment", "d", there, condition)))
    };
    assert_eq!(of(1, "ReplicaFailure", "True", "FailedCreate"), ["no"]);
    assert_eq!(of(1, "Progressing", "False", "ReplicaSetCreateError"), ["no"]);
    assert!(of(1, "ReplicaFailure", "False", "FailedCreate").is_empty());
    assert!(of(1, "Progressing", "False", "ProgressDeadlineExceeded").is_empty());
    assert!(of(3, "ReplicaFailure", "True", "FailedCreate").is_empty(), "it has all its pods");
}

#[test]
fn the_newest_event_speaks_unless_a_success_came_after_it() {
    let of = |kind: &str, there: i64, message: &str, failed: &str, created: &str| {
        let case = Case::of(maker(kind, "d", there, json!([]))).with(told(kind, "d", "FailedCreate", message, failed));
        messages(&case.with(told(kind, "d", "SuccessfulCreate", "Created pod", created))).len()
    };
    assert_eq!(of("Deployment", 3, "no", "11:59:00", "11:58:00"), 1);
    assert_eq!(of("Deployment", 3, "no", "11:59:00", "11:59:00"), 0);
    assert_eq!(of("Deployment", 3, "no", "11:58:00", "11:59:00"), 0);
    assert_eq!(of("Deployment", 1, "no", "11:58:00", "11:59:00"), 1, "it lacks pods all the same");
    assert_eq!(of("Deployment", 1, "Error: update Pod x failed", "11:59:00", "11:58:00"), 0, "that made none");
    assert_eq!(of("ReplicaSet", 3, "no", "11:59:00", "11:58:00"), 0, "it has what it wants");
    assert_eq!(of("ReplicaSet", 1, "no", "11:59:00", "11:58:00"), 1);
    assert_eq!(of("CronJob", 0, "no", "11:59:00", "11:58:00"), 1);
}

#[test]
fn only_the_controllers_of_the_target_that_lack_pods_speak_and_each_answer_once() {
    let case = |message: &str, owner: &str, there: i64| {
        let set = below(maker("ReplicaSet", "r", there, json!([])), "Deployment", owner);
        Case::of(maker("Deployment", "d", 1, json!([])))
            .with(set)
            .with(told("Deployment", "d", "ReplicaSetCreateError", message, "11:59:00"))
            .with(told("ReplicaSet", "r", "FailedCreate", message, "11:59:00"))
    };
    assert_eq!(messages(&case(QUOTA, "d", 1)).len(), 1);
    assert_eq!(messages(&case("a thing of its own", "d", 1)).len(), 2, "what is not understood may differ");
    assert_eq!(messages(&case("a thing of its own", "e", 1)).len(), 1, "another Deployment's");
    assert_eq!(messages(&case("a thing of its own", "d", 3)).len(), 1, "it has all its pods");
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n", "uid": "j"},
        "spec": {"parallelism": 1}, "status": {}});
    let cron =
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c", "namespace": "n", "uid": "c"}});
    let cron = Case::of(cron).with(below(job, "CronJob", "c")).with(told("Job", "j", "FailedCreate", "no", "11:59:00"));
    assert_eq!(messages(&cron), ["no"]);
}

#[test]
fn what_reaches_its_limit_exactly_is_not_over_it() {
    let message = "exceeded quota: q, requested: cpu=150m,pods=1, used: cpu=50m,pods=3, limited: cpu=200m,pods=3";
    let Denial::Quota { excess, .. } = Denial::read(message) else { panic!() };
    assert_eq!(excess.iter().map(|e| e.resource.as_str()).collect::<Vec<_>>(), ["pods"]);
}

#[test]
fn a_namespace_ends_only_if_it_is_gone_or_terminating() {
    assert_eq!(Denial::read("namespaces \"x\" not found"), Denial::NamespaceEnding);
    assert_eq!(Denial::read("namespace \"x\" not found"), Denial::NamespaceEnding);
    assert_ne!(Denial::read("namespaces \"x\" is forbidden: no"), Denial::NamespaceEnding);
    assert_ne!(Denial::read("configmaps \"x\" not found"), Denial::NamespaceEnding);
    let ending = "pods \"a\" is forbidden: unable to create new content in namespace x because it is being terminated";
    assert_eq!(Denial::read(ending), Denial::NamespaceEnding);
}
