use serde_json::{Value, json};

use super::*;
use crate::rules::testing::Case;

fn needs(keys: &[(&str, &str)]) -> Case {
    let env: Vec<Value> = keys
        .iter()
        .enumerate()
        .map(|(n, (name, key))| json!({"name": format!("V{n}"), "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}}))
        .collect();
    Case::container(json!({"state": {"waiting": {"reason": "CreateContainerConfigError"}}}))
        .edit("/spec/containers/0/env", json!(env))
        .edit("/spec/nodeName", json!("w"))
}

fn map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data})
}

fn keys(case: &Case) -> Vec<String> {
    case.facts(|f| {
        let lacks = f.lacking_keys("ConfigMap");
        lacks.into_iter().map(|l| format!("{}/{} {:?}", l.name, l.key.unwrap_or_default(), l.standing)).collect()
    })
}

#[test]
fn each_key_that_is_lacking_is_told_once() {
    let case = needs(&[("c", "k"), ("c", "k"), ("c", "l"), ("d", "k"), ("c", "there")]);
    let case = case.with(map("c", json!({"there": ""}))).with(map("d", json!({})));
    assert_eq!(keys(&case), ["c/k Wrong", "c/l Wrong", "d/k Wrong"]);
}

#[test]
fn a_key_that_cannot_be_looked_up_lacks_if_the_kubelet_says_so_of_that_key() {
    let told = |message: &str| {
        keys(&needs(&[("c", "k")]).edit("/status/containerStatuses/0/state/waiting/message", json!(message)))
    };
    assert_eq!(told("couldn't find key k in ConfigMap n/c"), ["c/k Wrong"]);
    for other in [
        "couldn't find key l in ConfigMap n/c",
        "couldn't find key k in ConfigMap n/d",
        "couldn't find key k in Secret n/c",
        "x",
    ] {
        assert!(told(other).is_empty(), "{other}");
    }
}

#[test]
fn where_the_status_says_nothing_the_event_speaks_for_its_container() {
    let of = |container: &str, message: &str| keys(&needs(&[("c", "k")]).event("Failed", container, message));
    let said = "Error: couldn't find key k in ConfigMap n/c";
    assert_eq!(of("app", said), ["c/k Wrong"]);
    assert_eq!(of("", said), ["c/k Wrong"]);
    assert!(of("other", said).is_empty() && of("app", "Error: ImagePullBackOff").is_empty());
    let worded =
        needs(&[("c", "k")]).edit("/status/containerStatuses/0/state/waiting/message", json!("of something else"));
    assert!(keys(&worded.event("Failed", "app", said)).is_empty(), "the status is newer");
}

#[test]
fn what_exists_by_now_is_tried_again_for_three_minutes() {
    let of = |time: &str| {
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}, "reason": "FailedMount",
            "message": "MountVolume.SetUp failed for volume \"v\" : configmap \"c\" not found", "lastTimestamp": format!("2026-01-01T{time}Z"),
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}});
        let mut made = map("c", json!({}));
        made["metadata"]["creationTimestamp"] = "2026-01-01T11:58:00Z".into();
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("w"))
            .edit("/spec/volumes", json!([{"name": "v", "configMap": {"name": "c"}}]))
            .with(made)
            .with(event)
            .facts(|f| {
                let lacks = f.lacking_objects("ConfigMap");
                assert!(
                    lacks.iter().all(|l| format!("{:?}", l.evidence).contains("2026-01-01T11:58:00Z")),
                    "when it was made"
                );
                lacks.first().map(|l| l.standing)
            })
    };
    assert_eq!(of("11:57:01"), Some(Standing::InProgress));
    assert_eq!(of("11:57:00"), None);
}

#[test]
fn a_pod_that_goes_or_has_ended_lacks_nothing_and_what_does_not_hold_it_up_is_past() {
    let lacking = |case: Case| {
        case.complete(&["configmaps"]).facts(|f| f.lacking_objects("ConfigMap").first().map(|l| l.standing))
    };
    let waits = || needs(&[("c", "k")]);
    assert_eq!(lacking(waits()), Some(Standing::Wrong));
    assert_eq!(lacking(waits().edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))), None);
    assert_eq!(lacking(waits().edit("/status/phase", json!("Failed"))), None);
    let runs = waits().edit("/status/containerStatuses/0/state", json!({"running": {}}));
    assert_eq!(lacking(runs), Some(Standing::Past));
    let root = |state: Value| {
        let volumes = json!([{"name": "v", "configMap": {"name": ROOT_CA}}]);
        lacking(
            Case::container(json!({"state": state})).edit("/spec/nodeName", json!("w")).edit("/spec/volumes", volumes),
        )
    };
    assert_eq!(root(json!({"running": {}})), None, "old clusters do not have it");
    assert_eq!(root(json!({"waiting": {"reason": "ContainerCreating"}})), None, "and nobody says that it is lacking");
}

#[test]
fn the_keys_that_are_there_are_told() {
    let said = |data: Value| {
        needs(&[("c", "k")])
            .with(map("c", data))
            .facts(|f| format!("{:?}", f.lacking_keys("ConfigMap").remove(0).evidence))
    };
    assert!(said(json!({})).contains("ConfigMap c has no keys at all"));
    assert!(said(json!({"a": ""})).contains("ConfigMap c has only the key a"));
    assert!(said(json!({"a": "", "b": ""})).contains("ConfigMap c has the keys a, b"));
}

#[test]
fn the_subject_names_a_container_only_if_no_other_needs_it() {
    let env = || json!([{"name": "V", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]);
    let subject = |second: Value| {
        Case::pod(json!({"containers": [{"name": "a", "env": env()}, {"name": "b", "env": second}]}), json!({}))
            .complete(&["configmaps"])
            .facts(|f| f.lacking_objects("ConfigMap").remove(0).subject().container)
    };
    assert_eq!(subject(json!([])).as_deref(), Some("a"));
    assert_eq!(subject(env()), None);
}

#[test]
fn the_secret_of_a_volumes_driver_is_not_missing_once_it_is_there() {
    let of = |time: &str, there: bool| {
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}, "reason": "FailedMount",
            "message": "MountVolume.SetUp failed for volume \"pv-1\" : secret \"key\" not found", "lastTimestamp": format!("2026-01-01T{time}Z"),
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}});
        let case = Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("w"))
            .with(event);
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": "n"}});
        let case = if there { case.with(secret) } else { case };
        case.facts(|f| f.lacking_objects("Secret").first().map(|l| l.standing))
    };
    assert_eq!(of("11:57:00", false), Some(Standing::Wrong));
    assert_eq!(of("11:57:01", true), Some(Standing::InProgress));
    assert_eq!(of("11:57:00", true), None);
}

#[test]
fn a_key_of_a_volume_lacks_if_the_kubelet_says_so_of_that_volume() {
    let of = |volume: &str, key: &str, time: &str, data: Value| {
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}, "reason": "FailedMount",
            "message": format!("MountVolume.SetUp failed for volume \"{volume}\" : configmap references non-existent config key: {key}"),
            "lastTimestamp": format!("2026-01-01T{time}Z"),
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}});
        let volumes = json!([{"name": "v", "configMap": {"name": "c", "items": [{"key": "k", "path": "k"}]}}, {"name": "w", "emptyDir": {}}]);
        let case = Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("w"))
            .edit("/spec/volumes", volumes)
            .with(event);
        keys(&if data.is_null() { case } else { case.with(map("c", data)) })
    };
    assert_eq!(of("v", "k", "11:59:00", Value::Null), ["c/k Wrong"]);
    assert!(of("v", "l", "11:59:00", Value::Null).is_empty() && of("w", "k", "11:59:00", Value::Null).is_empty());
    assert_eq!(of("v", "k", "11:57:01", json!({"k": ""})), ["c/k InProgress"]);
    assert!(of("v", "k", "11:56:59", json!({"k": ""})).is_empty(), "it has been tried again since");
}
