//! What the API server answered when a controller asked it to make a pod.
//!
//! Wordings: kubernetes `plugin/pkg/admission`, `staging/src/k8s.io/pod-security-admission`, `apiserver/pkg/admission`.

use serde_json::Value;

use super::cited::Evidence;
use super::owner::controlled_by;
use super::phrase::{after, before, between, says, word};
use super::workload::{Workload, holds};
use super::{Facts, Quantity};
use crate::snapshot::{name_of, namespace_of, uid_of};

/// The latest refusal that a controller has got.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What stands against the pod.
    pub denial: Denial,
    /// The API server's sentence, complete.
    pub message: String,
    /// Where it was read: the event, else the condition.
    pub evidence: Evidence,
}

/// Why the API server does not make a pod.
#[derive(Debug, Clone, PartialEq)]
pub enum Denial {
    /// A ResourceQuota has no room left, or `must_specify` names what it demands of each container.
    Quota {
        /// The quota's name; empty if the message names none.
        quota: String,
        /// What is asked for, used and allowed, by resource.
        excess: Vec<Excess>,
        /// What the quota demands that the containers name: `limits.cpu for: app`.
        must_specify: String,
    },
    /// A LimitRange's bounds, as the message puts them.
    LimitRange(String),
    /// Pod Security, a PodSecurityPolicy or a SecurityContextConstraint: by which level, and what violates it.
    PodSecurity {
        /// `restricted:latest`, or the name of the mechanism.
        level: String,
        /// What violates it.
        violations: String,
    },
    /// The ServiceAccount of that name does not exist.
    ServiceAccount(String),
    /// The PriorityClass of that name does not exist.
    PriorityClass(String),
    /// The RuntimeClass of that name does not exist.
    RuntimeClass(String),
    /// A webhook or an admission policy said no.
    Denied {
        /// `webhook validation.gatekeeper.sh`, `policy no-latest`.
        by: String,
        /// Its words.
        why: String,
    },
    /// A webhook could not be called.
    Uncallable {
        /// The webhook's name.
        webhook: String,
        /// The Service in front of it, if the message names one.
        service: Option<String>,
        /// What came of the call.
        why: String,
    },
    /// The namespace is being deleted, or is gone.
    NamespaceEnding,
    /// A fault that passes: the controller tries again by itself.
    Passing,
    /// The predecessor of the same name still exists.
    Predecessor(String),
    /// Anything else.
    Other,
}

/// One resource over its quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// `pods`, `requests.cpu`.
    pub resource: String,
    /// What the new object asks for.
    pub requested: String,
    /// What the namespace uses.
    pub used: String,
    /// What it may use.
    pub limited: String,
}

impl Facts<'_> {
    /// What the API server answered last to each controller that lacks pods: the target, or the controllers that it makes
    /// pods through. The same answer to several of them counts once.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = Vec::new();
        for controller in self.controllers() {
            if let Some(refusal) = self.refusal_of(controller)
                && !refusals.iter().any(|r| r.denial == refusal.denial && r.denial != Denial::Other)
            {
                refusals.push(refusal);
            }
        }
        refusals
    }

    /// The target and what it makes pods through: the ReplicaSets of a Deployment, the Jobs of a CronJob.
    fn controllers(&self) -> Vec<&Value> {
        let below = match self.target.kind {
            "Deployment" => "ReplicaSet",
            "CronJob" => "Job",
            _ => "",
        };
        let mine = |o: &&Value| {
            namespace_of(o) == self.target.namespace
                && controlled_by(self.snapshot(), o, self.target.kind, &self.target.name)
        };
        let through = self.snapshot().all(below).iter().filter(mine);
        through.filter(|o| Workload::read(o).is_some_and(|w| w.lacks_pods())).chain(self.object()).collect()
    }

    /// The newest of a controller's events speaks; its ReplicaFailure condition keeps the first failure's words
    /// (`pkg/controller/replicaset/replica_set_utils.go`, `calculateStatus`), so it speaks only where no event is left.
    fn refusal_of(&self, controller: &Value) -> Option<Refusal> {
        let kind = controller.get("kind").and_then(Value::as_str)?;
        let workload = Workload::read(controller)?;
        let events = self.events_about(kind, name_of(controller), uid_of(controller));
        let success = events.with(&["SuccessfulCreate"]).filter_map(|e| e.last).max();
        let newest = events
            .with(&["FailedCreate", "ReplicaSetCreateError", "FailedUpdate"])
            .find(|e| !says(&e.message, "update Pod") && (workload.lacks_pods() || e.last > success));
        let current = workload.lacks_pods() || kind == "CronJob" || kind == "Deployment";
        if let Some(event) = newest.filter(|_| current && !workload.finished) {
            return Some(Refusal::read(&event.message, event.cite()));
        }
        let type_ = match condition(controller, "Progressing", "reason") {
            _ if holds(controller, "ReplicaFailure") => "ReplicaFailure",
            Some("ReplicaSetCreateError") => "Progressing",
            _ => return None,
        };
        let message = condition(controller, type_, "message").filter(|_| workload.lacks_pods())?;
        Some(Refusal::read(message, Evidence::field(controller, &["status", "conditions", type_, "message"])?))
    }

    /// What a ResourceQuota allows and what of it is used, for the resources that are over it.
    pub fn cite_quota(&self, quota: &str, excess: &[Excess]) -> Vec<Evidence> {
        let of = |part: &'static str| {
            move |e: &Excess| self.cite_other("ResourceQuota", quota, &["status", part, &e.resource])
        };
        excess.iter().filter_map(of("hard")).chain(excess.iter().filter_map(of("used"))).collect()
    }

    /// The template's field, cited, for what the refused pods name: `serviceAccountName`, `priorityClassName`.
    pub fn cite_template(&self, field: &str) -> Option<Evidence> {
        let job = ["spec", "jobTemplate", "spec", "template", "spec", field];
        self.cite(&["spec", "template", "spec", field]).or_else(|| self.cite(&job))
    }
}

fn condition<'v>(object: &'v Value, type_: &str, key: &str) -> Option<&'v str> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|c| c.get("type").and_then(Value::as_str) == Some(type_))?;
    found.get(key)?.as_str()
}

impl Refusal {
    fn read(message: &str, evidence: Evidence) -> Self {
        let error = ["Error creating: ", "Error creating job: ", " failed error: "]
            .iter()
            .find_map(|prefix| after(message, prefix))
            .unwrap_or(message);
        Self { denial: Denial::read(error), message: error.trim().to_owned(), evidence }
    }
}

impl Denial {
    /// Sorts the API server's sentence.
    pub(super) fn read(error: &str) -> Self {
        quota(error)
            .or_else(|| webhook(error))
            .or_else(|| security(error))
            .or_else(|| missing(error))
            .or_else(|| limits(error))
            .unwrap_or_else(|| rest(error))
    }
}

fn quota(error: &str) -> Option<Denial> {
    let demand = |quota: &str, must: &str| Denial::Quota {
        quota: quota.to_owned(),
        excess: Vec::new(),
        must_specify: must.trim().to_owned(),
    };
    if let Some(rest) = after(error, "exceeded quota: ") {
        let list = |name: &str, end: &str| between(rest, name, end).map(pairs).unwrap_or_default();
        let (used, limited) = (list("used: ", " limited: "), after(rest, "limited: ").map(pairs).unwrap_or_default());
        let find = |all: &[(String, String)], key: &str| {
            all.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap_or_default()
        };
        let excess = list("requested: ", " used: ").into_iter().map(|(resource, requested)| Excess {
            used: find(&used, &resource),
            limited: find(&limited, &resource),
            resource,
            requested,
        });
        return Some(Denial::Quota {
            quota: word(rest).to_owned(),
            excess: excess.filter(Excess::is_over).collect(),
            must_specify: String::new(),
        });
    }
    if let Some(rest) = after(error, "failed quota: ") {
        return Some(demand(word(rest), after(rest, "must specify ")?));
    }
    says(error, "insufficient quota to ").then(|| demand("", ""))
}

impl Excess {
    /// Whether this resource is over its limit: the message may list others that the object asks for too.
    fn is_over(&self) -> bool {
        let read = |text: &str| Quantity::parse(text);
        match (read(&self.requested), read(&self.used), read(&self.limited)) {
            (Some(requested), Some(used), Some(limited)) => requested.plus(used) > limited,
            _ => true,
        }
    }
}

/// `pods=1,requests.cpu=150m` as pairs.
fn pairs(list: &str) -> Vec<(String, String)> {
    let first = list.split_whitespace().next().unwrap_or_default();
    first.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn webhook(error: &str) -> Option<Denial> {
    if let Some(rest) = after(error, "failed calling webhook ").or_else(|| after(error, "failed to call webhook ")) {
        let (name, call) = rest.split_once("\": ").unwrap_or((rest, ""));
        let why = call.strip_prefix("failed to call webhook: ").unwrap_or(call);
        let service = between(why, "service \"", "\"").or_else(|| between(why, "services \"", "\""));
        return Some(Denial::Uncallable {
            webhook: word(name).to_owned(),
            service: service.map(str::to_owned),
            why: why.trim().to_owned(),
        });
    }
    let denied = |by: String, why: &str| Denial::Denied { by, why: why.trim().to_owned() };
    if let Some(rest) = after(error, "admission webhook \"") {
        let name = before(rest, "\"");
        return Some(match after(rest, "denied the request") {
            Some(why) => denied(format!("webhook {name}"), why.trim_start_matches(':')),
            None => Denial::Uncallable { webhook: name.to_owned(), service: None, why: rest.trim().to_owned() },
        });
    }
    if says(error, "received invalid webhook response") {
        return Some(Denial::Uncallable { webhook: String::new(), service: None, why: error.to_owned() });
    }
    if let (Some(rest), Some(why)) = (after(error, "policy '"), after(error, "denied request: ")) {
        return Some(denied(format!("policy {}", before(rest, "'")), why));
    }
    let image = says(error, "ImagePolicyWebhook") || says(error, "image policy webhook backend denied");
    image.then(|| denied("the image policy webhook".to_owned(), error))
}

fn security(error: &str) -> Option<Denial> {
    let by = |level: &str, violations: &str| Denial::PodSecurity {
        level: level.to_owned(),
        violations: violations.trim_start_matches(':').trim().to_owned(),
    };
    if let Some(rest) = after(error, "violates PodSecurity \"") {
        return Some(by(before(rest, "\""), after(rest, "\":").unwrap_or_default()));
    }
    if let Some(rest) = after(error, "unable to validate against any security context constraint") {
        return Some(by("security context constraints", rest));
    }
    let policy = ["unable to validate against any pod security policy", "PodSecurityPolicy: "];
    policy.iter().find_map(|marker| after(error, marker)).map(|rest| by("pod security policies", rest))
}

fn missing(error: &str) -> Option<Denial> {
    if says(error, "error looking up service account ") {
        let name = between(error, "serviceaccount \"", "\"")
            .or_else(|| after(error, "error looking up service account ").and_then(|r| word(r).split('/').nth(1)));
        return says(error, "not found").then(|| Denial::ServiceAccount(name.unwrap_or_default().to_owned()));
    }
    if let Some(rest) = after(error, "no PriorityClass with name ") {
        return Some(Denial::PriorityClass(word(rest).to_owned()));
    }
    if let Some(rest) = after(error, "RuntimeClass \"").filter(|rest| says(rest, "not found")) {
        return Some(Denial::RuntimeClass(before(rest, "\"").to_owned()));
    }
    let namespace = ["namespaces \"", "namespace \""]
        .iter()
        .any(|m| error.trim_start().to_ascii_lowercase().starts_with(m) && says(error, "\" not found"));
    (namespace || says(error, "because it is being terminated")).then_some(Denial::NamespaceEnding)
}

fn limits(error: &str) -> Option<Denial> {
    let bound = ["maximum ", "minimum "].iter().any(|m| after(error, m).is_some_and(|r| says(r, " usage per ")));
    let ratio = says(error, "max limit to request ratio per ");
    let words = error.split_once("is forbidden: ").map_or(error, |(_, words)| words);
    (bound || ratio).then(|| Denial::LimitRange(words.trim().trim_matches(['[', ']']).to_owned()))
}

fn rest(error: &str) -> Denial {
    const PASSING: [&str; 14] = [
        "status unknown for quota",
        "resource quota evaluation tim",
        "Operation cannot be fulfilled on resourcequotas",
        "there was an error enforcing limit ranges",
        "etcdserver: ",
        "request did not complete within",
        "unable to return a response in the time allotted",
        "context deadline exceeded",
        "currently unable to handle the request",
        "code = Unavailable",
        "No API token found for service account",
        "too many requests",
        "connection refused",
        "http2: client connection lost",
    ];
    if says(error, "already exists") {
        return Denial::Predecessor(between(error, "\"", "\"").unwrap_or_default().to_owned());
    }
    if PASSING.iter().any(|words| says(error, words)) { Denial::Passing } else { Denial::Other }
}

#[cfg(test)]
mod tests;
