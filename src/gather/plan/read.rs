//! The few things that the plan must know about an object to choose questions; what they mean is for facts and rules.

use serde_json::Value;

use crate::facts::is_usual_wait;
use crate::snapshot::name_of;

/// A list of an object, or nothing.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text of an object, or nothing.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// `metadata.creationTimestamp`; RFC 3339 in UTC, so it sorts as text.
pub(super) fn created(object: &Value) -> &str {
    text(object, "/metadata/creationTimestamp")
}

/// Whether the deletion of an object was asked for.
pub(super) fn is_terminating(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// Kind and name of the controller.
pub(super) fn controller(object: &Value) -> Option<(&str, &str)> {
    let owner = list(object, "/metadata/ownerReferences")
        .iter()
        .find(|o| o.get("controller").and_then(Value::as_bool) == Some(true))?;
    Some((text(owner, "/kind"), text(owner, "/name")))
}

/// Whether an object of that uid is the controller.
pub(super) fn is_controlled_by(object: &Value, uid: &str) -> bool {
    !uid.is_empty() && list(object, "/metadata/ownerReferences").iter().any(|o| text(o, "/uid") == uid)
}

/// The Deployment that named a ReplicaSet: its name is in front of the pods' `pod-template-hash`.
pub(super) fn deployment_of<'a>(pod: &Value, replica_set: &'a str) -> Option<&'a str> {
    let hash = text(pod, "/metadata/labels/pod-template-hash");
    let name = replica_set.strip_suffix(hash)?.strip_suffix('-')?;
    (!hash.is_empty() && !name.is_empty()).then_some(name)
}

/// The CronJob that named a Job: its name is in front of the scheduled time in minutes.
pub(super) fn cron_job_of(job: &str) -> Option<&str> {
    let (name, minutes) = job.rsplit_once('-')?;
    (!name.is_empty() && (8..=10).contains(&minutes.len()) && minutes.bytes().all(|b| b.is_ascii_digit()))
        .then_some(name)
}

/// A container's spec, or the template's, with its status if there is one.
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) spec: &'a Value,
    pub(super) status: Option<&'a Value>,
    /// It must end before the others start.
    pub(super) is_init: bool,
}

impl Container<'_> {
    pub(super) fn state(&self, pointer: &str) -> Option<&Value> {
        self.status.and_then(|s| s.pointer(pointer)).filter(|v| !v.is_null())
    }

    pub(super) fn waiting(&self) -> &str {
        self.status.map_or("", |s| text(s, "/state/waiting/reason"))
    }

    pub(super) fn is_ready(&self) -> bool {
        self.status.and_then(|s| s.get("ready")).and_then(Value::as_bool) == Some(true)
    }

    /// Whether the runtime has ever made it: its dependencies were there then.
    pub(super) fn was_created(&self) -> bool {
        ["/state/running", "/state/terminated", "/lastState/terminated"].iter().any(|p| self.state(p).is_some())
    }

    /// Whether it waits for volumes or a sandbox: the kubelet mounts every volume of a pod before it pulls the first image.
    pub(super) fn is_before_images(&self) -> bool {
        !self.was_created() && is_usual_wait(self.waiting())
    }

    pub(super) fn failed_pull(&self) -> bool {
        matches!(
            self.waiting(),
            "ErrImagePull"
                | "ImagePullBackOff"
                | "ImageInspectError"
                | "ErrImageNeverPull"
                | "InvalidImageName"
                | "RegistryUnavailable"
                | "SignatureValidationFailed"
        )
    }
}

/// Init containers, sidecars and containers, with their statuses.
pub(super) fn containers(pod: &Value) -> Vec<Container<'_>> {
    let lists =
        [("/spec/initContainers", "/status/initContainerStatuses"), ("/spec/containers", "/status/containerStatuses")];
    let join = |(specs, statuses): (&str, &str)| -> Vec<Container<'_>> {
        let is_init = specs.ends_with("initContainers");
        let one = |spec| {
            let name = text(spec, "/name");
            let status = list(pod, statuses).iter().find(|s| text(s, "/name") == name);
            Container { name, spec, status, is_init: is_init && text(spec, "/restartPolicy") != "Always" }
        };
        list(pod, specs).iter().map(one).collect()
    };
    lists.into_iter().flat_map(join).collect()
}

/// Whether a pod runs and serves.
pub(super) fn is_fine(pod: &Value) -> bool {
    trouble(pod) <= 1
}

/// How far a pod is from fine: 0 not at all, 1 only in the past.
pub(super) fn trouble(pod: &Value) -> u8 {
    let containers = containers(pod);
    let failed_before = containers.iter().any(|c| c.state("/lastState/terminated").is_some());
    match text(pod, "/status/phase") {
        "Succeeded" if !is_terminating(pod) => 0,
        _ if containers.iter().any(|c| !is_usual_wait(c.waiting())) => 6,
        "Pending" | "" => 5,
        _ if is_terminating(pod) => 4,
        "Failed" | "Unknown" => 3,
        _ if containers.iter().any(|c| !c.is_init && !c.is_ready()) => 4,
        _ if list(pod, "/status/conditions")
            .iter()
            .any(|c| text(c, "/type") == "Ready" && text(c, "/status") != "True") =>
        {
            3
        }
        _ if failed_before => 1,
        _ => 0,
    }
}

/// A label selector as a query: `a=b,c in (d,e),!f`. Nothing if it is empty, which would select everything.
pub(super) fn selector(of: &Value) -> Option<String> {
    let mut parts = Vec::new();
    let labels = of.get("matchLabels").or_else(|| of.get("matchExpressions").is_none().then_some(of));
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.as_str() {
            parts.push(format!("{key}={value}"));
        }
    }
    for expression in list(of, "/matchExpressions") {
        let key = text(expression, "/key");
        let values: Vec<&str> = list(expression, "/values").iter().filter_map(Value::as_str).collect();
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => continue,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

/// ConfigMaps and Secrets that a container's environment names.
pub(super) fn environment(container: &Value) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    for variable in list(container, "/env") {
        found.push(("ConfigMap", text(variable, "/valueFrom/configMapKeyRef/name")));
        found.push(("Secret", text(variable, "/valueFrom/secretKeyRef/name")));
    }
    for source in list(container, "/envFrom") {
        found.push(("ConfigMap", text(source, "/configMapRef/name")));
        found.push(("Secret", text(source, "/secretRef/name")));
    }
    found
}

/// ConfigMaps and Secrets that a volume names.
pub(super) fn volume(volume: &Value) -> Vec<(&'static str, &str)> {
    let mut found =
        vec![("ConfigMap", text(volume, "/configMap/name")), ("Secret", text(volume, "/secret/secretName"))];
    for source in list(volume, "/projected/sources") {
        found.push(("ConfigMap", text(source, "/configMap/name")));
        found.push(("Secret", text(source, "/secret/name")));
    }
    for driver in [
        "csi/nodePublishSecretRef",
        "cephfs/secretRef",
        "rbd/secretRef",
        "iscsi/secretRef",
        "flexVolume/secretRef",
        "scaleIO/secretRef",
        "storageos/secretRef",
    ] {
        found.push(("Secret", text(volume, &format!("/{driver}/name"))));
    }
    found.push(("Secret", text(volume, "/azureFile/secretName")));
    found
}

/// The claim behind a volume; that of an ephemeral one is named after pod and volume.
pub(super) fn claim(pod: &Value, volume: &Value) -> Option<String> {
    let named = text(volume, "/persistentVolumeClaim/claimName");
    if !named.is_empty() {
        return Some(named.to_owned());
    }
    volume.get("ephemeral").filter(|e| e.is_object()).map(|_| format!("{}-{}", name_of(pod), text(volume, "/name")))
}
