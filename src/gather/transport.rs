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
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::connect::{ConnectError, one_line};
use super::exec::base64;
use super::proxy::Proxy;
use super::session::Session;
use super::tls;

/// What comes back, unpacked.
pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;
/// One request, one response.
pub(super) type Exchange = BoxCloneSyncService<Request<Empty<Bytes>>, Response<Body>, BoxError>;

/// A connection of any make. One type for all of them, as each further one would have its own copy of the HTTP code.
type Stream = Box<dyn Io>;
/// What makes connections.
type Connector = BoxCloneSyncService<Uri, Stream, BoxError>;

trait Io: Connection + Read + Write + Send + Unpin {}

impl<T: Connection + Read + Write + Send + Unpin> Io for T {}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        (**self).connected()
    }
}

fn boxed<C>(connector: C) -> Connector
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Io + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError> + 'static,
{
    BoxCloneSyncService::new(connector.map_response(|made| Box::new(made) as Stream).map_err(Into::into))
}

/// Prepares the connection; nothing is sent before the first request.
pub(super) fn open(session: &Session) -> Result<Exchange, ConnectError> {
    let transport = match &session.proxy {
        Some(proxy) => through(proxy)?,
        None => boxed(tcp()),
    };
    if session.server.scheme_str() == Some("http") {
        return Ok(exchange(session, transport));
    }
    let mut builder = HttpsConnectorBuilder::new().with_tls_config(tls::of_cluster(session)?).https_only();
    if let Some(name) = &session.tls_server_name {
        let parsed = name.clone().try_into().map_err(|_| {
            ConnectError::new(format!("the TLS server name \"{}\" is no host name", one_line(name, 200)))
        })?;
        builder = builder.with_server_name_resolver(hyper_rustls::FixedServerNameResolver::new(parsed));
    }
    Ok(exchange(session, boxed(builder.enable_all_versions().wrap_connector(transport))))
}

fn through(proxy: &Proxy) -> Result<Connector, ConnectError> {
    Ok(match proxy.uri.scheme_str() {
        Some("socks5" | "socks5h") => {
            let socks = SocksV5::new(proxy.uri.clone(), boxed(tcp()));
            boxed(match proxy.user.clone() {
                Some((user, password)) => socks.with_auth(user, password),
                None => socks,
            })
        }
        Some("https") => {
            let outer = HttpsConnectorBuilder::new().with_tls_config(tls::of_proxy()?).https_only().enable_http1();
            boxed(tunnel(proxy, boxed(outer.wrap_connector(boxed(tcp()))))?)
        }
        _ => boxed(tunnel(proxy, boxed(tcp()))?),
    })
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp
}

fn tunnel(proxy: &Proxy, connector: Connector) -> Result<Tunnel<Connector>, ConnectError> {
    let tunnel = Tunnel::new(proxy.uri.clone(), connector);
    let Some((user, password)) = &proxy.user else { return Ok(tunnel) };
    let value = HeaderValue::from_str(&format!("Basic {}", base64(format!("{user}:{password}").as_bytes())));
    Ok(tunnel.with_auth(value.map_err(|_| ConnectError::new("the proxy's password cannot be sent"))?))
}

fn exchange(session: &Session, connector: Connector) -> Exchange {
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(None)
        .build::<_, Empty<Bytes>>(OneConnection::new(connector));
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
struct OneConnection {
    inner: Connector,
    first: Arc<tokio::sync::Mutex<Protocol>>,
    opened: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Unknown,
    Http1,
    Http2,
}

impl OneConnection {
    fn new(inner: Connector) -> Self {
        Self { inner, first: Arc::new(tokio::sync::Mutex::new(Protocol::Unknown)), opened: Arc::default() }
    }
}

impl Service<Uri> for OneConnection {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

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
                return inner.oneshot(uri).await;
            }
            if *known == Protocol::Http2 && opened.load(Ordering::SeqCst) != before {
                // The pool hands out the connection that was made meanwhile; if it does not, it has broken already.
                drop(known);
                tokio::time::sleep(Duration::from_secs(2)).await;
                return Err("the connection was closed".into());
            }
            let connection = inner.oneshot(uri).await?;
            *known = if connection.connected().is_negotiated_h2() { Protocol::Http2 } else { Protocol::Http1 };
            opened.fetch_add(1, Ordering::SeqCst);
            Ok(connection)
        })
    }
}
