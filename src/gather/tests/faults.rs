use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::run;
use super::server::{Reply, Server};
use crate::gather::{Client, Connect, Failure, Query};
use crate::resource::Kind;

fn pod() -> &'static Kind {
    Kind::named("Pod").expect("the kind")
}

fn get(server: &Server, timeout: Duration) -> (Client, Result<Value, Failure>) {
    let client = server.client(timeout);
    let answer = run(client.get(pod(), "a", "x"));
    for record in client.records() {
        assert!(!format!("{record:?}").contains("SECRET"), "{record:?}");
    }
    if let Err(failure) = &answer {
        let text = failure.to_string();
        assert!(!text.contains("SECRET") && !text.contains('\n') && !text.contains('\u{1b}'), "{text}");
    }
    (client, answer)
}

const LONG: Duration = Duration::from_secs(10);

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": format!("pods \"x\" {reason}\u{1b}[31m"), "reason": reason, "details": {"name": "x", "kind": "pods"}, "code": code})
}

#[test]
fn an_object_is_asked_for_by_its_path_with_token_and_agent() {
    let server = Server::start(|path, _, _| {
        assert_eq!(path, "/api/v1/namespaces/a/pods/x");
        Reply::Json(200, json!({"kind": "Pod", "metadata": {"name": "x"}}))
    });
    let (client, answer) = get(&server, LONG);
    assert_eq!(answer.ok().and_then(|o| o.pointer("/metadata/name").cloned()), Some(json!("x")));
    let head = server.requests().concat().to_ascii_lowercase();
    assert!(
        head.starts_with("get ")
            && head.contains("authorization: bearer secret")
            && head.contains("user-agent: kubectl-why/")
            && head.contains("accept-encoding: gzip"),
        "{head}"
    );
    assert_eq!(client.records().len(), 1);
}

#[test]
fn refusals_and_absences_are_told_apart() {
    type Expect = fn(&Failure) -> bool;
    let cases: [(u16, Value, Expect); 6] = [
        (403, status(403, "Forbidden"), |f| {
            matches!(f, Failure::Forbidden(_)) && f.to_string().starts_with("forbidden: ")
        }),
        (401, status(401, "Unauthorized"), |f| {
            matches!(f, Failure::Unauthorized(_)) && f.to_string().starts_with("forbidden: ")
        }),
        (404, status(404, "NotFound"), |f| matches!(f, Failure::NotFound(_))),
        (
            404,
            json!({"kind": "Status", "message": "the server could not find the requested resource", "reason": "NotFound", "details": {}}),
            |f| matches!(f, Failure::NotServed(_)),
        ),
        (404, json!({"error": "no such route"}), |f| matches!(f, Failure::NotServed(_))),
        (500, status(500, "InternalError"), |f| matches!(f, Failure::Other(_))),
    ];
    for (code, body, expected) in cases {
        let server = Server::start(move |_, _, _| Reply::Json(code, body.clone()));
        let failure = get(&server, LONG).1.expect_err("a failure");
        assert!(expected(&failure), "{code} {failure:?}");
        assert_eq!(server.requests().len(), 1, "{code} is not asked again");
    }
}

#[test]
fn pages_of_something_else_are_not_repeated_to_the_user() {
    let server = Server::start(|_, _, _| Reply::Raw(502, "text/html", b"<html>\x1b[31mbad gateway</html>".to_vec()));
    assert_eq!(
        get(&server, LONG).1.expect_err("a failure").to_string(),
        "502 Bad Gateway came back, and not from a Kubernetes API server"
    );
    let server = Server::start(|_, _, _| Reply::Raw(200, "text/html", b"<html>sign in</html>".to_vec()));
    assert_eq!(get(&server, LONG).1.expect_err("a failure").to_string(), "the answer is not valid JSON");
    let server = Server::start(|_, _, _| Reply::Json(200, json!(["no", "object"])));
    assert!(matches!(get(&server, LONG).1, Err(Failure::Other(_))));
}

#[test]
fn a_busy_server_is_asked_again_twice_and_not_sooner_than_it_says() {
    let server = Server::start(|_, _, before| {
        if before < 2 {
            Reply::With(429, "Retry-After: 0\r\n", status(429, "TooManyRequests"))
        } else {
            Reply::Json(200, json!({"kind": "Pod", "metadata": {"name": "x"}}))
        }
    });
    assert!(get(&server, LONG).1.is_ok());
    let server = Server::start(|_, _, _| Reply::Json(503, status(503, "ServiceUnavailable")));
    assert!(get(&server, LONG).1.is_err());
    assert_eq!(server.requests().len(), 3);
    let server = Server::start(|_, _, before| {
        if before == 0 {
            Reply::With(429, "Retry-After: 1\r\n", status(429, "TooManyRequests"))
        } else {
            Reply::Json(200, json!({"kind": "Pod", "metadata": {"name": "x"}}))
        }
    });
    let started = Instant::now();
    assert!(get(&server, LONG).1.is_ok());
    assert!(started.elapsed() >= Duration::from_secs(1));
    let server = Server::start(|_, _, _| Reply::With(429, "Retry-After: 60\r\n", status(429, "TooManyRequests")));
    let started = Instant::now();
    assert!(get(&server, LONG).1.is_err());
    assert!(started.elapsed() < Duration::from_secs(20), "a minute is not waited out");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_broken_answer_is_asked_for_again() {
    for first in [true, false] {
        let server = Server::start(move |_, _, before| match before {
            0 if first => Reply::Truncated,
            0 => Reply::Close,
            _ => Reply::Json(200, json!({"kind": "Pod", "metadata": {"name": "x"}})),
        });
        let answer = get(&server, LONG).1;
        assert!(answer.is_ok(), "{answer:?}");
    }
    let server = Server::start(|_, _, _| Reply::Truncated);
    assert!(matches!(get(&server, LONG).1, Err(Failure::Other(_))));
}

#[test]
fn nothing_takes_longer_than_the_limit() {
    for trickle in [true, false] {
        let server = Server::start(move |_, _, _| if trickle { Reply::Trickle } else { Reply::Hang });
        let started = Instant::now();
        let failure = get(&server, Duration::from_millis(300)).1.expect_err("a failure");
        assert_eq!(failure, Failure::TimedOut(Duration::from_millis(300)));
        assert_eq!(failure.to_string(), "no answer within 300 ms");
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let server = Server::start(|_, _, _| Reply::Raw(200, "application/json", vec![b' '; 9 << 20]));
    assert_eq!(
        get(&server, LONG).1.expect_err("a failure").to_string(),
        "the answer is longer than 8 MiB and was not read"
    );
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let connect = Connect { server: Some("http://127.0.0.1:1".to_owned()), ..Connect::default() };
    let client = run(Client::connect_from(&connect, &super::nowhere())).expect("a client");
    assert_eq!(run(client.get(pod(), "a", "x")), Err(Failure::Unreachable("connection refused".to_owned())));
}

#[test]
fn plain_http_behind_https_is_said_so() {
    let server = Server::start(|_, _, _| Reply::Close);
    let connect = Connect {
        server: Some(server.address.replace("http:", "https:")),
        insecure_skip_tls_verify: true,
        ..Connect::default()
    };
    let client = run(Client::connect_from(&connect, &super::nowhere())).expect("a client");
    let failure = run(tokio_timeout(client.get(pod(), "a", "x")));
    assert!(failure.is_err(), "{failure:?}");
}

async fn tokio_timeout(answer: impl Future<Output = Result<Value, Failure>>) -> Result<Value, Failure> {
    tokio::time::timeout(Duration::from_secs(1), answer).await.unwrap_or(Err(Failure::TimedOut(Duration::from_secs(1))))
}

#[test]
fn selectors_are_encoded_and_items_get_their_kind() {
    let server = Server::start(|path, _, _| {
        assert_eq!(
            path,
            "/apis/apps/v1/namespaces/a/replicasets?labelSelector=app%3Dx%2Ctier%20in%20%28a%2Cb%29&limit=5"
        );
        Reply::Json(
            200,
            json!({"kind": "ReplicaSetList", "metadata": {"continue": "t"}, "items": [{"metadata": {"name": "r"}}, 7]}),
        )
    });
    let kind = Kind::named("ReplicaSet").expect("the kind");
    let query = Query { namespace: Some("a"), labels: "app=x,tier in (a,b)", limit: Some(5), ..Query::default() };
    let list = run(server.client(LONG).list(kind, &query)).expect("a list");
    assert!(list.more);
    assert_eq!(list.items, [json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r"}})]);
}

#[test]
fn of_secrets_only_metadata_is_asked_for() {
    let server = Server::start(|_, head, _| {
        assert!(head.to_ascii_lowercase().contains("as=partialobjectmetadata;"), "{head}");
        Reply::Json(
            200,
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "s"}}),
        )
    });
    let kind = Kind::named("Secret").expect("the kind");
    let object = run(server.client(LONG).get_metadata(kind, "a", "s")).expect("metadata");
    assert_eq!(object.get("kind"), Some(&json!("Secret")));
}
