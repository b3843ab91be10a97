use std::time::Duration;

use serde_json::{Value, json};

use super::run;
use super::server::{Reply, Server};
use crate::gather::{Fatal, Options, Overview, Pods, Progress, overview, overview_of};
use crate::snapshot::Snapshot;

const LIST: &str = "/api/v1/namespaces/a/pods";

fn gathered(server: &Server, pods: &Pods) -> Result<Overview, Fatal> {
    run(overview(&server.client(Duration::from_secs(5)), pods, &Options::default(), &Progress::default()))
}

fn in_a() -> Pods {
    Pods { namespace: Some("a".to_owned()), ..Pods::default() }
}

fn pod(name: &str, fine: bool) -> Value {
    let (phase, ready) = if fine { ("Running", "True") } else { ("Pending", "False") };
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "a", "uid": name, "ownerReferences": [{"uid": "rs", "controller": true}]},
        "spec": {"nodeName": "w", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": if fine { "" } else { "ImagePullBackOff" }}}}]}})
}

fn cluster(sick: usize, fine: usize) -> Server {
    Server::start(move |path, _, _| {
        let name = path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        if path.starts_with(&format!("{LIST}?")) && !path.contains("nodeName") {
            let pods = (0..sick).map(|n| pod(&format!("bad-{n:03}"), false));
            let items: Vec<Value> = pods.chain((0..fine).map(|n| pod(&format!("good-{n}"), true))).collect();
            return Reply::Json(200, json!({"kind": "PodList", "items": items}));
        }
        match name {
            "bad-001" => Reply::Json(404, json!({"kind": "Status", "reason": "NotFound", "details": {"name": name}})),
            name if name.starts_with("bad-") => Reply::Json(200, pod(name, false)),
            "events" => Reply::Json(200, json!({"items": []})),
            _ => Reply::Json(403, json!({"kind": "Status", "reason": "Forbidden", "message": "no"})),
        }
    })
}

#[test]
fn pods_that_are_fine_are_counted_and_the_others_read() {
    let server = cluster(3, 40);
    let found = gathered(&server, &in_a()).expect("an overview");
    assert_eq!((found.fine, found.left_out), (40, 0));
    let names: Vec<&str> = found.targets.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["bad-000", "bad-002"], "one has gone meanwhile");
    let asked = server.requests();
    assert!(asked.iter().all(|head| !head.contains("/pods/good-")), "{asked:?}");
    assert!(asked.iter().filter(|head| head.contains("/events")).all(|head| head.contains("involvedObject.name")));
}

#[test]
fn of_very_many_pods_two_hundred_are_read_and_the_rest_is_counted() {
    let server = cluster(900, 5);
    let found = gathered(&server, &in_a()).expect("an overview");
    assert_eq!((found.fine, found.targets.len(), found.left_out), (5, 199, 700));
    let asked = server.requests();
    assert!(asked.len() < 260, "{}", asked.len());
    assert_eq!(asked.iter().filter(|head| head.contains("type%3DWarning")).count(), 1);
}

#[test]
fn selectors_reach_the_server_and_a_bad_one_is_told_in_its_words() {
    let server = Server::start(|path, _, _| {
        assert_eq!(path, "/api/v1/pods?labelSelector=a%20in&fieldSelector=status.phase%3DRunning&resourceVersion=0");
        Reply::Json(400, json!({"kind": "Status", "reason": "BadRequest", "message": "found '', expected: '('"}))
    });
    let pods = Pods { namespace: None, labels: "a in".to_owned(), fields: "status.phase=Running".to_owned() };
    let fatal = gathered(&server, &pods).expect_err("no list");
    assert_eq!(fatal, Fatal::Selector("found '', expected: '('".to_owned()));
}

#[test]
fn without_the_right_to_list_there_is_no_overview_and_it_says_which_right() {
    let server =
        Server::start(|_, _, _| Reply::Json(403, json!({"kind": "Status", "reason": "Forbidden", "message": "no"})));
    let text = gathered(&server, &in_a()).expect_err("no list").to_string();
    assert!(text.contains("the pods of namespace a") && text.contains("the right to list pods"), "{text}");
}

#[test]
fn a_refusal_in_protobuf_is_read_as_one_in_json() {
    let message = "forbidden: not you";
    // Status with message, reason and details, in the envelope.
    let field =
        |number: u8, bytes: &[u8]| [&[number << 3 | 2, u8::try_from(bytes.len()).expect("short")], bytes].concat();
    let status = [field(3, message.as_bytes()), field(4, b"Forbidden")].concat();
    let body = [b"k8s\0".to_vec(), field(2, &status)].concat();
    let server = Server::start(move |_, _, _| Reply::Raw(403, "application/vnd.kubernetes.protobuf", body.clone()));
    let text = gathered(&server, &in_a()).expect_err("no list").to_string();
    assert!(text.contains(message), "{text}");
}

#[test]
fn of_a_file_only_whole_pods_count() {
    let mut snapshot = Snapshot::default();
    snapshot.add(pod("bad", false));
    snapshot.add(pod("good", true));
    let mut neighbour = pod("neighbour", false);
    neighbour["spec"]["containers"] = json!([{"name": "c"}]);
    snapshot.add(neighbour);
    let found = overview_of(snapshot, None);
    assert_eq!((found.fine, found.targets.len()), (1, 1));
}
