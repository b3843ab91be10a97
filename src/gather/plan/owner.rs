//! What an owner or a node as the target makes worth asking.

use serde_json::Value;

use super::super::ask::Question;
use super::Wants;
use super::read::{self, text};
use crate::snapshot::{Target, name_of, uid_of};

/// Of so many ReplicaSets or Jobs of one owner the events are read.
const CHILDREN: usize = 3;

impl<'a> Wants<'a> {
    /// Asks about an owner and gives its pods that are known.
    pub(super) fn owner(&mut self, target: &Target) -> Vec<&'a Value> {
        let snapshot = self.snapshot;
        let namespace = target.namespace.as_str();
        let Some(owner) = snapshot.object(target.kind, namespace, &target.name).found() else { return Vec::new() };
        self.controllers(owner);
        let selector = owner.pointer("/spec/selector").and_then(read::selector);
        let makers: Vec<&Value> = match target.kind {
            "Deployment" => {
                if let Some(selector) = &selector {
                    self.list("ReplicaSet", namespace, selector.clone());
                }
                self.children("ReplicaSet", namespace, owner)
            }
            "CronJob" => {
                self.list("Job", namespace, String::new());
                let jobs = self.children("Job", namespace, owner);
                for job in jobs.iter().take(CHILDREN) {
                    if let Some(selector) = job.pointer("/spec/selector").and_then(read::selector) {
                        self.list("Pod", namespace, selector);
                    }
                }
                jobs
            }
            _ => vec![owner],
        };
        if let Some(selector) = selector.filter(|_| target.kind != "CronJob") {
            self.list("Pod", namespace, selector);
        }
        let lacking = makers.first().is_some_and(|maker| lacks_pods(maker));
        if lacking || target.kind == "Deployment" && lacks_pods(owner) {
            self.why_no_pods(namespace, owner);
        }
        snapshot
            .all("Pod")
            .iter()
            .filter(|pod| makers.iter().any(|maker| read::is_controlled_by(pod, uid_of(maker))))
            .collect()
    }

    /// What an owner made in between, newest first, with the events of the newest.
    fn children(&mut self, kind: &'static str, namespace: &str, owner: &Value) -> Vec<&'a Value> {
        let mut children: Vec<&Value> =
            self.snapshot.all(kind).iter().filter(|c| read::is_controlled_by(c, uid_of(owner))).collect();
        children.sort_by(|a, b| read::created(b).cmp(read::created(a)).then_with(|| name_of(a).cmp(name_of(b))));
        let wanted = |c: &&&Value| kind == "Job" || c.pointer("/spec/replicas").and_then(Value::as_i64) != Some(0);
        for child in children.iter().filter(wanted).take(CHILDREN) {
            self.events(kind, namespace, name_of(child));
        }
        children
    }

    /// What stops a controller from making pods: quota, limits, the namespace, and names in the template that do not exist.
    fn why_no_pods(&mut self, namespace: &str, owner: &Value) {
        let template = owner.pointer("/spec/template").or_else(|| owner.pointer("/spec/jobTemplate/spec/template"));
        self.get("Namespace", "", namespace);
        self.list("ResourceQuota", namespace, String::new());
        self.list("LimitRange", namespace, String::new());
        if let Some(template) = template {
            self.get("ServiceAccount", namespace, super::pod::service_account(template));
            self.get("PriorityClass", "", text(template, "/spec/priorityClassName"));
            self.get("RuntimeClass", "", text(template, "/spec/runtimeClassName"));
        }
        // A DaemonSet wants no pods if no node fits.
        if owner.pointer("/status/desiredNumberScheduled").and_then(Value::as_i64) == Some(0) {
            self.want(Question::Nodes);
        }
    }

    /// Asks about a node and gives the pods on it that are known.
    pub(super) fn node_target(&mut self, node: &str) -> Vec<&'a Value> {
        self.get("Lease", "kube-node-lease", node);
        self.want(Question::PodsOn { node: node.to_owned(), whole: true });
        self.snapshot.all("Pod").iter().filter(|pod| text(pod, "/spec/nodeName") == node).collect()
    }
}

/// Whether a controller has fewer pods than it wants.
fn lacks_pods(maker: &Value) -> bool {
    let number = |pointer: &str| maker.pointer(pointer).and_then(Value::as_i64);
    match number("/status/desiredNumberScheduled") {
        Some(wanted) => wanted == 0 || number("/status/currentNumberScheduled").unwrap_or(0) < wanted,
        None if maker.pointer("/spec/completions").is_some() || maker.pointer("/spec/parallelism").is_some() => {
            let made =
                ["/status/active", "/status/succeeded", "/status/failed"].iter().filter_map(|p| number(p)).sum::<i64>();
            made == 0
        }
        None => number("/status/replicas").unwrap_or(0) < number("/spec/replicas").unwrap_or(1),
    }
}
