//! The report as text, in the style of `kubectl describe`. Its layout may change; `-o json` is the stable form.

use super::Safe;
use super::page::{Ink, Page, Span, Style};
use crate::facts::ObjectName;
use crate::finding::{Command, Effect, Evidence, Finding, Remedy, Stage, Table};
use crate::rank::Cause;
use crate::report::{Report, Verdict};
use crate::rules::Rule;
use crate::snapshot::Target;

/// Where values of the header begin.
const LABEL: usize = 16;

/// The stations of the Stage line.
const STATIONS: [&str; 8] =
    ["creation", "scheduling", "dependencies", "sandbox", "images", "startup", "running", "ready"];

/// Prints reports, with a line between them.
pub fn text(reports: &[Report], style: Style) -> String {
    let mut page = Page::new(style);
    for (n, report) in reports.iter().enumerate() {
        if n > 0 {
            page.gap();
            page.line(0, &[plain("----")]);
            page.gap();
        }
        print(&mut page, report, style);
    }
    page.into_text()
}

fn print(page: &mut Page, report: &Report, style: Style) {
    for (label, value) in &report.header {
        let ink = if *label == "Status" { ink_of(report.verdict) } else { Ink::Plain };
        page.hanging(0, &[key(format!("{:LABEL$}", format!("{label}:"))), Span(ink, Safe::line(value))], LABEL);
    }
    if report.target.kind == "Pod" {
        page.line(0, &[key(format!("{:LABEL$}", "Stage:")), plain(stage_line(report))]);
    }
    page.gap();
    page.hanging(0, &[key("Why:  "), Span(ink_of(report.verdict), Safe::line(full_stop(&report.summary)))], 6);
    ladder(page, report);
    for (n, cause) in report.causes.iter().enumerate() {
        section(page, n + 1, cause, &report.target, style);
    }
    if !report.also.is_empty() {
        page.gap();
        page.hanging(0, &[key("Also true of: "), plain(report.also.join(", "))], 2);
    }
    if !report.notes.is_empty() {
        page.gap();
        page.line(0, &[key("Also seen:")]);
        for (reason, headline) in &report.notes {
            page.hanging(2, &[Span(Ink::Key, Safe::line(reason)), plain(format!("  {headline}"))], 4);
        }
    }
    if style.hints && !report.look.is_empty() {
        page.gap();
        page.line(0, &[key("Look:")]);
        report.look.iter().filter_map(|r| r.command.as_ref()).for_each(|command| print_command(page, 2, command));
    }
    not_checked(page, report);
    footer(page, report);
}

fn stage_line(report: &Report) -> String {
    let Some(station) = report.station() else { return STATIONS.join(" > ") };
    let mut stations: Vec<String> = STATIONS.iter().map(|s| (*s).to_owned()).collect();
    if station == Stage::Termination.station() {
        stations.push(station.to_owned());
    }
    let here = stations.iter().position(|s| s == station).unwrap_or(0);
    stations[here] = format!("[{}]", stations[here].to_uppercase());
    let first = if here > 3 { here - 2 } else { 0 };
    let lead = if first > 0 { "... " } else { "" };
    format!("{lead}{}", stations[first..].join(" > "))
}

/// Indentation means because; numbers lead to the sections. What the line above has said already is not said again.
fn ladder(page: &mut Page, report: &Report) {
    if report.causes.is_empty() {
        return;
    }
    let mut top = vec![Span(Ink::Key, Safe::line(&report.status))];
    if !report.status_detail.is_empty() {
        top.push(plain(format!("  {}", report.status_detail)));
    }
    page.line(2, &top);
    for (n, cause) in report.causes.iter().enumerate() {
        let mut indent = 4;
        let mut above: Option<&Rule> = None;
        for (rule, symptom) in cause.symptoms.iter().rev() {
            // Two that follow from the same thing do not follow from each other.
            indent += if above.is_some_and(|above| rule.explains.contains(&above.reason)) { 2 } else { 0 };
            rung(page, indent, rule, None, &symptom.headline, symptom);
            above = Some(rule);
        }
        indent += if above.is_some() { 2 } else { 0 };
        let said = report.summary == cause.finding.headline;
        let headline = if said { "" } else { &cause.finding.headline };
        rung(page, indent, cause.rule, Some(n + 1), headline, &cause.finding);
    }
}

fn rung(page: &mut Page, indent: usize, rule: &Rule, number: Option<usize>, headline: &str, finding: &Finding) {
    let number = number.map_or_else(String::new, |n| format!("  [{n}]"));
    let space = if headline.is_empty() { "" } else { "  " };
    let spans = [
        plain("because "),
        key(format!("{}{number}", rule.reason)),
        Span(Ink::Dim, Safe::line(format!("  {}{space}", finding.certainty.word()))),
        plain(headline),
    ];
    page.hanging(indent, &spans, indent + 4);
}

fn section(page: &mut Page, number: usize, cause: &Cause, target: &Target, style: Style) {
    page.gap();
    page.line(0, &[key(format!("[{number}] {}", cause.rule.reason))]);
    if !cause.finding.evidence.is_empty() {
        page.line(2, &[key("Evidence:")]);
        for evidence in &cause.finding.evidence {
            print_evidence(page, evidence, target, style.width);
        }
    }
    if !style.hints {
        return;
    }
    let of = |effect: Effect| cause.finding.remedies.iter().filter(move |r| r.effect == effect);
    for (effect, title) in [(Effect::Look, "Look:"), (Effect::Change, "Fix:"), (Effect::LastResort, "Last resort:")] {
        if of(effect).next().is_some() {
            page.line(2, &[Span(if effect == Effect::LastResort { Ink::Warn } else { Ink::Key }, Safe::line(title))]);
            of(effect).for_each(|remedy| print_remedy(page, remedy));
        }
    }
}

/// The target is called by its kind alone, any other object by kind and name.
fn called(object: &ObjectName, target: &Target) -> String {
    let kind = object.kind.to_lowercase();
    let is_target = object.kind == target.kind && object.name == target.name;
    if is_target { kind } else { format!("{kind} {}", object.name) }
}

fn print_evidence(page: &mut Page, evidence: &Evidence, target: &Target, width: usize) {
    match evidence {
        Evidence::Field { object, path, value } => {
            let place = format!("{}  {}", called(object, target), path.short());
            // An empty value is one, as that of a claim which wants no StorageClass.
            let value = if value.is_empty() { "\"\"" } else { value };
            match Safe::lines(value).as_slice() {
                [one] if place.len() + one.as_str().len() + 7 <= width => {
                    page.line(4, &[plain(place), plain(" = "), Span(Ink::Plain, one.clone())])
                }
                lines => {
                    page.line(4, &[plain(place)]);
                    page.block(8, Ink::Plain, lines);
                }
            }
        }
        Evidence::Event { object, reason, message, count, last_seen } => {
            let times = if *count > 1 { format!(", {count} times") } else { String::new() };
            page.line(4, &[plain(format!("{}  event {reason}{times}, last at {last_seen}", called(object, target)))]);
            page.block(8, Ink::Plain, &Safe::lines(message));
        }
        Evidence::Log { container, previous, lines } => {
            let run = if *previous { ", run before the present one" } else { "" };
            page.line(4, &[plain(format!("log of {container}{run}"))]);
            lines.iter().for_each(|line| page.block(8, Ink::Dim, &Safe::lines(line)));
        }
        Evidence::Absent { object, path: None } => {
            page.line(4, &[plain(format!("{}  does not exist", called(object, target)))]);
        }
        Evidence::Absent { object, path: Some(path) } => {
            page.line(4, &[plain(format!("{}  {} is not set", called(object, target), path.short()))]);
        }
        Evidence::Derived { say, table } => {
            page.block(4, Ink::Plain, &[Safe::line(say)]);
            if let Some(table) = table {
                print_table(page, table);
            }
        }
    }
}

fn print_table(page: &mut Page, table: &Table) {
    let cells = |row: &[String]| row.iter().map(Safe::line).collect::<Vec<_>>();
    let dashes: Vec<String> = table.columns.iter().map(|c| "-".repeat(c.chars().count())).collect();
    let rows: Vec<Vec<Safe>> = [table.columns.as_slice(), dashes.as_slice()]
        .into_iter()
        .chain(table.rows.iter().map(Vec::as_slice))
        .map(cells)
        .collect();
    let wide = |s: &Safe| textwrap::core::display_width(s.as_str());
    let widths: Vec<usize> =
        (0..table.columns.len()).map(|n| rows.iter().filter_map(|r| r.get(n)).map(wide).max().unwrap_or(0)).collect();
    for row in &rows {
        let padded = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{}{}", cell.as_str(), " ".repeat(width + 2 - wide(cell))));
        page.line(8, &[plain(padded.collect::<String>())]);
    }
}

fn print_remedy(page: &mut Page, remedy: &Remedy) {
    let indent = if remedy.say.is_empty() { 4 } else { 6 };
    if !remedy.say.is_empty() {
        page.block(4, Ink::Plain, &[Safe::line(&remedy.say)]);
    }
    if let Some(command) = &remedy.command {
        print_command(page, indent, command);
    }
}

/// A command is shown only if what is shown is what a shell and kubectl would make of it.
fn print_command(page: &mut Page, indent: usize, command: &Command) {
    let shown = command.to_string();
    let safe = Safe::line(&shown);
    let trap = if safe.as_str() == shown { command.trap() } else { Some("a name in it holds control characters") };
    match trap {
        None => page.line(indent, &[Span(Ink::Command, safe)]),
        Some(why) => page.block(indent, Ink::Warn, &[Safe::line(format!("(no command to paste: {why})"))]),
    }
}

fn not_checked(page: &mut Page, report: &Report) {
    if report.gaps.is_empty() {
        return;
    }
    page.gap();
    page.line(0, &[key("Not checked:")]);
    for gap in &report.gaps {
        page.hanging(2, &[plain(format!("{}: ", gap.question)), plain(&gap.why)], 6);
        if let Some(command) = gap.command() {
            print_command(page, 6, &command);
        }
    }
}

fn footer(page: &mut Page, report: &Report) {
    page.gap();
    let more = match report.causes.first() {
        Some(cause) => format!("More: kubectl why explain {}.  ", cause.rule.reason),
        None => String::new(),
    };
    let when = match report.undated {
        true => format!("The newest time in the file is {}", report.taken_at),
        false => format!("Read at {}", report.taken_at),
    };
    page.hanging(0, &[Span(Ink::Dim, Safe::line(format!("{more}{when}; nothing was changed.")))], 0);
}

pub(super) fn ink_of(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Blocked | Verdict::Failed => Ink::Bad,
        Verdict::Degraded | Verdict::Unknown | Verdict::InProgress => Ink::Warn,
        Verdict::Healthy | Verdict::Completed => Ink::Good,
    }
}

pub(super) fn full_stop(sentence: &str) -> String {
    if sentence.ends_with(['.', '!', '?', ':']) { sentence.to_owned() } else { format!("{sentence}.") }
}

pub(super) fn plain(text: impl std::fmt::Display) -> Span {
    Span(Ink::Plain, Safe::line(text))
}

pub(super) fn key(text: impl std::fmt::Display) -> Span {
    Span(Ink::Key, Safe::line(text))
}
