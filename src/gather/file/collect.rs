//! Values into a snapshot: headers, lists, objects.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::error::Problem;
use super::parse::Piece;
use crate::resource::{KINDS, Kind};
use crate::snapshot::{Header, Log, Snapshot, Unanswered, name_of, namespace_of};

const VERSION: &str = "kubectl-why/v1";

/// A snapshot in the making.
#[derive(Default)]
pub(super) struct Collector {
    snapshot: Snapshot,
    has_header: bool,
    /// The newest time in the objects, the clock if no header has one.
    newest: Option<Timestamp>,
    logs: Vec<(String, Log)>,
    /// What was in the files instead of objects that the tool knows.
    instead: Option<String>,
}

/// What a typed list says about its items, which then say nothing themselves.
#[derive(Clone)]
struct Typed {
    kind: String,
    api_version: String,
}

impl Collector {
    /// Adds what one part of a file holds.
    pub(super) fn add(&mut self, piece: Piece<'_>) -> Result<(), Problem> {
        match piece {
            Piece::Document(value) => self.value(value, None),
            Piece::Log(section) => {
                self.log(section);
                Ok(())
            }
        }
    }

    /// Adds one container's log.
    pub(super) fn log(&mut self, section: super::logs::Section<'_>) {
        match section.failure() {
            // A container that has not run has no log: nothing is missing.
            Some(why) if why.contains("is waiting to start") => {}
            Some(why) => self.no_log(section.namespace, section.pod, why),
            None => {
                let (pod, container) = (section.pod.to_owned(), section.container.to_owned());
                let log = Log { pod, container, text: section.tail().to_owned(), ..Log::default() };
                self.logs.push((section.namespace.to_owned(), log));
            }
        }
    }

    /// Notes that a pod's logs are not known.
    pub(super) fn no_log(&mut self, namespace: &str, pod: &str, why: &str) {
        self.snapshot.header.unanswered.push(Unanswered {
            verb: "get".to_owned(),
            resource: "pods/log".to_owned(),
            namespace: namespace.to_owned(),
            name: pod.to_owned(),
            why: why.to_owned(),
        });
    }

    /// The recursion is as deep as the parsers let values nest.
    fn value(&mut self, value: Value, typed: Option<&Typed>) -> Result<(), Problem> {
        match value {
            Value::Array(items) => items.into_iter().try_for_each(|item| self.value(item, typed)),
            Value::Object(map) => self.map(map, typed),
            Value::Null => Ok(()),
            Value::String(_) => {
                self.found("plain text");
                Ok(())
            }
            Value::Bool(_) | Value::Number(_) => {
                self.found("a single value");
                Ok(())
            }
        }
    }

    fn map(&mut self, mut map: Map<String, Value>, typed: Option<&Typed>) -> Result<(), Problem> {
        let text =
            |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut kind = text(&map, "kind");
        let mut api_version = text(&map, "apiVersion");
        if kind == "Snapshot" && api_version.starts_with("kubectl-why/") {
            return self.header(map, &api_version);
        }
        let is_list = kind.is_empty() || kind.ends_with("List");
        if is_list && matches!(map.get("items"), Some(Value::Array(_) | Value::Null)) {
            let of = kind.strip_suffix("List").filter(|of| !of.is_empty());
            let typed = of.map(|of| Typed { kind: of.to_owned(), api_version });
            let items = map.remove("items").unwrap_or_default();
            if items.as_array().is_none_or(Vec::is_empty) {
                self.found("an empty list");
            }
            return self.value(items, typed.as_ref());
        }
        if let Some(typed) = typed.filter(|_| kind.is_empty()) {
            map.insert("kind".to_owned(), typed.kind.clone().into());
            map.insert("apiVersion".to_owned(), typed.api_version.clone().into());
            kind.clone_from(&typed.kind);
            api_version.clone_from(&typed.api_version);
        }
        self.object(Value::Object(map), &kind, &api_version);
        Ok(())
    }

    fn object(&mut self, object: Value, kind: &str, api_version: &str) {
        if kind.is_empty() {
            return self.found("something without a kind");
        }
        if !Kind::named(kind).is_some_and(|known| is_of_group(known, api_version)) {
            // A kind is named only if it looks like one: it is text from the file.
            let plain = kind.len() <= 63 && kind.chars().all(|c| c.is_ascii_alphanumeric());
            return self.found(&if plain {
                format!("something of kind {kind}")
            } else {
                "something of another kind".to_owned()
            });
        }
        if name_of(&object).is_empty() {
            return self.found(&format!("a {kind} without a name"));
        }
        if self.snapshot.header.taken_at.is_none() {
            newest(&object, &mut self.newest);
        }
        self.snapshot.add(object);
    }

    fn header(&mut self, map: Map<String, Value>, api_version: &str) -> Result<(), Problem> {
        if api_version != VERSION {
            return Err(Problem::UnknownVersion);
        }
        if std::mem::replace(&mut self.has_header, true) {
            return Err(Problem::TwoHeaders);
        }
        let odd = HEADER_FIELDS.iter().find(|field| {
            let alone = map.get_key_value(**field).map(|(key, value)| (key.clone(), value.clone()));
            serde_json::from_value::<Header>(Value::Object(alone.into_iter().collect())).is_err()
        });
        if let Some(field) = odd {
            return Err(Problem::BadHeader { field });
        }
        let mut header: Header =
            serde_json::from_value(Value::Object(map)).map_err(|_| Problem::BadHeader { field: "apiVersion" })?;
        header.unanswered.append(&mut self.snapshot.header.unanswered);
        self.snapshot.header = header;
        Ok(())
    }

    fn found(&mut self, instead: &str) {
        self.instead.get_or_insert_with(|| instead.to_owned());
    }

    /// The snapshot, once all parts are in.
    pub(super) fn finish(mut self) -> Result<Snapshot, Problem> {
        let empty =
            self.snapshot.known_nodes().is_empty() && KINDS.iter().all(|kind| self.snapshot.all(kind.kind).is_empty());
        if empty && !self.has_header {
            return Err(Problem::NoObjects { found: self.instead.unwrap_or_else(|| "nothing".to_owned()) });
        }
        self.assign_logs();
        // A node reports every few minutes, so its last report tells the time well enough.
        let dated = self.snapshot.header.taken_at.is_some() || !self.snapshot.known_nodes().is_empty();
        let header = &mut self.snapshot.header;
        header.undated = !dated;
        header.api_version = VERSION.to_owned();
        header.kind = "Snapshot".to_owned();
        header.taken_at = header.taken_at.or(self.newest);
        self.snapshot.settle();
        Ok(self.snapshot)
    }

    /// A snapshot knows logs by the pod's name alone. Where pods of two namespaces share a name, nobody could tell
    /// whose log it is, so it counts as not read.
    fn assign_logs(&mut self) {
        let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for pod in self.snapshot.all("Pod") {
            homes.entry(name_of(pod).to_owned()).or_default().insert(namespace_of(pod).to_owned());
        }
        for (namespace, log) in &self.logs {
            homes.entry(log.pod.clone()).or_default().insert(namespace.clone());
        }
        for (namespace, log) in std::mem::take(&mut self.logs) {
            if homes.get(&log.pod).is_some_and(|homes| homes.len() > 1) {
                self.no_log(&namespace, &log.pod, "pods of several namespaces in these files have this name");
            } else {
                self.snapshot.header.logs.push(log);
            }
        }
    }
}

const HEADER_FIELDS: &[&str] =
    &["kind", "takenAt", "target", "namespace", "logs", "complete", "notFound", "unanswered", "podsOn", "nodesWith"];

/// Whether an object of that version is the kind that is meant: other groups have kinds called Node and Job too. Early
/// clusters served workloads in `extensions`, and events have two groups.
fn is_of_group(kind: &Kind, api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    api_version.is_empty()
        || group == kind.group
        || group == "extensions" && kind.group == "apps"
        || group == "events.k8s.io" && kind.kind == "Event"
}

/// Fields in which the API server, the controllers and the kubelet write that something has happened.
const TIMES: &[&str] = &[
    "creationTimestamp",
    "firstTimestamp",
    "lastTimestamp",
    "eventTime",
    "lastObservedTime",
    "startTime",
    "startedAt",
    "finishedAt",
    "completionTime",
    "lastTransitionTime",
    "lastProbeTime",
    "lastHeartbeatTime",
    "lastUpdateTime",
    "lastScheduleTime",
    "lastSuccessfulTime",
    "lastPhaseTransitionTime",
    "renewTime",
    "acquireTime",
    "timeAdded",
    "time",
];

/// Maps whose keys are anybody's words.
const FREE: &[&str] = &["annotations", "labels", "matchLabels", "nodeSelector", "data", "stringData", "binaryData"];

fn newest(value: &Value, newest_yet: &mut Option<Timestamp>) {
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match value {
        Value::Array(items) => items.iter().for_each(|item| newest(item, newest_yet)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(_) if TIMES.contains(&key.as_str()) => *newest_yet = (*newest_yet).max(time(value)),
                    Value::Array(_) | Value::Object(_) if !FREE.contains(&key.as_str()) => newest(value, newest_yet),
                    _ => {}
                }
            }
            // A deletion timestamp is when the grace period ends, which may be yet to come; the request was before it.
            let grace = map.get("deletionGracePeriodSeconds").and_then(Value::as_i64);
            let requested = map.get("deletionTimestamp").and_then(time).zip(grace);
            let requested = requested.and_then(|(end, grace)| end.checked_sub(SignedDuration::from_secs(grace)).ok());
            *newest_yet = (*newest_yet).max(requested);
        }
        _ => {}
    }
}
