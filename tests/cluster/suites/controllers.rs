//! The controllers' own words: what quota, admission, Jobs, claims, finalizers and eviction really write into the API.

use std::time::Duration;

use serde_json::{Value, json};

use super::tests;
use crate::harness::scene::{Scene, claim, container, deployment, merge, node, pod, ready, uses};
use crate::harness::{proxy, wait_for};

tests![
    a_quota_that_is_used_up,
    a_quota_that_demands_a_limit,
    a_limit_range_that_the_pod_exceeds,
    a_namespace_for_restricted_pods,
    a_service_account_that_is_missing,
    a_priority_class_that_is_missing,
    a_runtime_class_that_is_missing,
    a_webhook_that_denies,
    a_webhook_that_is_down,
    an_owner_that_asks_for_nothing,
    a_suspended_cron_job,
    a_job_that_gave_up,
    a_job_past_its_deadline,
    a_claim_that_is_missing,
    a_claim_without_a_matching_volume,
    a_claim_of_a_class_that_is_missing,
    a_claim_whose_provisioner_is_silent,
    a_volume_in_another_zone,
    a_volume_for_one_pod_only,
    a_finalizer_that_nobody_removes,
    a_deletion_that_a_lost_node_cannot_confirm,
    an_eviction_through_the_api,
    a_taint_that_evicts,
    a_preemption,
];

/// Makes a Deployment whose ReplicaSet cannot create pods, and gives the report's text and the event's.
#[track_caller]
fn not_created(scene: &Scene, spec: Value, reason: &str, words: &[&str]) {
    scene.create(&deployment("web", &pod("web", spec)));
    let path = format!("/api/v1/namespaces/{}/events?fieldSelector=reason%3DFailedCreate", scene.namespace);
    let event = wait_for("FailedCreate", Duration::from_secs(30), || scene.server.admin.list(&path).pop());
    let message = event["message"].as_str().unwrap_or_default();
    let report = scene.report("deploy/web", reason);
    let text = report.0.to_string();
    for word in words {
        assert!(message.contains(word), "{message}");
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

fn quota(scene: &Scene, hard: Value) {
    let quota =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": hard}});
    scene.create(&quota);
    let path = scene.path("api/v1", "resourcequotas", "team");
    wait_for("the quota's status", Duration::from_secs(30), || {
        scene.server.admin.get(&path).filter(|q| q["status"]["used"].is_object())
    });
}

fn a_quota_that_is_used_up() {
    let scene = Scene::new("quota");
    quota(&scene, json!({"requests.cpu": "1"}));
    let spec = json!({"containers": [container(json!({"cpu": "2"}))]});
    not_created(&scene, spec, "QuotaExceeded", &["exceeded quota: team", "requests.cpu"]);
}

fn a_quota_that_demands_a_limit() {
    let scene = Scene::new("quota");
    quota(&scene, json!({"limits.memory": "1Gi"}));
    not_created(&scene, json!({}), "QuotaExceeded", &["must specify limits.memory"]);
}

fn a_limit_range_that_the_pod_exceeds() {
    let scene = Scene::new("limits");
    scene.create(&json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "256Mi"}}]}}));
    let mut app = container(json!({"memory": "1Gi"}));
    app["resources"]["limits"] = json!({"memory": "1Gi"});
    not_created(&scene, json!({"containers": [app]}), "LimitRangeViolated", &["256Mi"]);
}

fn a_namespace_for_restricted_pods() {
    let scene = Scene::labelled("restricted", json!({"pod-security.kubernetes.io/enforce": "restricted"}));
    not_created(&scene, json!({"hostNetwork": true}), "PodSecurityViolated", &["violates PodSecurity", "hostNetwork"]);
}

fn a_service_account_that_is_missing() {
    let scene = Scene::new("account");
    not_created(&scene, json!({"serviceAccountName": "robot"}), "ServiceAccountMissing", &["robot"]);
}

fn a_priority_class_that_is_missing() {
    let scene = Scene::new("priority");
    not_created(&scene, json!({"priorityClassName": "urgent"}), "PriorityClassMissing", &["urgent"]);
}

fn a_runtime_class_that_is_missing() {
    let scene = Scene::new("runtime");
    not_created(&scene, json!({"runtimeClassName": "gvisor"}), "RuntimeClassMissing", &["gvisor"]);
}

/// A validating webhook for the pods of the scene's namespace.
fn webhook(scene: &Scene, port: u16) {
    use crate::harness::etcd::base64;
    scene.global(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": scene.namespace},
        "webhooks": [{
            "name": "policy.example.com", "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 2,
            "admissionReviewVersions": ["v1"],
            "clientConfig": {
                "url": format!("https://127.0.0.1:{port}/review"),
                "caBundle": base64(scene.server.pki.certificate().as_bytes()),
            },
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        }],
    }));
    // The server learns of it by a watch.
    wait_for("the webhook to be called", Duration::from_secs(30), || {
        let mut probe = pod("probe", json!({}));
        probe["metadata"]["namespace"] = json!(scene.namespace);
        let path = format!("/api/v1/namespaces/{}/pods?dryRun=All", scene.namespace);
        (scene.server.admin.attempt("POST", &path, Some(&probe)).status >= 400).then_some(())
    });
}

fn a_webhook_that_denies() {
    let scene = Scene::new("denied");
    webhook(&scene, proxy::denying_webhook(&scene.server.pki, "images must come from the house registry"));
    not_created(
        &scene,
        json!({}),
        "WebhookDenied",
        &["policy.example.com", "images must come from the house registry"],
    );
}

fn a_webhook_that_is_down() {
    let scene = Scene::new("down");
    webhook(&scene, 1);
    not_created(&scene, json!({}), "WebhookUnavailable", &["policy.example.com", "connection refused"]);
}

fn an_owner_that_asks_for_nothing() {
    let scene = Scene::new("zero");
    let mut idle = deployment("web", &pod("web", json!({})));
    idle["spec"]["replicas"] = json!(0);
    scene.create(&idle);
    scene.report("deploy/web", "OwnerScaledToZero");
}

fn job(change: Value) -> Value {
    let mut spec = pod("job", json!({"restartPolicy": "Never", "schedulerName": "nobody"}))["spec"].clone();
    spec.as_object_mut().unwrap().remove("terminationGracePeriodSeconds");
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "report"}, "spec": {"template": {"spec": spec}}});
    merge(&mut job, json!({"spec": change}));
    job
}

fn a_suspended_cron_job() {
    let scene = Scene::new("cron");
    scene.create(&json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": job(json!({}))["spec"]}}}));
    scene.report("cronjob/nightly", "OwnerScaledToZero");
}

/// The first pod that a controller made.
fn made_pod(scene: &Scene) -> Value {
    let path = format!("/api/v1/namespaces/{}/pods", scene.namespace);
    let mut pod = wait_for("the controller's pod", Duration::from_secs(30), || scene.server.admin.list(&path).pop());
    merge(&mut pod, json!({"apiVersion": "v1", "kind": "Pod"}));
    pod
}

fn a_job_that_gave_up() {
    let scene = Scene::new("backoff");
    scene.create(&job(json!({"backoffLimit": 0})));
    let ended = json!({"exitCode": 3, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:09Z"});
    scene.server.admin.set_status(&made_pod(&scene), json!({
        "phase": "Failed",
        "containerStatuses": [{
            "name": "app", "image": "registry.example.com/shop/api:1", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": ended},
        }],
    }));
    let failed = format!("{}/status", scene.path("apis/batch/v1", "jobs", "report"));
    wait_for("the Job to fail", Duration::from_secs(30), || {
        let job = scene.server.admin.get(&failed)?;
        job["status"]["conditions"].to_string().contains("BackoffLimitExceeded").then_some(())
    });
    let report = scene.report("job/report", "ApplicationError");
    assert!(report.says("JobBackoffLimitExceeded"), "{:?}", report.0);
    // The Job outlives its pods.
    let pods = format!("/api/v1/namespaces/{}/pods", scene.namespace);
    scene.server.admin.delete(&format!("{pods}?gracePeriodSeconds=0"));
    let report = scene.report("job/report", "JobBackoffLimitExceeded");
    assert!(report.0.to_string().contains("Job has reached the specified backoff limit"), "{:?}", report.0);
}

fn a_job_past_its_deadline() {
    let scene = Scene::new("deadline");
    scene.create(&job(json!({"activeDeadlineSeconds": 1})));
    let report = scene.report("job/report", "DeadlineExceeded");
    assert!(report.0.to_string().contains("Job was active longer than specified deadline"), "{:?}", report.0);
}

fn a_claim_that_is_missing() {
    let scene = Scene::with_nodes("claim", &[node("claim-1", json!({}))]);
    scene.create(&pod("web", uses("data")));
    let event = scene.event("web", "FailedScheduling");
    assert!(event.contains(r#"persistentvolumeclaim "data" not found"#), "{event}");
    scene.report("pod/web", "ClaimMissing");
}

fn a_claim_without_a_matching_volume() {
    let scene = Scene::with_nodes("static", &[node("static-1", json!({}))]);
    scene.create(&claim("data", json!({"storageClassName": ""})));
    scene.create(&pod("web", uses("data")));
    let event = scene.event("web", "FailedScheduling");
    assert!(event.contains("unbound immediate PersistentVolumeClaims"), "{event}");
    scene.event("data", "FailedBinding");
    scene.report("pod/web", "NoMatchingVolume");
}

fn a_claim_of_a_class_that_is_missing() {
    let scene = Scene::with_nodes("class", &[node("class-1", json!({}))]);
    scene.create(&claim("data", json!({"storageClassName": "fast"})));
    scene.create(&pod("web", uses("data")));
    assert!(scene.event("data", "ProvisioningFailed").contains(r#""fast" not found"#));
    scene.report("pod/web", "StorageClassMissing");
}

fn a_claim_whose_provisioner_is_silent() {
    let scene = Scene::with_nodes("silent", &[node("silent-1", json!({}))]);
    scene.global(
        &json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": scene.namespace},
        "provisioner": "disks.example.com", "volumeBindingMode": "WaitForFirstConsumer"}),
    );
    scene.create(&claim("data", json!({"storageClassName": scene.namespace})));
    scene.create(&pod("web", uses("data")));
    assert!(scene.event("data", "ExternalProvisioning").contains("disks.example.com"));
    scene.report("pod/web", "ProvisionerSilent");
}

/// A volume that is bound to the scene's claim `data`.
fn bound(scene: &Scene, mode: &str, zone: Option<&str>) {
    let name = scene.namespace.clone();
    scene.create(&claim("data", json!({"storageClassName": "", "volumeName": name, "accessModes": [mode]})));
    let mut spec = json!({
        "capacity": {"storage": "1Gi"}, "accessModes": [mode], "storageClassName": "",
        "csi": {"driver": "disks.example.com", "volumeHandle": name},
        "claimRef": {"namespace": scene.namespace, "name": "data"},
    });
    if let Some(zone) = zone {
        let term =
            json!({"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}]});
        spec["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": [term]}});
    }
    scene.global(&json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}));
    let path = scene.path("api/v1", "persistentvolumeclaims", "data");
    wait_for("the claim to be bound", Duration::from_secs(30), || {
        scene.server.admin.get(&path).filter(|c| c["status"]["phase"] == "Bound")
    });
}

fn a_volume_in_another_zone() {
    let zone = json!({"metadata": {"labels": {"topology.kubernetes.io/zone": "a"}}});
    let scene = Scene::with_nodes("zone", &[node("zone-1", zone)]);
    bound(&scene, "ReadWriteOnce", Some("b"));
    scene.create(&pod("web", uses("data")));
    let event = scene.event("web", "FailedScheduling");
    assert!(event.contains("affinity"), "{event}");
    scene.report("pod/web", "VolumeNodeConflict");
}

fn a_volume_for_one_pod_only() {
    let scene = Scene::with_nodes("once", &[node("once-1", json!({}))]);
    bound(&scene, "ReadWriteOncePod", None);
    let mut first = uses("data");
    merge(&mut first, json!({"nodeName": "once-1"}));
    scene.create(&pod("first", first));
    scene.create(&pod("web", uses("data")));
    let event = scene.event("web", "FailedScheduling");
    assert!(event.contains("ReadWriteOncePod"), "{event}");
    scene.report("pod/web", "VolumeInUse");
}

fn a_finalizer_that_nobody_removes() {
    let scene = Scene::new("finalizer");
    let mut web = pod("web", json!({"schedulerName": "nobody"}));
    web["metadata"]["finalizers"] = json!(["storage.example.com/flush"]);
    scene.create(&web);
    let path = scene.path("api/v1", "pods", "web");
    scene.server.admin.delete(&path);
    let report = scene.report("pod/web", "FinalizerPending");
    // The command that is offered works, word for word.
    let remedies = report.must_have_cause("FinalizerPending")["remedies"].as_array().cloned().unwrap_or_default();
    let patch = remedies.iter().filter_map(|r| r["argv"].as_array()).find(|argv| argv.get(1) == Some(&json!("patch")));
    let patch: Vec<&str> = patch.expect("a patch").iter().skip(1).filter_map(Value::as_str).collect();
    let output = scene.kubectl.run(&patch);
    assert_eq!(output.status, 0, "{patch:?}: {}", output.err);
    wait_for("the pod to go", Duration::from_secs(10), || scene.server.admin.get(&path).is_none().then_some(()));
}

/// A pod that runs on the node.
fn runs_on(scene: &Scene, name: &str, node: &str) {
    let running = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    scene.on_node(&pod(name, json!({})), node, "Running", json!({"ready": true, "started": true, "state": running}));
}

fn a_deletion_that_a_lost_node_cannot_confirm() {
    let lost = json!({"status": {"conditions": [ready("Unknown")]}});
    let scene = Scene::with_nodes("lost", &[node("lost-1", lost)]);
    runs_on(&scene, "web", "lost-1");
    scene.server.admin.delete(&scene.path("api/v1", "pods", "web"));
    scene.report("pod/web", "DeletionUnconfirmed");
}

/// Whether the report names the reason anywhere: as a cause, under one, or as a note.
#[track_caller]
fn mentions(scene: &Scene, reason: &str) {
    let word = format!("\"{reason}\"");
    let mut last = String::new();
    for _ in 0..40 {
        last = scene.kubectl.why(&["pod/web"]).out;
        if last.contains(&word) {
            return;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("{reason} is not in {last}");
}

fn an_eviction_through_the_api() {
    let scene = Scene::with_nodes("evict", &[node("evict-1", json!({}))]);
    runs_on(&scene, "web", "evict-1");
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web", "namespace": scene.namespace}});
    let path = format!("{}/eviction", scene.path("api/v1", "pods", "web"));
    assert_eq!(scene.server.admin.attempt("POST", &path, Some(&eviction)).status, 201);
    mentions(&scene, "EvictedThroughAPI");
}

fn a_taint_that_evicts() {
    let scene = Scene::with_nodes("noexecute", &[node("noexecute-1", json!({}))]);
    runs_on(&scene, "web", "noexecute-1");
    let taint = json!({"spec": {"taints": [{"key": "maintenance", "effect": "NoExecute"}]}});
    scene.server.admin.patch("/api/v1/nodes/noexecute-1", &taint);
    mentions(&scene, "TaintEvicted");
}

fn a_preemption() {
    let scene = Scene::with_nodes("preempt", &[node("preempt-1", json!({}))]);
    let urgent = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": scene.namespace}, "value": 1000});
    scene.global(&urgent);
    let most = json!({"containers": [container(json!({"cpu": "3"}))]});
    scene.create(&pod("web", most.clone()));
    let path = scene.path("api/v1", "pods", "web");
    wait_for("the pod to be placed", Duration::from_secs(30), || {
        scene.server.admin.get(&path).filter(|p| p["spec"]["nodeName"] == "preempt-1")
    });
    let mut boss = most;
    merge(&mut boss, json!({"priorityClassName": scene.namespace}));
    scene.create(&pod("boss", boss));
    scene.report("pod/boss", "PreemptionPending");
    mentions(&scene, "Preempted");
}
