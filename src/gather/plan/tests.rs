mod selector;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::super::ask::{Answer, Question, store};
use super::super::client::List;
use super::super::failure::Failure;
use super::*;
use crate::snapshot::{Header, Lookup, Node};

/// A cluster in memory: what is in it is answered, the rest does not exist.
#[derive(Default)]
struct Cluster {
    objects: Vec<Value>,
}

/// What a run asked.
struct Run {
    waves: Vec<Vec<Ask>>,
    snapshot: Snapshot,
}

impl Run {
    fn requests(&self) -> usize {
        self.waves.iter().map(Vec::len).sum()
    }

    fn asked(&self, text: &str) -> bool {
        self.waves.iter().flatten().any(|ask| ask.question.to_string().contains(text))
    }
}

impl Cluster {
    fn of(objects: Vec<Value>) -> Self {
        Self { objects }
    }

    fn find(&self, kind: &str, namespace: &str, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
        let same = |o: &&Value| {
            o.get("kind").and_then(Value::as_str) == Some(kind)
                && (namespace.is_empty() || namespace_of(o) == namespace || namespace_of(o).is_empty())
        };
        self.objects.iter().filter(same).filter(|o| keep(o)).cloned().collect()
    }

    fn answer(&self, question: &Question) -> Result<Answer, Failure> {
        let all = |items: Vec<Value>| Ok(Answer::Objects(List { items, more: false }));
        match question {
            Question::Get { kind, namespace, name } => {
                let found = self.find(kind, namespace, |o| name_of(o) == name).pop();
                found.map(Answer::Object).ok_or_else(|| Failure::NotFound("gone".to_owned()))
            }
            Question::List { kind, namespace, labels, fields } => {
                let name = fields.rsplit_once("involvedObject.name=").map(|(_, name)| name);
                let matches = |o: &Value| {
                    bears(o, labels) && name.is_none_or(|name| read::text(o, "/involvedObject/name") == name)
                };
                all(self.find(kind, namespace, matches))
            }
            Question::Neighbours { namespace } => all(self.find("Pod", namespace, |_| true)),
            Question::PodsOn { node, .. } => all(self.find("Pod", "", |o| read::text(o, "/spec/nodeName") == node)),
            Question::Nodes | Question::NodesWith { .. } => Ok(Answer::Nodes(
                self.find("Node", "", |node| match question {
                    Question::NodesWith { labels } => bears(node, labels),
                    _ => true,
                })
                .into_iter()
                .filter_map(|n| serde_json::from_value::<Node>(n).ok())
                .collect(),
            )),
            Question::Log { .. } => Ok(Answer::Text("boom\n".to_owned())),
        }
    }

    fn run(&self, kind: &'static str, name: &str) -> Run {
        let target = Target {
            kind,
            namespace: if kind == "Node" { String::new() } else { "a".to_owned() },
            name: name.to_owned(),
        };
        let mut snapshot = Snapshot::new(Header { namespace: target.namespace.clone(), ..Header::default() });
        let mut asked = BTreeSet::new();
        let mut waves = Vec::new();
        loop {
            let asks = next(&snapshot, &target, &asked, &Depth::default());
            if asks.is_empty() {
                return Run { waves, snapshot };
            }
            for ask in &asks {
                assert!(asked.insert(ask.question.clone()), "asked twice: {}", ask.question);
                store(&mut snapshot, ask, self.answer(&ask.question), str::to_owned);
            }
            snapshot.settle();
            waves.push(asks);
            assert!(waves.len() < 8, "it ends");
        }
    }
}

fn bears(object: &Value, labels: &str) -> bool {
    let mut wanted = labels.split(',').filter_map(|l| l.split_once('='));
    wanted.all(|(k, v)| object.pointer(&format!("/metadata/labels/{k}")) == Some(&json!(v)))
}

fn node(name: &str, ready: &str) -> Value {
    json!({"kind": "Node", "metadata": {"name": name}, "status": {"allocatable": {"memory": "8Gi", "cpu": "4"}, "conditions": [{"type": "Ready", "status": ready}]}})
}

fn pod(name: &str, more: Value) -> Value {
    let mut pod = json!({"kind": "Pod", "metadata": {"name": name, "namespace": "a", "uid": name, "labels": {"app": "api", "pod-template-hash": "7d9f"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "api-7d9f", "uid": "rs", "controller": true}]},
        "spec": {"nodeName": "w", "containers": [{"name": "app"}]}, "status": {"phase": "Running"}});
    for part in ["metadata", "spec", "status"] {
        if let (Some(Value::Object(into)), Some(Value::Object(from))) = (pod.get_mut(part), more.get(part)) {
            into.extend(from.clone());
        }
    }
    pod
}

fn crashing() -> Value {
    json!({"spec": {"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "conf"}}]}]},
        "status": {"containerStatuses": [{"name": "app", "ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}}]}})
}

fn owners() -> Vec<Value> {
    vec![
        json!({"kind": "Deployment", "metadata": {"name": "api", "namespace": "a", "uid": "d"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}}, "template": {"spec": {}}}, "status": {"replicas": 2}}),
        json!({"kind": "ReplicaSet", "metadata": {"name": "api-7d9f", "namespace": "a", "uid": "rs", "labels": {"app": "api"}, "ownerReferences": [{"kind": "Deployment", "name": "api", "uid": "d", "controller": true}]},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}}}, "status": {"replicas": 2}}),
        node("w", "True"),
    ]
}

#[test]
fn a_crashing_pod_takes_two_rounds_and_few_requests() {
    let mut objects = owners();
    objects.push(pod("api-7d9f-x", crashing()));
    let run = Cluster::of(objects).run("Pod", "api-7d9f-x");
    assert_eq!(run.waves.len(), 2);
    assert!(run.requests() <= 7, "{}", run.requests());
    assert!(
        run.asked("log api-7d9f-x app previous") && run.asked("get Deployment a/api"),
        "the Deployment comes with its ReplicaSet"
    );
    assert!(!run.asked("ConfigMap"), "a container that ran had its ConfigMaps");
    assert!(matches!(run.snapshot.node("w"), Lookup::Found(_)));
}

#[test]
fn a_healthy_pod_takes_five_requests() {
    let mut objects = owners();
    objects.push(pod(
        "api-7d9f-x",
        json!({"status": {"containerStatuses": [{"name": "app", "ready": true, "state": {"running": {}}}]}}),
    ));
    let run = Cluster::of(objects).run("Pod", "api-7d9f-x");
    assert_eq!((run.waves.len(), run.requests()), (2, 5));
}

#[test]
fn a_missing_config_map_costs_one_more_round_for_close_names() {
    let mut objects = owners();
    objects.push(pod("api-7d9f-x", json!({"spec": {"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "conf"}}]}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]}})));
    objects.push(json!({"kind": "ConfigMap", "metadata": {"name": "config", "namespace": "a"}, "data": {"k": "v"}}));
    let run = Cluster::of(objects).run("Pod", "api-7d9f-x");
    assert_eq!(run.waves.len(), 3);
    assert!(run.snapshot.object("ConfigMap", "a", "conf").is_absent());
    assert!(matches!(run.snapshot.object("ConfigMap", "a", "config"), Lookup::Found(_)));
    assert!(run.requests() <= 12, "{}", run.requests());
}

#[test]
fn a_failed_pull_asks_for_the_secrets_of_pod_and_account() {
    let mut objects = owners();
    objects.push(pod("api-7d9f-x", json!({"spec": {"imagePullSecrets": [{"name": "own"}], "serviceAccountName": "robot", "containers": [{"name": "app"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}})));
    objects.push(json!({"kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "a"}, "imagePullSecrets": [{"name": "added"}]}));
    let run = Cluster::of(objects).run("Pod", "api-7d9f-x");
    assert!(run.asked("get Secret a/own") && run.asked("get Secret a/added"));
    assert!(run.waves.len() <= 4 && run.requests() <= 12, "{}", run.requests());
}

#[test]
fn a_pod_without_a_node_reads_the_nodes_and_counts_pods_on_ten_at_most() {
    let mut objects = owners();
    objects.extend((0..30).map(|n| {
        let mut node = node(&format!("n{n:02}"), "True");
        if n % 2 == 1 {
            node["spec"] = json!({"taints": [{"key": "k", "effect": "NoSchedule"}]});
        }
        node
    }));
    objects.push(pod("api-7d9f-x", json!({"spec": {"nodeName": ""}, "status": {"phase": "Pending"}})));
    let run = Cluster::of(objects).run("Pod", "api-7d9f-x");
    assert_eq!((run.waves.len(), run.requests()), (3, FOR_ONE_POD));
    assert_eq!(run.snapshot.header.pods_on.len(), FOR_ONE_POD - 5);
    assert!(
        run.snapshot.header.pods_on.iter().all(|n| n == "w" || n[1..].parse::<u32>().is_ok_and(|n| n % 2 == 0)),
        "those without a taint first"
    );
    assert!(matches!(run.snapshot.nodes(), Lookup::Found(nodes) if nodes.len() == 31));
    assert!(!run.asked("list Pod a"), "without affinity the namespace's pods do not matter");
}

#[test]
fn a_gated_pod_asks_for_no_nodes_and_anti_affinity_for_the_namespaces_pods() {
    let gated =
        pod("x", json!({"spec": {"nodeName": "", "schedulingGates": [{"name": "g"}]}, "status": {"phase": "Pending"}}));
    assert!(!Cluster::of(vec![gated]).run("Pod", "x").asked("Node"));
    let anti = pod(
        "x",
        json!({"spec": {"nodeName": "", "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "h"}]}}}, "status": {"phase": "Pending"}}),
    );
    assert!(Cluster::of(vec![anti]).run("Pod", "x").snapshot.is_complete("Pod", "a"));
}

#[test]
fn a_claim_is_followed_to_volume_and_class() {
    let waiting = json!({"spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}, "status": {"phase": "Pending"}});
    let claim = |more: Value| json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "a"}, "spec": more, "status": {"phase": "Pending"}});
    let run = Cluster::of(vec![pod("x", waiting.clone()), claim(json!({"storageClassName": "fast"}))]).run("Pod", "x");
    assert!(run.asked("list StorageClass") && run.asked("involvedObject.kind=PersistentVolumeClaim"));
    let run = Cluster::of(vec![pod("x", waiting), claim(json!({"storageClassName": "fast", "volumeName": "pv-1"}))])
        .run("Pod", "x");
    assert!(run.asked("get PersistentVolume /pv-1") && run.asked("list VolumeAttachment"));
}

#[test]
fn a_silent_node_raises_the_question_of_its_lease() {
    for (ready, asked) in [("True", false), ("Unknown", true)] {
        let run = Cluster::of(vec![
            pod(
                "x",
                json!({"status": {"containerStatuses": [{"name": "app", "ready": true, "state": {"running": {}}}]}}),
            ),
            node("w", ready),
        ])
        .run("Pod", "x");
        assert_eq!(run.asked("get Lease kube-node-lease/w"), asked);
    }
    let deleted = pod("x", json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}));
    assert!(Cluster::of(vec![deleted, node("w", "True")]).run("Pod", "x").asked("get Lease"));
}

#[test]
fn a_deployment_is_followed_to_its_worst_pods() {
    let mut objects = owners();
    objects.push(pod(
        "good",
        json!({"status": {"containerStatuses": [{"name": "app", "ready": true, "state": {"running": {}}}]}}),
    ));
    objects.extend((0..8).map(|n| pod(&format!("bad-{n}"), crashing())));
    let run = Cluster::of(objects).run("Deployment", "api");
    let logs = run.waves.iter().flatten().filter(|a| matches!(a.question, Question::Log { .. })).count();
    assert_eq!(logs, 5);
    assert!(
        !run.asked("involvedObject.name=good")
            && run.asked("involvedObject.kind=ReplicaSet,involvedObject.name=api-7d9f")
    );
    assert!(!run.asked("ResourceQuota"), "it has the pods that it wants");
}

#[test]
fn a_replica_set_that_came_with_a_list_is_not_asked_for_again() {
    let mut objects = owners();
    objects.push(pod("bad", crashing()));
    let run = Cluster::of(objects).run("Deployment", "api");
    assert!(run.asked("list ReplicaSet a") && !run.asked("get ReplicaSet"));
    assert!(run.waves.len() <= 4 && run.requests() <= 9, "{} {}", run.waves.len(), run.requests());
}

fn mounting(volumes: Value) -> Value {
    pod(
        "x",
        json!({"spec": {"volumes": volumes}, "status": {"phase": "Pending", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}]}}),
    )
}

#[test]
fn the_config_map_that_every_pod_has_is_asked_for_only_where_it_lacks() {
    let token =
        json!([{"name": "kube-api-access-x", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}}]);
    let event = json!({"kind": "Event", "metadata": {"name": "e", "namespace": "a"}, "involvedObject": {"kind": "Pod", "name": "x"}, "message": "configmap \"kube-root-ca.crt\" not found"});
    let mut objects = owners();
    objects.push(mounting(token));
    assert!(!Cluster::of(objects.clone()).run("Pod", "x").asked("ConfigMap"));
    objects.push(event);
    assert!(Cluster::of(objects).run("Pod", "x").asked("get ConfigMap a/kube-root-ca.crt"));
}

#[test]
fn of_many_references_the_one_that_the_kubelet_speaks_of_is_asked_for_first() {
    let volumes: Vec<Value> =
        (0..20).map(|n| json!({"name": format!("v{n}"), "configMap": {"name": format!("conf-{n:02}")}})).collect();
    let event = json!({"kind": "Event", "metadata": {"name": "e", "namespace": "a"}, "involvedObject": {"kind": "Pod", "name": "x"}, "message": "configmap \"conf-19\" not found"});
    let mut objects = owners();
    let account = json!({"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "a"}});
    objects.extend([mounting(json!(volumes)), event, account]);
    let run = Cluster::of(objects).run("Pod", "x");
    assert!(run.asked("get ConfigMap a/conf-19"));
    assert!(run.requests() <= FOR_ONE_POD + 1, "names to offer come on top: {}", run.requests());
}

#[test]
fn an_owner_without_pods_asks_what_stops_its_controller() {
    let mut objects = owners();
    for object in &mut objects {
        if let Some(status) = object.get_mut("status").filter(|s| s.get("replicas").is_some()) {
            *status = json!({"replicas": 0});
        }
    }
    let run = Cluster::of(objects).run("Deployment", "api");
    assert!(
        run.asked("list ResourceQuota a")
            && run.asked("list LimitRange a")
            && run.asked("get ServiceAccount a/default")
    );
}

#[test]
fn a_cron_job_is_followed_through_its_jobs() {
    let cron = json!({"kind": "CronJob", "metadata": {"name": "c", "namespace": "a", "uid": "c"}, "spec": {"jobTemplate": {}}});
    let job = json!({"kind": "Job", "metadata": {"name": "c-29000000", "namespace": "a", "uid": "j", "ownerReferences": [{"kind": "CronJob", "name": "c", "uid": "c", "controller": true}]},
        "spec": {"selector": {"matchLabels": {"app": "api"}}, "completions": 1}, "status": {"active": 1}});
    let mut failing = pod("c-29000000-z", crashing());
    failing["metadata"]["ownerReferences"] =
        json!([{"kind": "Job", "name": "c-29000000", "uid": "j", "controller": true}]);
    let cluster = Cluster::of(vec![cron, job, failing]);
    let run = cluster.run("CronJob", "c");
    assert!(run.asked("log c-29000000-z app previous"));
    assert!(
        cluster.run("Pod", "c-29000000-z").waves[1].iter().any(|a| a.question.to_string() == "get CronJob a/c"),
        "in one round with the Job"
    );
}

#[test]
fn a_node_is_read_with_its_pods() {
    let run = Cluster::of(vec![node("w", "Unknown"), pod("x", crashing())]).run("Node", "w");
    assert!(run.asked("get Lease") && run.asked("involvedObject.kind=Node") && run.asked("log x app previous"));
    assert!(run.snapshot.header.pods_on.contains("w"));
}

/// The recorded failures, where they lie beside the sources.
#[test]
fn every_recorded_failure_is_gathered_in_bounds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(text) = std::fs::read(entry.path().join("snapshot.json")) else { continue };
        let list: Value = serde_json::from_slice(&text).expect("JSON");
        let mut items = read::list(&list, "/items").to_vec();
        let header = items.remove(0);
        let (kind, name) = read::text(&header, "/target").split_once('/').expect("a target").to_owned();
        let namespace = read::text(&header, "/namespace").to_owned();
        for item in &mut items {
            if namespace_of(item) == namespace {
                item["metadata"]["namespace"] = json!("a");
            }
        }
        let kind = crate::resource::Kind::typed(kind).expect("a kind");
        let run = Cluster::of(items).run(kind.kind, name);
        let most = if kind.kind == "Pod" { FOR_ONE_POD } else { MOST };
        assert!(
            run.waves.len() <= 6 && run.requests() <= most,
            "{}: {} waves, {} requests",
            entry.path().display(),
            run.waves.len(),
            run.requests()
        );
    }
}
