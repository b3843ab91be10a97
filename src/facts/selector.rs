//! Node selectors as the API writes them in node affinity, matched against nodes.

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

use crate::snapshot::Node;

/// Whether a node matches any term of a node selector. A selector without terms, and a term without requirements, match
/// nothing. Source: component-helpers `scheduling/corev1/nodeaffinity`.
pub fn selects(selector: &NodeSelector, node: &Node) -> bool {
    selector.node_selector_terms.iter().any(|term| term_selects(term, node))
}

/// Whether a node meets every requirement of one term.
pub fn term_selects(term: &NodeSelectorTerm, node: &Node) -> bool {
    let labels = term.match_expressions.iter().flatten();
    let fields = term.match_fields.iter().flatten();
    if labels.clone().next().is_none() && fields.clone().next().is_none() {
        return false;
    }
    let name = Some(node.metadata.name.as_str());
    labels.into_iter().all(|r| holds(r, node.metadata.labels.get(&r.key).map(String::as_str)))
        && fields.into_iter().all(|r| r.key == "metadata.name" && holds(r, name))
}

/// Whether a requirement holds for the value that a node has under its key. An unknown operator holds for nothing.
pub fn holds(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let listed = |value: &str| values.iter().any(|v| v == value);
    let ordered = |matches: fn(i64, i64) -> bool| {
        let bound = values.first().and_then(|v| v.parse().ok());
        let number = value.and_then(|v| v.parse().ok());
        number.zip(bound).is_some_and(|(number, bound)| matches(number, bound))
    };
    match requirement.operator.as_str() {
        "In" => value.is_some_and(listed),
        "NotIn" => !value.is_some_and(listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => ordered(|number, bound| number > bound),
        "Lt" => ordered(|number, bound| number < bound),
        _ => false,
    }
}

/// A node selector as people read it: `zone in (a, b) and disk exists, or metadata.name in (node-1)`.
pub fn words(selector: &NodeSelector) -> String {
    let one = |r: &NodeSelectorRequirement| {
        let values = r.values.as_deref().unwrap_or_default();
        match (r.operator.as_str(), values) {
            ("In", [value]) => format!("{}={value}", r.key),
            ("In", _) => format!("{} in ({})", r.key, values.join(", ")),
            ("NotIn", [value]) => format!("{}!={value}", r.key),
            ("NotIn", _) => format!("{} not in ({})", r.key, values.join(", ")),
            ("Exists", _) => format!("{} exists", r.key),
            ("DoesNotExist", _) => format!("{} does not exist", r.key),
            (operator, _) => format!("{} {operator} {}", r.key, values.join(", ")),
        }
    };
    let term = |t: &NodeSelectorTerm| {
        let all = t.match_expressions.iter().flatten().chain(t.match_fields.iter().flatten());
        all.map(one).collect::<Vec<_>>().join(" and ")
    };
    selector.node_selector_terms.iter().map(term).collect::<Vec<_>>().join(", or ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fits(terms: Value) -> bool {
        let node: Node =
            serde_json::from_value(json!({"metadata": {"name": "node-1", "labels": {"zone": "a", "cores": "8"}}}))
                .unwrap();
        let selector: NodeSelector = serde_json::from_value(json!({"nodeSelectorTerms": terms})).unwrap();
        selects(&selector, &node)
    }

    #[test]
    fn every_operator_reads_labels_as_the_scheduler_does() {
        for (key, operator, values, fitting) in [
            ("zone", "In", json!(["a", "b"]), true),
            ("zone", "In", json!(["b"]), false),
            ("zone", "NotIn", json!(["b"]), true),
            ("none", "NotIn", json!(["b"]), true),
            ("zone", "Exists", json!([]), true),
            ("none", "DoesNotExist", json!([]), true),
            ("cores", "Gt", json!(["4"]), true),
            ("cores", "Lt", json!(["4"]), false),
            ("zone", "Gt", json!(["4"]), false),
            ("zone", "Like", json!(["a"]), false),
        ] {
            let term = json!([{"matchExpressions": [{"key": key, "operator": operator, "values": values}]}]);
            assert_eq!(fits(term), fitting, "{key} {operator}");
        }
    }

    #[test]
    fn terms_are_alternatives_and_an_empty_one_matches_nothing() {
        let named = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]});
        assert!(fits(json!([{}, named])));
        assert!(!fits(json!([{}])));
        assert!(!fits(json!([])));
    }

    #[test]
    fn a_selector_reads_as_a_sentence() {
        let selector: NodeSelector = serde_json::from_value(json!({"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]},
                {"key": "b", "operator": "In", "values": ["1", "2"]}, {"key": "c", "operator": "NotIn", "values": ["1"]},
                {"key": "d", "operator": "NotIn", "values": ["1", "2"]}, {"key": "e", "operator": "Exists"},
                {"key": "f", "operator": "DoesNotExist"}, {"key": "g", "operator": "Gt", "values": ["4"]}]},
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w"]}]}]}))
        .unwrap();
        assert_eq!(
            words(&selector),
            "a=1 and b in (1, 2) and c!=1 and d not in (1, 2) and e exists and f does not exist and g Gt 4, or metadata.name=w"
        );
    }

    #[test]
    fn numbers_are_more_or_less_only_if_they_differ() {
        for (operator, bound, fitting) in [("Gt", "8", false), ("Lt", "8", false), ("Gt", "7", true), ("Lt", "9", true)]
        {
            let term = json!([{"matchExpressions": [{"key": "cores", "operator": operator, "values": [bound]}]}]);
            assert_eq!(fits(term), fitting, "{operator} {bound}");
        }
    }

    #[test]
    fn a_term_holds_only_if_its_labels_and_its_fields_do() {
        let term = |zone: &str, name: &str| {
            json!([{"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}],
                "matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}])
        };
        assert!(fits(term("a", "node-1")) && !fits(term("b", "node-1")) && !fits(term("a", "node-2")));
        assert!(!fits(json!([{"matchFields": [{"key": "metadata.uid", "operator": "In", "values": ["node-1"]}]}])));
    }
}
