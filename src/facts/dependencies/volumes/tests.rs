use serde_json::{Value, json};

use super::*;
use crate::rules::testing::Case;

#[test]
fn a_claim_is_known_by_its_own_name_its_volumes_and_the_pods() {
    let spec = json!({"containers": [{"name": "app"}], "volumes": [
        {"name": "a", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "b", "persistentVolumeClaim": {"claimName": "data", "readOnly": true}},
        {"name": "c", "ephemeral": {}}, {"name": "d", "persistentVolumeClaim": {"claimName": "logs", "readOnly": true}}]});
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "logs", "namespace": "n"},
        "spec": {"volumeName": "pv-1"}});
    Case::pod(spec, json!({})).with(claim).facts(|f| {
        let all: Vec<_> = f.claims().into_iter().map(|c| (c.name, c.ephemeral, c.read_only)).collect();
        let named = |name: &str, ephemeral, read_only| (name.to_owned(), ephemeral, read_only);
        assert_eq!(all, [named("data", false, false), named("p-c", true, false), named("logs", false, true)]);
        for name in ["d", "pv-1", "logs"] {
            assert_eq!(f.claim_of(name).map(|c| c.name).as_deref(), Some("logs"), "{name}");
        }
        assert!(f.claim_of("x").is_none());
        assert_eq!(f.volume("pv-1").map(|v| v.name.as_str()), Some("d"));
    });
}

#[test]
fn a_volume_is_for_one_node_if_all_its_modes_are() {
    let of = |modes: Value| {
        let claim = json!({"metadata": {"name": "x"}, "spec": {"accessModes": modes}});
        let claim = ClaimObject::read(&claim);
        (claim.is_for_one_node(), claim.is_for_one_pod())
    };
    assert_eq!(of(json!(["ReadWriteOnce"])), (true, false));
    assert_eq!(of(json!(["ReadWriteOncePod"])), (true, true));
    assert_eq!(of(json!(["ReadWriteOnce", "ReadWriteMany"])), (false, false));
    assert_eq!(of(json!([])), (false, false));
}

/// A pod on a node whose container has that status.
fn on_node(status: Value) -> Case {
    Case::container(status).edit("/spec/nodeName", json!("w"))
}

fn creating() -> Value {
    json!({"state": {"waiting": {"reason": "ContainerCreating"}}})
}

#[test]
fn a_pod_awaits_its_volumes_until_its_sandbox_is_there() {
    let awaits = |case: Case| case.facts(|f| f.awaits_volumes());
    assert!(awaits(on_node(creating())) && awaits(on_node(json!({}))));
    assert!(!awaits(Case::container(creating())), "it has no node");
    assert!(!awaits(on_node(creating()).edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))));
    assert!(!awaits(on_node(creating()).edit("/status/phase", json!("Failed"))));
    let sandbox = |status: &str| json!([{"type": "PodReadyToStartContainers", "status": status}]);
    assert!(!awaits(on_node(creating()).edit("/status/conditions", sandbox("True"))));
    let again = json!({"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    assert!(awaits(on_node(again.clone()).edit("/status/conditions", sandbox("False"))));
    assert!(!awaits(on_node(again)), "it has run");
    assert!(!awaits(on_node(json!({"state": {"running": {}}})).edit("/status/conditions", sandbox("False"))));
    let addressed = || on_node(creating()).edit("/status/podIP", json!("10.0.0.1"));
    assert!(!awaits(addressed()), "an address comes with the sandbox");
    assert!(awaits(addressed().edit("/spec/hostNetwork", json!(true))), "and that of the node before it");
    assert!(!awaits(addressed().edit("/spec/hostNetwork", json!(false))));
}

#[test]
fn a_pod_awaits_its_claims_until_it_has_a_node_and_its_volumes() {
    let awaits = |case: Case| case.facts(|f| f.awaits_claims());
    assert!(awaits(Case::container(json!({}))) && awaits(on_node(creating())));
    assert!(!awaits(on_node(json!({"state": {"running": {}}}))));
    assert!(!awaits(Case::container(json!({})).edit("/status/phase", json!("Failed"))));
    assert!(!awaits(Case::container(json!({})).edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))));
}

#[test]
fn other_users_of_a_claim_are_pods_of_the_namespace_that_have_not_ended() {
    let user = |name: &str, namespace: &str, claim: &str, phase: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "uid": name},
            "spec": {"nodeName": "w", "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]}, "status": {"phase": phase}})
    };
    let case = Case::container(json!({}))
        .with(user("one", "n", "data", "Running"))
        .with(user("two", "m", "data", "Running"))
        .with(user("three", "n", "logs", "Running"))
        .with(user("four", "n", "data", "Succeeded"));
    case.facts(|f| assert_eq!(f.other_users("data"), [("one".to_owned(), Some("w".to_owned()))]));
}
