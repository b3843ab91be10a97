//! Objects that tests put into the cluster, and a namespace with its clean-up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::api::path_of;
use super::kubeconfig::User;
use super::kubectl::{Kubectl, Report, eventually};
use super::server::{Server, controlled};
use super::wait_for;

/// Nodes belong to the whole cluster: whoever needs some has them alone.
static NODES: Mutex<()> = Mutex::new(());

/// A namespace, the nodes of the cluster, and the administrator's kubectl.
pub struct Scene {
    pub server: &'static Server,
    pub namespace: String,
    pub kubectl: Kubectl,
    /// Cluster-wide objects to remove.
    remove: Mutex<Vec<String>>,
    /// Held until the nodes are gone again: fields are dropped last.
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Scene {
    /// A namespace in a cluster whose nodes do not matter.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        Self::labelled(name, json!({}))
    }

    /// The same with labels on the namespace.
    #[track_caller]
    pub fn labelled(name: &str, labels: Value) -> Self {
        let server = controlled();
        let namespace = server.namespace(name, labels);
        let config = server.kubeconfig(&namespace, &User::token("admin-token"), Some(&namespace));
        let kubectl = Kubectl::new(server, &config);
        Self { server, namespace, kubectl, remove: Mutex::default(), _alone: None }
    }

    /// A namespace in a cluster that has these nodes and no others.
    #[track_caller]
    pub fn with_nodes(name: &str, nodes: &[Value]) -> Self {
        let alone = NODES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scene = Self::new(name);
        scene._alone = Some(alone);
        nodes.iter().for_each(|node| scene.global(node));
        nodes.iter().filter(|node| is_ready(node)).for_each(|node| scene.wait_until_open(node));
        scene
    }

    /// Every node is born with a taint, which a controller takes away if the node is ready.
    fn wait_until_open(&self, node: &Value) {
        wait_for("the taint of new nodes to go", Duration::from_secs(30), || {
            let node = self.server.admin.get(&path_of(node))?;
            let taints = node["spec"]["taints"].as_array();
            let is_new = taints.into_iter().flatten().any(|t| t["key"] == "node.kubernetes.io/not-ready");
            (!is_new).then_some(())
        });
    }

    /// Creates an object without namespace, which goes away with the scene.
    #[track_caller]
    pub fn global(&self, object: &Value) {
        self.server.admin.create(object);
        self.remove.lock().unwrap().push(path_of(object));
    }

    /// Creates an object in the namespace.
    #[track_caller]
    pub fn create(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["metadata"]["namespace"] = json!(self.namespace);
        self.server.admin.create(&object)
    }

    /// The report about the target, once it has that cause.
    #[track_caller]
    pub fn report(&self, target: &str, reason: &str) -> Report {
        eventually(&self.kubectl, target, &self.namespace, reason)
    }

    /// The message of the newest event with that reason about an object.
    #[track_caller]
    pub fn event(&self, name: &str, reason: &str) -> String {
        super::kubectl::event(self.server, &self.namespace, name, reason)
    }

    /// A pod that the node has accepted, with this container status besides its name.
    #[track_caller]
    pub fn on_node(&self, pod: &Value, node: &str, phase: &str, container: Value) -> Value {
        let mut pod = pod.clone();
        pod["spec"]["nodeName"] = json!(node);
        let created = self.create(&pod);
        let mut status = json!({
            "name": "app", "image": "registry.example.com/shop/api:1", "imageID": "", "ready": false, "restartCount": 0,
        });
        merge(&mut status, container);
        let scheduled = json!({"type": "PodScheduled", "status": "True"});
        let ready = json!({"type": "Ready", "status": if status["ready"] == true { "True" } else { "False" }});
        self.server.admin.set_status(
            &created,
            json!({
                "phase": phase, "startTime": "2026-01-01T00:00:00Z", "conditions": [scheduled, ready],
                "containerStatuses": [status],
            }),
        )
    }

    /// A pod that cannot start, as its Secret does not exist: the report needs the pod, its node, its events and the Secret.
    #[track_caller]
    pub fn without_its_secret(name: &str) -> Self {
        let scene = Self::with_nodes(name, &[node(&format!("{name}-1"), json!({}))]);
        let mut app = container(json!({}));
        app["envFrom"] = json!([{"secretRef": {"name": "smtp"}}]);
        let mail = pod("mail", json!({"containers": [app]}));
        let waiting = json!({"reason": "CreateContainerConfigError", "message": "secret \"smtp\" not found"});
        scene.on_node(&mail, &format!("{name}-1"), "Pending", json!({"state": {"waiting": waiting}}));
        scene
    }

    /// The path of an object in the namespace.
    pub fn path(&self, api: &str, plural: &str, name: &str) -> String {
        format!("/{api}/namespaces/{}/{plural}/{name}", self.namespace)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let admin = &self.server.admin;
        let pods = format!("/api/v1/namespaces/{}/pods", self.namespace);
        admin.attempt("DELETE", &format!("{pods}?gracePeriodSeconds=0"), None);
        for path in self.remove.get_mut().unwrap_or_else(PoisonError::into_inner) {
            admin.attempt("DELETE", &format!("{path}?gracePeriodSeconds=0"), None);
        }
    }
}

/// A node with 4 CPUs, 8Gi of memory and 10Gi of disk that is ready, changed by a merge patch.
pub fn node(name: &str, change: Value) -> Value {
    let room = json!({"cpu": "4", "memory": "8Gi", "ephemeral-storage": "10Gi", "pods": "110"});
    let mut node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        }},
        "status": {"capacity": room, "allocatable": room, "conditions": [ready("True")]},
    });
    merge(&mut node, change);
    node
}

fn is_ready(node: &Value) -> bool {
    node["status"]["conditions"].as_array().into_iter().flatten().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// A node's Ready condition.
pub fn ready(status: &str) -> Value {
    json!({
        "type": "Ready", "status": status, "reason": if status == "True" { "KubeletReady" } else { "KubeletNotReady" },
        "message": "as the test says", "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

/// A pod with one container, changed by a merge patch of its spec.
pub fn pod(name: &str, change: Value) -> Value {
    let mut spec = json!({"containers": [container(json!({}))], "terminationGracePeriodSeconds": 1});
    merge(&mut spec, change);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
}

/// A container with these requests.
pub fn container(requests: Value) -> Value {
    json!({"name": "app", "image": "registry.example.com/shop/api:1", "resources": {"requests": requests}})
}

/// A Deployment whose template is the pod.
pub fn deployment(name: &str, pod: &Value) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod["spec"]}},
    })
}

/// A claim of 1Gi, changed by a merge patch of its spec.
pub fn claim(name: &str, change: Value) -> Value {
    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    merge(&mut spec, change);
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec})
}

/// The volumes of a pod that uses the claim.
pub fn uses(claim: &str) -> Value {
    json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]})
}

/// An RFC 7386 merge patch.
pub fn merge(target: &mut Value, change: Value) {
    match change {
        Value::Object(change) => {
            if !target.is_object() {
                *target = json!({});
            }
            for (key, value) in change {
                if value.is_null() {
                    target.as_object_mut().expect("an object").remove(&key);
                } else {
                    merge(&mut target[&key], value);
                }
            }
        }
        other => *target = other,
    }
}
