use super::*;
use crate::facts::known_messages::known_messages;
use crate::rules::testing::Case;
use serde_json::{Value, json};

fn pod() -> Case {
    Case::pod(
        json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."}]}),
    )
}

fn claim(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n", "uid": "c",
        "creationTimestamp": "2026-01-01T11:00:00Z"}, "spec": spec, "status": {"phase": "Pending"}})
}

fn said(reason: &str, source: &str, message: &str, minute: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{reason}{minute}"), "namespace": "n"},
        "reason": reason, "message": message, "source": {"component": source}, "lastTimestamp": format!("2026-01-01T11:{minute}:00Z"),
        "involvedObject": {"kind": "PersistentVolumeClaim", "namespace": "n", "name": "data", "uid": "c"}})
}

fn wait(case: &Case) -> Wait {
    case.facts(|f| f.pending_claims().remove(0).wait)
}

#[test]
fn every_known_event_of_a_claim_is_understood() {
    for (id, causes, example) in known_messages("PVC-") {
        let reason = match id.as_str() {
            "PVC-NOCLASS" => "FailedBinding",
            "PVC-EXTERNAL-128" | "PVC-EXTERNAL-120" => "ExternalProvisioning",
            "PVC-MISMATCH" => "VolumeMismatch",
            "PVC-WFFC" => "WaitForFirstConsumer",
            "PVC-WFPS" => "WaitForPodScheduled",
            _ if id.starts_with("PVC-PROV-") || id == "PVC-CLASS-MISSING" => "ProvisioningFailed",
            _ => continue,
        };
        let source = if id.starts_with("PVC-PROV") { "csi" } else { BINDER };
        let case = pod().with(claim(json!({"storageClassName": "x"}))).with(said(reason, source, &example, 58));
        let told = match wait(&case) {
            Wait::Consumer => "-",
            Wait::Class(_) | Wait::AnyClass => "StorageClassMissing",
            Wait::Provisioner(name) if !name.is_empty() => "ProvisionerSilent",
            Wait::Failed(_) => "+ProvisioningFailed",
            Wait::Volume(_) => "NoMatchingVolume",
            other => panic!("{id}: {other:?}"),
        };
        assert!(causes.iter().any(|c| c == told), "{id}: {told}");
    }
}

#[test]
fn a_failing_provisioner_is_not_a_silent_one() {
    let case = pod()
        .with(claim(json!({"storageClassName": "gp3"})))
        .with(said("ExternalProvisioning", BINDER, "Waiting for … external provisioner 'ebs' or …", 59))
        .with(said("ProvisioningFailed", "ebs_x", "quota", 57));
    assert_eq!(wait(&case), Wait::Failed("quota".to_owned()));
}

#[test]
fn a_provisioner_at_work_is_neither_silent_nor_failing() {
    let case = pod()
        .with(claim(json!({"storageClassName": "gp3"})))
        .with(said("ExternalProvisioning", BINDER, "Waiting for … external provisioner 'ebs' or …", 59))
        .with(said("Provisioning", "ebs_x", "External provisioner is provisioning volume for claim", 58));
    assert_eq!(wait(&case), Wait::Provisioning);
}

#[test]
fn a_class_that_exists_by_now_is_not_missing() {
    let case = pod()
        .with(claim(json!({"storageClassName": "fast"})))
        .with(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}, "provisioner": "p"}))
        .with(said("ProvisioningFailed", BINDER, "storageclass.storage.k8s.io \"fast\" not found", 59));
    assert_eq!(wait(&case), Wait::Unknown);
}

#[test]
fn a_claim_that_may_not_be_read_is_known_by_its_events() {
    let told = || said("ProvisioningFailed", BINDER, "storageclass.storage.k8s.io \"x\" not found", 59);
    assert_eq!(wait(&pod().with(told()).refused("persistentvolumeclaims")), Wait::Class("x".to_owned()));
    let silent =
        pod().with(told()).edit("/status/conditions/0/message", json!("0/3 nodes are available: 3 Insufficient cpu."));
    assert!(silent.refused("persistentvolumeclaims").facts(|f| f.pending_claims().is_empty()));
}

#[test]
fn without_events_the_claim_itself_tells() {
    assert_eq!(wait(&pod().with(claim(json!({"storageClassName": ""})))), Wait::Volume(String::new()));
    assert_eq!(wait(&pod().with(claim(json!({"storageClassName": "x"})))), Wait::Unknown);
    assert_eq!(wait(&pod().with(claim(json!({})))), Wait::AnyClass);
    let shown = pod().with(claim(json!({}))).facts(|f| format!("{:?}", f.pending_claims().remove(0).evidence));
    assert!(shown.contains("storageClassName"), "that it has none is cited: {shown}");
    let gone = pod().with(claim(json!({"storageClassName": "x"}))).complete(&["storageclasses.storage.k8s.io"]);
    assert_eq!(wait(&gone), Wait::Class("x".to_owned()));
    let lazy = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "x"},
        "provisioner": "p", "volumeBindingMode": "WaitForFirstConsumer"});
    assert_eq!(wait(&pod().with(claim(json!({"storageClassName": "x"}))).with(lazy)), Wait::Consumer);
}

fn standing(case: &Case) -> (Wait, Standing) {
    case.facts(|f| {
        let pending = f.pending_claims().remove(0);
        (pending.wait, pending.standing)
    })
}

fn made(time: &str, spec: Value) -> Value {
    let mut claim = claim(spec);
    claim["metadata"]["creationTimestamp"] = format!("2026-01-01T{time}Z").into();
    claim
}

#[test]
fn a_young_claim_is_given_a_minute_for_what_takes_time() {
    let of = |time: &str, spec: Value| standing(&pod().with(made(time, spec)));
    let named = || json!({"storageClassName": "x"});
    assert_eq!(of("11:59:01", named()), (Wait::Unknown, Standing::InProgress));
    assert_eq!(of("11:59:00", named()), (Wait::Unknown, Standing::Wrong));
    let missing = pod().with(made("11:59:30", named())).complete(&["storageclasses.storage.k8s.io"]);
    assert_eq!(standing(&missing), (Wait::Class("x".to_owned()), Standing::Wrong), "a class does not come by itself");
}

#[test]
fn a_volume_is_being_made_for_ten_minutes_after_the_provisioner_said_so() {
    let of = |minute: u32| {
        standing(&pod().with(claim(json!({"storageClassName": "x"}))).with(said("Provisioning", "csi", "…", minute)))
    };
    assert_eq!(of(51), (Wait::Provisioning, Standing::InProgress));
    assert_eq!(of(50), (Wait::Unknown, Standing::Wrong));
}

#[test]
fn a_claim_that_does_not_exist_is_not_pending() {
    let gone = pod().with(said("FailedBinding", BINDER, "no volume", 59)).complete(&["persistentvolumeclaims"]);
    assert!(gone.facts(|f| f.pending_claims().is_empty()));
}

#[test]
fn of_the_consumer_and_a_failure_the_later_word_counts() {
    let of = |consumer: u32, failure: u32| {
        wait(
            &pod()
                .with(claim(json!({"storageClassName": "x"})))
                .with(said("WaitForFirstConsumer", BINDER, "waiting", consumer))
                .with(said("ProvisioningFailed", "csi", "no room", failure)),
        )
    };
    assert_eq!(of(59, 57), Wait::Consumer);
    assert_eq!(of(57, 59), Wait::Failed("no room".to_owned()));
}

#[test]
fn of_the_binder_and_the_provisioner_the_later_failure_counts() {
    let of = |binder: u32, failure: u32| {
        wait(
            &pod()
                .with(claim(json!({"storageClassName": "x"})))
                .with(said("ProvisioningFailed", BINDER, "plugin", binder))
                .with(said("ProvisioningFailed", "csi", "no room", failure)),
        )
    };
    assert_eq!(of(59, 57), Wait::Failed("plugin".to_owned()));
    assert_eq!(of(57, 59), Wait::Failed("no room".to_owned()));
}

#[test]
fn a_failure_before_a_success_is_over() {
    let case = pod()
        .with(claim(json!({"storageClassName": "x"})))
        .with(said("ProvisioningFailed", "csi", "no room", 57))
        .with(said("ProvisioningSucceeded", "csi", "made", 59));
    assert_eq!(wait(&case), Wait::Unknown);
}

#[test]
fn volumes_made_by_hand_are_waited_for_under_their_class_or_by_their_name() {
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "x"}, "provisioner": NO_PROVISIONER});
    assert_eq!(wait(&pod().with(claim(json!({"storageClassName": "x"}))).with(class)), Wait::Volume(String::new()));
    let named =
        pod().with(claim(json!({"storageClassName": "x", "volumeName": "pv-7"}))).complete(&["persistentvolumes"]);
    let Wait::Volume(why) = wait(&named) else { panic!("{:?}", wait(&named)) };
    assert!(why.contains("pv-7") && why.contains("does not exist"), "{why}");
}

#[test]
fn a_claim_without_a_class_that_has_a_provisioner_waits_for_that() {
    let mut annotated = claim(json!({}));
    annotated["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] = "csi.example".into();
    assert_eq!(wait(&pod().with(annotated)), Wait::Provisioner("csi.example".to_owned()));
    let binding =
        |spec: Value, message: &str| wait(&pod().with(claim(spec)).with(said("FailedBinding", BINDER, message, 59)));
    let unset = "no persistent volumes available for this claim and no storage class is set";
    assert_eq!(binding(json!({}), unset), Wait::AnyClass);
    assert_eq!(binding(json!({"storageClassName": ""}), unset), Wait::Volume(String::new()));
    assert_eq!(binding(json!({}), "other"), Wait::Volume("other".to_owned()));
}
