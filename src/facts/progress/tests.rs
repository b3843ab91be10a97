use serde_json::{Value, json};

use crate::rules::testing::Case;

fn said(case: &Case) -> Option<String> {
    case.facts(|f| f.in_progress())
}

fn container(status: Value) -> Case {
    Case::container(status).edit("/spec/nodeName", json!("node-1"))
}

fn created(case: Case, at: &str) -> Case {
    case.edit("/metadata/creationTimestamp", json!(at))
}

#[test]
fn a_new_pod_is_given_time_to_find_a_node() {
    let new = || Case::pod(json!({"containers": [{"name": "app"}]}), json!({"phase": "Pending"}));
    assert!(said(&created(new(), "2026-01-01T11:59:50Z")).is_some_and(|s| s.contains("created 10s ago")));
    assert_eq!(said(&new()), None);
    let refused = created(new(), "2026-01-01T11:59:50Z")
        .edit("/status/conditions", json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]));
    assert_eq!(said(&refused), None);
}

#[test]
fn what_the_sandbox_tells_is_how_far_a_pod_got() {
    let creating = |up: &str| {
        container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}})).edit(
            "/status/conditions",
            json!([{"type": "PodReadyToStartContainers", "status": up},
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T11:35:00Z"}]),
        )
    };
    let far = |case: Case| case.facts(|f| f.how_far());
    let volumes = "in 25m node-1 has not got its volumes, network and sandbox ready";
    assert_eq!(far(creating("False")).as_deref(), Some(volumes));
    let image = "its sandbox is up, and node-1 has not made container app in 25m";
    assert_eq!(far(creating("True")).as_deref(), Some(image));
    assert_eq!(far(container(json!({"state": {"running": {}}}))), None);
}

#[test]
fn a_bound_pod_is_given_time_unless_something_failed() {
    let creating =
        || created(container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}})), "2026-01-01T11:59:00Z");
    assert!(said(&creating()).is_some_and(|s| s.contains("in the making for 60s")));
    assert_eq!(said(&creating().event("FailedMount", "", "MountVolume.SetUp failed")), None);
}

#[test]
fn a_probe_that_still_has_time_is_no_trouble() {
    let running = |probe: &str, started: bool| {
        container(
            json!({"ready": false, "started": started, "state": {"running": {"startedAt": "2026-01-01T11:58:00Z"}}}),
        )
        .edit(&format!("/spec/containers/0/{probe}"), json!({"tcpSocket": {"port": 1}, "failureThreshold": 30}))
    };
    let startup = said(&running("startupProbe", false)).unwrap();
    assert_eq!(
        startup,
        "container app has been running for 2m, and its startup probe has until 5m to succeed (30 x 10s = 300s)"
    );
    assert!(said(&running("readinessProbe", true)).is_some());
}

#[test]
fn what_keeps_restarting_is_not_on_its_way() {
    assert_eq!(said(&container(json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}}))), None);
    assert_eq!(
        said(&container(json!({"ready": true, "state": {"running": {"startedAt": "2026-01-01T11:50:00Z"}}}))),
        None
    );
}

const NEW: &str = "2026-01-01T11:59:30Z";

fn at(time: &str) -> Value {
    json!(format!("2026-01-01T{time}Z"))
}

fn running(since: &str, ready: bool, started: bool) -> Value {
    json!({"ready": ready, "started": started, "state": {"running": {"startedAt": at(since)}}})
}

fn ended(code: i32, finished: &str, restarts: i32) -> Value {
    json!({"restartCount": restarts, "state": {"terminated":
        {"exitCode": code, "startedAt": at("11:50:00"), "finishedAt": at(finished)}}})
}

fn creating() -> Value {
    json!({"state": {"waiting": {"reason": "PodInitializing"}}})
}

/// A pod of a minute ago with an init container, or a sidecar, and an app container.
fn pair(first: Value, policy: &str, app: Value) -> Case {
    let (mut first, mut app) = (first, app);
    first["name"] = "first".into();
    app["name"] = "app".into();
    let spec = json!({"nodeName": "w", "containers": [{"name": "app"}],
        "initContainers": [{"name": "first", "restartPolicy": policy}]});
    created(Case::pod(spec, json!({"initContainerStatuses": [first], "containerStatuses": [app]})), NEW)
}

#[test]
fn a_pod_waits_half_a_minute_for_a_node_unless_it_has_ended() {
    let new = |time| created(Case::pod(json!({"containers": [{"name": "app"}]}), json!({"phase": "Pending"})), time);
    assert!(said(&new("2026-01-01T11:59:31Z")).is_some());
    assert_eq!(said(&new(NEW)), None);
    assert_eq!(said(&new("2026-01-01T11:59:50Z").edit("/status/phase", json!("Failed"))), None);
}

#[test]
fn a_deletion_is_being_finished_once_the_containers_have_stopped_and_until_it_is_overdue() {
    let deleted = |status: Value, until: &str| said(&container(status).edit("/metadata/deletionTimestamp", at(until)));
    assert!(deleted(ended(0, "11:59:50", 0), "12:00:20").is_some_and(|s| s.contains("deletion is being finished")));
    assert_eq!(deleted(running("11:50:00", true, true), "12:00:20"), None);
    assert_eq!(deleted(ended(0, "11:59:50", 0), "11:50:00"), None);
}

#[test]
fn a_container_that_is_well_does_not_hold_up_the_one_that_is_on_its_way() {
    assert!(
        said(&pair(ended(0, "11:59:30", 0), "", creating()))
            .is_some_and(|s| s.contains("app has been in the making for 30s"))
    );
    let sidecar = said(&pair(running("11:59:40", true, true), "Always", creating()));
    assert!(sidecar.is_some_and(|s| s.contains("app has been in the making for 20s")));
    let crashing = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    assert_eq!(said(&created(container(crashing), NEW)), None);
}

#[test]
fn a_container_that_ended_well_is_about_to_be_started_again() {
    assert!(said(&container(ended(0, "11:59:51", 0))).is_some_and(|s| s.contains("ended 9s ago and is started again")));
    for status in [ended(0, "11:59:50", 0), ended(1, "11:59:51", 0), ended(0, "11:59:51", 1)] {
        assert_eq!(said(&container(status.clone())), None, "{status}");
    }
}

#[test]
fn an_init_container_may_run_for_five_minutes() {
    let of = |since| said(&pair(running(since, false, true), "", creating()));
    assert!(of("11:55:00").is_some_and(|s| s.contains("init container first has been running for 5m")));
    assert_eq!(of("11:54:59"), None);
}

#[test]
fn a_sidecar_makes_way_once_it_has_started_or_runs_again() {
    let first = |status: Value| said(&pair(status, "Always", creating()));
    assert!(first(running("11:59:55", false, false)).is_some_and(|s| s.contains("sidecar first was started 5s ago")));
    let again = json!({"ready": true, "restartCount": 1, "state": {"running": {"startedAt": at("11:59:55")}}});
    assert!(first(again).is_some_and(|s| s.contains("container app has been in the making")));
    let never = json!({"ready": true, "restartCount": 0, "state": {"running": {"startedAt": at("11:59:55")}}});
    assert!(first(never).is_some_and(|s| s.contains("sidecar first was started 5s ago")));
    let waiting = json!({"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    assert_eq!(first(waiting), None);
}

#[test]
fn a_hook_may_run_for_a_minute_and_holds_up_what_comes_after_it() {
    let hooked = |since: &str| {
        let spec = json!({"nodeName": "w", "containers": [{"name": "app", "lifecycle": {"postStart": {"sleep": {"seconds": 90}}}},
            {"name": "other"}]});
        let (mut app, mut other) = (running(since, false, false), creating());
        app["name"] = "app".into();
        other["name"] = "other".into();
        said(&Case::pod(spec, json!({"containerStatuses": [app, other]})))
    };
    assert_eq!(hooked("11:50:00"), None);
    let waits = |since: &str| {
        let spec = json!({"nodeName": "w", "containers":
            [{"name": "app", "lifecycle": {"postStart": {"exec": {"command": ["register"]}}}}, {"name": "other"}]});
        let status = |name: &str| json!({"name": name, "state": {"waiting": {"reason": "ContainerCreating"}}});
        let started = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "s", "namespace": "n"},
            "reason": "Started", "message": "m", "lastTimestamp": at(since), "involvedObject":
                {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u", "fieldPath": "spec.containers{app}"}});
        let case = Case::pod(spec, json!({"containerStatuses": [status("app"), status("other")]})).with(started);
        said(&created(case, "2026-01-01T11:50:00Z"))
    };
    assert!(
        waits("11:59:00")
            .is_some_and(|s| s.starts_with("the postStart hook of container app has been running for 60s"))
    );
    assert_eq!(waits("11:58:59"), None);
}

#[test]
fn a_container_is_in_the_making_from_the_end_of_the_one_before_it() {
    let span = |first: Value| said(&pair(first, "", creating()));
    assert!(span(ended(0, "11:59:00", 0)).is_some_and(|s| s.contains("for 60s")));
    assert_eq!(span(ended(0, "11:58:59", 0)), None);
    let scheduled = |time: &str| {
        let condition = json!([{"type": "PodScheduled", "status": "True", "lastTransitionTime": at(time)}]);
        said(&container(creating()).edit("/status/conditions", condition))
    };
    assert!(scheduled("11:59:30").is_some_and(|s| s.contains("for 30s")), "from the binding, not the creation");
    assert_eq!(scheduled("11:58:59"), None);
}

#[test]
fn only_a_failure_since_then_ends_the_making() {
    let of = |reason: &str, type_: &str, time: &str| {
        let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}, "type": type_,
            "reason": reason, "message": "m", "lastTimestamp": at(time),
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}});
        said(&created(container(creating()), NEW).with(event)).is_some()
    };
    assert!(!of("FailedMount", "Warning", "11:59:40"));
    assert!(of("FailedMount", "Warning", "11:59:20") && of("Pulling", "Normal", "11:59:40"));
    assert!(of("FailedScheduling", "Warning", "11:59:40"), "that is over");
}

#[test]
fn without_a_probe_a_start_counts_within_ten_seconds() {
    let of = |since| said(&container(running(since, false, true)));
    assert!(of("11:59:51").is_some_and(|s| s.contains("was started 9s ago")));
    assert_eq!(of("11:59:50"), None);
}

#[test]
fn a_pod_whose_containers_are_well_is_counted_within_ten_seconds() {
    let of = |since, status: &str, reason: &str| {
        let ready = json!([{"type": "Ready", "status": status, "reason": reason}]);
        said(&container(running(since, true, true)).edit("/status/conditions", ready))
    };
    let not = "ContainersNotReady";
    assert!(of("11:59:51", "False", not).is_some_and(|s| s.contains("started 9s ago and is not counted yet")));
    assert_eq!(of("11:59:50", "False", not), None);
    assert_eq!(of("11:59:51", "True", ""), None);
    assert_eq!(of("11:59:51", "False", "ReadinessGatesNotReady"), None, "a gate is someone else's");
}
