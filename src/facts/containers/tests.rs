use serde_json::{Value, json};

use super::*;
use crate::rules::testing::Case;

fn ended(code: i32, reason: &str, started: &str, finished: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": format!("2026-01-01T{started}Z"),
        "finishedAt": format!("2026-01-01T{finished}Z")}})
}

/// How the last end of container `app` stands to the present.
fn standing(case: &Case) -> Option<Standing> {
    case.facts(|f| f.containers[0].exit().map(|(_, standing)| standing))
}

fn of(state: Value, last: Value, restarts: i32) -> Case {
    Case::container(json!({"state": state, "lastState": last, "restartCount": restarts}))
}

fn up_since(time: &str) -> Value {
    json!({"running": {"startedAt": format!("2026-01-01T{time}Z")}})
}

#[test]
fn a_success_is_wrong_only_if_it_was_not_to_end_or_was_none() {
    let under = |policy: &str, reason: &str| {
        standing(
            &of(ended(0, reason, "11:50:00", "11:59:00"), Value::Null, 0).edit("/spec/restartPolicy", json!(policy)),
        )
    };
    assert_eq!(under("Always", "Completed"), Some(Standing::Wrong));
    assert_eq!(under("OnFailure", "Completed"), None);
    assert_eq!(under("Never", "Completed"), None);
    assert_eq!(under("Never", "OOMKilled"), Some(Standing::Wrong), "a child was killed");
}

#[test]
fn a_container_that_waits_for_anything_but_its_back_off_has_its_end_behind_it() {
    let waiting =
        |reason: &str| of(json!({"waiting": {"reason": reason}}), ended(1, "Error", "11:50:00", "11:59:00"), 3);
    assert_eq!(standing(&waiting("CrashLoopBackOff")), Some(Standing::Wrong));
    assert_eq!(standing(&waiting("ContainerCreating")), Some(Standing::Past));
    let going = waiting("CrashLoopBackOff").edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"));
    assert_eq!(standing(&going), Some(Standing::Past));
}

#[test]
fn a_container_has_recovered_once_it_has_outlived_its_last_run_twice_over_and_a_minute() {
    let up = |since: &str, started: &str| standing(&of(up_since(since), ended(1, "Error", started, "11:50:00"), 5));
    assert_eq!(up("11:59:00", "11:49:50"), Some(Standing::Wrong), "60 seconds");
    assert_eq!(up("11:58:59", "11:49:50"), Some(Standing::Past));
    assert_eq!(up("11:56:40", "11:48:20"), Some(Standing::Wrong), "200 seconds after a run of 100");
    assert_eq!(up("11:56:39", "11:48:20"), Some(Standing::Past));
}

#[test]
fn the_first_restart_is_given_credit_after_its_first_moment() {
    let up =
        |since: &str, restarts| standing(&of(up_since(since), ended(1, "Error", "11:00:00", "11:50:00"), restarts));
    assert_eq!(up("11:59:51", 1), Some(Standing::InProgress));
    assert_eq!(up("11:59:50", 1), Some(Standing::Past));
    assert_eq!(up("11:59:50", 2), Some(Standing::Wrong));
}

#[test]
fn a_long_run_that_was_stopped_from_outside_was_no_crash() {
    let after = |code: i32, reason: &str, started: &str| {
        standing(&of(up_since("11:59:00"), ended(code, reason, started, "11:58:00"), 5))
    };
    assert_eq!(after(143, "Error", "10:00:00"), Some(Standing::Past));
    assert_eq!(after(255, "Unknown", "10:00:00"), Some(Standing::Past));
    assert_eq!(after(1, "Error", "10:00:00"), Some(Standing::Wrong));
    assert_eq!(after(143, "Error", "11:50:00"), Some(Standing::Wrong), "it had not worked for long");
}

#[test]
fn where_nobody_knows_the_time_a_ready_container_is_in_progress() {
    let judged = |ready: bool, restarts: i32| {
        let status = json!({"state": up_since("11:59:59"), "ready": ready, "restartCount": restarts,
            "lastState": ended(1, "Error", "11:00:00", "11:50:00")});
        Case::container(status).facts(|f| {
            let mut container = f.containers[0].clone();
            container.judge(f.now, true, false);
            container.exit().map(|(_, standing)| standing)
        })
    };
    assert_eq!(judged(true, 5), Some(Standing::InProgress));
    assert_eq!(judged(false, 5), Some(Standing::Wrong));
    assert_eq!(judged(true, 1), Some(Standing::Past));
}

#[test]
fn a_run_that_never_was_has_no_beginning() {
    let exit = |started: &str, reason: &str| {
        let state = json!({"terminated": {"exitCode": 128, "reason": reason, "startedAt": started,
            "finishedAt": "2026-01-01T11:59:00Z"}});
        of(state, Value::Null, 0)
            .facts(|f| (f.containers[0].exit().unwrap().0.started, f.containers[0].program_exit().is_some()))
    };
    assert_eq!(exit("1970-01-01T00:00:00Z", "Error").0, None);
    assert!(exit("2026-01-01T11:58:00Z", "Error").0.is_some());
    assert!(exit("2026-01-01T11:58:00Z", "Error").1);
    assert!(!exit("2026-01-01T11:58:00Z", "StartError").1, "the program never ran");
    assert!(!exit("2026-01-01T11:58:00Z", "ContainerStatusUnknown").1, "nobody saw the end");
}

#[test]
fn an_init_container_is_done_after_a_success_and_an_app_container_if_it_is_not_restarted() {
    let done = |list: &str, status: &str, policy: &str| {
        let spec = json!({"restartPolicy": policy, list: [{"name": "x"}]});
        let status = json!({status: [{"name": "x", "state": ended(0, "Completed", "11:50:00", "11:59:00")}]});
        Case::pod(spec, status).facts(|f| f.containers[0].is_done())
    };
    assert!(done("initContainers", "initContainerStatuses", "Always"));
    assert!(!done("containers", "containerStatuses", "Always"));
    assert!(done("containers", "containerStatuses", "OnFailure"));
}

#[test]
fn an_ephemeral_container_is_told_and_never_judged() {
    let spec = json!({"containers": [{"name": "app"}], "ephemeralContainers": [{"name": "debug", "image": "i"}]});
    let status =
        json!({"ephemeralContainerStatuses": [{"name": "debug", "state": ended(1, "Error", "11:50:00", "11:59:00")}]});
    Case::pod(spec, status).facts(|f| {
        let debug = f.containers.iter().find(|c| c.role == Role::Ephemeral).unwrap();
        assert_eq!(debug.title(), "ephemeral container debug");
        assert_eq!((debug.spec_list(), debug.status_list()), ("ephemeralContainers", "ephemeralContainerStatuses"));
        assert!(debug.exit().is_none());
    });
}

#[test]
fn requests_and_limits_are_as_written() {
    let resources = json!({"requests": {"memory": "100M"}, "limits": {"memory": "1G"}});
    Case::container(json!({})).edit("/spec/containers/0/resources", resources).facts(|f| {
        let app = &f.containers[0];
        assert_eq!((app.request("memory"), app.limit("memory"), app.limit("cpu")), (Some("100M"), Some("1G"), None));
    });
}
