//! Objects written straight into etcd, below the API server, which reads JSON there too: uid, creation and deletion time,
//! status and events stay exactly as they were recorded, and no admission plugin has a say.

use std::io::{Read, Write};
use std::net::TcpStream;

use kubectl_why::resource::Kind;
use serde_json::{Value, json};

/// etcd's JSON gateway allows so many operations in one transaction.
const OPERATIONS: usize = 100;

/// Writes the objects and gives their keys; what the old keys held is removed.
pub fn replace(port: u16, old: &[String], objects: &[Value]) -> Vec<String> {
    let keys: Vec<String> = objects.iter().map(key).collect();
    let gone = old.iter().filter(|key| !keys.contains(key));
    let removals: Vec<Value> = gone.map(|key| json!({"requestDeleteRange": {"key": base64(key.as_bytes())}})).collect();
    let put = |(key, object): (&String, &Value)| {
        let mut object = object.clone();
        // The server derives it from etcd's own revision.
        object["metadata"].as_object_mut().expect("metadata").remove("resourceVersion");
        let value = base64(&serde_json::to_vec(&object).unwrap());
        json!({"requestPut": {"key": base64(key.as_bytes()), "value": value}})
    };
    let puts: Vec<Value> = keys.iter().zip(objects).map(put).collect();
    for batch in removals.chunks(OPERATIONS).chain(puts.chunks(OPERATIONS)) {
        transaction(port, batch);
    }
    keys
}

/// Where the API server keeps an object.
fn key(object: &Value) -> String {
    let kind = Kind::named(object["kind"].as_str().expect("kind")).expect("a known kind");
    let plural = match kind.kind {
        "Node" => "minions",
        _ => kind.plural,
    };
    let name = object["metadata"]["name"].as_str().expect("name");
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/registry/{plural}/{namespace}/{name}"),
        None => format!("/registry/{plural}/{name}"),
    }
}

fn transaction(port: u16, operations: &[Value]) {
    let body = json!({"success": operations}).to_string();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        socket,
        "POST /v3/kv/txn HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 OK") && answer.contains("\"succeeded\":true"), "etcd: {answer}");
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}
