//! Small clusters for the tests of rules.

use serde_json::{Value, json};

use crate::rules::testing::Case;

/// A pod with one container that the scheduler could not place, in those words.
pub(crate) fn refused(message: &str) -> Case {
    Case::pod(
        json!({"containers": [{"name": "app", "image": "i"}], "schedulerName": "default-scheduler"}),
        json!({"phase": "Pending", "conditions":
            [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}),
    )
}

/// A ready node with 16Gi of memory.
pub(crate) fn node(name: &str, cpu: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "spec": {},
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}],
            "allocatable": {"cpu": cpu, "memory": "16Gi", "ephemeral-storage": "50Gi", "pods": "110"}}})
}

/// A pod of the same namespace that runs on a node and requests that much cpu.
pub(crate) fn placed(name: &str, node: &str, cpu: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n", "uid": name},
        "spec": {"nodeName": node, "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]},
        "status": {"phase": "Running"}})
}
