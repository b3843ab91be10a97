//! Selectors over labels: of nodes and of pods.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use crate::snapshot::Node;

/// Whether one requirement holds for a label's value. Keys that are absent satisfy NotIn and DoesNotExist.
/// Source: apimachinery `labels.Requirement.Matches`.
fn holds(operator: &str, values: Option<&[String]>, value: Option<&str>) -> bool {
    let values = values.unwrap_or_default();
    let listed = || value.is_some_and(|value| values.iter().any(|v| v == value));
    let compared = |ordering| {
        let number = |text: Option<&str>| text.and_then(|t| t.parse::<i64>().ok());
        let pair = (number(value), number(values.first().map(String::as_str)));
        matches!(pair, (Some(own), Some(wanted)) if own.cmp(&wanted) == ordering)
    };
    match operator {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compared(std::cmp::Ordering::Greater),
        "Lt" => compared(std::cmp::Ordering::Less),
        _ => false,
    }
}

/// Whether a node bears every label of the pod's `nodeSelector`.
pub(super) fn selected(spec: &core::PodSpec, node: &Node) -> bool {
    spec.node_selector.iter().flatten().all(|(key, value)| node.metadata.labels.get(key) == Some(value))
}

/// The pod's required node affinity.
pub(super) fn required(spec: &core::PodSpec) -> Option<&core::NodeSelector> {
    spec.affinity.as_ref()?.node_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()
}

/// Whether one of a node selector's terms holds for a node. A term without requirements holds for none.
/// Source: component-helpers `scheduling/corev1/nodeaffinity`.
pub(super) fn admits(selector: &core::NodeSelector, node: &Node) -> bool {
    selector.node_selector_terms.iter().any(|term| term_holds(term, node))
}

fn term_holds(term: &core::NodeSelectorTerm, node: &Node) -> bool {
    let by_label = term.match_expressions.as_deref().unwrap_or_default();
    let by_field = term.match_fields.as_deref().unwrap_or_default();
    let label = |r: &core::NodeSelectorRequirement| {
        holds(&r.operator, r.values.as_deref(), node.metadata.labels.get(&r.key).map(String::as_str))
    };
    let field = |r: &core::NodeSelectorRequirement| {
        r.key == "metadata.name" && holds(&r.operator, r.values.as_deref(), Some(&node.metadata.name))
    };
    !(by_label.is_empty() && by_field.is_empty()) && by_label.iter().all(label) && by_field.iter().all(field)
}

/// Whether a label selector holds for a pod. No selector holds for nothing, an empty one for everything.
pub(super) fn picks(selector: Option<&LabelSelector>, labels: &Value) -> bool {
    let Some(selector) = selector else { return false };
    let value = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = selector.match_labels.iter().flatten().all(|(key, wanted)| value(key) == Some(wanted));
    let expressions = selector.match_expressions.iter().flatten();
    equal && expressions.into_iter().all(|r| holds(&r.operator, r.values.as_deref(), value(&r.key)))
}

/// A label selector in kubectl's notation: `app=web,tier in (a, b)`.
pub(super) fn written(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else { return "nothing".to_owned() };
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten();
    let parts: Vec<String> =
        equal.chain(expressions.map(|r| requirement(&r.key, &r.operator, r.values.as_deref()))).collect();
    if parts.is_empty() { "any label".to_owned() } else { parts.join(",") }
}

/// A node selector as people read it; alternatives are joined by `or`.
pub(super) fn node_selector_written(selector: &core::NodeSelector) -> String {
    let term = |term: &core::NodeSelectorTerm| {
        let all = term.match_expressions.iter().flatten().chain(term.match_fields.iter().flatten());
        let parts: Vec<String> = all.map(|r| requirement(&r.key, &r.operator, r.values.as_deref())).collect();
        if parts.is_empty() { "an empty term, which no node satisfies".to_owned() } else { parts.join(" and ") }
    };
    selector.node_selector_terms.iter().map(term).collect::<Vec<_>>().join(" or ")
}

fn requirement(key: &str, operator: &str, values: Option<&[String]>) -> String {
    let values = values.unwrap_or_default().join(", ");
    match operator {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => format!("{key} exists"),
        "DoesNotExist" => format!("{key} does not exist"),
        "Gt" => format!("{key} > {values}"),
        "Lt" => format!("{key} < {values}"),
        other => format!("{key} {other} ({values})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_of_the_api_is_understood() {
        let list = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        for (operator, values, value, expected) in [
            ("In", &["a", "b"][..], Some("b"), true),
            ("In", &["a"], None, false),
            ("NotIn", &["a"], None, true),
            ("NotIn", &["a"], Some("a"), false),
            ("Exists", &[], Some(""), true),
            ("DoesNotExist", &[], None, true),
            ("Gt", &["4"], Some("8"), true),
            ("Gt", &["4"], Some("x"), false),
            ("Lt", &["4"], Some("3"), true),
            ("Lt", &["4"], None, false),
            ("Like", &["4"], Some("4"), false),
        ] {
            assert_eq!(holds(operator, Some(&list(values)), value), expected, "{operator} {values:?} {value:?}");
        }
    }

    #[test]
    fn a_term_without_requirements_admits_no_node() {
        let selector = core::NodeSelector { node_selector_terms: vec![core::NodeSelectorTerm::default()] };
        assert!(!admits(&selector, &Node::default()));
    }
}
