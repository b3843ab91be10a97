use std::time::Duration;

use serde_json::json;

use super::run;
use super::server::{Reply, Server};
use crate::gather::{Fatal, Options, gather};
use crate::snapshot::{Lookup, Target};

fn target() -> Target {
    Target { kind: "Pod", namespace: "a".to_owned(), name: "x".to_owned() }
}

fn missing(name: &str) -> Reply {
    Reply::Json(
        404,
        json!({"kind": "Status", "reason": "NotFound", "message": format!("\"{name}\" not found"), "details": {"name": name}}),
    )
}

fn pod() -> serde_json::Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x", "namespace": "a", "uid": "u"},
        "spec": {"nodeName": "w", "containers": [{"name": "c", "env": [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "k"}}}]}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]}})
}

#[test]
fn what_is_refused_absent_or_broken_is_in_the_snapshot_as_such() {
    let server = Server::start(|path, _, _| match path.split('?').next().unwrap_or_default() {
        "/api/v1/namespaces/a/pods/x" => Reply::Json(200, pod()),
        "/api/v1/namespaces/a/events" => {
            Reply::Json(403, json!({"kind": "Status", "reason": "Forbidden", "message": "events is forbidden"}))
        }
        "/api/v1/nodes/w" => Reply::Hang,
        "/api/v1/namespaces/a/configmaps" => Reply::Json(
            200,
            json!({"items": [{"metadata": {"name": "config", "namespace": "a"}, "data": {"k": "SECRET-VALUE"}}]}),
        ),
        "/api/v1/namespaces/a/configmaps/conf" => missing("conf"),
        other => missing(other),
    });
    let client = server.client(Duration::from_millis(500));
    let snapshot = run(gather(&client, &target(), &Options::default())).expect("a snapshot");
    assert!(snapshot.object("ConfigMap", "a", "conf").is_absent());
    assert_eq!(snapshot.node("w"), Lookup::Failed);
    assert_eq!(snapshot.absence::<()>("Event", "a", None), Lookup::Refused);
    let text = snapshot.to_list().to_string();
    assert!(text.contains("\"config\"") && !text.contains("SECRET"), "{text}");
    assert!(client.records().iter().any(|r| r.wave == 3), "the close names come last: {:?}", client.records());
}

#[test]
fn a_pod_that_does_not_exist_is_answered_with_those_that_do() {
    let server = Server::start(|path, _, _| match path.split('?').next().unwrap_or_default() {
        "/api/v1/namespaces/a/pods" => {
            Reply::Json(200, json!({"items": [{"metadata": {"name": "x-1"}}, {"metadata": {"name": "other"}}]}))
        }
        other => missing(other.rsplit('/').next().unwrap_or_default()),
    });
    let fatal =
        run(gather(&server.client(Duration::from_secs(5)), &target(), &Options::default())).expect_err("no pod");
    assert_eq!(fatal.to_string(), "pod/x does not exist in namespace a; there is x-1");
    assert!(matches!(fatal, Fatal::NotFound { .. }));
}

#[test]
fn refused_credentials_and_rights_end_it_with_what_to_do() {
    for (code, word) in [(401, "log in again"), (403, "ask for the right"), (500, "cannot be read")] {
        let server =
            Server::start(move |_, _, _| Reply::Json(code, json!({"kind": "Status", "reason": "X", "message": "no"})));
        let fatal =
            run(gather(&server.client(Duration::from_secs(5)), &target(), &Options::default())).expect_err("no pod");
        let text = fatal.to_string();
        assert!(text.contains(word) && !text.contains("SECRET"), "{text}");
    }
    let server = Server::start(|_, _, _| Reply::Hang);
    let fatal =
        run(gather(&server.client(Duration::from_millis(200)), &target(), &Options::default())).expect_err("no pod");
    assert!(fatal.to_string().contains("within 200 ms"), "{fatal}");
}

#[test]
fn nodes_come_as_protobuf_or_as_json() {
    let server = Server::start(|path, head, _| {
        assert_eq!(path, "/api/v1/nodes?resourceVersion=0");
        assert!(head.contains("application/vnd.kubernetes.protobuf"), "{head}");
        Reply::Json(
            200,
            json!({"kind": "NodeList", "items": [{"metadata": {"name": "w"}, "status": {"allocatable": {"cpu": "4"}}}]}),
        )
    });
    let nodes = run(server.client(Duration::from_secs(5)).nodes("")).expect("nodes");
    assert_eq!(nodes.iter().map(|n| n.metadata.name.as_str()).collect::<Vec<_>>(), ["w"]);
}
