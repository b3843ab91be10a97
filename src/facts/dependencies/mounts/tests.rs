use serde_json::{Value, json};

use super::*;
use crate::facts::known_messages::known_messages;
use crate::rules::testing::Case;

fn read(message: &str, attach: bool) -> (String, Trouble) {
    let (volume, error) = split(message);
    (volume.to_owned(), trouble(message, error, attach || waits_for_attach(message)))
}

#[test]
fn every_known_message_about_volumes_is_understood() {
    for (id, causes, example) in known_messages("VOL-") {
        if matches!(id.as_str(), "VOL-OK-ATTACH" | "VOL-CHOWN-SLOW") {
            continue;
        }
        let attach = id.starts_with("VOL-ATT") || id.starts_with("VOL-MULTI");
        let reason = match read(&example, attach).1 {
            Trouble::Noise => "-",
            Trouble::ObjectMissing { kind: "ConfigMap", .. } => "ConfigMapMissing",
            Trouble::ObjectMissing { .. } => "SecretMissing",
            Trouble::KeyMissing { kind: "ConfigMap", .. } => "ConfigMapKeyMissing",
            Trouble::KeyMissing { .. } => "SecretKeyMissing",
            Trouble::PathMismatch(_) => "HostPathMismatch",
            Trouble::WrongNode => "VolumeNodeConflict",
            Trouble::DriverMissing(_) => "CSIDriverMissing",
            Trouble::AttachedElsewhere { .. } => "VolumeMultiAttach",
            Trouble::LimitReached => "VolumeLimitReached",
            Trouble::Gone => "ClaimLost",
            Trouble::InUse => "VolumeInUse",
            Trouble::ClaimMissing(_) => "ClaimMissing",
            Trouble::ClaimDeleting(_) => "+ClaimDeleting",
            Trouble::ClaimUnbound(_) => "ClaimUnbound",
            Trouble::AttachFailed => "VolumeAttachFailed",
            Trouble::MountFailed => "VolumeMountFailed",
        };
        // A failed mount whose cause is not a reason of its own is VolumeMountFailed with the cause in words.
        let in_words = reason == "VolumeMountFailed"
            && causes
                .iter()
                .all(|c| c.starts_with('+') || c == "ContainerConfigInvalid" || c == "ServiceAccountMissing");
        assert!(causes.iter().any(|c| c == reason) || in_words, "{id}: {reason}, not {causes:?}");
    }
}

#[test]
fn names_are_read_from_the_sentence() {
    assert_eq!(
        read("MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found", false),
        ("tls".to_owned(), Trouble::ObjectMissing { kind: "Secret", namespace: None, name: "web-tls".to_owned() })
    );
    let used = "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) db-0, db-1 and 2 pod(s) in different namespaces";
    let pods = vec!["db-0".to_owned(), "db-1".to_owned()];
    assert_eq!(read(used, true), ("pvc-1".to_owned(), Trouble::AttachedElsewhere { node: None, pods }));
    let down = "MountVolume.SetUp failed for volume \"pvc-1\" : rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial unix /var/lib/kubelet/plugins/nfs.csi.k8s.io/csi.sock: connect: connection refused\"";
    assert_eq!(read(down, false).1, Trouble::DriverMissing(Some("nfs.csi.k8s.io".to_owned())));
    let listed = "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC shop/data: failed to fetch PVC from API server: persistentvolumeclaims \"data\" not found";
    assert_eq!(read(listed, false), ("data".to_owned(), Trouble::ClaimMissing("data".to_owned())));
}

fn said(reason: &str, message: &str, time: &str, count: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{reason}{time}"), "namespace": "n"},
        "reason": reason, "message": message, "count": count, "lastTimestamp": format!("2026-01-01T{time}Z"),
        "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}})
}

/// A pod on a node that waits for its volumes.
fn waiting() -> Case {
    Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}})).edit("/spec/nodeName", json!("w"))
}

fn failures(case: &Case) -> Vec<String> {
    case.facts(|f| f.mount_failures().into_iter().map(|failure| failure.volume.to_string()).collect())
}

const SECRET: &str = "MountVolume.SetUp failed for volume \"tls\" : secret \"web-tls\" not found";

#[test]
fn a_failure_is_of_now_for_a_quarter_of_an_hour_unless_the_kubelet_has_got_past_it() {
    let at = |time: &str| waiting().with(said("FailedMount", SECRET, time, 1));
    assert_eq!(failures(&at("11:45:00")), ["tls"]);
    assert!(failures(&at("11:44:59")).is_empty());
    let after = |time: &str| failures(&at("11:50:00").with(said("Pulled", "m", time, 1))).is_empty();
    assert!(after("11:50:01") && !after("11:50:00") && !after("11:49:00"));
}

#[test]
fn a_volume_that_was_attached_since_is_not_failing() {
    let failed = "AttachVolume.Attach failed for volume \"pvc-1\" : rpc error: code = Internal desc = no";
    let of = |attached: &str, time: &str| {
        let case = waiting().with(said("FailedAttachVolume", failed, "11:50:00", 1));
        failures(&case.with(said(
            "SuccessfulAttachVolume",
            &format!("AttachVolume.Attach succeeded for volume \"{attached}\""),
            time,
            1,
        )))
    };
    assert!(of("pvc-1", "11:51:00").is_empty());
    assert_eq!(of("pvc-2", "11:51:00"), ["pvc-1"], "that was another");
    assert_eq!(of("pvc-1", "11:49:00"), ["pvc-1"]);
    assert_eq!(of("pvc-1", "11:50:00"), ["pvc-1"]);
}

#[test]
fn a_cache_that_is_not_yet_filled_is_noise_until_it_stays_so() {
    let of = |error: &str, count| {
        let message = format!("MountVolume.SetUp failed for volume \"tls\" : {error}");
        failures(&waiting().with(said("FailedMount", &message, "11:59:00", count)))
    };
    let sync = "failed to sync secret cache: timed out waiting for the condition";
    assert!(of(sync, 1).is_empty() && of(sync, 3).is_empty());
    assert_eq!(of(sync, 4), ["tls"]);
}

#[test]
fn volumes_that_were_waited_for_in_vain_are_named_if_nothing_else_says_why() {
    let vain = "Unable to attach or mount volumes: unmounted volumes=[data tls], unattached volumes=[]: timed out waiting for the condition";
    let of = |case: Case| case.facts(|f| f.waited_in_vain().map(|(names, _)| names.join(" ")));
    let at = |time: &str| waiting().with(said("FailedMount", vain, time, 1));
    assert_eq!(of(at("11:45:00")).as_deref(), Some("data tls"));
    assert_eq!(of(at("11:44:59")), None);
    assert_eq!(of(at("11:50:00").with(said("Pulled", "m", "11:51:00", 1))), None);
    assert_eq!(of(at("11:50:00").with(said("Pulled", "m", "11:50:00", 1))).as_deref(), Some("data tls"));
    assert_eq!(of(at("11:50:00").with(said("FailedMount", SECRET, "11:50:00", 1))), None, "that says why");
    let running = Case::container(json!({"state": {"running": {}}})).with(said("FailedMount", vain, "11:50:00", 1));
    assert_eq!(of(running), None);
}

#[test]
fn what_keeps_a_claim_from_being_mounted_is_read_from_its_own_sentence() {
    let of = |why: &str| {
        read(&format!("Unable to attach or mount volumes: unmounted volumes=[d], failed to process volumes=[d]: error processing PVC n/data: {why}"), false).1
    };
    let claim = || "data".to_owned();
    assert_eq!(
        of("failed to fetch PVC from API server: persistentvolumeclaims \"data\" not found"),
        Trouble::ClaimMissing(claim())
    );
    assert_eq!(of("failed to fetch PVC from API server: etcdserver: timeout"), Trouble::MountFailed);
    assert_eq!(of("PVC is being deleted"), Trouble::ClaimDeleting(claim()));
    assert_eq!(of("failed to fetch PV pv-1 from API server: persistentvolumes \"pv-1\" not found"), Trouble::Gone);
    assert_eq!(of("failed to fetch PV pv-1 from API server: timeout"), Trouble::ClaimUnbound(claim()));
    assert_eq!(of("PVC not found in the cache"), Trouble::ClaimUnbound(claim()));
    assert_eq!(of("PVC is not bound"), Trouble::ClaimUnbound(claim()));
}

#[test]
fn a_driver_that_is_not_there_is_named_where_the_sentence_names_it() {
    let of = |error: &str| read(&format!("MountVolume.MountDevice failed for volume \"pv\" : {error}"), false).1;
    let missing = |name: Option<&str>| Trouble::DriverMissing(name.map(str::to_owned));
    assert_eq!(
        of("driver name CSI.example.com not found in the list of registered CSI drivers"),
        missing(Some("CSI.example.com"))
    );
    assert_eq!(of("CSINode node-1 does not contain driver csi.example.com"), missing(Some("csi.example.com")));
    assert_eq!(of("it does not contain driver csi.example.com"), Trouble::MountFailed);
    assert_eq!(of("node \"n\" has no NodeID annotation"), missing(None));
    assert_eq!(of("no NodeID for driver \"csi.example.com\""), missing(Some("csi.example.com")));
    assert_eq!(
        of("volume mode \"Persistent\" not supported by driver csi.example.com (no CSIDriver object)"),
        missing(Some("csi.example.com"))
    );
    assert_eq!(of("it is not supported by driver csi.example.com"), Trouble::MountFailed);
    assert_eq!(of("dial unix /plugins/plain/csi.sock: connect: refused"), missing(None));
    assert_eq!(of("dial unix /plugins/csi.example.com/other: connect: refused"), Trouble::MountFailed);
}

#[test]
fn noise_is_only_what_the_kubelet_repeats_of_its_own_waiting() {
    let vain = |why: &str| {
        read(&format!("Unable to attach or mount volumes: unmounted volumes=[d], unattached volumes=[]: {why}"), false)
            .1
    };
    assert_eq!(vain("timed out waiting for the condition"), Trouble::Noise);
    assert_eq!(vain("a new thing"), Trouble::MountFailed);
    let mount = |error: &str| read(&format!("MountVolume.SetUp failed for volume \"v\" : {error}"), false).1;
    assert_eq!(mount("timed out waiting for the condition"), Trouble::MountFailed, "that is the mount's own");
    assert_eq!(mount("object \"n\"/\"c\" not registered"), Trouble::Noise);
    assert_eq!(mount("failed to sync configmap cache: timed out waiting for the condition"), Trouble::Noise);
    assert_eq!(mount("the driver is not registered"), Trouble::MountFailed);
    assert_eq!(mount("failed to sync the disk"), Trouble::MountFailed);
    assert_eq!(
        mount("rbd image kube/img is still being used"),
        Trouble::AttachedElsewhere { node: None, pods: Vec::new() }
    );
    assert_eq!(mount("rbd image kube/img has a fault"), Trouble::MountFailed);
    assert_eq!(mount("the mount is still being used"), Trouble::MountFailed);
}

#[test]
fn a_volume_is_gone_only_if_attaching_finds_none() {
    let attach = |error: &str| read(&format!("AttachVolume.Attach failed for volume \"pv\" : {error}"), true).1;
    assert_eq!(attach("rpc error: code = NotFound desc = volume vol-1"), Trouble::Gone);
    assert_eq!(attach("rpc error: code = NotFound desc = disk d"), Trouble::Gone);
    assert_eq!(attach("rpc error: code = NotFound desc = node n"), Trouble::AttachFailed);
    assert_eq!(attach("volume in a bad mood"), Trouble::AttachFailed);
    assert_eq!(
        read("MountVolume.SetUp failed for volume \"pv\" : volume does not exist", false).1,
        Trouble::MountFailed
    );
}
