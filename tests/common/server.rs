//! An API server on loopback that serves a recorded snapshot, or fails as a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kubectl_why::resource::{KINDS, Kind};
use serde_json::{Value, json};

/// How one request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without an answer.
    Closed,
    /// A status with a `Status` object.
    Status(u16),
    /// A status with something that is no Kubernetes object.
    Bare(u16),
    /// 200, and bytes that mean nothing.
    Garbage,
    /// Valid JSON that is no object of the API.
    Nonsense,
    /// Fewer bytes than announced.
    Truncated,
    /// No answer, ever.
    Hang,
    /// A byte now and then, without end.
    Endless,
}

/// Every way.
pub const FAULTS: [Fault; 14] = [
    Fault::Closed,
    Fault::Status(401),
    Fault::Status(403),
    Fault::Bare(404),
    Fault::Status(410),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Bare(502),
    Fault::Garbage,
    Fault::Nonsense,
    Fault::Truncated,
    Fault::Hang,
    Fault::Endless,
];

/// Serves the List of a snapshot's file; requests whose path and query `fails` picks out fail. Returns the server's URL.
pub fn serve(list: Value, fails: impl Fn(&str) -> Option<Fault> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (list, fails) = (Arc::new(list), Arc::new(fails));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (list, fails) = (list.clone(), fails.clone());
            thread::spawn(move || connection(stream, &list, &*fails));
        }
    });
    url
}

fn connection(mut stream: TcpStream, list: &Value, fails: &dyn Fn(&str) -> Option<Fault>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let path = head.split(' ').nth(1)?.to_owned();
        match fails(&path) {
            None => {
                let (code, body) = answer(list, &path);
                send(&mut stream, code, &body)?;
            }
            Some(Fault::Closed) => return None,
            Some(Fault::Status(code)) => send(&mut stream, code, &status(code, "Failed", "").to_string())?,
            Some(Fault::Bare(code)) => send(&mut stream, code, "<html>\u{1b}[31mnot here</html>")?,
            Some(Fault::Garbage) => send(&mut stream, 200, "\u{0}\u{1b}]0;x\u{7}{[\"")?,
            Some(Fault::Nonsense) => send(&mut stream, 200, "[{\"items\": 7}]")?,
            Some(Fault::Truncated) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{\"kind\":").ok()?;
                return None;
            }
            Some(Fault::Hang) => thread::sleep(Duration::from_secs(20)),
            Some(Fault::Endless) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").ok()?;
                while stream.write_all(b" ").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
                return None;
            }
        }
    }
}

fn send(stream: &mut TcpStream, code: u16, body: &str) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nRetry-After: 0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}

fn status(code: u16, reason: &str, name: &str) -> Value {
    let details = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
        "message": format!("it \u{1b}[31m{reason}"), "details": details})
}

/// What the recorded cluster says to a path.
fn answer(list: &Value, path: &str) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match segments.as_slice() {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return (404, "no".to_owned()),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let kind = |plural: &str| KINDS.iter().find(|k| k.plural == plural && k.group == group);
    match rest {
        [plural] => match kind(plural) {
            Some(kind) => (
                200,
                json!({"kind": "List", "metadata": {}, "items": objects(list, kind, namespace, query)}).to_string(),
            ),
            None => (404, "no such kind".to_owned()),
        },
        ["pods", pod, "log"] => log(list, pod, query),
        [plural, name] => {
            let found = kind(plural).and_then(|kind| {
                objects(list, kind, namespace, "").into_iter().find(|o| o["metadata"]["name"].as_str() == Some(*name))
            });
            found.map_or_else(|| (404, status(404, "NotFound", name).to_string()), |object| (200, object.to_string()))
        }
        _ => (404, "no such path".to_owned()),
    }
}

fn log(list: &Value, pod: &str, query: &str) -> (u16, String) {
    let previous = query.contains("previous=true");
    let container = query.split('&').find_map(|pair| pair.strip_prefix("container=")).unwrap_or_default();
    let logs = list["items"][0]["logs"].as_array();
    let found = logs.into_iter().flatten().find(|l| {
        l["pod"].as_str() == Some(pod) && l["container"] == container && l["previous"].as_bool() == Some(previous)
    });
    match found.and_then(|l| l["text"].as_str()) {
        Some(text) => (200, text.to_owned()),
        None => (400, status(400, "BadRequest", "").to_string()),
    }
}

fn objects(list: &Value, kind: &Kind, namespace: &str, query: &str) -> Vec<Value> {
    let fields = query.split('&').find_map(|pair| pair.strip_prefix("fieldSelector=")).unwrap_or_default();
    let fields = fields.replace("%3D", "=").replace("%2C", ",").replace("%21", "!");
    let of_kind =
        |o: &&Value| o["kind"] == kind.kind && (namespace.is_empty() || o["metadata"]["namespace"] == namespace);
    let all = list["items"].as_array().into_iter().flatten().skip(1).filter(of_kind);
    all.filter(|o| fields.split(',').filter(|f| !f.is_empty()).all(|f| selected(o, f))).cloned().collect()
}

/// One term of a field selector: `spec.nodeName=x`, `status.phase!=Failed`.
fn selected(object: &Value, term: &str) -> bool {
    let (path, wanted) = term.split_once('=').unwrap_or((term, ""));
    let (path, equal) = path.strip_suffix('!').map_or((path, true), |path| (path, false));
    let value = object.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_str).unwrap_or_default();
    (value == wanted) == equal
}
