//! Events about one object, matched by its uid, in both schemas (`lastTimestamp`/`count` and `eventTime`/`series`).

use jiff::Timestamp;
use serde_json::Value;

use super::cited::{Evidence, ObjectName};
use super::time::seconds_between;

/// One event, or a series of the same event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The event's word for machines.
    pub reason: String,
    /// Its sentence for people; without the prefix that aggregated events bear.
    pub message: String,
    /// Whether it is a Warning.
    pub warning: bool,
    /// How often it was seen.
    pub count: u32,
    /// When it was first seen.
    pub first: Option<Timestamp>,
    /// When it was last seen.
    pub last: Option<Timestamp>,
    /// The container that the event is about, from `involvedObject.fieldPath`.
    pub container: Option<String>,
    /// Who reported it: `kubelet`, `default-scheduler`.
    pub source: String,
    /// What it is about.
    pub object: ObjectName,
}

/// What events say about one object, the latest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events(Vec<Event>);

/// The prefix of events that the recorder has folded together.
/// Source: client-go `tools/record/events_cache.go`.
const COMBINED: &str = "(combined from similar events): ";

impl Events {
    /// The events of the object with that kind and name; one with another uid belonged to an earlier object of the name.
    pub(super) fn of(all: &[Value], kind: &str, namespace: &str, name: &str, uid: &str) -> Self {
        let about = |event: &&Value| {
            let Some(object) = event.get("involvedObject").or_else(|| event.get("regarding")) else { return false };
            let is = |key: &str, wanted: &str| object.get(key).and_then(Value::as_str).unwrap_or_default() == wanted;
            let same_uid = uid.is_empty() || is("uid", uid) || is("uid", "") || kind == "Node" && is("uid", name);
            is("kind", kind) && is("name", name) && same_uid && (namespace.is_empty() || is("namespace", namespace))
        };
        let mut events: Vec<Event> = all.iter().filter(about).map(Event::read).collect();
        events.sort_by(|a, b| (b.last, &a.reason, &a.message, b.count).cmp(&(a.last, &b.reason, &b.message, a.count)));
        Self(events)
    }

    /// Every event, the latest first.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.0.iter()
    }

    /// The events with one of these reasons, the latest first.
    pub fn with<'e>(&'e self, reasons: &'e [&'e str]) -> impl Iterator<Item = &'e Event> {
        self.0.iter().filter(|e| reasons.contains(&e.reason.as_str()))
    }

    /// The latest event with that reason.
    pub fn latest(&self, reason: &str) -> Option<&Event> {
        self.0.iter().find(|e| e.reason == reason)
    }

    /// Whether there is none at all, which after an hour says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Event {
    fn read(event: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let time = |value: Option<&Value>| value.and_then(Value::as_str).and_then(|t| t.parse::<Timestamp>().ok());
        let number = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let object = event.get("involvedObject").or_else(|| event.get("regarding"));
        let series = event.get("series");
        let deprecated = |key: &str| event.get(key).or_else(|| event.get(&format!("deprecated{}", capital(key))[..]));
        let count = number(series.and_then(|s| s.get("count"))).or_else(|| number(deprecated("count")));
        let event_time = time(event.get("eventTime"));
        let last = time(series.and_then(|s| s.get("lastObservedTime"))).or_else(|| time(deprecated("lastTimestamp")));
        let message = text(event.get("message").or_else(|| event.get("note")));
        let source = event.get("source").or_else(|| event.get("deprecatedSource"));
        Self {
            reason: text(event.get("reason")),
            message: message.strip_prefix(COMBINED).map_or_else(|| message.clone(), str::to_owned),
            warning: event.get("type").and_then(Value::as_str) == Some("Warning"),
            count: count.unwrap_or(1).max(1),
            first: time(deprecated("firstTimestamp")).or(event_time),
            last: last.or(event_time).or_else(|| time(event.pointer("/metadata/creationTimestamp"))),
            container: object.and_then(|o| o.get("fieldPath")).and_then(Value::as_str).and_then(container_of),
            source: [
                source.and_then(|s| s.get("component")),
                event.get("reportingComponent"),
                event.get("reportingController"),
            ]
            .into_iter()
            .map(text)
            .find(|s| !s.is_empty())
            .unwrap_or_default(),
            object: ObjectName {
                api_version: text(object.and_then(|o| o.get("apiVersion"))),
                kind: text(object.and_then(|o| o.get("kind"))),
                namespace: text(object.and_then(|o| o.get("namespace"))),
                name: text(object.and_then(|o| o.get("name"))),
            },
        }
    }

    /// The event as evidence.
    pub fn cite(&self) -> Evidence {
        Evidence::Event {
            object: self.object.clone(),
            reason: self.reason.clone(),
            message: self.message.clone(),
            count: self.count,
            last_seen: self.last.map(|t| t.to_string()).unwrap_or_default(),
        }
    }

    /// Whether it was seen again at `time` or after it. An event without a time was not.
    pub fn seen_since(&self, time: Option<Timestamp>) -> bool {
        match (self.last, time) {
            (Some(last), Some(time)) => last >= time,
            (_, None) => true,
            (None, _) => false,
        }
    }

    /// Seconds since it was last seen.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        self.last.map(|last| seconds_between(last, now))
    }
}

/// `spec.containers{app}` names the container `app`.
fn container_of(field_path: &str) -> Option<String> {
    let (_, rest) = field_path.split_once('{')?;
    Some(rest.strip_suffix('}')?.to_owned())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod_event(uid: &str, extra: Value) -> Value {
        let mut event = json!({"kind": "Event", "reason": "Failed", "message": "m", "type": "Warning",
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": uid, "fieldPath": "spec.initContainers{init}"}});
        event.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        event
    }

    #[test]
    fn an_earlier_pod_of_the_same_name_keeps_its_events_to_itself() {
        let all = [pod_event("old", json!({})), pod_event("new", json!({}))];
        assert_eq!(Events::of(&all, "Pod", "n", "p", "new").iter().count(), 1);
    }

    #[test]
    fn both_schemas_give_count_and_time() {
        let old =
            json!({"count": 3, "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:05:00Z"});
        let new = json!({"eventTime": "2026-01-01T00:00:00.5Z", "series": {"count": 3, "lastObservedTime": "2026-01-01T00:05:00Z"}});
        for extra in [old, new] {
            let events = Events::of(&[pod_event("u", extra)], "Pod", "n", "p", "u");
            let event = events.latest("Failed").unwrap();
            assert_eq!((event.count, event.last), (3, "2026-01-01T00:05:00Z".parse().ok()));
            assert_eq!(event.container.as_deref(), Some("init"));
        }
    }

    #[test]
    fn folded_events_lose_their_prefix() {
        let event = pod_event("u", json!({"message": "(combined from similar events): real"}));
        assert_eq!(Events::of(&[event], "Pod", "n", "p", "u").latest("Failed").unwrap().message, "real");
    }

    #[test]
    fn the_newer_api_has_the_older_fields_under_another_name() {
        let event = json!({"kind": "Event", "reason": "Failed", "note": "m", "deprecatedCount": 7,
            "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z", "deprecatedLastTimestamp": "2026-01-01T00:05:00Z",
            "deprecatedSource": {"component": "kubelet"}, "regarding": {"kind": "Pod", "namespace": "n", "name": "p"}});
        let events = Events::of(&[event], "Pod", "n", "p", "u");
        let event = events.latest("Failed").unwrap();
        assert_eq!((event.count, event.source.as_str(), event.message.as_str()), (7, "kubelet", "m"));
        assert_eq!(
            (event.first, event.last),
            ("2026-01-01T00:00:00Z".parse().ok(), "2026-01-01T00:05:00Z".parse().ok())
        );
        assert_eq!(event.age("2026-01-01T00:06:30Z".parse().unwrap()), Some(90));
    }

    #[test]
    fn an_event_belongs_to_the_object_of_that_kind_namespace_name_and_uid() {
        let about = |kind: &str, namespace: &str, name: &str, uid: &str| json!({"kind": "Event", "reason": "R", "involvedObject": {"kind": kind, "namespace": namespace, "name": name, "uid": uid}});
        let count = |event: Value, kind: &str, namespace: &str, uid: &str| {
            Events::of(&[event], kind, namespace, "p", uid).iter().count()
        };
        assert_eq!(count(about("Pod", "n", "p", ""), "Pod", "n", "u"), 1, "without a uid the name decides");
        assert_eq!(count(about("Pod", "n", "p", "v"), "Pod", "n", ""), 1, "and so it does if ours is not known");
        assert_eq!(count(about("Pod", "n", "p", "p"), "Pod", "n", "u"), 0);
        assert_eq!(
            count(about("Node", "", "p", "p"), "Node", "", "u"),
            1,
            "the kubelet puts its node's name for the uid"
        );
        assert_eq!(count(about("Node", "", "p", "v"), "Node", "", "u"), 0);
        assert_eq!(count(about("Pod", "m", "p", "u"), "Pod", "n", "u"), 0);
        assert_eq!(count(about("Job", "n", "p", "u"), "Pod", "n", "u"), 0);
        assert_eq!(count(about("Pod", "n", "q", "u"), "Pod", "n", "u"), 0);
    }

    #[test]
    fn an_event_without_a_time_was_not_seen_since() {
        let events =
            Events::of(&[pod_event("u", json!({"lastTimestamp": "2026-01-01T00:05:00Z"}))], "Pod", "n", "p", "u");
        let event = events.latest("Failed").unwrap();
        assert!(event.seen_since("2026-01-01T00:05:00Z".parse().ok()) && event.seen_since(None));
        assert!(!event.seen_since("2026-01-01T00:05:01Z".parse().ok()));
        let timeless = Event { last: None, ..event.clone() };
        assert!(!timeless.seen_since("2026-01-01T00:00:00Z".parse().ok()) && timeless.seen_since(None));
    }
}
