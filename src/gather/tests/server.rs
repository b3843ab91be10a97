//! A server on loopback: plain HTTP/1.1, one thread for each connection, one closure that answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{nowhere, run};
use crate::gather::{Client, Connect};

/// How to answer one request.
pub(super) enum Reply {
    Json(u16, Value),
    Raw(u16, &'static str, Vec<u8>),
    With(u16, &'static str, Value),
    /// Fewer bytes than announced, then the end.
    Truncated,
    /// Nothing, ever.
    Hang,
    /// A byte now and then.
    Trickle,
    /// The connection is closed without an answer.
    Close,
}

pub(super) struct Server {
    pub(super) address: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers with the closure, which gets path with query, the head of the request, and how many requests came before.
    pub(super) fn start(answer: impl Fn(&str, &str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answer, seen) = (Arc::new(answer), log.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (answer.clone(), seen.clone());
                thread::spawn(move || serve(stream, &*answer, &seen));
            }
        });
        Self { address, log }
    }

    /// Path and query of every request, and its head.
    pub(super) fn requests(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    pub(super) fn client(&self, timeout: Duration) -> Client {
        let connect = Connect {
            server: Some(self.address.clone()),
            token: Some("SECRET".to_owned()),
            request_timeout: Some(timeout),
            ..Connect::default()
        };
        run(Client::connect_from(&connect, &nowhere())).expect("a client")
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&str, &str, usize) -> Reply, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a reader"));
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let before = {
            let mut log = log.lock().expect("the log");
            log.push(head.clone());
            log.len() - 1
        };
        let sent = match answer(&path, &head, before) {
            Reply::Json(code, body) => send(&mut stream, code, "application/json", "", body.to_string().as_bytes()),
            Reply::With(code, header, body) => {
                send(&mut stream, code, "application/json", header, body.to_string().as_bytes())
            }
            Reply::Raw(code, content_type, body) => send(&mut stream, code, content_type, "", &body),
            Reply::Truncated => {
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"kind\":",
                );
                return;
            }
            Reply::Hang => {
                thread::sleep(Duration::from_secs(20));
                return;
            }
            Reply::Trickle => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
                while stream.write_all(b" ").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
                return;
            }
            Reply::Close => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

fn send(stream: &mut TcpStream, code: u16, content_type: &str, header: &str, body: &[u8]) -> std::io::Result<()> {
    let head =
        format!("HTTP/1.1 {code} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n{header}\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}
