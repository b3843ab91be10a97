use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use super::server::{Reply, Server};
use super::{Folder, nowhere, run};
use crate::gather::{Client, Connect};
use crate::resource::Kind;

/// A proxy that connects to wherever CONNECT says, and keeps what it was asked.
fn proxy() -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heads: Arc<Mutex<String>> = Arc::default();
    let seen = heads.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.extend(byte);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let Some(target) = head.strip_prefix("CONNECT ").and_then(|h| h.split(' ').next()) else { continue };
            let Ok(mut out) = TcpStream::connect(target) else { continue };
            seen.lock().expect("the log").push_str(&head);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let (mut back, mut front) = (out.try_clone().expect("a stream"), stream.try_clone().expect("a stream"));
            thread::spawn(move || std::io::copy(&mut back, &mut front));
            thread::spawn(move || std::io::copy(&mut stream, &mut out));
        }
    });
    (address, heads)
}

#[test]
fn the_proxy_of_the_kubeconfig_is_asked_to_connect() {
    let server = Server::start(|_, _, _| Reply::Json(200, json!({"kind": "Pod", "metadata": {"name": "x"}})));
    let (address, heads) = proxy();
    let folder = Folder::new();
    let config = format!(
        "current-context: x\nclusters: [{{name: c, cluster: {{server: \"{}\", proxy-url: \"http://me:pw@{address}\"}}}}]\ncontexts: [{{name: x, context: {{cluster: c}}}}]\n",
        server.address
    );
    let connect = Connect { kubeconfig: Some(folder.write("config", &config)), ..Connect::default() };
    let kind = Kind::named("Pod").expect("the kind");
    let answer = run(async {
        let client = Client::connect_from(&connect, &nowhere()).await.expect("a client");
        client.get(kind, "a", "x").await
    });
    assert!(answer.is_ok(), "{answer:?}");
    let heads = heads.lock().expect("the log").to_ascii_lowercase();
    assert!(heads.contains("proxy-authorization: basic bwu6chc="), "{heads}");
}

#[test]
fn a_proxy_that_refuses_is_said_so() {
    let server = Server::start(|_, _, _| Reply::Raw(407, "text/plain", Vec::new()));
    let folder = Folder::new();
    let config = format!(
        "current-context: x\nclusters: [{{name: c, cluster: {{server: \"http://10.0.0.1:1\", proxy-url: \"{}\"}}}}]\ncontexts: [{{name: x, context: {{cluster: c}}}}]\n",
        server.address
    );
    let connect = Connect { kubeconfig: Some(folder.write("config", &config)), ..Connect::default() };
    let kind = Kind::named("Pod").expect("the kind");
    let failure =
        run(async { Client::connect_from(&connect, &nowhere()).await.expect("a client").get(kind, "a", "x").await })
            .expect_err("a failure");
    assert!(failure.to_string().contains("the proxy did not let the connection through"), "{failure}");
}
