//! The kinds of object that the tool knows: kubectl's names for them, where the API serves them, and what a refused
//! look at them leaves open.
//!
//! A static table instead of discovery: one round trip less, and the same answer from a file. Names and short names as
//! `kubectl api-resources` of Kubernetes 1.36 prints them.

/// One kind of Kubernetes object.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name in `kind:`, for example `PersistentVolumeClaim`.
    pub kind: &'static str,
    /// The plural name in URLs, for example `persistentvolumeclaims`.
    pub plural: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The version that is asked for.
    pub version: &'static str,
    /// kubectl's short names.
    pub short: &'static [&'static str],
    /// Whether objects of this kind live in a namespace.
    pub namespaced: bool,
    /// What a look at it tells; completes "it is not known …" when the look was refused.
    pub tells: &'static str,
}

/// Every kind, in the order in which completion offers them.
pub static KINDS: &[Kind] = &[
    core("Pod", "pods", &["po"], true, "which pods there are and what they request"),
    kind("Deployment", "deployments", "apps", &["deploy"], "what the Deployment asks for and whether it is stuck"),
    kind("StatefulSet", "statefulsets", "apps", &["sts"], "what the StatefulSet asks for"),
    kind("DaemonSet", "daemonsets", "apps", &["ds"], "what the DaemonSet asks for"),
    kind("ReplicaSet", "replicasets", "apps", &["rs"], "which Deployment stands behind the pod"),
    kind("Job", "jobs", "batch", &[], "how often the Job retries and whether it has given up"),
    kind("CronJob", "cronjobs", "batch", &["cj"], "whether the CronJob is suspended"),
    core("Node", "nodes", &["no"], false, "what the nodes offer, their taints and labels, and whether they are ready"),
    core("Event", "events", &["ev"], true, "what the cluster's components reported about the pod in the last hour"),
    core(
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        &["pvc"],
        true,
        "whether the pod's claims exist and are bound",
    ),
    core("PersistentVolume", "persistentvolumes", &["pv"], false, "from which nodes the pod's volumes can be reached"),
    Kind {
        kind: "StorageClass",
        plural: "storageclasses",
        group: "storage.k8s.io",
        version: "v1",
        short: &["sc"],
        namespaced: false,
        tells: "whether the claims' StorageClasses exist and who provisions for them",
    },
    Kind {
        kind: "VolumeAttachment",
        plural: "volumeattachments",
        group: "storage.k8s.io",
        version: "v1",
        short: &[],
        namespaced: false,
        tells: "to which node the pod's volumes are attached",
    },
    Kind {
        kind: "CSINode",
        plural: "csinodes",
        group: "storage.k8s.io",
        version: "v1",
        short: &[],
        namespaced: false,
        tells: "which CSI drivers the node has",
    },
    core(
        "ConfigMap",
        "configmaps",
        &["cm"],
        true,
        "whether the ConfigMaps that the pod names exist and hold the keys it needs",
    ),
    core("Secret", "secrets", &[], true, "whether the Secrets that the pod names exist"),
    core("ServiceAccount", "serviceaccounts", &["sa"], true, "which image pull secrets the pod's ServiceAccount adds"),
    core("ResourceQuota", "resourcequotas", &["quota"], true, "how much of the namespace's quota is used"),
    core("LimitRange", "limitranges", &["limits"], true, "which limits the namespace sets for its pods"),
    core(
        "Namespace",
        "namespaces",
        &["ns"],
        false,
        "whether the namespace is being deleted, and its Pod Security level",
    ),
    Kind {
        kind: "PriorityClass",
        plural: "priorityclasses",
        group: "scheduling.k8s.io",
        version: "v1",
        short: &["pc"],
        namespaced: false,
        tells: "which priority classes exist",
    },
    Kind {
        kind: "RuntimeClass",
        plural: "runtimeclasses",
        group: "node.k8s.io",
        version: "v1",
        short: &[],
        namespaced: false,
        tells: "whether the pod's RuntimeClass exists and its handler",
    },
    Kind {
        kind: "PodDisruptionBudget",
        plural: "poddisruptionbudgets",
        group: "policy",
        version: "v1",
        short: &["pdb"],
        namespaced: true,
        tells: "which disruptions are allowed",
    },
    Kind {
        kind: "ResourceClaim",
        plural: "resourceclaims",
        group: "resource.k8s.io",
        version: "v1",
        short: &[],
        namespaced: true,
        tells: "whether the pod's resource claims exist and are allocated",
    },
    Kind {
        kind: "Lease",
        plural: "leases",
        group: "coordination.k8s.io",
        version: "v1",
        short: &[],
        namespaced: true,
        tells: "when the node's kubelet last reported",
    },
    Kind {
        kind: "ReplicationController",
        plural: "replicationcontrollers",
        group: "",
        version: "v1",
        short: &["rc"],
        namespaced: true,
        tells: "what the ReplicationController asks for",
    },
];

const fn core(
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    tells: &'static str,
) -> Kind {
    Kind { kind, plural, group: "", version: "v1", short, namespaced, tells }
}

const fn kind(
    kind: &'static str,
    plural: &'static str,
    group: &'static str,
    short: &'static [&'static str],
    tells: &'static str,
) -> Kind {
    Kind { kind, plural, group, version: "v1", short, namespaced: true, tells }
}

impl Kind {
    /// The kind that `kind:` names, in the API's spelling.
    pub fn named(kind: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|k| k.kind == kind)
    }

    /// The kind that a user means by TYPE: singular, plural or short name in any case, with or without `.group` or
    /// `.version.group`.
    pub fn typed(word: &str) -> Option<&'static Kind> {
        let word = word.to_ascii_lowercase();
        let (name, rest) = word.split_once('.').map_or((word.as_str(), None), |(name, rest)| (name, Some(rest)));
        KINDS.iter().find(|k| {
            (k.plural == name || k.kind.eq_ignore_ascii_case(name) || k.short.contains(&name))
                && rest.is_none_or(|rest| {
                    rest == k.group
                        || rest == k.version && k.group.is_empty()
                        || rest == format!("{}.{}", k.version, k.group)
                })
        })
    }

    /// The kind that a snapshot's header means by `plural` or `plural.group`.
    pub fn of_resource(resource: &str) -> Option<&'static Kind> {
        let plural = resource.split_once('.').map_or(resource, |(plural, _)| plural);
        KINDS.iter().find(|k| k.plural == plural)
    }

    /// The plural name with its group, as RBAC and `kubectl auth can-i` spell it: `replicasets.apps`.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name that kubectl prints before the slash, in lower case: `deployment`.
    pub fn singular(&self) -> String {
        self.kind.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_may_write_any_of_kubectls_names() {
        for word in ["pod", "pods", "po", "Pod", "pods.v1"] {
            assert_eq!(Kind::typed(word).map(|k| k.kind), Some("Pod"), "{word}");
        }
        for word in ["deploy", "deployments.apps", "deployments.v1.apps", "deployment"] {
            assert_eq!(Kind::typed(word).map(|k| k.kind), Some("Deployment"), "{word}");
        }
        assert_eq!(Kind::typed("deployments.batch"), None);
        assert_eq!(Kind::typed("widgets"), None);
    }
}
