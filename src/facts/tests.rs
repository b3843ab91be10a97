use serde_json::{Value, json};

use super::*;
use crate::rules::testing::Case;

#[test]
fn near_names_come_nearest_first_and_far_ones_not_at_all() {
    let names = ["reg-cred", "regcreds", "unrelated", "registry"];
    assert_eq!(closest("regcred", names.into_iter()), ["reg-cred", "regcreds"]);
    assert_eq!(closest("db_host", ["DB_HOST", "PORT"].into_iter()), ["DB_HOST"]);
    assert_eq!(edit_distance("kitten", "sitting"), 3);
}

#[test]
fn names_are_near_if_less_than_half_differs_or_one_holds_the_other() {
    let near = |wanted, name| !closest(wanted, std::iter::once(name)).is_empty();
    assert!(near("cred", "my-registry-cred") && near("my-registry-cred", "cred"));
    assert!(near("abcde", "abcxy") && !near("abcd", "abxy"), "half is too much");
    assert!(!near("ab", "xxabxx") && !near("credits", "cr"), "two letters are in everything");
    assert!(near("abc", "xxabcxxx") && near("xxabcxxx", "abc"));
    assert!(!near("same", "same"), "it is what was looked for");
    assert_eq!(edit_distance("abc", ""), 3);
    assert_eq!(edit_distance("", "ab"), 2);
    assert_eq!(edit_distance("abc", "bc"), 1);
}

#[test]
fn a_pod_is_fine_at_a_glance_if_it_serves_or_has_succeeded_and_stays() {
    let glanced = |phase: &str, ready: &str, deleted: bool| {
        let mut pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "b"}], "initContainers": [{"name": "a"}]},
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}});
        if deleted {
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z".into();
        }
        assert_eq!(container_names(&pod), ["a", "b"]);
        glance(&pod)
    };
    assert_eq!(glanced("Running", "True", false), (true, "Running".to_owned()));
    assert_eq!(glanced("Running", "False", false), (false, "Running".to_owned()));
    assert_eq!(glanced("Succeeded", "False", false), (true, "Succeeded".to_owned()));
    assert!(!glanced("Pending", "True", false).0);
    assert_eq!(glanced("Running", "True", true), (false, "Terminating".to_owned()));
}

#[test]
fn a_pod_serves_if_every_container_does_its_work_and_the_kubelet_counts_it() {
    let serve = |pod_ready: &str, init: Value, ready: bool| {
        let spec = json!({"containers": [{"name": "app"}], "initContainers": [{"name": "i"}]});
        let run = json!({"running": {"startedAt": "2026-01-01T11:50:00Z"}});
        let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": pod_ready}],
            "initContainerStatuses": [{"name": "i", "state": init}],
            "containerStatuses": [{"name": "app", "ready": ready, "state": run}]});
        Case::pod(spec, status).facts(|f| f.all_serve())
    };
    let done = || json!({"terminated": {"exitCode": 0}});
    assert!(serve("True", done(), true));
    assert!(!serve("False", done(), true) && !serve("True", done(), false));
    assert!(serve("True", json!({"running": {}}), true), "an init container is never ready");
    assert!(
        !serve("True", json!({"waiting": {}}), true) && !serve("True", json!({"terminated": {"exitCode": 1}}), true)
    );
    let bare = Case::pod(json!({}), json!({"conditions": [{"type": "Ready", "status": "True"}]}));
    assert!(!bare.facts(|f| f.all_serve()), "nothing is known of any container");
}

#[test]
fn what_is_absent_is_cited_only_if_the_server_said_so() {
    let case = || Case::container(json!({}));
    let absent = |case: Case, kind: &str| case.facts(|f| f.cite_missing(kind, "x").map(|e| format!("{e:?}")));
    assert!(absent(case().complete(&["nodes"]), "Node").is_some_and(|e| e.contains("\"Node\"")));
    assert!(absent(case().complete(&["secrets"]), "Secret").is_some());
    let there = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "x"}});
    assert_eq!(absent(case().with(there).complete(&["nodes"]), "Node"), None);
    assert_eq!(absent(case(), "Node"), None);
    assert_eq!(absent(case(), "Secret"), None);
    assert_eq!(case().facts(|f| f.target_uid().to_owned()), "u");
}

#[test]
fn an_objects_name_is_qualified_by_version_kind_and_namespace() {
    let missing = |kind| ObjectName::missing(kind, "shop", "x").qualified();
    assert_eq!(missing("Pod"), "v1/Pod shop/x");
    assert_eq!(missing("Deployment"), "apps/v1/Deployment shop/x");
    assert_eq!(missing("Node"), "v1/Node x", "it has no namespace");
    assert_eq!(missing("Widget"), "Widget shop/x");
}
