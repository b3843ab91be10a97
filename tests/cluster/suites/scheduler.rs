//! The scheduler's own words: each of its filters refuses a pod on nodes of our making, and the report says what the real
//! FailedScheduling event says, in numbers too.

use serde_json::{Value, json};

use super::tests;
use crate::harness::etcd;
use crate::harness::kubectl::Report;
use crate::harness::scene::{Scene, container, merge, node, pod, ready};

tests![
    cpu_that_others_requested_is_not_free,
    memory_that_no_node_has,
    disk_that_no_node_has,
    a_gpu_that_no_node_offers,
    a_node_has_room_for_so_many_pods,
    a_selector_that_no_node_matches,
    an_affinity_that_no_node_matches,
    a_taint_that_the_pod_does_not_tolerate,
    a_cordoned_node,
    a_node_that_is_not_ready,
    a_partner_that_is_nowhere,
    a_rival_on_every_node,
    an_old_pod_that_wants_no_company,
    a_spread_that_no_node_keeps,
    a_host_port_that_is_taken,
    no_nodes_at_all,
    every_node_for_a_reason_of_its_own,
    a_gate_that_is_closed,
    a_scheduler_that_is_not_there,
];

/// Creates the pod `web`, waits until the scheduler has refused it, and gives the report and the event.
#[track_caller]
fn refused(scene: &Scene, spec: Value, reason: &str) -> (Report, String) {
    scene.create(&pod("web", spec));
    let event = scene.event("web", "FailedScheduling");
    (scene.report("pod/web", reason), event)
}

/// A pod that is already on a node.
fn placed(scene: &Scene, name: &str, on: &str, mut spec: Value) {
    merge(&mut spec, json!({"nodeName": on}));
    scene.create(&pod(name, spec));
}

fn requests(amounts: Value) -> Value {
    json!({"containers": [container(amounts)]})
}

/// The rows of the first table under a cause, each as a map from its column.
fn table(report: &Report, reason: &str) -> Vec<Value> {
    let evidence = report.must_have_cause(reason)["evidence"].as_array().cloned().unwrap_or_default();
    let table = evidence.iter().find(|e| e["rows"].is_array());
    let table = table.unwrap_or_else(|| panic!("{reason} has no table: {evidence:?}"));
    let columns = table["columns"].as_array().unwrap();
    let row = |row: &Value| -> Value {
        let cells = columns.iter().zip(row.as_array().unwrap());
        cells
            .map(|(column, cell)| (column.as_str().unwrap().to_owned(), cell.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

/// Whether the row of that node has this cell.
#[track_caller]
fn cell(rows: &[Value], node: &str, column: &str) -> String {
    let row = rows.iter().find(|row| row["Node"] == node).unwrap_or_else(|| panic!("{node} is not in {rows:?}"));
    row[column].as_str().unwrap_or_else(|| panic!("no {column} in {row}")).to_owned()
}

/// Whether the report quotes the scheduler.
#[track_caller]
fn quotes(report: &Report, event: &str) {
    let text = report.0.to_string();
    let sentence = serde_json::to_string(event).unwrap();
    assert!(text.contains(sentence.trim_matches('"')), "{event}\nis not quoted in\n{text}");
}

fn cpu_that_others_requested_is_not_free() {
    let scene = Scene::with_nodes("cpu", &[node("cpu-1", json!({})), node("cpu-2", json!({}))]);
    placed(&scene, "old", "cpu-1", requests(json!({"cpu": "3"})));
    let (report, event) = refused(&scene, requests(json!({"cpu": "4500m"})), "InsufficientCPU");
    assert!(event.starts_with("0/2 nodes are available: 2 Insufficient cpu."), "{event}");
    let rows = table(&report, "InsufficientCPU");
    assert_eq!(cell(&rows, "cpu-1", "Free"), "1");
    assert_eq!(cell(&rows, "cpu-1", "Short by"), "3500m");
    assert_eq!(cell(&rows, "cpu-2", "Short by"), "500m");
    quotes(&report, &event);
}

fn memory_that_no_node_has() {
    let scene = Scene::with_nodes("memory", &[node("memory-1", json!({}))]);
    placed(&scene, "old", "memory-1", requests(json!({"memory": "3Gi"})));
    let (report, event) = refused(&scene, requests(json!({"memory": "6Gi"})), "InsufficientMemory");
    assert!(event.starts_with("0/1 nodes are available: 1 Insufficient memory."), "{event}");
    let rows = table(&report, "InsufficientMemory");
    assert_eq!(cell(&rows, "memory-1", "Requested"), "3Gi");
    assert_eq!(cell(&rows, "memory-1", "Short by"), "1Gi");
}

fn disk_that_no_node_has() {
    let scene = Scene::with_nodes("disk", &[node("disk-1", json!({}))]);
    let (_, event) = refused(&scene, requests(json!({"ephemeral-storage": "20Gi"})), "InsufficientEphemeralStorage");
    assert!(event.contains("1 Insufficient ephemeral-storage"), "{event}");
}

fn a_gpu_that_no_node_offers() {
    let scene = Scene::with_nodes("gpu", &[node("gpu-1", json!({}))]);
    let gpu = json!({"example.com/gpu": "1"});
    let mut app = container(gpu.clone());
    app["resources"]["limits"] = gpu;
    let (report, event) = refused(&scene, json!({"containers": [app]}), "InsufficientExtendedResource");
    assert!(event.contains("1 Insufficient example.com/gpu"), "{event}");
    assert!(report.0.to_string().contains("example.com/gpu"));
}

fn a_node_has_room_for_so_many_pods() {
    let room = json!({"status": {"allocatable": {"pods": "2"}}});
    let scene = Scene::with_nodes("pods", &[node("pods-1", room)]);
    placed(&scene, "one", "pods-1", json!({}));
    placed(&scene, "two", "pods-1", json!({}));
    let (_, event) = refused(&scene, json!({}), "TooManyPods");
    assert!(event.contains("1 Too many pods"), "{event}");
}

fn a_selector_that_no_node_matches() {
    let scene =
        Scene::with_nodes("selector", &[node("selector-1", json!({"metadata": {"labels": {"pool": "general"}}}))]);
    let (report, event) = refused(&scene, json!({"nodeSelector": {"pool": "gpu"}}), "NodeSelectorMismatch");
    assert!(event.contains("1 node(s) didn't match Pod's node affinity/selector"), "{event}");
    assert!(report.0.to_string().contains("pool"));
}

fn an_affinity_that_no_node_matches() {
    let scene = Scene::with_nodes("affinity", &[node("affinity-1", json!({}))]);
    let term = json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]});
    let affinity = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}});
    let (_, event) = refused(&scene, affinity, "NodeAffinityMismatch");
    assert!(event.contains("1 node(s) didn't match Pod's node affinity/selector"), "{event}");
}

fn a_taint_that_the_pod_does_not_tolerate() {
    let taint = json!({"spec": {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}});
    let scene = Scene::with_nodes("taint", &[node("taint-1", taint.clone()), node("taint-2", taint)]);
    let (report, event) = refused(&scene, json!({}), "UntoleratedTaint");
    assert!(event.contains("2 node(s) had untolerated taint"), "{event}");
    assert!(report.0.to_string().contains("dedicated"));
}

fn a_cordoned_node() {
    let scene = Scene::with_nodes("cordon", &[node("cordon-1", json!({"spec": {"unschedulable": true}}))]);
    let (_, event) = refused(&scene, json!({}), "NodeCordoned");
    assert!(event.contains("1 node(s) were unschedulable"), "{event}");
}

fn a_node_that_is_not_ready() {
    let scene = Scene::with_nodes("unready", &[node("unready-1", json!({"status": {"conditions": [ready("False")]}}))]);
    let (_, event) = refused(&scene, json!({}), "NodeUnready");
    assert!(event.contains("1 node(s) had untolerated taint"), "{event}");
}

fn near(kind: &str, app: &str) -> Value {
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}
    ]}}})
}

fn a_partner_that_is_nowhere() {
    let scene = Scene::with_nodes("partner", &[node("partner-1", json!({}))]);
    let (_, event) = refused(&scene, near("podAffinity", "cache"), "PodAffinityUnsatisfied");
    assert!(event.contains("1 node(s) didn't match pod affinity rules"), "{event}");
}

fn a_rival_on_every_node() {
    let scene = Scene::with_nodes("rival", &[node("rival-1", json!({}))]);
    placed(&scene, "noisy", "rival-1", json!({}));
    let (_, event) = refused(&scene, near("podAntiAffinity", "noisy"), "PodAntiAffinityConflict");
    assert!(event.contains("1 node(s) didn't match pod anti-affinity rules"), "{event}");
}

fn an_old_pod_that_wants_no_company() {
    let scene = Scene::with_nodes("loner", &[node("loner-1", json!({}))]);
    placed(&scene, "loner", "loner-1", near("podAntiAffinity", "web"));
    let (_, event) = refused(&scene, json!({}), "PodAntiAffinityConflict");
    assert!(event.contains("1 node(s) didn't satisfy existing pods anti-affinity rules"), "{event}");
}

fn a_spread_that_no_node_keeps() {
    let zone = |name: &str| json!({"metadata": {"labels": {"topology.kubernetes.io/zone": name}}});
    let mut full = zone("b");
    merge(&mut full, json!({"spec": {"unschedulable": true}}));
    let scene = Scene::with_nodes("spread", &[node("spread-a", zone("a")), node("spread-b", full)]);
    placed(&scene, "web-0", "spread-a", json!({}));
    let spread = json!({"topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "web-0"]}]},
    }]});
    let (_, event) = refused(&scene, spread, "TopologySpreadViolated");
    assert!(event.contains("1 node(s) didn't match pod topology spread constraints"), "{event}");
}

fn a_host_port_that_is_taken() {
    let scene = Scene::with_nodes("port", &[node("port-1", json!({}))]);
    let mut app = container(json!({}));
    app["ports"] = json!([{"containerPort": 8080, "hostPort": 8080}]);
    let spec = json!({"containers": [app]});
    placed(&scene, "old", "port-1", spec.clone());
    let (report, event) = refused(&scene, spec, "HostPortConflict");
    assert!(event.contains("1 node(s) didn't have free ports"), "{event}");
    assert!(report.0.to_string().contains("8080"));
}

fn no_nodes_at_all() {
    let scene = Scene::with_nodes("empty", &[]);
    let (_, event) = refused(&scene, json!({}), "NoNodes");
    assert!(event.contains("no nodes available"), "{event}");
}

/// The counts of the event are those of the report, filter by filter.
fn every_node_for_a_reason_of_its_own() {
    let taint = json!({"spec": {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}});
    let labels = json!({"metadata": {"labels": {"pool": "general"}}});
    let mut tainted = labels.clone();
    merge(&mut tainted, taint);
    let mut cordoned = labels.clone();
    merge(&mut cordoned, json!({"spec": {"unschedulable": true}}));
    let nodes = [
        node("each-tainted", tainted),
        node("each-cordoned", cordoned),
        node("each-full", labels.clone()),
        node("each-small", labels),
        node("each-other", json!({})),
    ];
    let scene = Scene::with_nodes("each", &nodes);
    placed(&scene, "old", "each-full", requests(json!({"cpu": "2"})));
    let mut spec = requests(json!({"cpu": "5"}));
    merge(&mut spec, json!({"nodeSelector": {"pool": "general"}}));
    let (report, event) = refused(&scene, spec, "InsufficientCPU");
    for clause in [
        "0/5 nodes are available",
        "1 node(s) were unschedulable",
        "1 node(s) had untolerated taint",
        "1 node(s) didn't match Pod's node affinity/selector",
        "2 Insufficient cpu",
    ] {
        assert!(event.contains(clause), "{event}");
    }
    let rows = table(&report, "InsufficientCPU");
    assert_eq!(cell(&rows, "each-full", "Short by"), "3");
    assert_eq!(cell(&rows, "each-small", "Short by"), "1");
    quotes(&report, &event);
}

fn a_gate_that_is_closed() {
    let scene = Scene::new("gate");
    scene.create(&pod("web", json!({"schedulingGates": [{"name": "example.com/quota"}]})));
    let report = scene.report("pod/web", "SchedulingGated");
    assert!(report.0.to_string().contains("example.com/quota"));
}

fn a_scheduler_that_is_not_there() {
    let scene = Scene::new("absent");
    // As old as a pod must be before its scheduler counts as absent; the API lets nobody choose that.
    let mut web = pod("web", json!({"schedulerName": "volcano"}));
    merge(
        &mut web,
        json!({
            "metadata": {"namespace": scene.namespace, "uid": "5f8c1c1e-0000-4000-8000-000000000001", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        }),
    );
    etcd::replace(scene.server.etcd, &[], &[web]);
    let report = scene.report("pod/web", "SchedulerAbsent");
    assert!(report.0.to_string().contains("volcano"));
}
