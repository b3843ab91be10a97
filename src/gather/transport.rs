//! The one connection to the server: TLS, HTTP/2 where the server speaks it, gzip, and the proxy on the way.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use k8s_openapi::ByteString;
use kube::client::ConfigExt;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::connect::{ConnectError, one_line};
use super::exec::base64;
use super::session::Session;

/// What comes back, unpacked.
pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;
/// One request, one response.
pub(super) type Exchange = BoxCloneSyncService<Request<Empty<Bytes>>, Response<Body>, BoxError>;

/// Prepares the connection; nothing is sent before the first request.
pub(super) fn open(session: &Session) -> Result<Exchange, ConnectError> {
    let Some(proxy) = &session.proxy else { return secure(session, tcp()) };
    match proxy.uri.scheme_str() {
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(proxy.uri.clone(), tcp());
            if let Some((user, password)) = proxy.user.clone() {
                socks = socks.with_auth(user, password);
            }
            secure(session, socks)
        }
        Some("https") => {
            let tls = kube::Config::new(proxy.uri.clone()).rustls_client_config().map_err(|e| tls_error(&e))?;
            let outer = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(tls)
                .https_only()
                .enable_http1()
                .wrap_connector(tcp());
            secure(session, tunnel(proxy, outer)?)
        }
        _ => secure(session, tunnel(proxy, tcp())?),
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp
}

fn tunnel<C>(proxy: &super::proxy::Proxy, connector: C) -> Result<Tunnel<C>, ConnectError> {
    let tunnel = Tunnel::new(proxy.uri.clone(), connector);
    let Some((user, password)) = &proxy.user else { return Ok(tunnel) };
    let value = HeaderValue::from_str(&format!("Basic {}", base64(format!("{user}:{password}").as_bytes())));
    Ok(tunnel.with_auth(value.map_err(|_| ConnectError::new("the proxy's password cannot be sent"))?))
}

fn secure<C>(session: &Session, transport: C) -> Result<Exchange, ConnectError>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError> + Send,
{
    if session.server.scheme_str() == Some("http") {
        return Ok(exchange(session, OneConnection::new(transport)));
    }
    let mut config = kube::Config::new(session.server.clone());
    config.accept_invalid_certs = session.insecure;
    config.root_cert = match &session.ca {
        Some(pem) => Some(certificates(pem)?),
        // Nothing is verified, so the system's roots need not be read.
        None if session.insecure => Some(Vec::new()),
        None => None,
    };
    if let Some((certificate, key)) = &session.identity {
        let key: kube::config::AuthInfo =
            serde_json::from_value(serde_json::json!({"client-key-data": ByteString(key.clone())})).unwrap_or_default();
        config.auth_info = key;
        config.auth_info.client_certificate_data = Some(base64(certificate));
    }
    let tls = config.rustls_client_config().map_err(|e| tls_error(&e))?;
    let mut builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
    if let Some(name) = &session.tls_server_name {
        let parsed = name.clone().try_into().map_err(|_| {
            ConnectError::new(format!("the TLS server name \"{}\" is no host name", one_line(name, 200)))
        })?;
        builder = builder.with_server_name_resolver(hyper_rustls::FixedServerNameResolver::new(parsed));
    }
    Ok(exchange(session, OneConnection::new(builder.enable_all_versions().wrap_connector(transport))))
}

fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, ConnectError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).map(|c| c.map(|c| c.to_vec())).collect();
    read.ok()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| ConnectError::new("the certificate-authority of the cluster holds no PEM certificate"))
}

fn tls_error(error: &kube::Error) -> ConnectError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ConnectError::new(format!(
        "cannot set up TLS: {}; check the certificate, key and certificate-authority of the kubeconfig",
        one_line(&cause.to_string(), 200)
    ))
}

fn exchange<C>(session: &Session, connector: C) -> Exchange
where
    C: Service<Uri, Error = BoxError> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + Unpin + 'static,
{
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(None)
        .build::<_, Empty<Bytes>>(connector);
    let unpacked = ServiceBuilder::new()
        .layer(tower_http::decompression::DecompressionLayer::new().gzip(session.compression))
        .service(client)
        .map_response(|response: Response<_>| response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
        .map_err(BoxError::from);
    BoxCloneSyncService::new(unpacked)
}

/// Keeps requests that start together from opening a connection each: whether the server speaks HTTP/2, and one connection
/// is enough, is known only after the first handshake. The others wait for it, and with HTTP/2 the pool serves them from it.
#[derive(Clone)]
struct OneConnection<C> {
    inner: C,
    first: Arc<tokio::sync::Mutex<Protocol>>,
    opened: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Unknown,
    Http1,
    Http2,
}

impl<C> OneConnection<C> {
    fn new(inner: C) -> Self {
        Self { inner, first: Arc::new(tokio::sync::Mutex::new(Protocol::Unknown)), opened: Arc::default() }
    }
}

impl<C> Service<Uri> for OneConnection<C>
where
    C: Service<Uri> + Clone + Send + 'static,
    C::Response: Connection + Send,
    C::Future: Send,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { inner, first, opened } = self.clone();
        let before = opened.load(Ordering::SeqCst);
        Box::pin(async move {
            let mut known = first.lock().await;
            if *known == Protocol::Http1 {
                drop(known);
                return inner.oneshot(uri).await.map_err(Into::into);
            }
            if *known == Protocol::Http2 && opened.load(Ordering::SeqCst) != before {
                // The pool hands out the connection that was made meanwhile; if it does not, it has broken already.
                drop(known);
                tokio::time::sleep(Duration::from_secs(2)).await;
                return Err("the connection was closed".into());
            }
            let connection = inner.oneshot(uri).await.map_err(Into::into)?;
            *known = if connection.connected().is_negotiated_h2() { Protocol::Http2 } else { Protocol::Http1 };
            opened.fetch_add(1, Ordering::SeqCst);
            Ok(connection)
        })
    }
}
