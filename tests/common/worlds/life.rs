//! Small worlds of pods that run, are ended or taken away, and of what makes or holds them.

use kubectl_why::report::Report;
use serde_json::{Value, json};

use super::super::small::{diagnosed, event, node, pod};
use super::{Message, POD, app, bound, ended, on_well_node, running, waiting};

pub(super) fn failed(word: &str, text: &str) -> Report {
    let status = json!({"phase": "Failed", "reason": word, "message": text, "startTime": "2026-01-01T11:40:01Z"});
    on_well_node(pod(bound(app()), status), &[])
}

pub(super) fn disrupted(word: &str, text: &str) -> Report {
    let status = json!({"phase": "Failed", "startTime": "2026-01-01T11:40:01Z", "conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": word, "message": text}]});
    on_well_node(pod(bound(app()), status), &[])
}

pub(super) fn killed_on_node(word: &str, text: &str) -> Report {
    let mut app = app();
    app["resources"] = json!({});
    let said = event(("Node", "node-1", "node-1"), word, text);
    on_well_node(pod(bound(app), ended("OOMKilled", 137, "")), &[said])
}

pub(super) fn leaving(word: &str, text: &str) -> Report {
    let mut pod = pod(bound(app()), running(true));
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:20Z".into();
    pod["metadata"]["deletionGracePeriodSeconds"] = 30.into();
    on_well_node(pod, &[event(POD, word, text)])
}

pub(super) fn deleted(word: &str, text: &str) -> Report {
    let mut pod = pod(bound(app()), running(false));
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T11:50:30Z".into();
    pod["metadata"]["deletionGracePeriodSeconds"] = 30.into();
    if word.contains("Detach") || word.contains("nmount") || word.contains("UnMount") {
        pod["status"] = ended("Completed", 0, "");
        pod["status"]["containerStatuses"][0]["state"] = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    }
    on_well_node(pod, &[event(POD, word, text)])
}

pub(super) fn on_node(m: &Message) -> Report {
    let word = m.words[0];
    let mut node = node(json!([]));
    let mut status = running(true);
    if let Some(kind) = word.strip_prefix("KubeletHasInsufficient") {
        node["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}, {"type": format!("{kind}Pressure"), "status": "True",
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
        return diagnosed(
            "pod/p",
            header,
            &[pod(bound(app()), status), event(("Node", "node-1", "node-1"), word, &m.text)],
        );
    }
    if word == "NodeNotReady" {
        node["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    }
    diagnosed("pod/p", json!({}), &[pod(bound(app()), status), node, event(POD, word, &m.text)])
}

pub(super) fn probed(word: &str, text: &str) -> Report {
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

pub(super) fn hooked(m: &Message) -> Report {
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

pub(super) fn resized(m: &Message) -> Report {
    let word = m.words.iter().find(|w| !w.starts_with("Resize")).copied().unwrap_or_default();
    let mut status = running(true);
    let kind = if word == "Error" { "PodResizeInProgress" } else { "PodResizePending" };
    if let Some(conditions) = status["conditions"].as_array_mut() {
        conditions.push(json!({"type": kind, "status": "True", "reason": word, "message": m.text,
            "lastTransitionTime": "2026-01-01T11:45:00Z"}));
    }
    on_well_node(pod(bound(app()), status), &[])
}

pub(super) fn lost(text: &str) -> Report {
    on_well_node(pod(bound(app()), ended("ContainerStatusUnknown", 137, text)), &[])
}

pub(super) fn conditioned(word: &str, text: &str) -> Report {
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

pub(super) fn owned(word: &str, text: &str) -> Report {
    let unbound = pod;
    let kind = if word.starts_with("Job") || word.contains("Miss") { "CronJob" } else { "Job" };
    let mut pod = pod(
        bound(app()),
        json!({"phase": "Failed", "startTime": "2026-01-01T11:40:01Z", "containerStatuses": [
        {"name": "app", "image": "i", "state": {"terminated": {"exitCode": 42, "reason": "Error"}}}]}),
    );
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
            diagnosed(
                "pod/p",
                json!({"complete": ["persistentvolumeclaims"]}),
                &[unbound(spec, status), event(POD, word, text)],
            )
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
