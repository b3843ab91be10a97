//! The one thing of a kubelet that the API server asks for: container logs, as they were recorded.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::pki::Pki;
use super::proxy::read_head;

/// Namespace, pod, container, and whether the run before is meant.
pub type Key = (String, String, String, bool);

/// A listener that answers for every node.
pub struct Kubelet {
    pub port: u16,
    logs: Arc<Mutex<HashMap<Key, String>>>,
}

/// The one that all nodes share.
pub fn kubelet() -> &'static Kubelet {
    static KUBELET: OnceLock<Kubelet> = OnceLock::new();
    KUBELET.get_or_init(Kubelet::start)
}

impl Kubelet {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let logs = Arc::new(Mutex::new(HashMap::new()));
        let config = tls(&Pki::new());
        let served = logs.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, logs) = (config.clone(), served.clone());
                thread::spawn(move || {
                    let connection = ServerConnection::new(config).expect("a server configuration");
                    let mut stream = StreamOwned::new(connection, socket);
                    if let Some(head) = read_head(&mut stream) {
                        let answer = answer(&head, &logs);
                        let _ = stream.write_all(answer.as_bytes());
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                });
            }
        });
        Self { port, logs }
    }

    /// These logs and no others.
    pub fn serve(&self, logs: HashMap<Key, String>) {
        *self.logs.lock().unwrap() = logs;
    }
}

/// TLS without asking for HTTP/2.
pub fn tls(pki: &Pki) -> Arc<ServerConfig> {
    let (chain, key) = pki.server().for_tls();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

fn answer(head: &str, logs: &Mutex<HashMap<Key, String>>) -> String {
    let url = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let previous = query.split('&').any(|q| q == "previous=true");
    let lines = query.split('&').find_map(|q| q.strip_prefix("tailLines=")).and_then(|n| n.parse::<usize>().ok());
    let (status, text) = match parts.as_slice() {
        ["containerLogs", namespace, pod, container] => {
            let key = ((*namespace).to_owned(), (*pod).to_owned(), (*container).to_owned(), previous);
            match logs.lock().unwrap().get(&key) {
                Some(text) => ("200 OK", tail(text, lines)),
                None => ("400 Bad Request", format!("container \"{container}\" in pod \"{pod}\" has no such log")),
            }
        }
        _ => ("404 Not Found", "404 page not found".to_owned()),
    };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

fn tail(text: &str, lines: Option<usize>) -> String {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    all[all.len().saturating_sub(lines.unwrap_or(usize::MAX))..].concat()
}
