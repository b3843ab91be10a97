//! Messages of Kubernetes where they would stand: a small world for each family of them.

mod life;

use kubectl_why::report::Report;
use serde_json::{Value, json};

use super::small::{diagnosed, event, node, pod};
use life::{
    conditioned, deleted, disrupted, failed, hooked, killed_on_node, leaving, lost, on_node, owned, probed, resized,
};

/// A line of `tests/data/messages.tsv`.
#[derive(Clone)]
pub struct Message {
    pub id: &'static str,
    surface: &'static str,
    /// The reasons with which it is said.
    words: Vec<&'static str>,
    pub text: String,
    /// What it means, as our reasons; `+` marks one that we have not.
    pub causes: Vec<&'static str>,
}

/// Every known message.
pub fn messages() -> Vec<Message> {
    let rows = include_str!("../../data/messages.tsv").lines().skip(1).map(|l| l.split('\t').collect::<Vec<_>>());
    rows.map(|row| Message {
        id: row[0],
        surface: row[1],
        words: row[2].split('|').collect(),
        text: ours(&row[4].replace("\\n", "\n").replace("\\\"", "\"")),
        causes: row[5].split('|').collect(),
    })
    .collect()
}

/// The message with the names of the small world in place of those of the pod that it was collected from.
fn ours(text: &str) -> String {
    text.replace("web-scratch", "p-scratch").replace("default/web", "n/p").replace("default/p-scratch", "n/p-scratch")
}

const POD: (&str, &str, &str) = ("Pod", "p", "u");

/// The message where it would stand; none for a family of messages that this does not know.
pub fn world(m: &Message) -> Option<Report> {
    let text = m.text.as_str();
    let word = m.words[0].replace('*', "cpu");
    let family = m.id.split('-').next().unwrap_or_default();
    Some(match family {
        "SCH" if word == "Preempted" => leaving(&word, text),
        "SCH" | "KARP" | "CA" => unscheduled(m),
        "IMG" | "CFG" | "RUN" if m.surface.contains("log") && m.words == ["*"] => ended_with_log(text),
        "RUN" if m.surface.contains("pod.status") => failed(&word, text),
        "IMG" | "CFG" | "RUN" => starting(m),
        "SBX" | "VOL" => prevented(&word, text),
        "CRE" => refused(&word, text),
        "PVC" => pending_claim(m),
        "REJ" => failed(&word, text),
        "EVT" if m.surface.contains("pod.status") => failed(&word, text),
        "EVT" if m.surface.starts_with("condition") => disrupted(&word, text),
        "EVT" if matches!(word.as_str(), "SystemOOM" | "OOMKilling") => killed_on_node(&word, text),
        "EVT" | "DEL" => deleted(&word, text),
        "NOD" | "NODE" => on_node(m),
        "PRB" => probed(&word, text),
        "HK" => hooked(m),
        "RSZ" => resized(m),
        "RST" => lost(text),
        "CND" => conditioned(&word, text),
        "OWN" => owned(&word, text),
        _ => return None,
    })
}

fn app() -> Value {
    json!({"name": "app", "image": "r.example/a:1", "ports": [{"containerPort": 8080}],
        "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "api-env", "key": "db_host"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "api-db", "key": "password"}}}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}})
}

fn bound(app: Value) -> Value {
    json!({"nodeName": "node-1", "containers": [app], "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "cfg", "configMap": {"name": "web-config", "items": [{"key": "nginx.conf", "path": "nginx.conf"}]}},
        {"name": "tls", "secret": {"secretName": "web-tls", "items": [{"key": "tls.key", "path": "tls.key"}]}}]})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"phase": "Pending", "startTime": "2026-01-01T11:40:01Z", "conditions": [
            {"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{"name": "app", "image": "r.example/a:1", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}}}]})
}

fn running(ready: bool) -> Value {
    json!({"phase": "Running", "startTime": "2026-01-01T11:40:01Z", "conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Initialized", "status": "True"},
            {"type": "ContainersReady", "status": if ready { "True" } else { "False" }},
            {"type": "Ready", "status": if ready { "True" } else { "False" }}],
        "containerStatuses": [{"name": "app", "image": "r.example/a:1", "ready": ready, "started": true, "restartCount": 0,
            "state": {"running": {"startedAt": "2026-01-01T11:41:00Z"}}}]})
}

fn ended(reason: &str, code: i32, message: &str) -> Value {
    json!({"phase": "Running", "startTime": "2026-01-01T11:40:01Z", "conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Initialized", "status": "True"}],
        "containerStatuses": [{"name": "app", "image": "r.example/a:1", "ready": false, "restartCount": 7,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": reason, "exitCode": code, "message": message,
                "startedAt": "2026-01-01T11:58:00Z", "finishedAt": "2026-01-01T11:58:09Z"}}}]})
}

fn on_well_node(pod: Value, more: &[Value]) -> Report {
    let mut objects = vec![pod, node(json!([]))];
    objects.extend(more.iter().cloned());
    diagnosed("pod/p", json!({"complete": ["events", "persistentvolumeclaims"]}), &objects)
}

fn unscheduled(m: &Message) -> Report {
    let word = m.words.iter().find(|w| ["Unschedulable", "SchedulerError", "SchedulingGated"].contains(w));
    let mut conditions = json!([]);
    if m.surface.contains("condition") {
        conditions = json!([{"type": if word.is_some() { "PodScheduled" } else { "DisruptionTarget" },
            "status": if word.is_some() { "False" } else { "True" }, "reason": word.copied().unwrap_or(m.words[0]),
            "message": m.text}]);
    }
    let mut spec = bound(app());
    spec["nodeName"] = Value::Null;
    spec["resourceClaims"] = json!([{"name": "gpu", "resourceClaimName": "gpu"}]);
    if let Some(claim) = between(&m.text, "persistentvolumeclaim \"", "\"") {
        spec["volumes"][0]["persistentVolumeClaim"]["claimName"] = claim.into();
    }
    if m.text.contains("ephemeral") || m.text.contains("not created for pod") {
        spec["volumes"][0] = json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}});
    }
    if m.text.contains("gates") || word == Some(&"SchedulingGated") {
        spec["schedulingGates"] = json!([{"name": "hold"}]);
    }
    if m.text.contains("node name") || m.text.contains("hostname.") {
        spec["nodeName"] = "node-9".into();
    }
    let mut status = json!({"phase": "Pending", "conditions": conditions});
    if m.text.contains("nominated node") {
        status["nominatedNodeName"] = "node-1".into();
    }
    if matches!(m.words[0], "TriggeredScaleUp" | "NotTriggerScaleUp") {
        status["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available: 3 Insufficient cpu."}]);
    }
    let mut objects = vec![pod(spec, status)];
    if m.surface.contains("event") {
        objects.push(event(POD, m.words[0], &m.text));
    }
    let refused = json!({"unanswered": [{"verb": "list", "resource": "nodes", "why": "forbidden"}]});
    diagnosed("pod/p", refused, &objects)
}

fn starting(m: &Message) -> Report {
    let said_of_a_wait =
        |w: &&&str| ["Err", "Invalid", "Unavailable", "BackOff"].iter().any(|e| w.contains(e)) && w.len() > 7;
    let word = m.words.iter().find(said_of_a_wait).copied().unwrap_or("ContainerCreating");
    let quoted = m.surface.contains("waiting");
    let status = waiting(word, if quoted { &m.text } else { "" });
    let told = if quoted { Vec::new() } else { vec![event(POD, m.words[0], &m.text)] };
    let mut app = app();
    let kubelets_own = ["r.example", "\"", "(", "["];
    if let Some(image) =
        between(&m.text, "mage \"", "\"").filter(|i| !i.is_empty() && !kubelets_own.iter().any(|k| i.starts_with(k)))
    {
        app["image"] = image.into();
    }
    let mut spec = bound(app);
    if m.words == ["FailedToRetrieveImagePullSecret"] {
        spec["imagePullSecrets"] = json!([{"name": "regcred"}]);
    }
    on_well_node(pod(spec, status), &told)
}

fn ended_with_log(text: &str) -> Report {
    let code = if text.contains("denied") {
        126
    } else if text.contains("not found") {
        127
    } else {
        1
    };
    let objects = [pod(bound(app()), ended("Error", code, "")), node(json!([]))];
    let log = json!({"logs": [{"pod": "p", "container": "app", "previous": true, "text": text}]});
    diagnosed("pod/p", log, &objects)
}

fn prevented(word: &str, text: &str) -> Report {
    let mut spec = bound(app());
    if text.contains("untime") {
        spec["runtimeClassName"] = "sandboxed".into();
    }
    if word == "FailedPrepareDynamicResources" {
        spec["resourceClaims"] = json!([{"name": "gpu", "resourceClaimName": "gpu"}]);
    }
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "n", "uid": "c"},
        "spec": {"volumeName": "pvc-1", "storageClassName": "gp3"}, "status": {"phase": "Bound"}});
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pvc-1"},
        "spec": {"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}, "claimRef": {"namespace": "n", "name": "data"}},
        "status": {"phase": "Bound"}});
    let mut there = vec![claim, volume, event(POD, word, text)];
    if text.contains("persistentvolumeclaims \"data\" not found") {
        there.remove(0);
    }
    on_well_node(pod(spec, waiting("ContainerCreating", "")), &there)
}

fn refused(word: &str, text: &str) -> Report {
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": 1, "template": {"spec": {
            "containers": [app()]}}},
        "metadata": {"name": "web-5d", "namespace": "n", "uid": "rs", "creationTimestamp": "2026-01-01T11:40:00Z"},
        "status": {"replicas": 0}});
    diagnosed(
        "replicaset/web-5d",
        json!({"complete": ["events"]}),
        &[set, event(("ReplicaSet", "web-5d", "rs"), word, text)],
    )
}

fn pending_claim(m: &Message) -> Report {
    let word = m.words[0];
    let lost = word.starts_with("ClaimLost");
    let source = if m.id.starts_with("PVC-PROV") { "csi.example.com_x" } else { "persistentvolume-controller" };
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "n", "uid": "c", "creationTimestamp": "2026-01-01T11:30:00Z"},
        "spec": {"storageClassName": "fast-ssd", "volumeName": if lost { "pv-7" } else { "" }},
        "status": {"phase": if lost { "Lost" } else { "Pending" }}});
    let mut said = event(("PersistentVolumeClaim", "data", "c"), word, &m.text);
    said["source"]["component"] = source.into();
    let mut spec = bound(app());
    spec["nodeName"] = Value::Null;
    let status = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."}]});
    diagnosed("pod/p", json!({}), &[pod(spec, status), claim, said])
}

/// A pod that is being deleted within its grace period.
fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let rest = text.split_once(from)?.1;
    rest.split_once(to).map(|(inner, _)| inner)
}
