//! The messages that Kubernetes, the runtimes and the drivers are known to write, each put where it would stand, lead to
//! the reason that they are known to mean.

mod common;

use common::all_well;
use common::small::{diagnosed, event, node, pod, told};
use kubectl_why::report::Report;
use kubectl_why::rules;
use serde_json::{Value, json};

/// A line of `tests/data/messages.tsv`.
#[derive(Clone)]
struct Message {
    id: &'static str,
    surface: &'static str,
    /// The reasons with which it is said.
    words: Vec<&'static str>,
    text: String,
    /// What it means, as our reasons; `+` marks one that we have not.
    causes: Vec<&'static str>,
}

fn messages() -> Vec<Message> {
    let rows = include_str!("data/messages.tsv").lines().skip(1).map(|l| l.split('\t').collect::<Vec<_>>());
    rows.map(|row| Message {
        id: row[0],
        surface: row[1],
        words: row[2].split('|').collect(),
        text: row[4].replace("\\n", "\n").replace("\\\"", "\""),
        causes: row[5].split('|').collect(),
    })
    .collect()
}

/// Causes that have no reason of their own, and the nearest that tell them in the message's words.
const NEAREST: [(&str, &[&str]); 0] = [];

/// Messages that lead to no reason, and why that is right.
const EXCEPTIONS: [(&str, &str); 0] = [];

fn accepted(message: &Message) -> Vec<&'static str> {
    let nearest = |cause: &'static str| match cause.strip_prefix('+') {
        None => vec![cause],
        Some(name) if rules::named(name).is_some() => vec![name],
        Some(_) => NEAREST.iter().find(|(c, _)| *c == cause).map_or(Vec::new(), |(_, near)| near.to_vec()),
    };
    message.causes.iter().copied().flat_map(nearest).collect()
}

const POD: (&str, &str, &str) = ("Pod", "p", "u");

/// The message where it would stand; none for a family of messages that this does not know.
fn world(m: &Message) -> Option<Report> {
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
    diagnosed("pod/p", json!({"complete": ["events"]}), &objects)
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
    let said_of_a_wait = |w: &&&str| ["Err", "Invalid", "Unavailable", "BackOff"].iter().any(|e| w.contains(e)) && w.len() > 7;
    let word = m.words.iter().find(said_of_a_wait).copied().unwrap_or("ContainerCreating");
    let quoted = m.surface.contains("waiting");
    let status = waiting(word, if quoted { &m.text } else { "" });
    let told = if quoted { Vec::new() } else { vec![event(POD, m.words[0], &m.text)] };
    let mut app = app();
    let kubelets_own = ["r.example", "\"", "(", "["];
    if let Some(image) = between(&m.text, "mage \"", "\"").filter(|i| !i.is_empty() && !kubelets_own.iter().any(|k| i.starts_with(k))) {
        app["image"] = image.into();
    }
    let mut spec = bound(app);
    if m.words == ["FailedToRetrieveImagePullSecret"] {
        spec["imagePullSecrets"] = json!([{"name": "regcred"}]);
    }
    on_well_node(pod(spec, status), &told)
}

fn ended_with_log(text: &str) -> Report {
    let code = if text.contains("denied") { 126 } else if text.contains("not found") { 127 } else { 1 };
    let objects = [pod(bound(app()), ended("Error", code, "")), node(json!([]))];
    let log = json!({"logs": [{"pod": "p", "container": "app", "previous": true, "text": text}]});
    diagnosed("pod/p", log, &objects)
}

fn prevented(word: &str, text: &str) -> Report {
    let mut spec = bound(app());
    if word == "FailedPrepareDynamicResources" {
        spec["resourceClaims"] = json!([{"name": "gpu", "resourceClaimName": "gpu"}]);
    }
    on_well_node(pod(spec, waiting("ContainerCreating", "")), &[event(POD, word, text)])
}

fn refused(word: &str, text: &str) -> Report {
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": 1, "template": {"spec": {
            "containers": [app()]}}},
        "metadata": {"name": "web-5d", "namespace": "n", "uid": "rs", "creationTimestamp": "2026-01-01T11:40:00Z"},
        "status": {"replicas": 0}});
    diagnosed("replicaset/web-5d", json!({"complete": ["events"]}), &[set, event(("ReplicaSet", "web-5d", "rs"), word, text)])
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

fn failed(word: &str, text: &str) -> Report {
    let status = json!({"phase": "Failed", "reason": word, "message": text, "startTime": "2026-01-01T11:40:01Z"});
    on_well_node(pod(bound(app()), status), &[])
}

fn disrupted(word: &str, text: &str) -> Report {
    let status = json!({"phase": "Failed", "startTime": "2026-01-01T11:40:01Z", "conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": word, "message": text}]});
    on_well_node(pod(bound(app()), status), &[])
}

fn killed_on_node(word: &str, text: &str) -> Report {
    let mut app = app();
    app["resources"] = json!({});
    let said = event(("Node", "node-1", "node-1"), word, text);
    on_well_node(pod(bound(app), ended("OOMKilled", 137, "")), &[said])
}

/// A pod that is being deleted within its grace period.
fn leaving(word: &str, text: &str) -> Report {
    let mut pod = pod(bound(app()), running(true));
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:20Z".into();
    pod["metadata"]["deletionGracePeriodSeconds"] = 30.into();
    on_well_node(pod, &[event(POD, word, text)])
}

fn deleted(word: &str, text: &str) -> Report {
    let mut pod = pod(bound(app()), running(false));
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T11:50:30Z".into();
    pod["metadata"]["deletionGracePeriodSeconds"] = 30.into();
    if word.contains("Detach") || word.contains("nmount") || word.contains("UnMount") {
        pod["status"] = ended("Completed", 0, "");
        pod["status"]["containerStatuses"][0]["state"] = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    }
    on_well_node(pod, &[event(POD, word, text)])
}

fn on_node(m: &Message) -> Report {
    let word = m.words[0];
    let mut node = node(json!([]));
    let mut status = running(true);
    if let Some(kind) = word.strip_prefix("KubeletHasInsufficient") {
        node["status"]["conditions"] =
            json!([{"type": "Ready", "status": "True"}, {"type": format!("{kind}Pressure"), "status": "True",
                "reason": word, "message": m.text}]);
        node["spec"]["taints"] = json!([{"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}]);
        let status = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/1 nodes are available: 1 node(s) had untolerated taint(s)."}]});
        let objects = [pod(json!({"containers": [app()]}), status), node];
        return diagnosed("pod/p", json!({"complete": ["nodes", "pods", "events"]}), &objects);
    }
    if m.surface.contains("condition") {
        let ready = if word.starts_with("NodeStatus") { "Unknown" } else { "False" };
        node["status"]["conditions"] = json!([{"type": "Ready", "status": ready, "reason": word, "message": m.text,
            "lastTransitionTime": "2026-01-01T11:45:00Z"}]);
        if m.causes == ["CNINotReady"] {
            status = waiting("ContainerCreating", "");
        }
        return diagnosed("pod/p", json!({}), &[pod(bound(app()), status), node]);
    }
    if m.causes == ["NodeMissing"] {
        let header = json!({"complete": ["nodes"]});
        return diagnosed("pod/p", header, &[pod(bound(app()), status), event(("Node", "node-1", "node-1"), word, &m.text)]);
    }
    if word == "NodeNotReady" {
        node["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    }
    diagnosed("pod/p", json!({}), &[pod(bound(app()), status), node, event(POD, word, &m.text)])
}

fn probed(word: &str, text: &str) -> Report {
    let lower = text.to_lowercase();
    let kind = ["startup", "liveness", "readiness"].into_iter().find(|k| lower.contains(k)).unwrap_or("readiness");
    let ask = if lower.contains("get \"") {
        json!({"httpGet": {"path": "/", "port": 80}})
    } else if lower.contains("dial tcp") {
        json!({"tcpSocket": {"port": 80}})
    } else if lower.contains("rpc") || lower.contains("service") {
        json!({"grpc": {"port": 50051}})
    } else {
        json!({"exec": {"command": ["check"]}})
    };
    let mut app = app();
    app[format!("{kind}Probe")] = ask;
    let mut status = running(false);
    let mut objects = vec![node(json!([])), event(POD, word, text)];
    if kind != "readiness" {
        status = ended("Error", 137, "");
        if word != "Killing" {
            objects.push(event(POD, "Killing", &format!("Container app failed {kind} probe, will be restarted")));
        }
    }
    objects.insert(0, pod(bound(app), status));
    diagnosed("pod/p", json!({"complete": ["events"]}), &objects)
}

fn hooked(m: &Message) -> Report {
    let before = m.causes == ["PreStopHookFailed"];
    let mut app = app();
    app["lifecycle"] = json!({if before { "preStop" } else { "postStart" }: {"exec": {"command": ["/hook"]}}});
    if before {
        let mut pod = pod(bound(app), running(true));
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:20Z".into();
        pod["metadata"]["deletionGracePeriodSeconds"] = 120.into();
        return on_well_node(pod, &[event(POD, m.words[0], &m.text)]);
    }
    if m.surface.contains("waiting") {
        return on_well_node(pod(bound(app), waiting("PostStartHookError", &m.text)), &[]);
    }
    let mut told = vec![event(POD, m.words[0], &m.text)];
    if m.words[0] == "Killing" {
        told.push(event(POD, "FailedPostStartHook", "PostStartHook failed"));
    }
    on_well_node(pod(bound(app), ended("Error", 137, "")), &told)
}

fn resized(m: &Message) -> Report {
    let word = m.words.iter().find(|w| !w.starts_with("Resize")).copied().unwrap_or_default();
    let mut status = running(true);
    let kind = if word == "Error" { "PodResizeInProgress" } else { "PodResizePending" };
    if let Some(conditions) = status["conditions"].as_array_mut() {
        conditions.push(json!({"type": kind, "status": "True", "reason": word, "message": m.text,
            "lastTransitionTime": "2026-01-01T11:45:00Z"}));
    }
    on_well_node(pod(bound(app()), status), &[])
}

fn lost(text: &str) -> Report {
    on_well_node(pod(bound(app()), ended("ContainerStatusUnknown", 137, text)), &[])
}

fn conditioned(word: &str, text: &str) -> Report {
    let mut status = running(true);
    let mut spec = bound(app());
    if word == "ReadinessGatesNotReady" {
        spec["readinessGates"] = json!([{"conditionType": "target-health.elbv2.k8s.aws/tg-1"}]);
        status["conditions"][3] = json!({"type": "Ready", "status": "False", "reason": word, "message": text});
    } else {
        spec["initContainers"] = json!([{"name": "wait-for-db", "image": "i"}]);
        status = waiting("PodInitializing", "");
        status["conditions"] = json!([{"type": "Initialized", "status": "False", "reason": word, "message": text}]);
        status["initContainerStatuses"] = json!([{"name": "wait-for-db", "image": "i",
            "state": {"running": {"startedAt": "2026-01-01T11:41:00Z"}}}]);
    }
    on_well_node(pod(spec, status), &[])
}

fn owned(word: &str, text: &str) -> Report {
    let kind = if word.starts_with("Job") || word.contains("Miss") { "CronJob" } else { "Job" };
    let mut pod = pod(bound(app()), json!({"phase": "Failed", "startTime": "2026-01-01T11:40:01Z", "containerStatuses": [
        {"name": "app", "image": "i", "state": {"terminated": {"exitCode": 42, "reason": "Error"}}}]}));
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "etl", "uid": "job", "controller": true}]);
    let mut owner = json!({"apiVersion": "batch/v1", "kind": kind,
        "metadata": {"name": "etl", "namespace": "n", "uid": "job", "creationTimestamp": "2026-01-01T11:30:00Z"},
        "spec": {"backoffLimit": 1, "suspend": word == "Suspended"},
        "status": {}});
    let failed = json!({"failed": 2, "conditions": [
        {"type": "Failed", "status": "True", "reason": word, "message": text}]});
    match word {
        "FailedBinding" | "FailedResourceClaimCreation" => {
            let mut spec = bound(app());
            spec["nodeName"] = Value::Null;
            spec["resourceClaims"] = json!([{"name": "gpu", "resourceClaimTemplateName": "gpu-tpl"}]);
            spec["volumes"] = json!([]);
            if word == "FailedBinding" {
                spec["volumes"] = json!([{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]);
            }
            let status = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable", "message": "0/3 nodes are available: x."}]});
            diagnosed("pod/p", json!({"complete": ["persistentvolumeclaims"]}), &[common::small::pod(spec, status), event(POD, word, text)])
        }
        "Suspended" | "JobAlreadyActive" | "MissSchedule" => {
            let target = format!("{}/etl", kind.to_lowercase());
            diagnosed(&target, json!({"complete": ["events"]}), &[owner, event((kind, "etl", "job"), word, text)])
        }
        _ => {
            owner["status"] = failed;
            on_well_node(pod, &[owner])
        }
    }
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let rest = text.split_once(from)?.1;
    rest.split_once(to).map(|(inner, _)| inner)
}

#[test]
fn every_known_message_leads_to_the_reason_that_it_means() {
    let mut faults = Vec::new();
    for message in messages().iter().filter(|m| m.causes != ["-"]) {
        let excepted = EXCEPTIONS.iter().any(|(id, _)| *id == message.id);
        let Some(report) = world(message) else {
            faults.push(format!("{}: nobody knows where it would stand", message.id));
            continue;
        };
        let accepted = accepted(message);
        let mut told: Vec<&str> = told(&report);
        told.extend(report.notes.iter().map(|(reason, _)| reason.as_str()));
        let fits = accepted.iter().any(|a| told.contains(a));
        if fits == excepted {
            let what = if excepted { "is no exception any more" } else { "is not told so" };
            faults.push(format!("{} {what}: {:?} as {told:?}, {}: {}", message.id, message.causes, report.summary, message.text));
        }
    }
    all_well(faults);
}

#[test]
fn exceptions_and_nearest_reasons_are_of_this_table() {
    let messages = messages();
    let mut faults = Vec::new();
    for (id, why) in EXCEPTIONS {
        if !messages.iter().any(|m| m.id == id) || why.len() < 10 {
            faults.push(format!("{id} is excepted: {why}"));
        }
    }
    for (cause, near) in NEAREST {
        let known = messages.iter().any(|m| m.causes.contains(&cause));
        if !known || near.is_empty() || near.iter().any(|n| rules::named(n).is_none()) {
            faults.push(format!("{cause} is nearest to {near:?}"));
        }
    }
    all_well(faults);
}
