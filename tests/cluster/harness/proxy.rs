//! Something bad between the client and the API server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::kubelet::tls;
use super::pki::Pki;
use super::server::Server;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// This status with these header lines, instead of the server's answer.
    Status(u16, &'static str),
    /// The connection is reset in the middle of the body.
    Reset,
    /// The body comes in small pieces, one each time this has passed.
    Trickle(Duration),
    /// There is never an answer.
    Hang,
}

/// A proxy that ends the TLS connection and looks at each request.
pub struct Proxy {
    pub port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `choose` sees the request's head and how many with the same first line came before.
    pub fn start(server: &Server, choose: impl Fn(&str, usize) -> Fault + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (config, upstream, seen) = (tls(&server.pki), server.admin.clone(), requests.clone());
        let choose = Arc::new(choose);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, upstream) = (config.clone(), upstream.clone());
                let (seen, choose) = (seen.clone(), choose.clone());
                thread::spawn(move || {
                    let connection = ServerConnection::new(config).expect("a server configuration");
                    let mut stream = StreamOwned::new(connection, socket);
                    while let Some(head) = read_head(&mut stream) {
                        let line = head.lines().next().unwrap_or_default().to_owned();
                        let before = {
                            let mut seen = seen.lock().unwrap();
                            seen.push(head.clone());
                            seen.iter().filter(|h| h.lines().next() == Some(&line)).count() - 1
                        };
                        if !serve(&mut stream, &upstream, &head, &choose(&head, before)) {
                            break;
                        }
                    }
                });
            }
        });
        Self { port, requests }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// The first line and the headers of a request, without the empty line. Requests of a reader have no body.
pub fn read_head(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if bytes.len() > 64 << 10 || stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&bytes[..bytes.len() - 4]).into_owned())
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

/// Answers one request; whether the connection is still good.
fn serve(stream: &mut Stream, upstream: &Api, head: &str, fault: &Fault) -> bool {
    let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut words = line.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return false };
    if let Fault::Status(status, lines) = fault {
        let body = format!(
            r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the proxy says {status}","code":{status}}}"#
        );
        let answer = format!("HTTP/1.1 {status} Fault\r\n{lines}Content-Type: application/json\r\n");
        return send(stream, &answer, body.as_bytes());
    }
    if matches!(fault, Fault::Hang) {
        // Until the client goes away.
        let _ = stream.read(&mut [0]);
        return false;
    }
    let kept = |line: &&str| !starts_with(line, &["connection:", "host:", "content-length:", "te:"]);
    let headers: String = headers.split("\r\n").filter(kept).map(|line| format!("{line}\r\n")).collect();
    let Ok(Answer { headers, body, .. }) = upstream.send(method, path, &headers, &[]) else { return false };
    let kept = |line: &&str| !starts_with(line, &["connection:", "content-length:", "transfer-encoding:"]);
    let head: String = headers.split("\r\n").filter(kept).map(|line| format!("{line}\r\n")).collect();
    let head = head.replacen("HTTP/1.0", "HTTP/1.1", 1);
    match fault {
        Fault::Reset => {
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&body[..body.len() / 2]).and_then(|()| stream.flush());
            thread::sleep(Duration::from_millis(50));
            let _ = socket2::SockRef::from(&stream.sock).set_linger(Some(Duration::ZERO));
            false
        }
        Fault::Trickle(pause) => {
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len());
            body.chunks(16).all(|piece| {
                thread::sleep(*pause);
                stream.write_all(piece).and_then(|()| stream.flush()).is_ok()
            })
        }
        _ => send(stream, &head, &body),
    }
}

fn starts_with(line: &str, names: &[&str]) -> bool {
    let line = line.to_ascii_lowercase();
    line.is_empty() || names.iter().any(|name| line.starts_with(name))
}

fn send(stream: &mut Stream, head: &str, body: &[u8]) -> bool {
    let head = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).and_then(|()| stream.flush()).is_ok()
}

/// A port behind which the server is this far away: every byte takes half of the round trip in each direction.
pub fn far_away(server: &Server, round_trip: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let upstream = server.port;
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(("127.0.0.1", upstream)) else { continue };
            for socket in [&near, &far] {
                let _ = socket.set_nodelay(true);
            }
            let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { continue };
            delayed(near, far, round_trip / 2);
            delayed(far_too, near_too, round_trip / 2);
        }
    });
    port
}

fn delayed(mut from: TcpStream, mut to: TcpStream, by: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + by, buffer[..n].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// An admission webhook that denies whatever it is asked.
pub fn denying_webhook(pki: &Pki, message: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = tls(pki);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).expect("a server configuration");
            let mut stream = StreamOwned::new(connection, socket);
            let Some(head) = read_head(&mut stream) else { continue };
            let length =
                head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            if stream.read_exact(&mut body).is_err() {
                continue;
            }
            let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
            let answer = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
                "uid": asked["request"]["uid"], "allowed": false, "status": {"message": message},
            }});
            send(
                &mut stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n",
                answer.to_string().as_bytes(),
            );
        }
    });
    port
}
