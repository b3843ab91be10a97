//! Who will make the pod again: the object that a remedy has to change.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::Deserialize;
use serde_json::Value;

use super::pod::Pod;
use crate::finding::{Command, Remedy};
use crate::resource::Kind;
use crate::snapshot::{Lookup, Snapshot};

/// The object at the top of a pod's chain of controllers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `Deployment`, `StatefulSet`, …; `Pod` if the pod stands alone.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The API group of a kind that the tool does not know, for commands.
    pub group: String,
    /// The controller between it and the pod: a Deployment's ReplicaSet, a CronJob's Job.
    pub via: Option<(String, String)>,
    namespace: String,
    /// Whether nothing is lost when the pod is replaced: it stands alone, and nothing in it runs.
    is_bare: bool,
}

impl Owner {
    pub(super) fn of_pod(snapshot: &Snapshot, pod: &Pod) -> Self {
        let Some(first) = controller(pod.meta.owner_references.as_deref()) else {
            return Self { is_bare: holds_nothing(pod), ..Self::new("Pod", &pod.name, &pod.namespace) };
        };
        let near = Self::from_reference(first, &pod.namespace);
        match snapshot.object(&near.kind, &pod.namespace, &near.name) {
            Lookup::Found(object) => match controller_of(object) {
                Some(reference) => Self::from_reference(&reference, &pod.namespace).through(near),
                None => near,
            },
            _ => match deployment_by_hash(pod, &near) {
                Some(name) => Self::new("Deployment", &name, &pod.namespace).through(near),
                None => near,
            },
        }
    }

    /// An object that is itself the target.
    pub(super) fn new(kind: &str, name: &str, namespace: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            group: String::new(),
            via: None,
            namespace: namespace.to_owned(),
            is_bare: false,
        }
    }

    fn from_reference(reference: &OwnerReference, namespace: &str) -> Self {
        let group = reference.api_version.split_once('/').map_or("", |(group, _)| group);
        Self { group: group.to_owned(), ..Self::new(&reference.kind, &reference.name, namespace) }
    }

    fn through(self, near: Self) -> Self {
        Self { via: Some((near.kind, near.name)), ..self }
    }

    /// Whether nothing recreates the pod.
    pub fn is_pod(&self) -> bool {
        self.kind == "Pod"
    }

    /// kubectl's argument for it: `deployment/checkout`.
    pub fn argument(&self) -> String {
        let kind = self.kind.to_ascii_lowercase();
        match Kind::named(&self.kind) {
            None if !self.group.is_empty() => format!("{kind}.{}/{}", self.group, self.name),
            _ => format!("{kind}/{}", self.name),
        }
    }

    /// As the report's header shows it: `Deployment/checkout (ReplicaSet/checkout-7d9f8b6c5d)`.
    pub fn header(&self) -> String {
        match &self.via {
            Some((kind, name)) => format!("{}/{} ({kind}/{name})", self.kind, self.name),
            None => format!("{}/{}", self.kind, self.name),
        }
    }

    /// The remedy that changes the pod template with `kubectl set WHAT … ARGS`, for example
    /// `set(say, "image", &["app=IMAGE"])`. Where `kubectl set` cannot do it, the way that does.
    pub fn set(&self, say: &str, what: &str, args: &[&str]) -> Remedy {
        let settable = matches!(
            self.kind.as_str(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "CronJob"
        );
        if settable || self.is_pod() && what == "image" {
            let target = self.argument();
            let fixed = ["set", what, &target, "-n", &self.namespace];
            return Remedy::change(say, Command::kubectl(fixed.iter().chain(args)));
        }
        self.edit(say)
    }

    /// The remedy that changes the pod template by hand: opens the owner in an editor, or for what cannot be changed in
    /// place (a Job, a pod that stands alone, a static pod) says how it is replaced.
    pub fn edit(&self, say: &str) -> Remedy {
        let say = say.trim_end_matches([':', '.']);
        let replace = Command::kubectl(["replace", "--force", "-n", &self.namespace, "-f", "FILE"]);
        match self.kind.as_str() {
            "Pod" if self.is_bare => Remedy::change(
                format!(
                    "{say}. A pod cannot be changed in place: put the change into its manifest and replace the pod:"
                ),
                replace,
            ),
            "Pod" => Remedy::last_resort(
                format!(
                    "{say}. A pod cannot be changed in place: put the change into its manifest and replace the pod, which ends what runs in it:"
                ),
                replace,
            ),
            "Job" => Remedy::last_resort(
                format!(
                    "{say}. The pod template of a Job cannot be changed: put the change into its manifest and replace the Job, which starts it over and loses its pods and their logs:"
                ),
                replace,
            ),
            "Node" => Remedy::advice(format!("{say}, in the manifest file of this static pod on node {}.", self.name)),
            _ => Remedy::change(format!("{say}:"), Command::kubectl(["edit", &self.argument(), "-n", &self.namespace])),
        }
    }
}

/// Whether no container of the pod runs and no volume of it that lives and dies with it is still of use.
fn holds_nothing(pod: &Pod) -> bool {
    let status = &pod.status;
    let lists = [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    let mut states = lists.into_iter().flatten().flatten().filter_map(|c| c.state.as_ref());
    let has_empty_dir = pod.spec.volumes.iter().flatten().any(|v| v.empty_dir.is_some());
    states.all(|s| s.running.is_none()) && (pod.is_terminal() || !has_empty_dir) && pod.unreadable.is_empty()
}

/// The owner reference that is marked as the controller.
fn controller(references: Option<&[OwnerReference]>) -> Option<&OwnerReference> {
    references?.iter().find(|r| r.controller == Some(true))
}

/// The controller of any object.
pub(super) fn controller_of(object: &Value) -> Option<OwnerReference> {
    let references = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let parsed: Vec<_> = references.iter().filter_map(|r| OwnerReference::deserialize(r).ok()).collect();
    controller(Some(&parsed)).cloned()
}

/// The Deployment's name where its ReplicaSet could not be read: a ReplicaSet of a Deployment is called
/// `DEPLOYMENT-HASH`, and its pods bear the hash as a label. Source: `pkg/controller/deployment/sync.go`.
fn deployment_by_hash(pod: &Pod, near: &Owner) -> Option<String> {
    let hash = pod.meta.labels.as_ref()?.get("pod-template-hash")?;
    let name = near.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
    (near.kind == "ReplicaSet" && !name.is_empty()).then(|| name.to_owned())
}

/// Whether an object is controlled by the named one, directly or through the controllers that are in the snapshot.
pub fn controlled_by(snapshot: &Snapshot, object: &Value, kind: &str, name: &str) -> bool {
    let namespace = crate::snapshot::namespace_of(object);
    let mut next = controller_of(object);
    // A pod's chain has two links at most; a third bounds what a file may claim.
    for _ in 0..3 {
        let Some(reference) = next else { return false };
        if reference.kind == kind && reference.name == name {
            return true;
        }
        next = match snapshot.object(&reference.kind, namespace, &reference.name) {
            Lookup::Found(controller) => controller_of(controller),
            _ => None,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::Case;

    fn refs(version: &str, kind: &str, name: &str) -> Value {
        json!([{"apiVersion": version, "kind": kind, "name": name, "uid": name, "controller": true}])
    }

    fn owned(version: &str, kind: &str, name: &str) -> Case {
        Case::container(json!({})).edit("/metadata/ownerReferences", refs(version, kind, name))
    }

    fn header(case: &Case) -> String {
        case.facts(|f| f.owner.header())
    }

    fn set(name: &str, owner: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": name, "namespace": "n", "uid": name, "ownerReferences": owner}})
    }

    #[test]
    fn a_replica_set_that_may_not_be_read_gives_its_deployment_away_by_the_hash() {
        let of = |kind: &str, name: &str| {
            header(&owned("apps/v1", kind, name).edit("/metadata/labels", json!({"pod-template-hash": "7d9f"})))
        };
        assert_eq!(of("ReplicaSet", "web-7d9f"), "Deployment/web (ReplicaSet/web-7d9f)");
        assert_eq!(of("ReplicaSet", "-7d9f"), "ReplicaSet/-7d9f");
        assert_eq!(of("ReplicaSet", "web-8"), "ReplicaSet/web-8");
        assert_eq!(of("Rollout", "web-7d9f"), "Rollout/web-7d9f");
        let alone =
            owned("apps/v1", "ReplicaSet", "web-7d9f").edit("/metadata/labels", json!({"pod-template-hash": "7d9f"}));
        assert_eq!(
            header(&alone.with(set("web-7d9f", json!([])))),
            "ReplicaSet/web-7d9f",
            "it was read and has no owner"
        );
    }

    #[test]
    fn kinds_of_others_are_named_with_their_group() {
        let of = |version: &str, kind: &str| owned(version, kind, "x").facts(|f| f.owner.argument());
        assert_eq!(of("argoproj.io/v1alpha1", "Rollout"), "rollout.argoproj.io/x");
        assert_eq!(of("v1", "Widget"), "widget/x");
        assert_eq!(of("apps/v1", "StatefulSet"), "statefulset/x");
    }

    #[test]
    fn a_static_pod_is_changed_in_its_file() {
        let remedy = owned("v1", "Node", "w").facts(|f| format!("{:?}", f.owner.edit("Change it:")));
        assert!(remedy.contains("in the manifest file of this static pod on node w"), "{remedy}");
    }

    #[test]
    fn an_object_is_controlled_through_what_stands_between() {
        let case = owned("apps/v1", "ReplicaSet", "r").with(set("r", refs("apps/v1", "Deployment", "d")));
        let snapshot = case.snapshot();
        let pod = &snapshot.all("Pod")[0];
        let by = |kind: &str, name: &str| controlled_by(&snapshot, pod, kind, name);
        assert!(by("ReplicaSet", "r") && by("Deployment", "d"));
        assert!(!by("Deployment", "r") && !by("Deployment", "e") && !by("StatefulSet", "d"));
    }
}
