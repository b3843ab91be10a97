//! What must hold whatever the cluster sends: recorded failures with parts taken away, refused, shuffled.

mod common;

use common::{Scenario, all_well, from_list, scenarios};
use kubectl_why::finding::Evidence;
use kubectl_why::render::{Style, json, text};
use kubectl_why::report::Report;
use kubectl_why::snapshot::{Snapshot, node_object};
use serde_json::{Value, json};

fn items(list: &mut Value) -> &mut Vec<Value> {
    list["items"].as_array_mut().unwrap()
}

fn without(scenario: &Scenario, kind: &str, resource: &str, refused: bool) -> Snapshot {
    scenario.changed(|list| {
        items(list).retain(|item| item["kind"] != kind);
        let header = &mut items(list)[0];
        if let Some(complete) = header["complete"].as_array_mut() {
            complete.retain(|r| r != resource);
        }
        if refused {
            header["unanswered"] =
                json!([{"verb": "list", "resource": resource, "why": format!("forbidden: {resource} is forbidden")}]);
        }
    })
}

/// The first cause is an accepted one, or one of `withLess`: true too, but less exact, as the exact sentence is gone.
fn acceptable(scenario: &Scenario, reports: &[Report]) -> Result<(), String> {
    let Some(first) = reports.first() else { return Ok(()) };
    let Some(cause) = first.causes.first() else { return Ok(()) };
    let mut accepted = scenario.strings("cause");
    accepted.extend(scenario.strings("causes"));
    accepted.extend(scenario.strings("withLess"));
    if accepted.iter().any(|a| a == cause.rule.reason) {
        Ok(())
    } else {
        Err(format!("{}: claims {}", scenario.name, cause.rule.reason))
    }
}

#[test]
fn without_events_it_is_never_wrong() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let snapshot = without(&scenario, "Event", "events", false);
        wrong.extend(acceptable(&scenario, &kubectl_why::diagnose(&snapshot, &scenario.target)).err());
    }
    all_well(wrong);
}

#[test]
fn what_is_refused_is_a_gap_and_never_a_claim() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        for (kind, resource) in
            [("Secret", "secrets"), ("Node", "nodes"), ("Event", "events"), ("ConfigMap", "configmaps")]
        {
            let snapshot = without(&scenario, kind, resource, true);
            let reports = kubectl_why::diagnose(&snapshot, &scenario.target);
            wrong.extend(acceptable(&scenario, &reports).err().map(|e| format!("{e} without {resource}")));
            if !reports.iter().all(|r| r.gaps.iter().any(|g| g.ask.contains(&resource.to_owned()))) {
                wrong.push(format!("{}: no gap for {resource}", scenario.name));
            }
        }
    }
    all_well(wrong);
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let mut differing = Vec::new();
    for scenario in scenarios() {
        let straight = text::text(&scenario.reports(), Style::default());
        let turned = scenario.changed(|list| items(list)[1..].reverse());
        if text::text(&kubectl_why::diagnose(&turned, &scenario.target), Style::default()) != straight {
            differing.push(scenario.name);
        }
    }
    all_well(differing);
}

#[test]
fn any_object_may_be_missing() {
    for scenario in scenarios() {
        let concerns = |item: &Value| match item["metadata"]["namespace"].as_str() {
            Some(namespace) => namespace == scenario.target.namespace,
            None => true,
        };
        let all = scenario.list["items"].as_array().unwrap();
        for n in (1..all.len()).filter(|n| concerns(&all[*n])) {
            let snapshot = scenario.changed(|list| {
                items(list).remove(n);
            });
            let reports = kubectl_why::diagnose(&snapshot, &scenario.target);
            assert!(
                reports.iter().all(|r| r.gaps.iter().all(|g| !g.why.contains("a fault of kubectl-why"))),
                "{}",
                scenario.name
            );
            serde_json::from_str::<Value>(&json::json(&reports)).unwrap();
        }
    }
}

#[test]
fn every_path_of_evidence_resolves_to_exactly_the_value_that_is_printed() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let snapshot = scenario.snapshot();
        for report in kubectl_why::diagnose(&snapshot, &scenario.target) {
            for cause in &report.causes {
                assert!(
                    !cause.finding.evidence.is_empty(),
                    "{}: {} rests on nothing",
                    scenario.name,
                    cause.rule.reason
                );
                for evidence in &cause.finding.evidence {
                    if let Evidence::Field { object, path, value } = evidence {
                        let found = match object.kind.as_str() {
                            "Node" => snapshot.node(&object.name).found().map(node_object),
                            kind => snapshot.object(kind, &object.namespace, &object.name).found().cloned(),
                        };
                        let read = found.as_ref().and_then(|o| resolve(o, &path.exact()));
                        let printed = read.as_ref().map_or_else(|| "nothing".to_owned(), plain);
                        if printed != *value {
                            wrong.push(format!("{}: {} is {printed}, printed as {value}", scenario.name, path.exact()));
                        }
                    }
                }
            }
        }
    }
    all_well(wrong);
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Follows a path as it is printed in JSON, independently of how it was made.
fn resolve(object: &Value, path: &str) -> Option<Value> {
    let mut here = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = match inside.split_once("=\"") {
                Some((by, _)) if by.chars().all(char::is_alphanumeric) => {
                    let value: Value =
                        serde_json::Deserializer::from_str(&inside[by.len() + 1..]).into_iter().next()?.ok()?;
                    here = here
                        .as_array()?
                        .iter()
                        .find(|i| i[by] == value || value.as_str().is_some_and(|v| v == plain(&i[by])))?;
                    by.len() + 1 + value.to_string().len()
                }
                _ => {
                    let end = inside.find(']')?;
                    let word = &inside[..end];
                    here = match here {
                        Value::Array(list) => list.get(word.parse::<usize>().ok()?)?,
                        other => other.get(word)?,
                    };
                    end
                }
            };
            rest = &inside[end + 1..];
        } else {
            let word = rest.trim_start_matches('.');
            let end = word.find(['.', '[']).unwrap_or(word.len());
            here = here.get(&word[..end])?;
            rest = &word[end..];
        }
    }
    Some(here.clone())
}

#[test]
fn a_saved_snapshot_gives_the_same_report() {
    for scenario in scenarios() {
        let saved = from_list(&scenario.snapshot().to_list());
        let again = kubectl_why::diagnose(&saved, &scenario.target);
        assert_eq!(
            text::text(&again, Style::default()),
            text::text(&scenario.reports(), Style::default()),
            "{}",
            scenario.name
        );
    }
}
