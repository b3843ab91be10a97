//! Selectors over labels: of nodes and of pods.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use serde_json::Value;

use crate::snapshot::Node;

/// Whether one requirement on a pod's label holds. Keys that are absent satisfy NotIn and DoesNotExist.
/// Source: apimachinery `labels.Requirement.Matches`.
fn holds(requirement: &LabelSelectorRequirement, value: Option<&str>) -> bool {
    let listed = || value.is_some_and(|value| requirement.values.iter().flatten().any(|v| v == value));
    match requirement.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
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

/// Whether a label selector holds for a pod. No selector holds for nothing, an empty one for everything.
pub(super) fn picks(selector: Option<&LabelSelector>, labels: &Value) -> bool {
    let Some(selector) = selector else { return false };
    let value = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = selector.match_labels.iter().flatten().all(|(key, wanted)| value(key) == Some(wanted));
    let expressions = selector.match_expressions.iter().flatten();
    equal && expressions.into_iter().all(|r| holds(r, value(&r.key)))
}

/// A label selector in kubectl's notation: `app=web,tier in (a, b)`.
pub(super) fn written(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else { return "nothing".to_owned() };
    let one = |r: &LabelSelectorRequirement| {
        let values = r.values.as_deref().unwrap_or_default().join(", ");
        match r.operator.as_str() {
            "In" => format!("{} in ({values})", r.key),
            "NotIn" => format!("{} notin ({values})", r.key),
            "Exists" => r.key.clone(),
            "DoesNotExist" => format!("!{}", r.key),
            other => format!("{} {other} ({values})", r.key),
        }
    };
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let parts: Vec<String> = equal.chain(selector.match_expressions.iter().flatten().map(one)).collect();
    if parts.is_empty() { "any label".to_owned() } else { parts.join(",") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_selector_picks_nothing_and_an_empty_one_everything() {
        let labels = json!({"app": "web"});
        assert!(!picks(None, &labels));
        assert!(picks(Some(&LabelSelector::default()), &labels));
    }

    #[test]
    fn every_operator_of_the_api_is_understood() {
        for (operator, values, picked) in [
            ("In", json!(["web"]), true),
            ("In", json!(["db"]), false),
            ("NotIn", json!(["db"]), true),
            ("Exists", json!([]), true),
            ("DoesNotExist", json!([]), false),
            ("Like", json!(["web"]), false),
        ] {
            let selector = json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
            let selector: LabelSelector = serde_json::from_value(selector).unwrap();
            assert_eq!(picks(Some(&selector), &json!({"app": "web"})), picked, "{operator}");
        }
    }

    #[test]
    fn selectors_are_written_as_kubectl_takes_them() {
        let of = |selector: Value| written(Some(&serde_json::from_value(selector).unwrap()));
        assert_eq!(written(None), "nothing");
        assert_eq!(of(json!({})), "any label");
        let all = json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "zone", "operator": "NotIn", "values": ["c"]},
            {"key": "x", "operator": "Exists"}, {"key": "y", "operator": "DoesNotExist"},
            {"key": "z", "operator": "Like", "values": ["d"]}]});
        assert_eq!(of(all), "app=web,tier in (a, b),zone notin (c),x,!y,z Like (d)");
    }

    #[test]
    fn a_label_that_is_absent_satisfies_its_absence() {
        let absent = json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]});
        let selector: LabelSelector = serde_json::from_value(absent).unwrap();
        assert!(picks(Some(&selector), &json!({})) && !picks(Some(&selector), &json!({"app": "web"})));
    }
}
