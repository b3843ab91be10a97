//! The nodes of a pod's node selector are read first, and that changes nothing of the report.

use serde_json::{Value, json};

use super::{Cluster, Run};
use crate::gather::file::from_bytes;
use crate::render::json::json as printed;
use crate::snapshot::{Header, Lookup, Snapshot, Target, name_of};

fn target() -> Target {
    Target { kind: "Pod", namespace: "a".to_owned(), name: "x".to_owned() }
}

fn pod(cpu: &str, message: &str) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "x", "namespace": "a", "uid": "x", "creationTimestamp": "2026-01-01T11:50:00Z"},
        "spec": {"nodeSelector": {"pool": "gpu"}, "containers": [{"name": "app", "image": "i", "resources": {"requests": {"cpu": cpu}}}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}})
}

fn node(name: &str, pool: &str, cpu: &str, taint: bool) -> Value {
    let taints = if taint { json!([{"key": "team", "value": "b", "effect": "NoSchedule"}]) } else { json!([]) };
    json!({"kind": "Node", "metadata": {"name": name, "labels": {"pool": pool}}, "spec": {"taints": taints},
        "status": {"allocatable": {"cpu": cpu, "pods": "110"}, "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn placed(name: &str, node: &str, cpu: &str) -> Value {
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "b"}, "status": {"phase": "Running"},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]}})
}

fn rounds(run: &Run) -> Vec<Vec<String>> {
    let of_nodes = |ask: &super::Ask| Some(ask.question.to_string()).filter(|q| q.starts_with("list Node"));
    run.waves.iter().map(|wave| wave.iter().filter_map(of_nodes).collect()).collect()
}

/// A pool of `gpus` nodes, each with a pod of that cpu, and ten others.
fn cluster(gpus: usize, size: &str, taken: &str, asked: &str, message: &str) -> Vec<Value> {
    let mut objects = vec![pod(asked, message)];
    for n in 0..gpus {
        objects.push(node(&format!("gpu-{n}"), "gpu", size, false));
        objects.push(placed(&format!("p-{n}"), &format!("gpu-{n}"), taken));
    }
    objects.extend((0..10).map(|n| node(&format!("web-{n}"), "web", "64", false)));
    objects
}

const FULL: &str =
    "0/12 nodes are available: 2 Insufficient cpu, 10 node(s) didn't match Pod's node affinity/selector.";

#[test]
fn where_the_nodes_of_the_selector_are_full_no_other_is_read() {
    let run = Cluster::of(cluster(2, "8", "7", "2", FULL)).run("Pod", "x");
    assert_eq!(rounds(&run), [vec![], vec!["list Node pool=gpu".to_owned()], vec![]]);
    assert_eq!(run.snapshot.known_nodes().len(), 2);
    assert!(!matches!(run.snapshot.nodes(), Lookup::Found(_)), "they are not called all nodes");
    assert_eq!(run.snapshot.header.pods_on.len(), 2);
}

#[test]
fn where_no_node_of_the_selector_is_large_enough_all_are_read_in_the_third_round() {
    let run = Cluster::of(cluster(2, "8", "1", "32", FULL)).run("Pod", "x");
    assert_eq!(rounds(&run), [vec![], vec!["list Node pool=gpu".to_owned()], vec!["list Node".to_owned()]]);
    assert!(matches!(run.snapshot.nodes(), Lookup::Found(nodes) if nodes.len() == 12));
    assert_eq!(run.snapshot.header.pods_on.len(), 2, "those that lack the label are not counted on");
}

#[test]
fn where_the_scheduler_says_that_no_node_has_the_labels_all_are_read_at_once() {
    let none = "0/10 nodes are available: 10 node(s) didn't match Pod's node affinity/selector.";
    let run = Cluster::of(cluster(0, "8", "1", "2", none)).run("Pod", "x");
    assert_eq!(rounds(&run), [vec![], vec!["list Node".to_owned()], vec![]]);
}

#[test]
fn where_the_labels_have_gone_meanwhile_all_are_read_after_all() {
    let run = Cluster::of(cluster(0, "8", "1", "2", FULL)).run("Pod", "x");
    assert!(
        run.asked("list Node pool=gpu") && matches!(run.snapshot.nodes(), Lookup::Found(nodes) if nodes.len() == 10)
    );
}

/// The report about a snapshot that holds all there is.
fn from_everything(objects: &[Value]) -> String {
    let mut snapshot = Snapshot::new(Header { namespace: "a".to_owned(), ..Header::default() });
    for object in objects {
        snapshot.add(object.clone());
        if object["kind"] == "Node" {
            snapshot.header.pods_on.insert(name_of(object).to_owned());
        }
    }
    snapshot.header.complete.extend(["nodes".to_owned(), "pods".to_owned()]);
    report(snapshot)
}

fn report(mut snapshot: Snapshot) -> String {
    snapshot.header.taken_at = "2026-01-01T12:00:00Z".parse().ok();
    snapshot.settle();
    printed(&crate::diagnose(&snapshot, &target()))
}

/// What the scheduler would say: the first filter that refuses each node; `hidden` nodes lack room for no visible reason.
fn sentence(objects: &[Value], asked: i64, hidden: usize) -> String {
    let cpu =
        |o: &Value, at: &str| o.pointer(at).and_then(Value::as_str).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
    let (mut taint, mut place, mut room, mut all) = (0, 0, hidden, 0);
    for node in objects.iter().filter(|o| o["kind"] == "Node") {
        let on_it = objects.iter().filter(|o| o.pointer("/spec/nodeName") == node.pointer("/metadata/name"));
        let taken: i64 = on_it.map(|p| cpu(p, "/spec/containers/0/resources/requests/cpu")).sum();
        all += 1;
        match () {
            () if node["spec"]["taints"] != json!([]) => taint += 1,
            () if node["metadata"]["labels"]["pool"] != "gpu" => place += 1,
            () if asked > cpu(node, "/status/allocatable/cpu") - taken => room += 1,
            () => {}
        }
    }
    format!(
        "0/{all} nodes are available: {taint} node(s) had untolerated taint(s), {place} node(s) didn't match Pod's node affinity/selector, {room} Insufficient cpu. preemption: not helpful"
    )
}

#[test]
fn the_report_is_that_of_all_nodes() {
    let mut of_selector = 0;
    let pool = [("8", "1", false), ("8", "7", false), ("2", "1", false), ("8", "6", true)];
    let rest = [("64", "1", false), ("2", "1", false), ("8", "8", true)];
    for code in 0..pool.len().pow(2) * rest.len().pow(2) {
        let (of_pool, of_rest) = (code % pool.len().pow(2), code / pool.len().pow(2));
        let states = [
            ("gpu", pool[of_pool % pool.len()]),
            ("gpu", pool[of_pool / pool.len()]),
            ("web", rest[of_rest % rest.len()]),
            ("web", rest[of_rest / rest.len()]),
        ];
        // The other way round it is the same cluster.
        if of_pool % pool.len() > of_pool / pool.len() || of_rest % rest.len() > of_rest / rest.len() {
            continue;
        }
        let mut objects = Vec::new();
        for (place, (pool, (size, taken, taint))) in states.into_iter().enumerate() {
            let name = format!("{pool}-{place}");
            objects.push(node(&name, pool, size, taint));
            objects.push(placed(&format!("on-{name}"), &name, taken));
        }
        for (asked, hidden) in [(4, 0), (4, 1), (16, 0), (100, 0)] {
            let mut objects = objects.clone();
            objects.push(pod(&asked.to_string(), &sentence(&objects, asked, hidden)));
            let run = Cluster::of(objects.clone()).run("Pod", "x");
            let saved = run.snapshot.to_list();
            let expected = from_everything(&objects);
            let is_partial = !matches!(run.snapshot.nodes(), Lookup::Found(_));
            of_selector += usize::from(is_partial);
            if is_partial && of_selector % 10 == 1 {
                let file = from_bytes("saved", saved.to_string().into_bytes()).expect("a snapshot");
                assert_eq!(report(file), expected, "from its file, {code} {asked} {hidden}: {saved}");
            }
            assert_eq!(report(run.snapshot), expected, "{code} {asked} {hidden}: {saved}");
        }
    }
    assert!(of_selector > 40, "{of_selector}");
}
