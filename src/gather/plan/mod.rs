//! What to ask next. Pure: from what is known to the questions that it raises, less those that were asked.

mod owner;
mod pod;
mod read;
mod scheduling;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ask::{Ask, Question};
use crate::resource::Kind;
use crate::snapshot::{Lookup, Snapshot, Target, name_of, namespace_of};

/// How many of an owner's or a node's pods are looked at closely.
const PODS: usize = 5;
/// No run asks more than this, whatever the objects say.
const MOST: usize = 80;
/// About one pod no more than this is asked, unless what must be known is more by itself.
const FOR_ONE_POD: usize = 12;

/// What the command line says about how much to read.
#[derive(Clone, Copy)]
pub struct Depth {
    /// Lines of each log; none is no logs.
    pub log_lines: u32,
}

impl Default for Depth {
    fn default() -> Self {
        Self { log_lines: 50 }
    }
}

/// Everything that is worth asking for a target, collected.
struct Wants<'a> {
    snapshot: &'a Snapshot,
    depth: Depth,
    /// Optional only if nothing else wants it.
    questions: BTreeMap<Question, bool>,
    /// What is asked if there is room, the most telling first.
    extras: Vec<Question>,
}

/// The next wave: empty when all is known that can be.
pub fn next(snapshot: &Snapshot, target: &Target, asked: &BTreeSet<Question>, depth: &Depth) -> Vec<Ask> {
    let mut wants = Wants { snapshot, depth: *depth, questions: BTreeMap::new(), extras: Vec::new() };
    wants.get(target.kind, &target.namespace, &target.name);
    wants.events(target.kind, &target.namespace, &target.name);
    if target.kind == "Pod" {
        if let Some(pod) = snapshot.object("Pod", &target.namespace, &target.name).found() {
            wants.pod(pod);
        }
    } else {
        let pods: Vec<&Value> =
            if target.kind == "Node" { wants.node_target(&target.name) } else { wants.owner(target) };
        for pod in worst(pods) {
            wants.events("Pod", namespace_of(pod), name_of(pod));
            wants.pod(pod);
        }
    }
    wants.close_names(&target.namespace);
    wants.open(asked, MOST, if target.kind == "Pod" { FOR_ONE_POD } else { MOST })
}

/// The next wave about several pods that are known; no more than `most` questions in all.
pub fn next_of_pods(
    snapshot: &Snapshot,
    pods: &[Target],
    asked: &BTreeSet<Question>,
    depth: &Depth,
    most: usize,
) -> Vec<Ask> {
    let mut wants = Wants { snapshot, depth: *depth, questions: BTreeMap::new(), extras: Vec::new() };
    for target in pods {
        if let Some(pod) = snapshot.object("Pod", &target.namespace, &target.name).found() {
            wants.events("Pod", &target.namespace, &target.name);
            wants.pod(pod);
            wants.close_names(&target.namespace);
        }
    }
    wants.open(asked, most, most)
}

/// The pods that are furthest from fine, at most [`PODS`]; those that are fine need no closer look.
fn worst(pods: Vec<&Value>) -> Vec<&Value> {
    let mut ranked: Vec<(u8, &Value)> =
        pods.into_iter().map(|pod| (read::trouble(pod), pod)).filter(|(trouble, _)| *trouble > 0).collect();
    ranked.sort_by(|(a, one), (b, two)| {
        b.cmp(a).then_with(|| read::created(two).cmp(read::created(one))).then_with(|| name_of(one).cmp(name_of(two)))
    });
    ranked.into_iter().take(PODS).map(|(_, pod)| pod).collect()
}

impl<'a> Wants<'a> {
    /// The questions that are open, no more than `most` with those that were asked, and extras no more than `with_extras`.
    fn open(self, asked: &BTreeSet<Question>, most: usize, with_extras: usize) -> Vec<Ask> {
        let mut extras = self.extras;
        extras.retain(|question| !asked.contains(question) && !self.questions.contains_key(question));
        let open = self.questions.into_iter().filter(|(question, _)| !asked.contains(question));
        let mut asks: Vec<Ask> = open.map(|(question, optional)| Ask { question, optional }).collect();
        asks.truncate(most.saturating_sub(asked.len()));
        for question in extras {
            if asked.len() + asks.len() < with_extras && asks.iter().all(|ask| ask.question != question) {
                asks.push(Ask { question, optional: false });
            }
        }
        asks
    }

    fn want(&mut self, question: Question) {
        self.questions.insert(question, false);
    }

    fn may(&mut self, question: Question) {
        self.questions.entry(question).or_insert(true);
    }

    fn get(&mut self, kind: &'static str, namespace: &str, name: &str) {
        if !name.is_empty() && !self.came_with_a_list(kind, namespace, name) {
            self.want(get(kind, namespace, name));
        }
    }

    /// Whether an object, or that there is none, is known from a list. A pod from a list can be less than the whole pod.
    fn came_with_a_list(&self, kind: &str, namespace: &str, name: &str) -> bool {
        match kind {
            "Pod" => false,
            "Node" => matches!(self.snapshot.nodes(), Lookup::Found(_)),
            _ => self.snapshot.object(kind, namespace, name).found().is_some(),
        }
    }

    fn list(&mut self, kind: &'static str, namespace: &str, labels: String) {
        self.want(Question::List { kind, namespace: namespace.to_owned(), labels, fields: String::new() });
    }

    /// The events about an object. Those of a node lie in the namespace `default`.
    fn events(&mut self, kind: &'static str, namespace: &str, name: &str) {
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        let fields = format!("involvedObject.kind={kind},involvedObject.name={name}");
        self.want(Question::List { kind: "Event", namespace: namespace.to_owned(), labels: String::new(), fields });
    }

    /// An object's controller and that one's: a ReplicaSet's Deployment and a Job's CronJob are asked for in the same wave, by the
    /// names from which the controllers made the ones that are known.
    fn controllers(&mut self, object: &Value) {
        let namespace = namespace_of(object).to_owned();
        let Some((kind, name)) = read::controller(object) else { return };
        let Some(kind) = Kind::named(kind).filter(|k| k.namespaced) else { return };
        self.get(kind.kind, &namespace, name);
        match self.snapshot.object(kind.kind, &namespace, name).found() {
            Some(owner) => {
                if let Some((above, name)) = read::controller(owner)
                    && let Some(above) = Kind::named(above).filter(|k| k.namespaced)
                {
                    self.get(above.kind, &namespace, name);
                }
            }
            None => {
                let guess = match kind.kind {
                    "ReplicaSet" => read::deployment_of(object, name).map(|name| get("Deployment", &namespace, name)),
                    "Job" => read::cron_job_of(name).map(|name| get("CronJob", &namespace, name)),
                    _ => None,
                };
                if let Some(guess) = guess {
                    self.may(guess);
                }
            }
        }
    }

    /// Names to offer in place of one that does not exist.
    fn close_names(&mut self, namespace: &str) {
        for kind in ["ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "PriorityClass", "RuntimeClass"]
        {
            let Some(kind) = Kind::named(kind) else { continue };
            let missing =
                self.snapshot.header.not_found.iter().any(|m| m.resource == kind.resource() && m.namespace.is_empty());
            if missing {
                let namespace = if kind.namespaced { namespace } else { "" };
                self.may(Question::List {
                    kind: kind.kind,
                    namespace: namespace.to_owned(),
                    labels: String::new(),
                    fields: String::new(),
                });
            }
        }
    }
}

fn get(kind: &'static str, namespace: &str, name: &str) -> Question {
    let namespaced = Kind::named(kind).is_some_and(|k| k.namespaced);
    Question::Get {
        kind,
        namespace: if namespaced { namespace.to_owned() } else { String::new() },
        name: name.to_owned(),
    }
}
