//! The diagnosis of a live cluster is the diagnosis of its file: every recorded failure is written into a server on which
//! nothing acts on its own, and read from there.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kubectl_why::render::json;
use kubectl_why::resource::KINDS;
use kubectl_why::snapshot::Target;
use libtest_mimic::Trial;
use serde_json::{Value, json as value};

use crate::common::{self, Scenario};
use crate::harness::kubeconfig::User;
use crate::harness::kubectl::Kubectl;
use crate::harness::kubelet::{Key, kubelet};
use crate::harness::server::{Server, still};
use crate::harness::{etcd, wait_for};

pub fn trials() -> Vec<Trial> {
    let trial = |scenario: Scenario| {
        Trial::test(format!("same_as_file::{}", scenario.name), move || {
            check(&scenario);
            Ok(())
        })
    };
    common::scenarios().into_iter().map(trial).collect()
}

/// Nodes have no namespace: one failure at a time. Holds the keys of the one before.
static CLUSTER: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn check(scenario: &Scenario) {
    let mut keys = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    let server = still();
    let list = present(&scenario.list, &scenario.target, Timestamp::now());
    let objects = &list["items"].as_array().unwrap()[1..];
    *keys = etcd::replace(server.etcd, &keys, objects);
    kubelet().serve(logs(&list["items"][0]));
    wait_for_nodes(server, objects);

    let config = server.kubeconfig("admin", &User::token("admin-token"), None);
    let target = format!("{}/{}", scenario.target.kind.to_lowercase(), scenario.target.name);
    let output = Kubectl::new(server, &config).why(&[&target, "-n", &scenario.target.namespace]);
    let live = comparable(&output.reports());
    drop(keys);

    let snapshot = common::from_list(&list);
    let text = json::json(&kubectl_why::diagnose(&snapshot, &scenario.target));
    let tree: Value = serde_json::from_str(&text).unwrap();
    let file = comparable(&tree["items"].as_array().cloned().unwrap_or_else(|| vec![tree.clone()]));
    assert!(live == file, "{}", difference(&live, &file));
}

/// The recorded objects as if the failure were of now: every time is moved by as much, each node's kubelet is our own, and the
/// header says that nothing exists but what the file holds.
fn present(list: &Value, target: &Target, now: Timestamp) -> Value {
    let mut list = list.clone();
    let taken: Timestamp = list["items"][0]["takenAt"].as_str().unwrap().parse().unwrap();
    shift(&mut list, SignedDuration::from_secs(now.as_second() - taken.as_second()));
    let items = list["items"].as_array_mut().unwrap();
    let mut nodes = Vec::new();
    for node in items.iter_mut().filter(|i| i["kind"] == "Node") {
        node["status"]["addresses"] = value!([{"type": "InternalIP", "address": "127.0.0.1"}]);
        node["status"]["daemonEndpoints"] = value!({"kubeletEndpoint": {"Port": kubelet().port}});
        nodes.push(node["metadata"]["name"].clone());
    }
    let leases = nodes
        .iter()
        .map(|n| value!({"resource": "leases.coordination.k8s.io", "namespace": "kube-node-lease", "name": n}));
    let header = &mut items[0];
    header["complete"] = KINDS.iter().map(|k| k.resource()).collect();
    header["notFound"] = leases.collect();
    header["podsOn"] = nodes.into();
    items.push(value!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": target.namespace},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    }));
    list
}

/// Moves every time in a tree. Years before 2000 are no times: a container that never started has `startedAt` 1970.
fn shift(tree: &mut Value, by: SignedDuration) {
    match tree {
        Value::String(text) => {
            let looks_like_one = text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            if !looks_like_one || text.as_str() < "2000" {
                return;
            }
            let Ok(time) = format!("{}Z", &text[..19]).parse::<Timestamp>() else { return };
            // A time with microseconds has all six digits, or the server does not read it.
            let moved = time.checked_add(by).unwrap().to_string();
            *text = format!("{}{}", &moved[..19], &text[19..]);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Object(map) => map.values_mut().for_each(|item| shift(item, by)),
        _ => {}
    }
}

fn logs(header: &Value) -> HashMap<Key, String> {
    let text = |log: &Value, key: &str| log[key].as_str().unwrap_or_default().to_owned();
    let one = |log: &Value| {
        let previous = log["previous"] == true;
        let key = (text(header, "namespace"), text(log, "pod"), text(log, "container"), previous);
        (key, text(log, "text"))
    };
    header["logs"].as_array().into_iter().flatten().map(one).collect()
}

/// Nodes are read from the server's watch cache, which follows etcd a moment later.
fn wait_for_nodes(server: &Server, objects: &[Value]) {
    let names = |nodes: &[Value]| -> BTreeSet<(String, String)> {
        let nodes = nodes.iter().filter(|n| n["kind"] == "Node" || n["kind"].is_null());
        nodes.map(|n| (n["metadata"]["uid"].to_string(), n["metadata"]["creationTimestamp"].to_string())).collect()
    };
    let wanted = names(objects);
    wait_for("the nodes in the watch cache", Duration::from_secs(30), || {
        (names(&server.admin.list("/api/v1/nodes?resourceVersion=0")) == wanted).then_some(())
    });
}

/// What must be equal of the reports, with the numbers that move with the clock taken out.
fn comparable(reports: &[Value]) -> Vec<Value> {
    let kept = |tree: &Value, keys: &[&str]| -> Value {
        keys.iter().map(|key| ((*key).to_owned(), timeless(&tree[*key]))).collect::<serde_json::Map<_, _>>().into()
    };
    let cause = |cause: &Value| {
        kept(cause, &["reason", "stage", "certainty", "subject", "headline", "symptoms", "evidence", "remedies"])
    };
    reports
        .iter()
        .map(|report| {
            let mut out = kept(report, &["target", "status", "stage", "verdict", "summary", "enough", "notes", "gaps"]);
            out["causes"] = report["causes"].as_array().into_iter().flatten().map(cause).collect();
            out
        })
        .collect()
}

/// `47m`, `3d2h` and `12s` become one word, everywhere in the tree.
fn timeless(tree: &Value) -> Value {
    match tree {
        Value::String(text) => {
            let words: Vec<&str> = text.split(' ').map(|word| if is_age(word) { "AGE" } else { word }).collect();
            words.join(" ").into()
        }
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), timeless(item))).collect(),
        other => other.clone(),
    }
}

fn is_age(word: &str) -> bool {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd', 'y'])
        && word.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c))
}

/// The lines that only one side has.
fn difference(live: &[Value], file: &[Value]) -> String {
    let (live, file) = (serde_json::to_string_pretty(live).unwrap(), serde_json::to_string_pretty(file).unwrap());
    let lacks = |side: &str, line: &str| !side.lines().any(|l| l == line);
    let mut out = String::from("the live report (+) is not that of the file (-):\n");
    for (sign, one, other) in [('-', &file, &live), ('+', &live, &file)] {
        one.lines().filter(|line| lacks(other, line)).for_each(|line| out.push_str(&format!("{sign} {line}\n")));
    }
    out
}
