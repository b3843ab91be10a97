//! What keeps a pod off a node, filter by filter, and what is made of it.

use serde_json::{Value, json};

use super::obstacles::heard;
use super::peers::host_ports;
use super::sentence::Sentence;
use super::testing::{node, placed, refused};
use super::{Filter, demand};
use crate::finding::Certainty;
use crate::rules::testing::Case;

/// The filters that each node fails, with all nodes and pods known and nothing said by the scheduler.
fn fails(case: Case) -> Vec<Vec<Filter>> {
    case.complete(&["nodes", "pods"])
        .facts(|f| f.fit().map(|fit| fit.verdicts.iter().map(|v| v.fails.iter().collect()).collect()))
        .unwrap_or_default()
}

/// The obstacles, with all nodes and pods known: filter, whether it alone is in the way, whether it is hearsay, and of how many.
fn obstacles(case: Case) -> Vec<(Filter, bool, bool, usize)> {
    case.complete(&["nodes", "pods"])
        .facts(|f| f.scheduling().obstacles.iter().map(|o| (o.filter, o.alone, o.hearsay, o.count)).collect())
}

fn quiet() -> Case {
    refused("").edit("/metadata/labels", json!({"app": "x"}))
}

fn asks(case: Case, requests: Value) -> Case {
    case.edit("/spec/containers/0/resources", json!({"requests": requests}))
}

fn tainted(name: &str, cpu: &str, key: &str) -> Value {
    let mut node = node(name, cpu);
    node["spec"]["taints"] = json!([{"key": key, "effect": "NoSchedule"}]);
    node
}

fn app(name: &str, node: &str, namespace: &str) -> Value {
    let mut pod = placed(name, node, "0");
    pod["metadata"]["namespace"] = namespace.into();
    pod["metadata"]["labels"]["app"] = "x".into();
    pod
}

#[test]
fn a_pod_that_fits_exactly_fits() {
    let asking = || asks(quiet(), json!({"cpu": "2"})).with(node("a", "2"));
    assert_eq!(fails(asking()), [vec![]]);
    assert_eq!(fails(asking().with(placed("old", "a", "1m"))), [vec![Filter::Cpu]]);
    let mut full = node("a", "2");
    full["status"]["allocatable"]["pods"] = "1".into();
    assert_eq!(fails(quiet().with(full.clone())), [vec![]]);
    assert_eq!(fails(quiet().with(full).with(placed("old", "a", "0"))), [vec![Filter::Pods]]);
}

#[test]
fn an_affinity_is_about_the_namespaces_that_it_names() {
    let team = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "m", "labels": {"team": "t"}}});
    let of = |peer: &str, more: Value| {
        let mut term = json!({"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"});
        term.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let rule = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
        let case = quiet().edit("/spec/affinity", rule).with(node("a", "2")).with(app("old", "a", peer));
        fails(case.with(team.clone())) == [vec![Filter::PodAntiAffinity]]
    };
    assert!(of("n", json!({})) && !of("m", json!({})), "its own");
    assert!(of("m", json!({"namespaces": ["m"]})) && !of("n", json!({"namespaces": ["m"]})));
    assert!(of("n", json!({"namespaceSelector": {}})) && of("m", json!({"namespaceSelector": {}})), "all");
    let by_team = json!({"namespaceSelector": {"matchLabels": {"team": "t"}}});
    assert!(of("m", by_team.clone()) && !of("n", by_team));
    let either = json!({"namespaces": ["n"], "namespaceSelector": {"matchLabels": {"team": "t"}}});
    assert!(of("m", either.clone()) && of("n", either.clone()) && !of("o", either));
}

#[test]
fn whether_a_partner_runs_anywhere_is_known() {
    let seeks = |partner: bool| {
        let term = json!([{"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}]);
        let mut peer = placed("db-0", "b", "0");
        peer["metadata"]["labels"]["app"] = if partner { "db".into() } else { "web".into() };
        let path = "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution";
        let case = quiet().edit(path, term).with(node("a", "2")).with(node("b", "2")).with(peer);
        case.complete(&["nodes", "pods"]).facts(|f| f.fit().unwrap().partners_sought().1)
    };
    assert!(seeks(true) && !seeks(false));
}

/// The filters that nodes `a` and `b` fail under a constraint over their names, with so many pods on each.
fn spread(constraint: Value, pods: [usize; 2], b: Value) -> [bool; 2] {
    let mut whole = json!({"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "x"}}});
    whole.as_object_mut().unwrap().extend(constraint.as_object().unwrap().clone());
    let mut case = quiet().edit("/spec/topologySpreadConstraints", json!([whole])).with(node("a", "2")).with(b);
    for (name, count) in ["a", "b"].into_iter().zip(pods) {
        for n in 0..count {
            case = case.with(app(&format!("{name}{n}"), name, "n"));
        }
    }
    let failed = fails(case);
    [0, 1].map(|at| failed[at].contains(&Filter::Spread))
}

#[test]
fn a_pod_goes_where_the_domains_stay_within_the_skew() {
    let plain = || node("b", "2");
    assert_eq!(spread(json!({}), [1, 0], plain()), [true, false]);
    assert_eq!(spread(json!({}), [2, 1], plain()), [true, false]);
    assert_eq!(spread(json!({}), [1, 1], plain()), [false, false]);
    assert_eq!(spread(json!({"maxSkew": 2}), [1, 0], plain()), [false, false]);
    assert_eq!(spread(json!({"minDomains": 2}), [1, 1], plain()), [false, false]);
    assert_eq!(spread(json!({"minDomains": 3}), [1, 1], plain()), [true, true], "a third domain counts as empty");
    assert_eq!(spread(json!({"labelSelector": {"matchLabels": {"app": "y"}}}), [3, 0], plain()), [false, false]);
}

#[test]
fn a_domain_counts_only_if_the_policies_let_its_nodes_take_part() {
    let cordoned = || {
        let mut node = node("b", "2");
        node["spec"]["unschedulable"] = true.into();
        node
    };
    assert!(spread(json!({}), [1, 0], tainted("b", "2", "k"))[0]);
    assert!(!spread(json!({"nodeTaintsPolicy": "Honor"}), [1, 0], tainted("b", "2", "k"))[0]);
    assert_eq!(spread(json!({"nodeTaintsPolicy": "Honor"}), [1, 0], node("b", "2")), [true, false]);
    assert!(spread(json!({}), [1, 0], cordoned())[0]);
    assert!(!spread(json!({"nodeTaintsPolicy": "Honor"}), [1, 0], cordoned())[0]);
    let chosen = |policy: Value, own: Value| {
        let mut a = node("a", "2");
        a["metadata"]["labels"]["disk"] = "ssd".into();
        let constraint = json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "nodeAffinityPolicy": policy,
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "x"}}}]);
        let case = quiet().edit("/spec/topologySpreadConstraints", constraint).with(a).with(node("b", "2"));
        let case = match own.is_array() {
            true => case.edit(
                "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
                own,
            ),
            false => case.edit("/spec/nodeSelector", own),
        };
        fails(case.with(app("old", "a", "n")))[0].contains(&Filter::Spread)
    };
    let terms = || json!([{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]);
    assert!(!chosen(Value::Null, json!({"disk": "ssd"})) && chosen(json!("Ignore"), json!({"disk": "ssd"})));
    assert!(!chosen(Value::Null, terms()) && chosen(json!("Ignore"), terms()));
}

#[test]
fn pods_of_other_namespaces_and_pods_that_leave_do_not_count_for_the_spread() {
    let of = |peer: Value| {
        let constraint = json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "matchLabelKeys": ["rev"],
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "x"}}}]);
        let case = quiet().edit("/metadata/labels/rev", json!("2")).edit("/spec/topologySpreadConstraints", constraint);
        fails(case.with(node("a", "2")).with(node("b", "2")).with(peer))[0].contains(&Filter::Spread)
    };
    let peer = |namespace: &str, revision: &str| {
        let mut pod = app("old", "a", namespace);
        pod["metadata"]["labels"]["rev"] = revision.into();
        pod
    };
    let mut leaving = peer("n", "2");
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:10Z".into();
    assert!(of(peer("n", "2")));
    assert!(!of(peer("m", "2")) && !of(leaving));
    assert!(!of(peer("n", "1")), "matchLabelKeys tells the revisions apart");
}

#[test]
fn host_ports_clash_on_the_same_address_protocol_and_number() {
    let clash = |own: Value, theirs: Value| {
        let mut holder = placed("old", "a", "0");
        holder["spec"]["containers"][0]["ports"] = json!([theirs]);
        fails(quiet().edit("/spec/containers/0/ports", json!([own])).with(holder).with(node("a", "2")))
            == [vec![Filter::HostPort]]
    };
    let port = |ip: &str, number: i32| json!({"containerPort": 1, "hostPort": number, "hostIP": ip});
    assert!(clash(port("", 80), port("", 80)) && !clash(port("", 80), port("", 81)));
    assert!(clash(port("10.0.0.1", 80), port("10.0.0.1", 80)));
    assert!(!clash(port("10.0.0.1", 80), port("10.0.0.2", 80)));
    assert!(clash(port("10.0.0.1", 80), port("0.0.0.0", 80)));
    assert!(!clash(port("", 0), port("", 0)), "0 asks for none");
}

#[test]
fn sidecars_hold_host_ports_and_init_containers_do_not() {
    let pod = |policy: Value| {
        json!({"spec": {"containers": [], "initContainers":
            [{"name": "i", "restartPolicy": policy, "ports": [{"hostPort": 80, "hostIP": "10.0.0.1"}]}]}})
    };
    assert_eq!(
        host_ports(&pod(json!("Always"))).iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.1:80/TCP"]
    );
    assert!(host_ports(&pod(Value::Null)).is_empty());
}

#[test]
fn requests_are_told_in_the_order_in_which_people_ask_for_them() {
    let pod = json!({"spec": {"containers": [{"name": "a", "resources": {"requests":
        {"a.example/gpu": 1, "cpu": 2, "ephemeral-storage": "1Gi", "memory": "1Gi", "hugepages-2Mi": "0"}}}]}});
    let asked: Vec<(String, i64)> = demand::requests(&pod).into_iter().map(|(name, n)| (name, n.units())).collect();
    let names: Vec<&str> = asked.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cpu", "memory", "ephemeral-storage", "a.example/gpu"]);
    assert_eq!((asked[0].1, asked[3].1), (2, 1), "numbers count as quantities");
}

#[test]
fn a_resize_that_can_never_be_done_asks_for_nothing_more() {
    let pod = |type_: &str, reason: &str| {
        json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "8"}}}]},
            "status": {"conditions": [{"type": type_, "reason": reason, "status": "True"}],
                "containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "1"}}]}})
    };
    assert_eq!(demand::request(&pod("PodResizePending", "Infeasible"), "cpu").units(), 1);
    assert_eq!(demand::request(&pod("PodResizePending", "Deferred"), "cpu").units(), 8);
    assert_eq!(demand::request(&pod("Other", "Infeasible"), "cpu").units(), 8);
}

#[test]
fn the_steps_to_the_nearest_node_are_told_and_a_taint_is_another_way() {
    let asking = || asks(quiet(), json!({"cpu": "8", "memory": "64Gi"}));
    let (small, free) = (node("small", "4"), tainted("free", "16", "dedicated"));
    let mut large = tainted("large", "16", "dedicated");
    large["status"]["allocatable"]["memory"] = "128Gi".into();
    assert_eq!(
        obstacles(asking().with(small).with(large.clone())),
        [(Filter::Cpu, false, false, 1), (Filter::Memory, false, false, 1), (Filter::Taint, true, false, 1)]
    );
    assert_eq!(obstacles(asking().with(large).with(free)), [(Filter::Taint, true, false, 1)]);
}

#[test]
fn to_tolerate_the_taint_of_a_control_plane_is_no_way_out_unless_there_is_no_other() {
    let reserved = || tainted("cp", "16", "node-role.kubernetes.io/control-plane");
    let asking = || asks(quiet(), json!({"cpu": "8"}));
    assert_eq!(obstacles(asking().with(reserved()).with(node("small", "4"))), [(Filter::Cpu, true, false, 1)]);
    assert_eq!(obstacles(asking().with(reserved())), [(Filter::Taint, true, false, 1)]);
    let other = tainted("virtual", "16", "virtual-kubelet.io/provider");
    assert_eq!(obstacles(asking().with(reserved()).with(other)), [(Filter::Taint, true, false, 2)]);
    let other = tainted("gpu", "16", "dedicated");
    assert_eq!(obstacles(asking().with(reserved()).with(other)), [(Filter::Taint, true, false, 1)]);
}

#[test]
fn the_scheduler_is_believed_where_the_objects_show_less() {
    let said = |text: &str| asks(refused(text), json!({"cpu": "8"}));
    let both = |text: &str| said(text).with(node("a", "4")).with(node("b", "16"));
    assert_eq!(
        fails(both(
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't have free ports for the requested pod ports."
        )),
        [vec![Filter::Cpu], vec![Filter::HostPort]]
    );
    let shown_too = obstacles(both("0/2 nodes are available: 2 Insufficient cpu."));
    assert_eq!(shown_too, [(Filter::Cpu, true, false, 2)], "one of them shows it");
    let one = |text: &str| obstacles(said(text).with(node("b", "16")));
    assert_eq!(one("0/1 nodes are available: 1 Insufficient cpu."), [(Filter::Cpu, true, true, 1)]);
    assert_eq!(
        one("0/1 nodes are available: 1 node(s) had volume node affinity conflict."),
        [(Filter::Volume, true, true, 1)]
    );
    assert_eq!(
        one("0/1 nodes are available: 1 node(s) had untolerated taint(s)."),
        [],
        "taints are read with the nodes"
    );
    assert_eq!(one("0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims."), []);
    assert_eq!(one("the scheduler had a bad day"), []);
}

#[test]
fn without_nodes_the_sentence_is_read_for_what_it_can_tell() {
    let of = |text: &str, selector: bool, affinity: bool| -> Vec<(Filter, Certainty, usize)> {
        let found = heard(&Sentence::parse(&format!("0/5 nodes are available: {text}")), selector, affinity);
        found.into_iter().map(|o| (o.filter, o.certainty, o.count)).collect()
    };
    let place = "5 node(s) didn't match Pod's node affinity/selector.";
    assert_eq!(of(place, true, false), [(Filter::Selector, Certainty::Certain, 5)]);
    assert_eq!(of(place, true, true), [(Filter::Affinity, Certainty::Certain, 5)]);
    assert_eq!(of(place, false, true), [(Filter::Affinity, Certainty::Certain, 5)]);
    let taint = |key: &str, n: u8| format!("{n} node(s) had taint {{{key}: }}, that the pod didn't tolerate");
    assert_eq!(
        of(&format!("{}, {}.", taint("a", 2), taint("b", 3)), false, false),
        [(Filter::Taint, Certainty::Certain, 5)]
    );
    assert_eq!(of("5 node(s) had untolerated taint(s).", false, false), [(Filter::Taint, Certainty::Possible, 5)]);
    assert_eq!(
        of(&format!("2 node(s) didn't match Pod's node affinity/selector, {}.", taint("a", 3)), true, false),
        [(Filter::Selector, Certainty::Possible, 2), (Filter::Taint, Certainty::Possible, 3)]
    );
    assert_eq!(
        of(&format!("1 node(s) were unschedulable, {}.", taint("a", 4)), false, false),
        [(Filter::Taint, Certainty::Possible, 4)],
        "the most frequent state"
    );
    assert_eq!(
        of(&format!("2 Insufficient cpu, {}.", taint("a", 3)), false, false),
        [(Filter::Cpu, Certainty::Likely, 2)],
        "what lacks room passed the rest"
    );
    assert_eq!(of(&format!("1 node(s) had volume node affinity conflict, {}.", taint("a", 4)), false, false), []);
    assert_eq!(of("Insufficient cpu.", false, false), [(Filter::Cpu, Certainty::Certain, 5)]);
}

#[test]
fn only_a_pod_that_needs_a_node_awaits_one() {
    let waits = |case: Case| case.facts(|f| f.awaits_node());
    assert!(waits(quiet()));
    assert!(!waits(quiet().edit("/spec/nodeName", json!("a"))));
    assert!(!waits(quiet().edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"))));
    assert!(!waits(quiet().edit("/status/phase", json!("Failed"))));
    assert!(!waits(quiet().edit("/status/conditions/0/status", json!("True"))));
    let deployment =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}});
    assert!(!waits(Case::of(deployment)));
}

#[test]
fn schedulers_and_autoscalers_are_told_apart() {
    let from = |component: &str, reason: &str, message: &str| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("p.{component}.{message}"), "namespace": "n"},
            "reason": reason, "message": message, "source": {"component": component}, "lastTimestamp": "2026-01-01T11:59:00Z",
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}})
    };
    let fresh = || Case::pod(json!({"containers": [{"name": "app"}]}), json!({"phase": "Pending"}));
    let told = |case: Case| {
        case.facts(|f| {
            let says = f.autoscaler_says().iter().map(|e| e.message.clone()).collect::<Vec<_>>();
            (f.scheduling_event().map(|e| e.message.clone()), f.scheduling_tried(), says)
        })
    };
    let none = || (None, false, Vec::<String>::new());
    assert_eq!(told(fresh()), none());
    let scheduler = fresh().with(from("default-scheduler", "FailedScheduling", "0/1"));
    assert_eq!(told(scheduler), (Some("0/1".to_owned()), true, vec![]));
    let karpenter = fresh().with(from("karpenter", "FailedScheduling", "no type")).with(from("x", "Nominated", "y"));
    assert_eq!(told(karpenter), (None, false, vec!["no type".to_owned(), "y".to_owned()]));
    let twice = fresh()
        .with(from("cluster-autoscaler", "NotTriggerScaleUp", "a"))
        .with(from("cluster-autoscaler", "NotTriggerScaleUp", "b"))
        .with(from("cluster-autoscaler", "FailedScheduling", "c"))
        .with(from("kubelet", "Pulled", "d"));
    assert_eq!(told(twice), (None, false, vec!["a".to_owned()]), "one of each reason");
    let cited = |case: Case| case.facts(|f| f.cite_sentence().is_some());
    assert!(cited(fresh().with(from("default-scheduler", "FailedScheduling", "0/1"))));
    assert!(!cited(fresh()) && cited(refused("0/1")));
}

#[test]
fn a_gate_or_an_error_of_the_scheduler_says_nothing_about_nodes() {
    let fitted = |case: Case| case.with(node("a", "4")).complete(&["nodes", "pods"]).facts(|f| f.fit().is_some());
    assert!(fitted(quiet()));
    assert!(!fitted(quiet().edit("/status/conditions/0/reason", json!("SchedulerError"))));
    assert!(!fitted(quiet().edit("/spec/schedulingGates", json!([{"name": "g"}]))));
    assert!(!fitted(quiet().edit("/status/conditions", json!([]))), "no scheduler has looked at it");
    let obstructed = |cpu: &str| {
        let case = asks(refused("0/1 nodes are available: 1 Insufficient cpu."), json!({"cpu": cpu}));
        case.with(node("a", "4")).complete(&["nodes", "pods"]).facts(|f| f.is_obstructed())
    };
    assert!(obstructed("8"));
    assert!(!quiet().with(node("a", "4")).complete(&["nodes", "pods"]).facts(|f| f.is_obstructed()));
}
