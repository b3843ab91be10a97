//! A small client for what the tests set up: one request, one connection, JSON in and out.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// A connection to the API server as one user.
#[derive(Clone)]
pub struct Api {
    port: u16,
    token: String,
    tls: Arc<ClientConfig>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Api {
    pub fn new(port: u16, token: &str, authority: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { port, token: token.to_owned(), tls: Arc::new(tls) }
    }

    /// One request over HTTP/1.0, whose answer ends with the connection and is never chunked.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<Answer> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(self.tls.clone(), name).map_err(std::io::Error::other)?;
        let socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        socket.set_nodelay(true)?;
        let mut stream = StreamOwned::new(connection, socket);
        let head =
            format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Err(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => return Err(e),
            _ => {}
        }
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let headers = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = headers.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
        Ok(Answer { status, headers, body: bytes.split_off(end + 4) })
    }

    /// One request with a JSON body, which may fail.
    pub fn attempt(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let headers = format!(
            "Authorization: Bearer {}\r\nAccept: application/json\r\nContent-Type: {kind}\r\nUser-Agent: setup\r\n",
            self.token
        );
        let body = body.map(|b| serde_json::to_vec(b).unwrap()).unwrap_or_default();
        self.send(method, path, &headers, &body).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    #[track_caller]
    fn must(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let answer = self.attempt(method, path, body);
        let json = answer.json();
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, json["message"]);
        json
    }

    pub fn get(&self, path: &str) -> Option<Value> {
        let answer = self.attempt("GET", path, None);
        (answer.status == 200).then(|| answer.json())
    }

    /// The items of a list.
    #[track_caller]
    pub fn list(&self, path: &str) -> Vec<Value> {
        self.must("GET", path, None)["items"].as_array().cloned().unwrap_or_default()
    }

    #[track_caller]
    pub fn create(&self, object: &Value) -> Value {
        self.must("POST", &collection(object), Some(object))
    }

    /// A merge patch.
    #[track_caller]
    pub fn patch(&self, path: &str, change: &Value) -> Value {
        self.must("PATCH", path, Some(change))
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Value {
        self.must("DELETE", path, None)
    }

    /// Writes the status of an object that was created, as a kubelet or controller would.
    #[track_caller]
    pub fn set_status(&self, object: &Value, status: Value) -> Value {
        self.patch(&format!("{}/status", path_of(object)), &json!({"status": status}))
    }
}

/// Where the API serves the objects of this one's kind.
pub fn collection(object: &Value) -> String {
    let version = object["apiVersion"].as_str().expect("apiVersion");
    let kind = object["kind"].as_str().expect("kind").to_lowercase();
    let plural = match kind.as_str() {
        k if k.ends_with("ss") => format!("{kind}es"),
        k if k.ends_with('y') => format!("{}ies", &kind[..kind.len() - 1]),
        _ => format!("{kind}s"),
    };
    let root = if version.contains('/') { "apis" } else { "api" };
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}"),
        None => format!("/{root}/{version}/{plural}"),
    }
}

/// Where the API serves this object.
pub fn path_of(object: &Value) -> String {
    format!("{}/{}", collection(object), object["metadata"]["name"].as_str().expect("name"))
}
