//! Small inputs for the rules' own tests.

use serde_json::{Value, json};

use crate::facts::Facts;
use crate::finding::{Finding, Standing};
use crate::rules::Rule;
use crate::snapshot::{Header, Snapshot, Target};

/// The moment at which test snapshots are taken.
pub const NOW: &str = "2026-01-01T12:00:00Z";

/// A snapshot in the making: pod `p` of namespace `n` unless a test says otherwise.
pub struct Case {
    header: Header,
    objects: Vec<Value>,
    target: Target,
}

impl Case {
    /// A pod with that spec and status, created ten minutes ago.
    pub fn pod(spec: Value, status: Value) -> Self {
        Self::of(json!({"apiVersion": "v1", "kind": "Pod", "spec": spec, "status": status,
            "metadata": {"name": "p", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T11:50:00Z"}}))
    }

    /// Any object as the target.
    pub fn of(object: Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = crate::resource::Kind::named(&text("/kind")).unwrap().kind;
        let target = Target { kind, namespace: text("/metadata/namespace"), name: text("/metadata/name") };
        let header = Header { taken_at: NOW.parse().ok(), namespace: target.namespace.clone(), ..Header::default() };
        Self { header, objects: vec![object], target }
    }

    /// One container `app` whose status has that state, last state and so on.
    pub fn container(status: Value) -> Self {
        let mut status = status;
        status["name"] = "app".into();
        Self::pod(
            json!({"containers": [{"name": "app", "image": "i"}]}),
            json!({"phase": "Running", "containerStatuses": [status]}),
        )
    }

    /// Changes the target's object: `edit("/spec/nodeName", json!("node-1"))` sets a field, making objects on the way.
    pub fn edit(mut self, pointer: &str, value: Value) -> Self {
        let mut here = &mut self.objects[0];
        for key in pointer.trim_start_matches('/').split('/') {
            here = match key.parse::<usize>() {
                Ok(n) if here.is_array() => &mut here[n],
                _ => &mut here[key],
            };
        }
        *here = value;
        self
    }

    /// Another object in the snapshot.
    pub fn with(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    /// A Warning event about the pod, seen a minute ago; `container` may be empty.
    pub fn event(self, reason: &str, container: &str, message: &str) -> Self {
        let path = if container.is_empty() { String::new() } else { format!("spec.containers{{{container}}}") };
        let name = format!("p.{}", self.objects.len());
        self.with(json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "n"}, "type": "Warning",
            "reason": reason, "message": message, "count": 3, "source": {"component": "kubelet"},
            "firstTimestamp": "2026-01-01T11:51:00Z", "lastTimestamp": "2026-01-01T11:59:00Z",
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "n", "name": "p", "uid": "u", "fieldPath": path}}))
    }

    /// Says that every object of these resources (`configmaps`, `nodes`) is in the snapshot.
    pub fn complete(mut self, resources: &[&str]) -> Self {
        self.header.complete.extend(resources.iter().map(|r| (*r).to_owned()));
        self
    }

    /// Says that listing that resource was refused.
    pub fn refused(mut self, resource: &str) -> Self {
        self.header.unanswered.push(crate::snapshot::Unanswered {
            verb: "get".to_owned(),
            resource: resource.to_owned(),
            why: "forbidden: no".to_owned(),
            ..Default::default()
        });
        self
    }

    /// The tail of a log of container `app`.
    pub fn log(mut self, previous: bool, text: &str) -> Self {
        self.header.logs.push(crate::snapshot::Log {
            pod: "p".to_owned(),
            container: "app".to_owned(),
            previous,
            text: text.to_owned(),
        });
        self
    }

    /// The snapshot.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new(self.header.clone());
        self.objects.iter().cloned().for_each(|o| snapshot.add(o));
        snapshot.settle();
        snapshot
    }

    /// What a rule finds in it.
    pub fn check(&self, rule: &Rule) -> Vec<Finding> {
        let snapshot = self.snapshot();
        (rule.check)(&Facts::new(&snapshot, &self.target))
    }

    /// Reads something off the facts.
    pub fn facts<T>(&self, read: impl FnOnce(&Facts<'_>) -> T) -> T {
        let snapshot = self.snapshot();
        read(&Facts::new(&snapshot, &self.target))
    }
}

/// The one finding that is wrong now.
#[track_caller]
pub fn one(findings: Vec<Finding>) -> Finding {
    let mut wrong: Vec<_> = findings.into_iter().filter(|f| f.standing != Standing::Past).collect();
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    wrong.remove(0)
}

/// Nothing that is wrong now.
#[track_caller]
pub fn none(findings: Vec<Finding>) {
    let wrong: Vec<_> = findings.into_iter().filter(|f| f.standing != Standing::Past).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
