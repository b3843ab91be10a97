//! One question to the server, and its answer put into the snapshot: an object, an absence, or a refusal.

use std::fmt;

use serde_json::{Map, Value, json};

use super::client::{Client, List, Query};
use super::failure::Failure;
use crate::resource::Kind;
use crate::snapshot::{Log, Lookup, Missing, Node, Snapshot, Unanswered, name_of, namespace_of};

/// At most so many objects come with one list.
const LIST_ITEMS: u32 = 500;
/// So much of the end of a log is kept, in bytes.
const LOG_BYTES: usize = 16 << 10;

/// Something to ask the server. Equal questions are asked once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// One object; of a Secret only its metadata.
    Get {
        /// Its kind.
        kind: &'static str,
        /// Its namespace; empty for a kind without.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Objects of a kind.
    List {
        /// Their kind.
        kind: &'static str,
        /// Their namespace; empty for a kind without.
        namespace: String,
        /// Label selector; with none and no field selector, the list is meant to be complete.
        labels: String,
        /// Field selector.
        fields: String,
    },
    /// Every pod of a namespace, cut down to what counts for other pods.
    Neighbours {
        /// The namespace.
        namespace: String,
    },
    /// Every node.
    Nodes,
    /// Every node that bears some labels.
    NodesWith {
        /// Label selector.
        labels: String,
    },
    /// The pods on a node: cut down, unless the node itself is the target.
    PodsOn {
        /// The node's name.
        node: String,
        /// Whether they are kept whole, ended ones included.
        whole: bool,
    },
    /// The tail of a container's log.
    Log {
        /// The pod's namespace.
        namespace: String,
        /// The pod's name.
        pod: String,
        /// The container's name.
        container: String,
        /// The run before the present one.
        previous: bool,
        /// How many lines.
        lines: u32,
    },
}

/// A question, and how much hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    /// The question.
    pub question: Question,
    /// Nothing is missing without an answer: a guessed name, or names to offer. What fails then is not recorded.
    pub optional: bool,
}

/// What came back.
pub(super) enum Answer {
    Object(Value),
    Objects(List),
    Nodes(Vec<Node>),
    Text(String),
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Get { kind, namespace, name } => write!(f, "get {kind} {namespace}/{name}"),
            Question::List { kind, namespace, labels, fields } => {
                write!(f, "list {kind} {namespace} {labels} {fields}")
            }
            Question::Neighbours { namespace } => write!(f, "list Pod {namespace}"),
            Question::Nodes => f.write_str("list Node"),
            Question::NodesWith { labels } => write!(f, "list Node {labels}"),
            Question::PodsOn { node, .. } => write!(f, "list Pod on {node}"),
            Question::Log { pod, container, previous, .. } => {
                write!(f, "log {pod} {container}{}", if *previous { " previous" } else { "" })
            }
        }
    }
}

/// Asks.
pub(super) async fn ask(client: &Client, question: &Question) -> Result<Answer, Failure> {
    let unknown = || Failure::Other("the kind is not known".to_owned());
    match question {
        Question::Get { kind, namespace, name } => {
            let kind = Kind::named(kind).ok_or_else(unknown)?;
            let object = if kind.kind == "Secret" {
                client.get_metadata(kind, namespace, name).await
            } else {
                client.get(kind, namespace, name).await
            };
            object.map(Answer::Object)
        }
        Question::List { kind, namespace, labels, fields } => {
            let kind = Kind::named(kind).ok_or_else(unknown)?;
            let query = Query {
                namespace: Some(namespace.as_str()).filter(|n| !n.is_empty()),
                labels,
                fields,
                limit: Some(LIST_ITEMS),
                cached: false,
                metadata: kind.kind == "Secret",
            };
            client.list(kind, &query).await.map(Answer::Objects)
        }
        Question::Neighbours { namespace } => pods(client, Some(namespace), "").await,
        Question::PodsOn { node, whole } => {
            let fields = if *whole {
                format!("spec.nodeName={node}")
            } else {
                format!("spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed")
            };
            pods(client, None, &fields).await
        }
        Question::Nodes => client.nodes("").await.map(Answer::Nodes),
        Question::NodesWith { labels } => client.nodes(labels).await.map(Answer::Nodes),
        Question::Log { namespace, pod, container, previous, lines } => {
            client.log(namespace, pod, container, *previous, *lines).await.map(Answer::Text)
        }
    }
}

async fn pods(client: &Client, namespace: Option<&str>, fields: &str) -> Result<Answer, Failure> {
    let kind = Kind::named("Pod").ok_or_else(|| Failure::Other("the kind is not known".to_owned()))?;
    let query = Query { namespace, fields, cached: true, ..Query::default() };
    client.list(kind, &query).await.map(Answer::Objects)
}

/// Puts an answer, or that there is none, into the snapshot. `redact` takes secrets out of log lines.
pub(super) fn store(snapshot: &mut Snapshot, ask: &Ask, answer: Result<Answer, Failure>, redact: fn(&str) -> String) {
    let question = &ask.question;
    match answer {
        Ok(Answer::Object(object)) => snapshot.add(object),
        Ok(Answer::Nodes(nodes)) => {
            nodes.into_iter().for_each(|node| snapshot.add_node(node));
            match question {
                Question::NodesWith { labels } => snapshot.header.nodes_with.insert(labels.clone()),
                _ => snapshot.header.complete.insert("nodes".to_owned()),
            };
        }
        Ok(Answer::Objects(list)) => store_list(snapshot, question, list),
        Ok(Answer::Text(text)) => {
            if let Question::Log { pod, container, previous, .. } = question {
                let log = Log {
                    pod: pod.clone(),
                    container: container.clone(),
                    previous: *previous,
                    text: redact(tail(&text)),
                };
                snapshot.header.logs.push(log);
            }
        }
        Err(_) if ask.optional => {}
        Err(Failure::Invalid(_)) if matches!(question, Question::Log { .. }) => {}
        Err(failure) => store_failure(snapshot, question, &failure),
    }
}

fn store_list(snapshot: &mut Snapshot, question: &Question, list: List) {
    let lean = matches!(question, Question::Neighbours { .. } | Question::PodsOn { whole: false, .. });
    for object in list.items {
        if !lean {
            snapshot.add(object);
        } else if !matches!(snapshot.object("Pod", namespace_of(&object), name_of(&object)), Lookup::Found(_)) {
            // A pod that is here whole is not replaced by less.
            snapshot.add(cut_down(&object));
        }
    }
    if list.more {
        return;
    }
    match question {
        Question::List { kind, namespace, labels, fields } if labels.is_empty() && fields.is_empty() => {
            if let Some(kind) = Kind::named(kind).filter(|k| !k.namespaced || *namespace == snapshot.header.namespace) {
                snapshot.header.complete.insert(kind.resource());
            }
        }
        Question::Neighbours { namespace } if *namespace == snapshot.header.namespace => {
            snapshot.header.complete.insert("pods".to_owned());
        }
        Question::PodsOn { node, .. } => {
            snapshot.header.pods_on.insert(node.clone());
        }
        _ => {}
    }
}

fn store_failure(snapshot: &mut Snapshot, question: &Question, failure: &Failure) {
    let (verb, resource, namespace, name) = match question {
        Question::Get { kind, namespace, name } => ("get", resource(kind), namespace.clone(), name.clone()),
        Question::List { kind, namespace, .. } => ("list", resource(kind), namespace.clone(), String::new()),
        Question::Neighbours { namespace } => ("list", "pods".to_owned(), namespace.clone(), String::new()),
        Question::Nodes | Question::NodesWith { .. } => ("list", "nodes".to_owned(), String::new(), String::new()),
        Question::PodsOn { .. } => ("list", "pods".to_owned(), String::new(), String::new()),
        Question::Log { namespace, pod, .. } => ("get", "pods/log".to_owned(), namespace.clone(), pod.clone()),
    };
    let namespace = if namespace == snapshot.header.namespace { String::new() } else { namespace };
    match (failure, question) {
        (Failure::NotFound(_), Question::Get { .. }) => {
            snapshot.header.not_found.push(Missing { resource, namespace, name })
        }
        // The pod or its node went away between two questions.
        (Failure::NotFound(_), Question::Log { .. }) => {}
        _ => snapshot.header.unanswered.push(Unanswered {
            verb: verb.to_owned(),
            resource,
            namespace,
            name,
            why: failure.to_string(),
        }),
    }
}

fn resource(kind: &str) -> String {
    Kind::named(kind).map(Kind::resource).unwrap_or_default()
}

/// The end of a log, from the beginning of a line.
fn tail(text: &str) -> &str {
    let mut from = text.len().saturating_sub(LOG_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = text.get(from..).unwrap_or_default();
    match end.split_once('\n') {
        Some((_, lines)) if from > 0 && !lines.is_empty() => lines,
        _ => end,
    }
}

/// What counts of a pod for another pod: where it runs, what it requests, which ports, labels and anti-affinity it has.
fn cut_down(pod: &Value) -> Value {
    let keep = |from: Option<&Value>, keys: &[&str]| -> Map<String, Value> {
        let from = from.and_then(Value::as_object);
        keys.iter().filter_map(|key| from?.get(*key).map(|value| ((*key).to_owned(), value.clone()))).collect()
    };
    let metadata = keep(
        pod.get("metadata"),
        &["name", "namespace", "uid", "labels", "ownerReferences", "creationTimestamp", "deletionTimestamp"],
    );
    let mut spec = keep(pod.get("spec"), &["nodeName", "resources", "overhead", "priority", "affinity", "hostNetwork"]);
    for list in ["containers", "initContainers"] {
        if let Some(Value::Array(containers)) = pod.pointer(&format!("/spec/{list}")) {
            let lean = containers
                .iter()
                .map(|c| Value::Object(keep(Some(c), &["name", "resources", "ports", "restartPolicy"])))
                .collect();
            spec.insert(list.to_owned(), Value::Array(lean));
        }
    }
    let status = keep(pod.get("status"), &["phase", "resources"]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_begins_with_a_whole_line() {
        let text = format!("{}\nlast line\n", "\u{e9}".repeat(LOG_BYTES));
        assert_eq!(tail(&text), "last line\n");
        assert_eq!(tail("short"), "short");
        assert_eq!(tail(&"x".repeat(LOG_BYTES + 5)).len(), LOG_BYTES);
    }

    #[test]
    fn a_neighbour_keeps_what_it_takes_from_a_node_and_nothing_secret() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "n", "namespace": "a", "annotations": {"x": "y"}},
            "spec": {"nodeName": "w", "containers": [{"name": "c", "image": "i", "env": [{"name": "P", "value": "hunter2"}], "resources": {"requests": {"cpu": "1"}}}]},
            "status": {"phase": "Running", "podIP": "10.0.0.1"}});
        let cut = cut_down(&pod);
        assert_eq!(cut.pointer("/spec/containers/0/resources/requests/cpu"), Some(&json!("1")));
        assert!(!cut.to_string().contains("hunter2"));
    }

    #[test]
    fn a_pod_that_is_here_whole_is_not_replaced_by_less() {
        let mut snapshot = Snapshot::default();
        let pod = json!({"kind": "Pod", "metadata": {"name": "n", "namespace": "a"}, "spec": {"dnsPolicy": "Default"}});
        snapshot.add(pod.clone());
        let ask = Ask { question: Question::PodsOn { node: "w".to_owned(), whole: false }, optional: false };
        store(&mut snapshot, &ask, Ok(Answer::Objects(List { items: vec![pod], more: false })), str::to_owned);
        assert_eq!(snapshot.all("Pod").len(), 1);
        assert!(snapshot.all("Pod").iter().all(|p| p.pointer("/spec/dnsPolicy").is_some()));
        assert!(snapshot.header.pods_on.contains("w"));
    }

    #[test]
    fn only_a_list_that_is_all_there_makes_an_absence() {
        for (labels, more, complete) in [("", false, true), ("", true, false), ("app=x", false, false)] {
            let mut snapshot = Snapshot::default();
            snapshot.header.namespace = "a".to_owned();
            let question = Question::List {
                kind: "ConfigMap",
                namespace: "a".to_owned(),
                labels: labels.to_owned(),
                fields: String::new(),
            };
            store(
                &mut snapshot,
                &Ask { question, optional: false },
                Ok(Answer::Objects(List { items: vec![], more })),
                str::to_owned,
            );
            assert_eq!(snapshot.object("ConfigMap", "a", "gone").is_absent(), complete, "{labels} {more}");
        }
    }

    #[test]
    fn a_refusal_is_kept_and_a_guess_leaves_no_trace() {
        let question = Question::Get { kind: "Deployment", namespace: "a".to_owned(), name: "api".to_owned() };
        for (optional, kept) in [(false, 1), (true, 0)] {
            let mut snapshot = Snapshot::default();
            store(
                &mut snapshot,
                &Ask { question: question.clone(), optional },
                Err(Failure::Forbidden("no".to_owned())),
                str::to_owned,
            );
            assert_eq!(snapshot.header.unanswered.len(), kept);
            assert!(snapshot.header.unanswered.iter().all(Unanswered::is_refusal));
        }
    }
}
