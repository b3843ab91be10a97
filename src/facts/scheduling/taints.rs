//! Taints of nodes and the tolerations of a pod.

use k8s_openapi::api::core::v1 as core;

use super::Filter;
use crate::snapshot::{Node, Taint};

/// The taint that stands for `spec.unschedulable`.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Taints that the node controller, a cloud provider or an autoscaler sets while a node is not fit for work.
const NOT_FIT: [&str; 10] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/out-of-service",
    "node.cloudprovider.kubernetes.io/uninitialized",
    "node.cloudprovider.kubernetes.io/shutdown",
    "karpenter.sh/unregistered",
];

/// What an untolerated taint with that key says of its node. Agents of a network or storage driver taint a node with a key
/// that ends in `not-ready` until they run there.
pub(super) fn kind(key: &str) -> Filter {
    match key {
        UNSCHEDULABLE => Filter::Cordoned,
        _ if NOT_FIT.contains(&key) || key.ends_with("not-ready") => Filter::Unready,
        _ => Filter::Taint,
    }
}

/// Whether a taint reserves its node for the cluster's own work or for another kind of node altogether, so that tolerating
/// it is no cure for a pod that lacks room elsewhere.
pub(super) fn reserves(key: &str) -> bool {
    key.starts_with("node-role.kubernetes.io/") || key.starts_with("virtual-kubelet.io/")
}

/// The taints that keep the pod off a node. `PreferNoSchedule` does not.
pub(super) fn untolerated<'n>(spec: &'n core::PodSpec, node: &'n Node) -> impl Iterator<Item = &'n Taint> {
    let blocks = |t: &&Taint| matches!(t.effect.as_str(), "NoSchedule" | "NoExecute");
    node.spec.taints.iter().filter(blocks).filter(|taint| !tolerated(spec, taint))
}

/// Whether the node is cordoned for this pod.
pub(super) fn cordoned(spec: &core::PodSpec, node: &Node) -> bool {
    let taint = Taint { key: UNSCHEDULABLE.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() };
    node.spec.unschedulable && !tolerated(spec, &taint)
}

fn tolerated(spec: &core::PodSpec, taint: &Taint) -> bool {
    spec.tolerations.iter().flatten().any(|toleration| tolerates(toleration, taint))
}

/// Source: `k8s.io/api/core/v1/toleration.go`, `ToleratesTaint`. An empty key or effect stands for all of them.
fn tolerates(toleration: &core::Toleration, taint: &Taint) -> bool {
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let key = toleration.key.as_deref().unwrap_or_default();
    if !effect.is_empty() && effect != taint.effect || !key.is_empty() && key != taint.key {
        return false;
    }
    let value = toleration.value.as_deref().unwrap_or_default();
    let numbers = || Some((taint.value.parse::<i64>().ok()?, value.parse::<i64>().ok()?));
    match toleration.operator.as_deref().unwrap_or_default() {
        "" | "Equal" => !key.is_empty() && value == taint.value,
        "Exists" => true,
        "Gt" => numbers().is_some_and(|(taint, wanted)| taint > wanted),
        "Lt" => numbers().is_some_and(|(taint, wanted)| taint < wanted),
        _ => false,
    }
}

/// A taint as `kubectl taint` takes it: `dedicated=gpu:NoSchedule`.
pub(super) fn written(taint: &Taint) -> String {
    let equals = if taint.value.is_empty() { "" } else { "=" };
    format!("{}{equals}{}:{}", taint.key, taint.value, taint.effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toleration(key: &str, operator: &str, value: &str, effect: &str) -> core::Toleration {
        let text = |s: &str| Some(s.to_owned()).filter(|s| !s.is_empty());
        core::Toleration {
            key: text(key),
            operator: text(operator),
            value: text(value),
            effect: text(effect),
            ..Default::default()
        }
    }

    #[test]
    fn tolerations_match_as_in_the_scheduler() {
        let taint = Taint { key: "k".into(), value: "v".into(), effect: "NoSchedule".into(), time_added: None };
        for (key, operator, value, effect, expected) in [
            ("k", "Equal", "v", "NoSchedule", true),
            ("k", "", "v", "", true),
            ("k", "Equal", "w", "NoSchedule", false),
            ("k", "Exists", "", "", true),
            ("k", "Exists", "", "NoExecute", false),
            ("", "Exists", "", "", true),
            ("", "Exists", "", "NoSchedule", true),
            ("other", "Exists", "", "", false),
        ] {
            let toleration = toleration(key, operator, value, effect);
            assert_eq!(tolerates(&toleration, &taint), expected, "{toleration:?}");
        }
    }

    #[test]
    fn a_taint_of_the_nodes_state_is_no_reservation() {
        assert_eq!(kind("node.kubernetes.io/disk-pressure"), Filter::Unready);
        assert_eq!(kind("ebs.csi.aws.com/agent-not-ready"), Filter::Unready);
        assert_eq!(kind("node.kubernetes.io/unschedulable"), Filter::Cordoned);
        assert_eq!(kind("dedicated"), Filter::Taint);
    }

    #[test]
    fn numbers_are_compared_from_the_taint_to_what_is_tolerated() {
        let taint =
            |value: &str| Taint { key: "k".into(), value: value.into(), effect: "NoSchedule".into(), time_added: None };
        for (value, operator, than, expected) in [
            ("5", "Gt", "4", true),
            ("5", "Gt", "5", false),
            ("5", "Gt", "6", false),
            ("5", "Lt", "6", true),
            ("5", "Lt", "5", false),
            ("5", "Lt", "4", false),
            ("five", "Gt", "4", false),
            ("5", "Lt", "six", false),
        ] {
            let toleration = toleration("k", operator, than, "");
            assert_eq!(tolerates(&toleration, &taint(value)), expected, "{value} {toleration:?}");
        }
    }

    #[test]
    fn nodes_of_the_control_plane_and_virtual_ones_are_reserved() {
        assert!(reserves("node-role.kubernetes.io/control-plane") && reserves("virtual-kubelet.io/provider"));
        assert!(!reserves("dedicated") && !reserves("node.kubernetes.io/disk-pressure"));
    }
}
