//! A snapshot from a cluster: wave after wave of questions until the plan has none left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ask::{self, Ask, Question};
use super::client::{Client, Query};
use super::connect::one_line;
use super::failure::Failure;
use super::plan::{self, Depth};
use crate::facts::edit_distance;
use crate::resource::Kind;
use crate::snapshot::{Header, Lookup, Snapshot, Target, name_of};

/// More waves than any plan has.
const WAVES: u32 = 8;
/// So many questions are on their way at once: fewer than the streams that a server allows on one HTTP/2 connection.
const AT_ONCE: usize = 32;
/// So many close names are offered.
const CLOSE: usize = 4;

/// How a snapshot is to be gathered.
#[derive(Clone, Copy)]
pub struct Options {
    /// How much to read.
    pub depth: Depth,
    /// Takes secrets out of log lines before they are kept.
    pub redact: fn(&str) -> String,
}

impl Default for Options {
    fn default() -> Self {
        Self { depth: Depth::default(), redact: str::to_owned }
    }
}

/// Why there is no snapshot at all. `Display` is the whole message for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fatal {
    /// The target does not exist.
    NotFound {
        /// `pod/api`
        target: String,
        /// Where it was looked for; empty for a node.
        namespace: String,
        /// The context; can be empty.
        context: String,
        /// Names that exist, the nearest first.
        close: Vec<String>,
        /// The namespace does not exist either.
        no_namespace: bool,
    },
    /// The server did not answer: what was tried and what came of it.
    Unreachable(String),
    /// The user may not read the target, or the credentials were not accepted.
    Refused(String),
    /// The server answered, and not with the target.
    Failed(String),
    /// The server cannot make sense of a selector: its own words.
    Selector(String),
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fatal::NotFound { target, namespace, context, close, no_namespace } => {
                write!(f, "{target} does not exist")?;
                if *no_namespace {
                    write!(f, ", and neither does its namespace {namespace}")?;
                } else if !namespace.is_empty() {
                    write!(f, " in namespace {namespace}")?;
                }
                if !context.is_empty() {
                    write!(f, " (context {context})")?;
                }
                if close.is_empty() { Ok(()) } else { write!(f, "; there is {}", close.join(", ")) }
            }
            Fatal::Unreachable(text) | Fatal::Refused(text) | Fatal::Failed(text) | Fatal::Selector(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for Fatal {}

/// The clock of a snapshot, in whole seconds like the API's own times.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Gathers what a diagnosis of the target needs. Every answer but the target's own may be missing.
///
/// # Errors
/// Only if the target itself cannot be read.
pub async fn gather(client: &Client, target: &Target, options: &Options) -> Result<Snapshot, Fatal> {
    let singular = Kind::named(target.kind).map(Kind::singular).unwrap_or_default();
    let mut snapshot = Snapshot::new(Header {
        taken_at: Some(now()),
        target: format!("{singular}/{}", target.name),
        namespace: target.namespace.clone(),
        ..Header::default()
    });
    let itself = Question::Get { kind: target.kind, namespace: target.namespace.clone(), name: target.name.clone() };
    let mut asked: BTreeSet<Question> = BTreeSet::new();
    for wave in 1..=WAVES {
        let asks = plan::next(&snapshot, target, &asked, &options.depth);
        if asks.is_empty() {
            break;
        }
        asked.extend(asks.iter().map(|ask| ask.question.clone()));
        client.set_wave(wave);
        for (ask, answer) in all(client, asks, &Arc::default()).await {
            match answer {
                Err(failure) if ask.question == itself => return Err(fatal(client, target, failure).await),
                answer => ask::store(&mut snapshot, &ask, answer, options.redact),
            }
        }
        snapshot.settle();
    }
    let here = if target.kind == "Node" {
        snapshot.node(&target.name).map(|_| ())
    } else {
        snapshot.object(target.kind, &target.namespace, &target.name).map(|_| ())
    };
    match here {
        Lookup::Found(()) => Ok(snapshot),
        _ => Err(Fatal::Failed(format!(
            "{} answered, and not with {singular}/{}",
            client.server(),
            one_line(&target.name, 100)
        ))),
    }
}

/// One wave, the answers in the questions' order; `answered` counts along.
pub(super) async fn all(
    client: &Client,
    asks: Vec<Ask>,
    answered: &Arc<AtomicUsize>,
) -> Vec<(Ask, Result<ask::Answer, Failure>)> {
    let mut running = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    for (index, question) in asks.iter().map(|ask| ask.question.clone()).enumerate() {
        let (client, room, answered) = (client.clone(), room.clone(), answered.clone());
        running.spawn(async move {
            let _place = room.acquire().await;
            let answer = ask::ask(&client, &question).await;
            answered.fetch_add(1, Ordering::Relaxed);
            (index, answer)
        });
    }
    let mut answers = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        answers.extend(done.ok());
    }
    // A question whose answer could not even be handled has failed like any other.
    let lost = || Err(Failure::Other("the answer could not be handled, which is a fault of kubectl-why".to_owned()));
    asks.into_iter().enumerate().map(|(index, ask)| (ask, answers.remove(&index).unwrap_or_else(lost))).collect()
}

async fn fatal(client: &Client, target: &Target, failure: Failure) -> Fatal {
    let kind = Kind::named(target.kind);
    let what = format!("{}/{}", kind.map(Kind::singular).unwrap_or_default(), one_line(&target.name, 260));
    if !matches!(failure, Failure::NotFound(_)) {
        return unreadable(client, &what, &format!("get {}", kind.map(Kind::resource).unwrap_or_default()), failure);
    }
    let (close, no_namespace) = match kind {
        Some(kind) => close_names(client, kind, target).await,
        None => (Vec::new(), false),
    };
    Fatal::NotFound {
        target: what,
        namespace: target.namespace.clone(),
        context: one_line(client.context(), 100),
        close,
        no_namespace,
    }
}

/// That something could not be read at all, and what to do. `right` is what the user must be allowed to.
pub(super) fn unreadable(client: &Client, what: &str, right: &str, failure: Failure) -> Fatal {
    let server = client.server();
    let context = match client.context() {
        "" => String::new(),
        name => format!(" (context {})", one_line(name, 100)),
    };
    match failure {
        Failure::Unreachable(why) if why.contains("certificate") => Fatal::Unreachable(format!(
            "the API server at {server}{context} is not trusted: {why}; check server and certificate-authority of the kubeconfig"
        )),
        Failure::Unreachable(why) => Fatal::Unreachable(format!(
            "cannot reach the API server at {server}{context}: {why}; check that the cluster runs and that kubectl cluster-info answers"
        )),
        Failure::TimedOut(_) => Fatal::Unreachable(format!(
            "the API server at {server}{context} did not answer within {}; try a longer --request-timeout, and check the network and the proxy",
            client.limit()
        )),
        Failure::Unauthorized(why) => {
            let user = if client.user().is_empty() {
                String::new()
            } else {
                format!(" of user \"{}\"", one_line(client.user(), 100))
            };
            Fatal::Refused(format!(
                "the API server at {server}{context} does not accept the credentials{user} (401: {why}); log in again, or renew the token or certificate"
            ))
        }
        Failure::Forbidden(why) => {
            Fatal::Refused(format!("{what} cannot be read{context}: {why}; ask for the right to {right}"))
        }
        Failure::NotServed(why) => Fatal::Failed(format!(
            "{what} cannot be read from {server}{context}: {why}; check that this is the address of a Kubernetes API server"
        )),
        Failure::NotFound(why) | Failure::Invalid(why) | Failure::Other(why) => {
            Fatal::Failed(format!("{what} cannot be read from {server}{context}: {why}"))
        }
    }
}

/// The names in the namespace that are nearest to the one that does not exist; and whether the namespace is missing, too.
async fn close_names(client: &Client, kind: &Kind, target: &Target) -> (Vec<String>, bool) {
    let query = Query {
        namespace: Some(target.namespace.as_str()).filter(|n| !n.is_empty()),
        limit: Some(500),
        metadata: true,
        ..Query::default()
    };
    let list = client.list(kind, &query).await.unwrap_or_default();
    let no_namespace = match Kind::named("Namespace") {
        Some(namespaces) if list.items.is_empty() && kind.namespaced => {
            matches!(client.get_metadata(namespaces, "", &target.namespace).await, Err(Failure::NotFound(_)))
        }
        _ => false,
    };
    (nearest(&target.name, list.items.iter().map(name_of)), no_namespace)
}

/// Of some names those that look like one, the nearest first, at most four.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> =
        names.take(500).filter_map(|other| likeness(name, other).map(|d| (d, other))).collect();
    ranked.sort();
    ranked.dedup();
    ranked.into_iter().take(CLOSE).map(|(_, name)| one_line(name, 260)).collect()
}

/// How far a name is from another; nothing if they have little in common. A name that begins with the other is near: people
/// leave off the suffixes that controllers make.
fn likeness(name: &str, other: &str) -> Option<usize> {
    if name.is_empty() || name.len() > 300 || other.len() > 300 {
        return None;
    }
    let distance = edit_distance(name, other);
    if other.starts_with(name) || name.starts_with(other) && !other.is_empty() {
        return Some(1 + distance / 16);
    }
    let share = other.split('-').next().is_some_and(|first| first.len() > 2 && name.split('-').next() == Some(first));
    (distance <= 1 + name.chars().count() / 3 || share).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_those_that_one_could_have_meant() {
        let names = ["checkout-7d9f8b6c5d-x2k4q", "chekout-1", "billing-0", "checkout-worker-0"];
        assert_eq!(
            nearest("checkout", names.into_iter()),
            ["checkout-worker-0", "checkout-7d9f8b6c5d-x2k4q", "chekout-1"]
        );
        assert_eq!(nearest("biling-0", names.into_iter()), ["billing-0"]);
        assert!(nearest("zzz", names.into_iter()).is_empty());
        assert!(nearest("", names.into_iter()).is_empty());
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, n) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("a", "b", 1)] {
            assert_eq!(edit_distance(a, b), n, "{a} {b}");
        }
    }
}
