//! How reports are worded, as far as a machine can tell.

mod common;

use common::{all_well, scenarios};
use kubectl_why::finding::{Command, Effect, Remedy};
use kubectl_why::report::Report;
use kubectl_why::{rules, words};

/// Words that hedge, judge or plead. How sure something is, is said by certain, likely and possible alone.
const NEVER: [&str; 14] = [
    "may",
    "might",
    "could",
    "maybe",
    "perhaps",
    "probably",
    "simply",
    "obviously",
    "please",
    "oops",
    "illegal",
    "sorry",
    "should",
    "try",
];

/// What is ours of a sentence: not what stands in quotation marks, and not what the cluster says after a colon.
fn ours(sentence: &str) -> String {
    let outside: String = sentence.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    outside.split(": ").next().unwrap_or_default().to_owned()
}

fn unwanted(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.find_map(|word| NEVER.iter().find(|never| **never == word).copied())
}

/// Why a headline or summary is not as it should be.
fn headline_fault(sentence: &str) -> Option<String> {
    let first = sentence.split_whitespace().next().unwrap_or_default();
    let is_kind = first.chars().skip(1).any(char::is_uppercase) || ["Job", "Secret", "Deployment"].contains(&first);
    match () {
        () if sentence.is_empty() => Some("is empty".to_owned()),
        () if sentence.ends_with(['.', '!', ':', ' ']) => Some("ends with a mark".to_owned()),
        () if sentence.contains("  ") => Some("has a double space".to_owned()),
        () if first.starts_with(char::is_uppercase) && !is_kind => Some("begins with a capital".to_owned()),
        () => unwanted(&ours(sentence)).map(|word| format!("says {word}")),
    }
}

/// Why a remedy's words are not as they should be.
fn remedy_fault(remedy: &Remedy) -> Option<String> {
    let say = &remedy.say;
    if remedy.effect == Effect::Look && say.is_empty() {
        return remedy.command.as_ref().and_then(command_fault);
    }
    match () {
        () if !say.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) => Some("begins small".to_owned()),
        () if say.contains('!') || say.contains("  ") => Some("has marks that it should not have".to_owned()),
        () if remedy.command.is_some() && !say.ends_with(':') => Some("does not lead to its command".to_owned()),
        () if remedy.command.is_none() && !say.ends_with('.') => Some("is no whole sentence".to_owned()),
        () => unwanted(&ours(say))
            .map(|word| format!("says {word}"))
            .or_else(|| remedy.command.as_ref().and_then(command_fault)),
    }
}

fn command_fault(command: &Command) -> Option<String> {
    let line = command.to_string();
    (line.contains('\n') || line.starts_with('$')).then(|| format!("has a command of more than one line: {line}"))
}

/// Headlines of a report with the reason that each belongs to.
fn headlines(report: &Report) -> Vec<(&str, &str)> {
    let causes = report.causes.iter().flat_map(|c| {
        let symptoms = c.symptoms.iter().map(|(rule, finding)| (rule.reason, finding.headline.as_str()));
        std::iter::once((c.rule.reason, c.finding.headline.as_str())).chain(symptoms)
    });
    let notes = report.notes.iter().filter(|(reason, _)| rules::named(reason).is_some());
    causes.chain(notes.map(|(reason, text)| (reason.as_str(), text.as_str()))).collect()
}

#[test]
fn headlines_are_small_sentences_without_hedges() {
    let mut faults = Vec::new();
    for scenario in scenarios() {
        for report in scenario.reports() {
            let of = |(reason, sentence): (&str, &str)| {
                headline_fault(sentence).map(|why| format!("{}: {reason} {why}: {sentence}", scenario.name))
            };
            faults.extend(headlines(&report).into_iter().filter_map(of));
            // Of several causes the summary is two sentences, the second of which says how many have to be fixed.
            let first = if report.causes.len() > 1 { report.summary.split(". ").next() } else { None };
            faults.extend(of(("the summary", first.unwrap_or(&report.summary))));
        }
    }
    all_well(faults);
}

#[test]
fn remedies_are_whole_sentences_that_lead_to_their_commands() {
    let mut faults = Vec::new();
    for scenario in scenarios() {
        for report in scenario.reports() {
            for cause in &report.causes {
                let of = |r: &Remedy| {
                    remedy_fault(r).map(|why| format!("{}: {} {why}: {}", scenario.name, cause.rule.reason, r.say))
                };
                faults.extend(cause.finding.remedies.iter().filter_map(of));
                let changes = cause.finding.remedies.iter().filter(|r| r.effect == Effect::Change);
                let first = changes.map(|r| r.say.as_str()).next().unwrap_or_default();
                if first.starts_with("Or ") || first.starts_with("Otherwise") {
                    faults
                        .push(format!("{}: {} begins with an alternative: {first}", scenario.name, cause.rule.reason));
                }
            }
        }
    }
    all_well(faults);
}

#[test]
fn a_command_is_offered_once() {
    let mut faults = Vec::new();
    for scenario in scenarios() {
        for cause in scenario.reports().iter().flat_map(|r| &r.causes) {
            let mut commands: Vec<String> =
                cause.finding.remedies.iter().filter_map(|r| Some(r.command.as_ref()?.to_string())).collect();
            let all = commands.len();
            commands.sort();
            commands.dedup();
            if commands.len() < all {
                faults.push(format!("{}: {} offers a command twice", scenario.name, cause.rule.reason));
            }
        }
    }
    all_well(faults);
}

#[test]
fn the_manual_hedges_no_more_than_reports_do() {
    let mut faults = Vec::new();
    for rule in rules::all() {
        faults.extend(
            headline_fault(rule.summary).map(|why| format!("{}: summary {why}: {}", rule.reason, rule.summary)),
        );
        for line in rule.explain.lines() {
            // Quoted words are the cluster's.
            let outside: String = line.split(['"', '`']).step_by(2).collect::<Vec<_>>().join(" ");
            let hedges = ["may", "might", "maybe", "perhaps", "probably", "simply", "obviously", "please"];
            let said = unwanted(&outside).filter(|word| hedges.contains(word));
            faults.extend(said.map(|word| format!("{}: its page says {word}: {line}", rule.reason)));
        }
    }
    for word in words::all() {
        faults.extend(
            unwanted(word.says).filter(|w| *w != "could").map(|w| format!("{} says {w}: {}", word.word, word.says)),
        );
    }
    all_well(faults);
}
