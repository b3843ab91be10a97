//! Recorded failures of a real cluster: what the report says of each.

mod common;

use common::{all_well, scenarios};
use kubectl_why::facts::Facts;
use kubectl_why::render::{Style, text};

#[test]
fn the_first_cause_is_right() {
    let wrong = |s: &common::Scenario| s.wrong(&s.reports()).map(|why| format!("{}: {why}", s.name));
    all_well(scenarios().iter().filter_map(wrong).collect());
}

#[test]
fn the_facts_that_matter_are_mentioned() {
    let lacking = |s: &common::Scenario| {
        let missing = s.unmentioned(&s.reports());
        (!missing.is_empty()).then(|| format!("{}: {missing:?}", s.name))
    };
    all_well(scenarios().iter().filter_map(lacking).collect());
}

#[test]
fn what_would_be_a_lie_is_not_said() {
    let mut said = Vec::new();
    for scenario in scenarios() {
        let report = text::text(&scenario.reports(), Style::default());
        said.extend(
            scenario
                .strings("neverSays")
                .iter()
                .filter(|l| report.contains(*l))
                .map(|l| format!("{}: {l}", scenario.name)),
        );
    }
    all_well(said);
}

#[test]
fn the_status_word_is_kubectls() {
    let mut wrong = Vec::new();
    for scenario in scenarios().iter().filter(|s| s.target.kind == "Pod") {
        let printed = std::fs::read_to_string(scenario.dir.join("kubectl-get.txt")).unwrap();
        let line = printed.lines().find(|l| l.split_whitespace().next() == Some(&scenario.target.name));
        let word = line.and_then(|l| l.split_whitespace().nth(2));
        let ours = Facts::new(&scenario.snapshot(), &scenario.target).status_word();
        if word.is_some_and(|word| word != ours) {
            wrong.push(format!("{}: {ours}, kubectl says {word:?}", scenario.name));
        }
    }
    all_well(wrong);
}

/// The reviewed reports. `UPDATE_REPORTS=1 cargo test --test scenarios` writes them anew; then read the difference.
#[test]
fn whole_reports_are_as_reviewed() {
    let update = std::env::var_os("UPDATE_REPORTS").is_some();
    let mut differing = Vec::new();
    for scenario in scenarios() {
        let report = text::text(&scenario.reports(), Style::default());
        let path = scenario.dir.join("report.txt");
        if update {
            std::fs::write(&path, &report).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != report {
            differing.push(format!("{}: differs from its report.txt (UPDATE_REPORTS=1 writes it)", scenario.name));
        }
    }
    all_well(differing);
}
