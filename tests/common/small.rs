//! Small worlds of a pod, its node and what is said of them.

use kubectl_why::report::Report;
use kubectl_why::resource::Kind;
use kubectl_why::snapshot::Target;
use serde_json::{Value, json};

use super::from_list;

/// Pod `n/p`, created twenty minutes before the snapshot.
pub fn pod(spec: Value, status: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "spec": spec, "status": status,
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T11:40:00Z"}})
}

/// The well node `node-1` with these taints.
pub fn node(taints: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "uid": "node-1"}, "spec": {"taints": taints},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}})
}

/// An event about an object, seen three times and last a minute before the snapshot.
pub fn event(about: (&str, &str, &str), reason: &str, message: &str) -> Value {
    let (kind, name, uid) = about;
    let namespace = if kind == "Node" { "default" } else { "n" };
    let source = match kind {
        "Pod" => "kubelet",
        "PersistentVolumeClaim" => "persistentvolume-controller",
        _ => "controller",
    };
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.{reason}"), "namespace": namespace},
        "type": "Warning", "reason": reason, "message": message, "count": 3, "source": {"component": source},
        "firstTimestamp": "2026-01-01T11:41:00Z", "lastTimestamp": "2026-01-01T11:59:00Z",
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name, "uid": uid,
            "fieldPath": if kind == "Pod" { "spec.containers{app}" } else { "" }}})
}

/// The report on an object of a snapshot that holds these objects; `header` adds to what the snapshot says of itself.
pub fn diagnosed(target: &str, header: Value, objects: &[Value]) -> Report {
    let mut first = json!({"apiVersion": "kubectl-why/v1", "kind": "Snapshot", "takenAt": "2026-01-01T12:00:00Z",
        "namespace": "n"});
    if let (Value::Object(first), Value::Object(more)) = (&mut first, header) {
        first.extend(more);
    }
    let mut items = vec![first];
    items.extend(objects.iter().cloned());
    let (kind, name) = target.split_once('/').unwrap();
    let target = Target { kind: Kind::typed(kind).unwrap().kind, namespace: "n".to_owned(), name: name.to_owned() };
    kubectl_why::diagnose(&from_list(&json!({"items": items})), &target).remove(0)
}

/// Every reason that a report tells as a cause or as what follows from one.
pub fn told(report: &Report) -> Vec<&'static str> {
    let of = |c: &kubectl_why::rank::Cause| {
        std::iter::once(c.rule.reason).chain(c.symptoms.iter().map(|s| s.0.reason)).collect::<Vec<_>>()
    };
    report.causes.iter().flat_map(of).collect()
}
