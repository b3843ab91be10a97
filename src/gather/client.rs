//! Questions to an API server. There are three: one object, a list of objects, the tail of a log; nothing can be changed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use serde_json::Value;
use tower::ServiceExt;

use super::answer::{Sink, Trial, broken, read};
use super::connect::{Connect, ConnectError};
use super::failure::{Failure, seconds};
use super::kubeconfig::Surroundings;
use super::path::{base, encode, named_as, push_query};
use super::proto::{ListSink, PodItems, status as status_of};
use super::session::Session;
use super::transport::{self, Exchange};
use crate::resource::Kind;
use crate::snapshot::Node;

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf, application/json";

/// The longest object that is read, in bytes after unpacking.
const OBJECT_LIMIT: usize = 8 << 20;
/// The longest list that is read.
const LIST_LIMIT: usize = 64 << 20;
/// The longest list that is decoded while it comes in.
const STREAM_LIMIT: usize = 512 << 20;
/// The longest log tail that is read; limitBytes asks the server for less.
const LOG_LIMIT: usize = 1 << 20;
const RETRIES: u32 = 2;
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A connection to one cluster as one user.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    exchange: Exchange,
    session: Session,
    wave: AtomicU32,
    records: Mutex<Vec<Record>>,
}

/// One question and how long its answer took, for `-v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `get`, `list` or `log`.
    pub verb: &'static str,
    /// Path and query.
    pub path: String,
    /// In which wave it was asked, from 1.
    pub wave: u32,
    /// Until the answer was read whole.
    pub took: Duration,
    /// Bytes after unpacking.
    pub bytes: usize,
    /// `200`, or what went wrong.
    pub result: String,
}

/// Which objects a list is to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query<'a> {
    /// Of one namespace; with none, of all.
    pub namespace: Option<&'a str>,
    /// `labelSelector`
    pub labels: &'a str,
    /// `fieldSelector`
    pub fields: &'a str,
    /// At most so many.
    pub limit: Option<u32>,
    /// From the server's cache, which may lag by moments and spares etcd; `limit` does not count then.
    pub cached: bool,
    /// Only metadata.
    pub metadata: bool,
}

/// A list, or its beginning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct List {
    /// The objects, each with its kind.
    pub items: Vec<Value>,
    /// Whether the server has more of them.
    pub more: bool,
}

impl Client {
    /// Prepares a connection as kubectl would; nothing is sent yet.
    ///
    /// # Errors
    /// Whatever is wrong with kubeconfig, flags or credential plugin.
    pub async fn connect(connect: &Connect) -> Result<Self, ConnectError> {
        Self::connect_from(connect, &Surroundings::real()).await
    }

    /// The same with another environment.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect_from(connect: &Connect, around: &Surroundings) -> Result<Self, ConnectError> {
        let session = Session::open(connect, around).await?;
        let exchange = transport::open(&session)?;
        Ok(Self { inner: Arc::new(Inner { exchange, session, wave: AtomicU32::new(1), records: Mutex::default() }) })
    }

    /// The namespace that is meant when none is named.
    pub fn namespace(&self) -> &str {
        &self.inner.session.namespace
    }

    /// The context's name; empty in a pod, or with `--server` alone.
    pub fn context(&self) -> &str {
        &self.inner.session.context
    }

    /// The user's name in the kubeconfig; can be empty.
    pub fn user(&self) -> &str {
        &self.inner.session.user_name
    }

    /// The server's URL, without credentials that stand in it.
    pub fn server(&self) -> String {
        let server = &self.inner.session.server;
        let port = server.port().map(|p| format!(":{p}")).unwrap_or_default();
        let path = server.path().trim_end_matches('/');
        format!("{}://{}{port}{path}", server.scheme_str().unwrap_or("https"), server.host().unwrap_or_default())
    }

    /// Every question so far, in the order in which they were answered.
    pub fn records(&self) -> Vec<Record> {
        self.inner.records.lock().map(|r| r.clone()).unwrap_or_default()
    }

    pub(super) fn set_wave(&self, wave: u32) {
        self.inner.wave.store(wave, Ordering::Relaxed);
    }

    /// One object.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Value, Failure> {
        self.object(kind, namespace, name, JSON).await
    }

    /// One object's metadata: nothing else of it leaves the server.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn get_metadata(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Value, Failure> {
        self.object(kind, namespace, name, METADATA).await
    }

    async fn object(&self, kind: &Kind, namespace: &str, name: &str, accept: &'static str) -> Result<Value, Failure> {
        let path = format!("{}/{}", base(kind, Some(namespace)), encode(name));
        let mut body = Vec::new();
        self.ask("get", path, accept, OBJECT_LIMIT, &mut body).await?;
        let object = parse(&body)?;
        named_as(kind, object).ok_or_else(|| Failure::Other("the answer is no Kubernetes object".to_owned()))
    }

    /// A list of objects.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn list(&self, kind: &Kind, query: &Query<'_>) -> Result<List, Failure> {
        let mut path = base(kind, query.namespace);
        let limit = query.limit.map(|l| l.to_string()).unwrap_or_default();
        let version = if query.cached { "0" } else { "" };
        push_query(
            &mut path,
            &[
                ("labelSelector", query.labels),
                ("fieldSelector", query.fields),
                ("limit", &limit),
                ("resourceVersion", version),
            ],
        );
        let mut body = Vec::new();
        self.ask("list", path, if query.metadata { METADATA_LIST } else { JSON }, LIST_LIMIT, &mut body).await?;
        let mut list = parse(&body)?;
        drop(body);
        let more = list.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|token| !token.is_empty());
        match list.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => {
                Ok(List { items: items.into_iter().filter_map(|item| named_as(kind, item)).collect(), more })
            }
            Some(Value::Null) => Ok(List { items: Vec::new(), more }),
            _ => Err(Failure::Other("the answer is no list".to_owned())),
        }
    }

    /// The nodes, lean, as protobuf where the server offers it, from its cache.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn nodes(&self, labels: &str) -> Result<Vec<Node>, Failure> {
        let Some(kind) = Kind::named("Node") else { return Ok(Vec::new()) };
        let mut path = base(kind, None);
        push_query(&mut path, &[("labelSelector", labels), ("resourceVersion", "0")]);
        let mut sink = ListSink::new(Vec::new());
        self.ask("list", path, PROTOBUF, STREAM_LIMIT, &mut sink).await?;
        sink.finish().map_err(Failure::Other)
    }

    /// The pods that the query selects, as far as `items` keeps them; as [`Client::nodes`].
    pub(super) async fn pods(&self, query: &Query<'_>, items: PodItems) -> Result<PodItems, Failure> {
        let Some(kind) = Kind::named("Pod") else { return Ok(items) };
        let mut path = base(kind, query.namespace);
        push_query(
            &mut path,
            &[("labelSelector", query.labels), ("fieldSelector", query.fields), ("resourceVersion", "0")],
        );
        let mut sink = ListSink::new(items);
        self.ask("list", path, PROTOBUF, STREAM_LIMIT, &mut sink).await?;
        sink.finish().map_err(Failure::Other)
    }

    /// The last `lines` lines of a container's log.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        lines: u32,
    ) -> Result<String, Failure> {
        let Some(kind) = Kind::named("Pod") else { return Ok(String::new()) };
        let mut path = format!("{}/{}/log", base(kind, Some(namespace)), encode(pod));
        let lines = lines.to_string();
        // The server cuts at limitBytes from the beginning of the tail, so it is far more than what is kept.
        push_query(
            &mut path,
            &[
                ("container", container),
                ("previous", if previous { "true" } else { "" }),
                ("tailLines", &lines),
                ("limitBytes", "262144"),
            ],
        );
        let mut body = Vec::new();
        self.ask("log", path, "*/*", LOG_LIMIT, &mut body).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    async fn ask(
        &self,
        verb: &'static str,
        path: String,
        accept: &'static str,
        limit: usize,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let mut bytes = 0;
        let attempts = self.attempts(&path, accept, limit, sink, &mut bytes);
        let result = match self.inner.session.timeout {
            Some(limit) => tokio::time::timeout(limit, attempts).await.unwrap_or(Err(Failure::TimedOut(limit))),
            None => attempts.await,
        };
        let text = result.as_ref().map_or_else(|failure| failure.to_string(), |()| "200".to_owned());
        if let Ok(mut records) = self.inner.records.lock() {
            records.push(Record {
                verb,
                path,
                wave: self.inner.wave.load(Ordering::Relaxed),
                took: started.elapsed(),
                bytes,
                result: text,
            });
        }
        result
    }

    async fn attempts(
        &self,
        path: &str,
        accept: &'static str,
        limit: usize,
        sink: &mut dyn Sink,
        bytes: &mut usize,
    ) -> Result<(), Failure> {
        let uri = self.uri(path)?;
        for attempt in 0.. {
            let (failure, wait) = match self.attempt(&uri, accept, limit, sink, bytes).await {
                Ok(()) => return Ok(()),
                Err(Trial::Over(failure)) => return Err(failure),
                Err(Trial::Again(failure, wait)) => (failure, wait),
            };
            let wait = wait.unwrap_or(Duration::from_millis(100 << attempt.min(4)));
            // A server that wants to be left alone for longer is left alone.
            if attempt >= RETRIES || wait > LONGEST_WAIT {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
        }
        Err(Failure::Other("there was no answer".to_owned()))
    }

    async fn attempt(
        &self,
        uri: &Uri,
        accept: &'static str,
        limit: usize,
        sink: &mut dyn Sink,
        bytes: &mut usize,
    ) -> Result<(), Trial> {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        for (name, value) in &self.inner.session.headers {
            headers.append(name.clone(), value.clone());
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        let response = self.inner.exchange.clone().oneshot(request).await.map_err(|e| broken(&e))?;
        let status = response.status();
        *bytes = 0;
        if status.is_success() {
            let content_type =
                response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
            sink.begin(content_type);
            return read(response.into_body(), limit, sink, bytes).await;
        }
        let wait = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.trim().parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        // What there is of an error's body is enough: the status says the most.
        let _ = read(response.into_body(), 1 << 20, &mut body, bytes).await;
        let failure = Failure::of_status(status, status_of(&body));
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(Trial::Again(failure, wait)),
            _ => Err(Trial::Over(failure)),
        }
    }

    /// The server's URL, which can have a path of its own, and then the question's.
    fn uri(&self, path: &str) -> Result<Uri, Failure> {
        let server = &self.inner.session.server;
        let prefix = server.path().trim_end_matches('/');
        let built = Uri::builder()
            .scheme(server.scheme_str().unwrap_or("https"))
            .authority(
                server.authority().map(|a| a.as_str().rsplit('@').next().unwrap_or_default()).unwrap_or_default(),
            )
            .path_and_query(format!("{prefix}{path}"))
            .build();
        built.map_err(|_| Failure::Other("the question makes no URL".to_owned()))
    }

    /// The time limit of one question, as text.
    pub(super) fn limit(&self) -> String {
        self.inner.session.timeout.map(seconds).unwrap_or_default()
    }
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::Other("the answer is not valid JSON".to_owned()))
}
