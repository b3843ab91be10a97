//! Many pods at once: all are listed, few are read. Which of them deserve it, and how closely, is decided by how they look in
//! the list.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::ask::{self, Ask, Question};
use super::client::{Client, Query};
use super::failure::Failure;
use super::live::{self, Fatal, Options};
use super::plan;
use super::progress::Progress;
use super::proto::{Listed, Look, PodItems, PodMessage};
use crate::snapshot::{Header, Lookup, Snapshot, Target};

/// So many pods are read and diagnosed, the worst first.
const READ: usize = 200;
/// So many of them are looked at as closely as a single pod would be, one of each owner first: what is found out for it
/// serves its like.
const CLOSE: usize = 20;
/// More questions than this are not asked for the closer look.
const QUESTIONS: usize = 120;
/// The Warning events of so many namespaces are read.
const NAMESPACES: usize = 20;
/// With more nodes than this to be asked for, all are listed.
const NODES: usize = 10;
/// More waves than any plan has.
const WAVES: u32 = 8;

/// Which pods are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pods {
    /// Those of one namespace; with none, of all.
    pub namespace: Option<String>,
    /// `labelSelector`
    pub labels: String,
    /// `fieldSelector`
    pub fields: String,
}

/// The pods that may not be fine, and how many are.
#[derive(Debug, Default)]
pub struct Overview {
    /// What was read.
    pub snapshot: Snapshot,
    /// The pods in it that are worth a diagnosis.
    pub targets: Vec<Target>,
    /// Pods that are fine.
    pub fine: usize,
    /// Pods that are not fine and were too many to be read.
    pub left_out: usize,
}

/// Gathers what a diagnosis of all pods that are not fine needs.
///
/// # Errors
/// Only if the pods cannot be listed.
pub async fn overview(client: &Client, pods: &Pods, options: &Options, progress: &Progress) -> Result<Overview, Fatal> {
    let now = super::live::now();
    client.set_wave(1);
    let query = Query {
        namespace: pods.namespace.as_deref(),
        labels: &pods.labels,
        fields: &pods.fields,
        cached: true,
        ..Query::default()
    };
    let items = PodItems::new(now, progress.clone());
    let listed = match client.pods(&query, items).await {
        Ok(listed) => listed,
        // Nothing else in the question can be wrong.
        Err(Failure::Invalid(why)) => return Err(Fatal::Selector(why)),
        Err(failure) => {
            let place = pods.namespace.as_ref().map_or("the cluster".to_owned(), |n| format!("namespace {n}"));
            return Err(live::unreadable(client, &format!("the pods of {place}"), "list pods", failure));
        }
    };
    let choice = choose(listed.others, listed.fine);
    let mut snapshot = Snapshot::new(Header {
        taken_at: Some(now),
        namespace: pods.namespace.clone().unwrap_or_default(),
        ..Header::default()
    });
    let mut asked: BTreeSet<Question> = BTreeSet::new();
    let mut asks = first_look(&choice.read);
    let first = asks.len();
    for wave in 2..=WAVES {
        if asks.is_empty() {
            break;
        }
        asked.extend(asks.iter().map(|ask| ask.question.clone()));
        progress.ask(asks.len());
        client.set_wave(wave);
        for (ask, answer) in live::all(client, asks, progress.answers()).await {
            ask::store(&mut snapshot, &ask, answer, options.redact);
        }
        snapshot.settle();
        asks = plan::next_of_pods(&snapshot, &choice.close, &asked, &options.depth, first + QUESTIONS);
    }
    let mut targets = Vec::new();
    let mut left_out = choice.left_out;
    for target in choice.read.iter().map(target) {
        match snapshot.object("Pod", &target.namespace, &target.name) {
            Lookup::Found(_) => targets.push(target),
            // It has gone since the list was made.
            Lookup::NotFound => {}
            _ => left_out += 1,
        }
    }
    Ok(Overview { snapshot, targets, fine: choice.fine, left_out })
}

/// The same from objects that are here already: no pod needs to be read, so none is left out for that.
pub fn overview_of(snapshot: Snapshot, namespace: Option<&str>) -> Overview {
    let now = snapshot.taken_at();
    let mut fine = 0;
    let mut others = Vec::new();
    for pod in snapshot.all("Pod").iter().filter(|pod| !is_cut_down(pod)) {
        if namespace.is_some_and(|n| n != crate::snapshot::namespace_of(pod)) {
            continue;
        }
        let message = PodMessage::deserialize(pod).ok();
        match message.as_ref().map_or(Look::Waiting, |m| m.look(now)) {
            Look::Fine => fine += 1,
            _ => others.push(Target {
                kind: "Pod",
                namespace: crate::snapshot::namespace_of(pod).to_owned(),
                name: crate::snapshot::name_of(pod).to_owned(),
            }),
        }
    }
    Overview { targets: others, snapshot, fine, left_out: 0 }
}

/// Which pods are read, and which of them closely.
struct Choice {
    read: Vec<Listed>,
    close: Vec<Target>,
    fine: usize,
    left_out: usize,
}

fn choose(mut others: Vec<Listed>, fine: usize) -> Choice {
    others.sort_by(|a, b| {
        (b.look, b.created)
            .cmp(&(a.look, a.created))
            .then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
    });
    let rest = others.split_off(others.len().min(READ));
    let hopeful = rest.iter().filter(|pod| pod.look == Look::Likely).count();
    let mut owners = BTreeSet::new();
    let (mut first, more): (Vec<&Listed>, Vec<&Listed>) =
        others.iter().partition(|pod| pod.owner.is_empty() || owners.insert(pod.owner.as_str()));
    first.extend(more);
    let close = first.into_iter().take(CLOSE).map(target).collect();
    Choice { close, read: others, fine: fine + hopeful, left_out: rest.len() - hopeful }
}

fn target(pod: &Listed) -> Target {
    Target { kind: "Pod", namespace: pod.namespace.clone(), name: pod.name.clone() }
}

/// The pods themselves, the Warnings about pods in their namespaces and their nodes.
fn first_look(pods: &[Listed]) -> Vec<Ask> {
    let mut questions: Vec<Question> = pods
        .iter()
        .map(|pod| Question::Get { kind: "Pod", namespace: pod.namespace.clone(), name: pod.name.clone() })
        .collect();
    let mut namespaces: BTreeMap<&str, usize> = BTreeMap::new();
    pods.iter().for_each(|pod| *namespaces.entry(&pod.namespace).or_default() += 1);
    // A namespace of which every pod is looked at closely has its events read by pod.
    let mut namespaces: Vec<(usize, &str)> =
        if pods.len() <= CLOSE { Vec::new() } else { namespaces.into_iter().map(|(n, c)| (c, n)).collect() };
    namespaces.sort_by(|a, b| b.cmp(a));
    questions.extend(namespaces.into_iter().take(NAMESPACES).map(|(_, namespace)| Question::List {
        kind: "Event",
        namespace: namespace.to_owned(),
        labels: String::new(),
        fields: "involvedObject.kind=Pod,type=Warning".to_owned(),
    }));
    let nodes: BTreeSet<&str> = pods.iter().map(|pod| pod.node.as_str()).collect();
    if nodes.contains("") || nodes.len() > NODES {
        questions.push(Question::Nodes);
    } else {
        questions.extend(nodes.into_iter().map(|name| Question::Get {
            kind: "Node",
            namespace: String::new(),
            name: name.to_owned(),
        }));
    }
    questions.into_iter().map(|question| Ask { question, optional: false }).collect()
}

/// Whether a pod was kept only for what it means to others. The API takes no pod whose containers have no image.
fn is_cut_down(pod: &Value) -> bool {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    containers.is_none_or(|list| list.iter().all(|c| c.get("image").is_none()))
}
