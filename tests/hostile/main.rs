//! Every recorded failure with things done to it that no cluster would do: the report is still made, in time, and safe to
//! show, to parse and to paste from.

#[path = "../common/mod.rs"]
mod common;
mod mutation;

use std::time::{Duration, Instant};

use common::{Scenario, from_list, scenarios};
use kubectl_why::render::overview::{Scope, overview};
use kubectl_why::render::{Style, json, text};
use kubectl_why::report::Report;
use kubectl_why::snapshot::{Header, Snapshot};
use mutation::{Mutation, apply, mutations};
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};
use serde_json::Value;

/// The longest report, in bytes, whatever the input.
const LONGEST: usize = 1 << 20;

/// The thread's time after which a diagnosis hangs: a build for tests takes milliseconds.
const HANGS: Duration = Duration::from_secs(5);

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many times each scenario is changed; more with `HOSTILE_CASES`.
fn cases() -> u32 {
    number("HOSTILE_CASES").and_then(|n| n.try_into().ok()).unwrap_or(4)
}

/// Where a scenario's changes start from: the same in every run, so that a red test is red again; others with
/// `HOSTILE_SEED`.
fn seed(scenario: &str) -> RngSeed {
    let start = number("HOSTILE_SEED").unwrap_or_default();
    RngSeed::Fixed(scenario.bytes().fold(start, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())))
}

fn snapshot(list: &Value) -> Snapshot {
    let has_header = list["items"][0]["kind"] == "Snapshot";
    if has_header && serde_json::from_value::<Header>(list["items"][0].clone()).is_ok() {
        return from_list(list);
    }
    // A header that cannot be read is refused by the file's reader; here the objects count.
    let mut snapshot = Snapshot::default();
    list["items"].as_array().into_iter().flatten().cloned().for_each(|o| snapshot.add(o));
    snapshot.settle();
    snapshot
}

/// Time spent by this thread alone, as the machine may be busy with other things.
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn is_visible(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    c == '\n' || !c.is_control() && !hidden
}

/// What is wrong with the reports, if anything is.
fn fault(reports: &[Report]) -> Option<String> {
    for gap in reports.iter().flat_map(|r| &r.gaps) {
        if gap.why.contains("a fault of kubectl-why") {
            return Some(gap.question.clone());
        }
    }
    let scope = Scope { place: "namespace n".to_owned(), fine: 0, left_out: 1, namespace: None };
    for page in [text::text(reports, Style::default()), overview(reports, &scope, Style::default())] {
        if page.len() > LONGEST {
            return Some(format!("the page has {} bytes", page.len()));
        }
        if let Some(c) = page.chars().find(|c| !is_visible(*c)) {
            return Some(format!("the page holds {c:?}"));
        }
    }
    let json: Value = match serde_json::from_str(&json::json(reports)) {
        Ok(value) => value,
        Err(e) => return Some(format!("the JSON does not parse: {e}")),
    };
    match serde_saphyr::from_str::<Value>(&json::to_yaml(&json::answer(reports))) {
        Ok(yaml) if yaml == json => None,
        Ok(_) => Some("the YAML says something else than the JSON".to_owned()),
        Err(e) => Some(format!("the YAML does not parse: {e}")),
    }
}

fn try_one(scenario: &Scenario, changes: &[Mutation]) -> Result<(), TestCaseError> {
    let mut list = scenario.list.clone();
    changes.iter().for_each(|change| apply(&mut list, change));
    let snapshot = snapshot(&list);
    let (started, wall) = (thread_time(), Instant::now());
    let reports = kubectl_why::diagnose(&snapshot, &scenario.target);
    let fault = fault(&reports);
    let took = thread_time().zip(started).map_or(wall.elapsed(), |(end, start)| end - start);
    match fault {
        Some(fault) => Err(TestCaseError::fail(fault)),
        None if took > HANGS => Err(TestCaseError::fail(format!("it took {took:?}"))),
        None => Ok(()),
    }
}

#[test]
fn whatever_is_done_to_a_snapshot_the_report_is_made_and_safe() {
    let all = scenarios();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let halves = all.chunks(all.len().div_ceil(2));
        let threads: Vec<_> =
            halves.map(|half| scope.spawn(|| half.iter().filter_map(failure).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|t| t.join().expect("a thread")).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn failure(scenario: &Scenario) -> Option<String> {
    let config = Config {
        cases: cases(),
        rng_seed: seed(&scenario.name),
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        max_shrink_iters: 200,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&mutations(), |changes| try_one(scenario, &changes));
    outcome.err().map(|e| format!("{}: {e}", scenario.name))
}
