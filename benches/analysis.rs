//! The analysis alone, without a cluster: `analysis prepare|diagnose|time NODES [EVENTS [PODS [ROUNDS]]]`.
//!
//! `prepare` builds a snapshot of a pod that fits nowhere and stops there; `diagnose` goes on to the report. The difference of
//! their instruction counts is what the analysis costs, whatever else the machine does. `time` prints the median in milliseconds.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use kubectl_why::diagnose;
use kubectl_why::snapshot::{Header, Snapshot, Target};
use serde_json::{Value, json};

/// On so many nodes the pods are counted.
const COUNTED: usize = 10;
/// So many pods on those together, if nothing else is said.
const PODS: usize = 300;
/// There is an event of another pod for so many nodes, if nothing else is said.
const NODES_PER_EVENT: usize = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |n: usize| words.get(n).and_then(|word| word.parse::<usize>().ok());
    let (what, nodes) = (words.first().map_or("time", String::as_str), number(1).unwrap_or(5000));
    let (events, pods) = (number(2).unwrap_or(nodes / NODES_PER_EVENT), number(3).unwrap_or(PODS));
    let target = Target { kind: "Pod", namespace: "shop".to_owned(), name: "unschedulable".to_owned() };
    let snapshot = black_box(snapshot(nodes, events, pods));
    match what {
        "prepare" => {}
        "diagnose" => {
            black_box(diagnose(&snapshot, &target));
        }
        "time" => {
            let mut times: Vec<f64> = (0..number(4).unwrap_or(21))
                .map(|_| {
                    let start = Instant::now();
                    black_box(diagnose(&snapshot, &target));
                    start.elapsed().as_secs_f64() * 1000.0
                })
                .collect();
            times.sort_by(f64::total_cmp);
            println!("{:.3}", times[times.len() / 2]);
        }
        _ => {
            eprintln!("analysis prepare|diagnose|time NODES [EVENTS [PODS [ROUNDS]]]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// A cluster in which a pod asks for more memory than any node has, and for a label that few have.
fn snapshot(nodes: usize, events: usize, pods: usize) -> Snapshot {
    let mut snapshot = Snapshot::new(Header {
        taken_at: "2026-11-21T12:00:00Z".parse().ok(),
        namespace: "shop".to_owned(),
        ..Header::default()
    });
    for n in 0..nodes {
        if let Ok(node) = serde_json::from_value(node(n)) {
            snapshot.add_node(node);
        }
    }
    // Those that bear the label that the pod asks for.
    let counted: Vec<usize> = (0..COUNTED).map(|n| n * 10 + 3).filter(|n| *n < nodes).collect();
    snapshot.header.pods_on.extend(counted.iter().map(|n| name(*n)));
    (0..pods).zip(counted.iter().cycle()).for_each(|(pod, node)| snapshot.add(neighbour(*node, pod)));
    (0..events).for_each(|n| snapshot.add(event(&format!("other-{n}"), "BackOff")));
    snapshot.header.complete.insert("nodes".to_owned());
    snapshot.add(unschedulable(nodes));
    snapshot.add(event("unschedulable", "FailedScheduling"));
    snapshot.settle();
    snapshot
}

fn name(n: usize) -> String {
    format!("worker-{n:05}")
}

fn node(n: usize) -> Value {
    let taints = if n.is_multiple_of(5) {
        json!([{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}])
    } else {
        json!([])
    };
    json!({
        "metadata": {"name": name(n), "labels": {
            "kubernetes.io/hostname": name(n), "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/zone": format!("zone-{}", n % 3), "pool": format!("pool-{}", n % 10)}},
        "spec": {"taints": taints},
        "status": {
            "allocatable": {"cpu": "16", "memory": "65806536Ki", "ephemeral-storage": "103880232Ki", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-21T11:59:30Z"}]}})
}

fn neighbour(node: usize, n: usize) -> Value {
    json!({
        "kind": "Pod", "metadata": {"name": format!("p-{node}-{n}"), "namespace": "other"},
        "spec": {"nodeName": name(node), "containers": [{"name": "c", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}}]},
        "status": {"phase": "Running"}})
}

fn unschedulable(nodes: usize) -> Value {
    json!({
        "kind": "Pod", "metadata": {"name": "unschedulable", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-21T11:00:00Z"},
        "spec": {
            "nodeSelector": {"pool": "pool-3"},
            "containers": [{"name": "app", "image": "registry.example.com/shop/api:v1", "resources": {"requests": {"cpu": "1", "memory": "999Gi"}}}]},
        "status": {"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": format!("0/{nodes} nodes are available: {nodes} Insufficient memory.")}]}})
}

fn event(pod: &str, reason: &str) -> Value {
    json!({
        "kind": "Event", "metadata": {"name": format!("{pod}.1"), "namespace": "shop"}, "type": "Warning", "reason": reason,
        "message": "no", "lastTimestamp": "2026-11-21T11:59:00Z",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod}})
}
