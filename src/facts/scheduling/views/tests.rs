use serde_json::json;

use super::*;
use crate::facts::scheduling::testing::{node, refused};

#[test]
fn the_schedulers_clause_about_a_filter_is_found() {
    let text = "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 Insufficient cpu.";
    refused(text).facts(|f| {
        assert_eq!(clause(f, Filter::Cpu).as_deref(), Some("Insufficient cpu"));
        for place in [Filter::Selector, Filter::Affinity] {
            assert_eq!(clause(f, place).as_deref(), Some("node(s) didn't match Pod's node affinity/selector"));
        }
        assert_eq!(clause(f, Filter::Memory), None);
    });
}

#[test]
fn values_are_told_by_how_many_nodes_have_them_and_labels_by_likeness() {
    let zoned = |name: &str, zone: &str| {
        let mut node = node(name, "4");
        node["metadata"]["labels"]["zone"] = zone.into();
        node
    };
    let case = refused("").with(zoned("a", "east")).with(zoned("b", "west")).with(zoned("c", "west"));
    case.complete(&["nodes", "pods"]).facts(|f| {
        let fit = f.fit().unwrap();
        assert_eq!(fit.values_of("zone"), ["west", "east"]);
        assert_eq!(fit.close_labels("zones"), ["zone"]);
    });
}

#[test]
fn a_resource_of_which_there_is_just_enough_is_not_short() {
    let mut gpus = node("a", "4");
    gpus["status"]["allocatable"]["x.example/gpu"] = "1".into();
    gpus["status"]["allocatable"]["x.example/nic"] = "2".into();
    let case = refused("0/1 nodes are available: 1 Insufficient x.example/gpu.")
        .edit("/spec/containers/0/resources", json!({"requests": {"x.example/gpu": "2", "x.example/nic": "2"}}));
    case.with(gpus).complete(&["nodes", "pods"]).facts(|f| {
        let shortages = f.fit().unwrap().shortages(f.obstacle(Filter::Extended).unwrap());
        let of: Vec<_> = shortages.iter().map(|s| (s.resource, s.rooms.len())).collect();
        assert_eq!(of, [("x.example/gpu", 1)]);
    });
}

#[test]
fn a_request_of_the_whole_pod_and_its_overhead_are_its_own() {
    let own = |path: &str| refused("").edit(path, json!({"cpu": "1"})).facts(|f| f.pod_has_own_request("cpu"));
    assert!(own("/spec/resources/requests") && own("/spec/overhead") && !own("/spec/resources/limits"));
}

#[test]
fn host_ports_are_told_and_cited_where_they_are_asked_for() {
    let ports =
        json!([{"containerPort": 1}, {"containerPort": 2, "hostPort": 0}, {"containerPort": 3, "hostPort": 80}]);
    refused("").edit("/spec/containers/0/ports", ports).facts(|f| {
        assert_eq!(f.host_ports(), ["80/TCP"]);
        assert_eq!(f.cite_host_ports().len(), 1);
    });
}

#[test]
fn a_pod_is_pinned_by_the_name_of_one_node() {
    let path = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let pinned = |key: &str, operator: &str| {
        let terms = json!([{"matchFields": [{"key": key, "operator": operator, "values": ["w"]}]}]);
        refused("").edit(path, terms).facts(|f| f.pinned_node().map(str::to_owned))
    };
    assert_eq!(pinned("metadata.name", "In").as_deref(), Some("w"));
    assert_eq!(pinned("metadata.name", "NotIn"), None);
    assert_eq!(pinned("metadata.uid", "In"), None);
}

#[test]
fn pods_leave_a_node_if_they_are_on_it_deleted_and_not_over() {
    let pod = |name: &str, node: &str, phase: &str, deleted: bool| {
        let mut pod = crate::facts::scheduling::testing::placed(name, node, "0");
        pod["status"]["phase"] = phase.into();
        if deleted {
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:30Z".into();
        }
        pod
    };
    let case = refused("")
        .with(pod("goes", "w", "Running", true))
        .with(pod("stays", "w", "Running", false))
        .with(pod("over", "w", "Succeeded", true))
        .with(pod("elsewhere", "x", "Running", true));
    case.facts(|f| {
        let leaving: Vec<_> = f.leaving_pods("w").into_iter().map(|l| (l.name, l.ends.is_some())).collect();
        assert_eq!(leaving, [("goes", true)]);
    });
}

#[test]
fn a_claim_from_a_template_has_the_name_that_the_status_tells() {
    let claims =
        json!([{"name": "a", "resourceClaimTemplateName": "t"}, {"name": "b", "resourceClaimTemplateName": "t"}]);
    let made = json!([{"name": "b", "resourceClaimName": "p-b-x1"}]);
    let claim = json!({"kind": "ResourceClaim", "metadata": {"name": "p-b-x1", "namespace": "n"}, "status": {"allocation": {}}});
    let case = refused("").edit("/spec/resourceClaims", claims).edit("/status/resourceClaimStatuses", made).with(claim);
    case.facts(|f| {
        let told: Vec<_> =
            f.resource_claims().into_iter().map(|c| (c.name, c.object, c.template, c.allocated)).collect();
        assert_eq!(told, [("a", None, Some("t"), false), ("b", Some("p-b-x1"), Some("t"), true)]);
    });
}
