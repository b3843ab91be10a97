use serde_json::json;

use super::*;
use crate::rules::testing::Case;

fn waiting(reason: &str, message: &str) -> Case {
    Case::container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
        .edit("/spec/containers/0/image", json!("r.example/app:1"))
}

#[track_caller]
fn fault(case: &Case, wanted: PullFault) {
    case.facts(|facts| {
        let faults: Vec<_> = facts.failed_pulls().iter().map(|p| p.fault).collect();
        assert_eq!(faults, [wanted]);
    });
}

#[test]
fn the_error_is_read_from_the_status_or_else_from_the_event() {
    let backing_off = r#"Back-off pulling image "r.example/app:1""#;
    fault(&waiting("ImagePullBackOff", &format!("{backing_off}: ErrImagePull: manifest unknown")), PullFault::NotFound);
    fault(&waiting("ErrImagePull", "rpc error: code = Unknown desc = manifest unknown"), PullFault::NotFound);
    let old = waiting("ImagePullBackOff", backing_off);
    fault(&old, PullFault::Unrecorded);
    let event = r#"Failed to pull image "r.example/app:1": rpc error: code = Unknown desc = manifest unknown"#;
    fault(&old.event("Failed", "app", event).event("Failed", "app", "Error: ImagePullBackOff"), PullFault::NotFound);
}

#[test]
fn an_event_about_another_image_or_container_says_nothing() {
    let old = || waiting("ImagePullBackOff", r#"Back-off pulling image "r.example/app:1""#);
    fault(
        &old().event("Failed", "app", r#"Failed to pull image "r.example/app:0": manifest unknown"#),
        PullFault::Unrecorded,
    );
    fault(
        &old().event("Failed", "b", r#"Failed to pull image "r.example/app:1": manifest unknown"#),
        PullFault::Unrecorded,
    );
}

#[test]
fn the_kubelets_word_stands_above_the_error() {
    fault(&waiting("InvalidImageName", "x"), PullFault::NameInvalid);
    fault(&waiting("ErrImageNeverPull", "x"), PullFault::NeverPull);
    fault(&waiting("ImageInspectError", "layer not known"), PullFault::Uninspectable);
    fault(&waiting("RegistryUnavailable", ""), PullFault::Unreachable);
    let wrapped = r#"Back-off pulling image "r.example/app:1": SignatureValidationFailed: no"#;
    fault(&waiting("ImagePullBackOff", wrapped), PullFault::Unverified);
    fault(&waiting("failed to pull image: no space left on device", ""), PullFault::DiskFull);
}

#[test]
fn an_official_image_that_is_refused_does_not_exist() {
    let refused = "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed";
    let case = |image: &str| waiting("ErrImagePull", refused).edit("/spec/containers/0/image", json!(image));
    fault(&case("nginxx:1"), PullFault::NotFound);
    fault(&case("team/nginx:1"), PullFault::Unauthorized);
    fault(&case("r.example/nginx:1"), PullFault::Unauthorized);
}

#[test]
fn a_container_that_runs_has_its_image() {
    let case = Case::container(json!({"state": {"running": {}}})).event(
        "Failed",
        "app",
        r#"Failed to pull image "i": manifest unknown"#,
    );
    assert_eq!(case.facts(|facts| facts.failed_pulls().len()), 0);
}

#[test]
fn the_image_of_a_volume_is_the_one_that_is_missing() {
    let message = r#"Back-off pulling image "r.example/data:1": ErrImagePull: manifest unknown"#;
    let case = waiting("ImagePullBackOff", message)
        .edit("/spec/volumes", json!([{"name": "d", "image": {"reference": "r.example/data:1"}}]));
    case.facts(|facts| assert_eq!(facts.failed_pulls()[0].image.text, "r.example/data:1"));
}

#[test]
fn a_pull_runs_until_anything_follows() {
    let pulling = || {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}})).event(
            "Pulling",
            "app",
            r#"Pulling image "i""#,
        )
    };
    let running = |case: Case| case.facts(|facts| facts.running_pulls().len());
    assert_eq!(running(pulling()), 1);
    assert_eq!(running(pulling().event("Pulled", "app", r#"Successfully pulled image "i" in 3s"#)), 0);
    assert_eq!(running(pulling().event("Pulled", "b", r#"Successfully pulled image "j" in 3s"#)), 1);
}

#[test]
fn a_fault_that_the_kubelet_names_is_kept_whatever_its_word() {
    fault(&waiting("RegistryUnavailable", "").event("Pulled", "app", "x"), PullFault::Unreachable);
    fault(&waiting("RegistryUnavailable", "x"), PullFault::Unreachable);
    let of = |error: &str| waiting("ImagePullBackOff", &format!("Back-off pulling image \"r.example/app:1\": {error}"));
    fault(&of("RegistryUnavailable: received unexpected HTTP status: 429 Too Many Requests"), PullFault::RateLimited);
    fault(&of("RegistryUnavailable: something else"), PullFault::Unreachable);
    fault(&of("no space left on device: ErrImagePull"), PullFault::DiskFull);
}

#[test]
fn only_what_a_hub_hides_is_missing_of_its_official_images() {
    let of = |error: &str| waiting("ErrImagePull", error).edit("/spec/containers/0/image", json!("nginxx:1"));
    fault(
        &of("pull access denied for nginxx, repository does not exist or may require 'docker login'"),
        PullFault::NotFound,
    );
    fault(&of("denied: requested access to the resource is denied: unauthorized"), PullFault::NotFound);
    fault(&of("unauthorized: incorrect username or password"), PullFault::Unauthorized);
    let elsewhere = "Head \"https://r.example/v2/nginxx/manifests/1\": denied: requested access to the resource is denied: unauthorized";
    fault(&of(elsewhere), PullFault::Unauthorized);
}

#[test]
fn a_mirror_is_another_host_that_is_asked_in_the_registrys_place() {
    let at = |error: &str| {
        let case = waiting("ErrImagePull", error);
        case.facts(|f| f.failed_pulls().first().map(|p| (p.server().to_owned(), p.is_at_mirror())).unwrap())
    };
    let asked =
        |url: &str| format!("failed to do request: Head \"{url}\": dial tcp 10.0.0.9:443: connect: connection refused");
    assert_eq!(at(&asked("https://m.example/v2/app/manifests/1?ns=r.example")), ("m.example".to_owned(), true));
    assert_eq!(at(&asked("https://r.example/v2/app/manifests/1?ns=r.example")), ("r.example".to_owned(), false));
    assert_eq!(at(&asked("https://m.example/v2/app/manifests/1")), ("m.example".to_owned(), false));
}

#[test]
fn a_pod_that_goes_or_has_ended_waits_for_no_image() {
    let standing = |case: Case| case.facts(|f| f.failed_pulls()[0].standing);
    let failing = || waiting("ErrImagePull", "manifest unknown");
    assert_eq!(standing(failing()), Standing::Wrong);
    assert_eq!(standing(failing().edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))), Standing::Past);
    assert_eq!(standing(failing().edit("/status/phase", json!("Failed"))), Standing::Past);
}

#[test]
fn no_pull_runs_for_a_pod_that_goes_or_whose_node_is_lost() {
    let pulling = |status: serde_json::Value| {
        Case::container(status).event("Pulling", "app", r#"Pulling image "i""#).edit("/spec/nodeName", json!("w"))
    };
    let node = |ready: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w"},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}})
    };
    let running = |case: Case| case.facts(|facts| facts.running_pulls().len());
    let creating = || json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
    assert_eq!(running(pulling(creating()).with(node("True"))), 1);
    assert_eq!(running(pulling(json!({})).with(node("True"))), 1, "the kubelet has not said anything of it yet");
    assert_eq!(running(pulling(creating()).with(node("Unknown"))), 0);
    assert_eq!(running(pulling(creating()).edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))), 0);
    assert_eq!(running(pulling(creating()).edit("/status/phase", json!("Failed"))), 0);
    assert_eq!(running(pulling(json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}}))), 0);
}

#[test]
fn an_event_without_a_container_is_about_every_container_of_its_image() {
    let old = || waiting("ImagePullBackOff", r#"Back-off pulling image "r.example/app:1""#);
    let failed = |image: &str| format!("Failed to pull image \"{image}\": manifest unknown");
    fault(&old().event("Failed", "", &failed("r.example/app:1")), PullFault::NotFound);
    fault(&old().event("Failed", "", &failed("r.example/app:2")), PullFault::Unrecorded);
}

#[test]
fn a_pod_without_a_service_account_has_the_default_one() {
    let account = |name: serde_json::Value| {
        Case::container(json!({})).edit("/spec/serviceAccountName", name).facts(|f| f.service_account().to_owned())
    };
    assert_eq!(account(json!("robot")), "robot");
    assert_eq!(account(json!("")), "default");
    assert_eq!(account(json!(null)), "default");
}

#[test]
fn the_kubelets_word_is_cited_where_it_has_no_error() {
    let cited =
        |message: &str| waiting("ImagePullBackOff", message).facts(|f| format!("{:?}", f.failed_pulls()[0].evidence));
    assert!(cited("").contains("ImagePullBackOff"));
    let told = cited(r#"Back-off pulling image "r.example/app:1": ErrImagePull: manifest unknown"#);
    assert!(told.contains("manifest unknown"), "{told}");
}

#[test]
fn a_hub_that_limits_the_rate_hides_nothing() {
    let said = "toomanyrequests: you have reached your pull rate limit, as an account that does not exist";
    fault(&waiting("ErrImagePull", said).edit("/spec/containers/0/image", json!("nginxx:1")), PullFault::RateLimited);
}
