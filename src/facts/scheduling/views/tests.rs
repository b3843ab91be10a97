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
