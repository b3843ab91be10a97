use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::{Folder, nowhere, run};
use crate::gather::{Client, Connect};
use crate::resource::Kind;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate for a name until the first day of that year, and its key.
fn issued(authority: &Authority, name: &str, until: i32) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, authority).expect("a certificate"), key)
}

/// A server that answers everybody, or only those with a certificate of that authority, with a pod.
fn server((certificate, key): (rcgen::Certificate, KeyPair), clients: Option<&Authority>) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().expect("versions");
    let config = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            config.with_client_cert_verifier(verifier.expect("a verifier"))
        }
        None => config.with_no_client_auth(),
    };
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = Arc::new(config.with_single_cert(chain, key).expect("a server"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("https://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).expect("a connection"), stream);
            let mut byte = [0];
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.extend(byte);
            }
            let body = json!({"kind": "Pod", "metadata": {"name": "x"}}).to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
            let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes());
        }
    });
    address
}

/// What comes of asking the server for a pod: nothing, or what went wrong. The files are written under these names.
fn asked(files: &[(&str, &str)], connect: Connect) -> Result<(), String> {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    let at = |name: &str| files.iter().any(|(written, _)| *written == name).then(|| folder.0.join(name));
    let connect = Connect {
        certificate_authority: at("ca"),
        client_certificate: at("certificate"),
        client_key: at("key"),
        ..connect
    };
    let kind = Kind::named("Pod").expect("the kind");
    run(async {
        let client = Client::connect_from(&connect, &nowhere()).await.map_err(|e| e.to_string())?;
        client.get(kind, "a", "x").await.map(|_| ()).map_err(|e| e.to_string())
    })
}

fn to(server: &str) -> Connect {
    Connect { server: Some(server.to_owned()), ..Connect::default() }
}

#[track_caller]
fn says(answer: Result<(), String>, words: &str) {
    let text = answer.expect_err("a failure");
    assert!(text.contains(words), "{text}");
}

#[test]
fn the_servers_certificate_must_be_right_in_every_way() {
    let (ours, other) = (authority(), authority());
    let ca = ours.pem();
    let good = server(issued(&ours, "127.0.0.1", 2100), None);
    assert_eq!(asked(&[("ca", &ca)], to(&good)), Ok(()));
    let both = format!("{}{ca}", other.pem());
    assert_eq!(asked(&[("ca", &both)], to(&good)), Ok(()), "any authority of the file will do");
    says(asked(&[("ca", &other.pem())], to(&good)), "not signed by the certificate-authority of the kubeconfig");
    says(asked(&[], to(&good)), "");
    let late = server(issued(&ours, "127.0.0.1", 2021), None);
    says(asked(&[("ca", &ca)], to(&late)), "the server's certificate has expired");
}

#[test]
fn a_certificate_for_another_name_needs_that_name() {
    let ours = authority();
    let named = server(issued(&ours, "kubernetes", 2100), None);
    says(asked(&[("ca", &ours.pem())], to(&named)), "is for another name (see --tls-server-name)");
    let connect = Connect { tls_server_name: Some("kubernetes".to_owned()), ..to(&named) };
    assert_eq!(asked(&[("ca", &ours.pem())], connect), Ok(()));
    let connect = Connect { tls_server_name: Some("no host".to_owned()), ..to(&named) };
    says(asked(&[("ca", &ours.pem())], connect), "the TLS server name \"no host\" is no host name");
}

#[test]
fn insecure_takes_any_certificate_and_still_shows_the_users() {
    let ours = authority();
    let (certificate, key) = issued(&ours, "me", 2100);
    let late = server(issued(&authority(), "elsewhere", 2021), Some(&ours));
    let connect = Connect { insecure_skip_tls_verify: true, ..to(&late) };
    let files = [("certificate", &*certificate.pem()), ("key", &*key.serialize_pem())];
    assert_eq!(asked(&files, connect), Ok(()));
}

#[test]
fn the_users_certificate_must_fit_its_key() {
    let ours = authority();
    let (ca, address) = (ours.pem(), server(issued(&ours, "127.0.0.1", 2100), Some(&ours)));
    let (certificate, key) = issued(&ours, "me", 2100);
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    let with =
        |certificate: &str, key: &str| asked(&[("ca", &ca), ("certificate", certificate), ("key", key)], to(&address));
    assert_eq!(with(&certificate, &key), Ok(()));
    let both = format!("{key}{certificate}");
    assert_eq!(with(&both, &both), Ok(()), "one file may hold both");
    let (other, _) = issued(&ours, "me", 2100);
    says(with(&other.pem(), &key), "the client-key does not belong to the client-certificate");
    says(with(&key, &key), "the client-certificate holds no PEM certificate");
    says(with(&certificate, &certificate), "the client-key holds no unencrypted private key");
    says(with("junk", &key), "the client-certificate holds no PEM certificate");
    says(with(&certificate, "junk"), "the client-key holds no unencrypted private key");
    says(asked(&[("ca", "junk")], to(&address)), "the certificate-authority of the cluster holds no PEM certificate");
    says(asked(&[("ca", &ca)], to(&address)), "check the client certificate");
}
