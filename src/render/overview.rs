//! Many pods at once: a line for each that is not fine, grouped by cause, worst first.

use super::Safe;
use super::page::{Ink, Page, Span, Style};
use super::text::{ink_of, key, plain};
use crate::facts::time::human;
use crate::finding::Command;
use crate::report::Report;

/// What the list is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `namespace shop`, `all namespaces`, `node worker-1`.
    pub place: String,
    /// Pods that are fine.
    pub fine: usize,
    /// Pods that are not fine and were too many to be diagnosed.
    pub left_out: usize,
    /// The pods' namespace; with none each line names its own.
    pub namespace: Option<String>,
}

/// Prints the list. Reports with the same first cause stand together; the groups come in the order of their first report.
pub fn overview(reports: &[Report], scope: &Scope, style: Style) -> String {
    let mut page = Page::new(style);
    let sick = reports.len() + scope.left_out;
    let all = sick + scope.fine;
    match (sick, all) {
        (_, 0) => page.line(0, &[plain(format!("There are no pods in {}.", scope.place))]),
        (0, 1) => page.line(0, &[Span(Ink::Good, Safe::line(format!("The only pod in {} is fine.", scope.place)))]),
        (0, _) => page.line(0, &[Span(Ink::Good, Safe::line(format!("All {all} pods in {} are fine.", scope.place)))]),
        (1, 1) => page.line(0, &[key(format!("The only pod in {} is not fine.", scope.place))]),
        (1, _) => page.line(0, &[key(format!("1 of {all} pods in {} is not fine.", scope.place))]),
        _ => page.line(0, &[key(format!("{sick} of {all} pods in {} are not fine.", scope.place))]),
    }
    let widths = Widths::of(reports, scope);
    for group in groups(reports) {
        let Some(first) = group.first() else { continue };
        page.gap();
        let pods = if group.len() == 1 { "1 pod".to_owned() } else { format!("{} pods", group.len()) };
        let head = [
            Span(ink_of(first.verdict), Safe::line(cause(first))),
            plain(format!("  {pods}  ")),
            plain(&first.summary),
        ];
        page.hanging(0, &head, 4);
        for report in group {
            let age = report.age.map_or_else(String::new, human);
            let line = format!(
                "{:name$}  {:status$}  {age}",
                name(report, scope),
                report.status,
                name = widths.name,
                status = widths.status
            );
            page.line(2, &[plain(line)]);
        }
    }
    if let Some(worst) = reports.first() {
        page.gap();
        let left = if scope.left_out > 0 {
            format!("{} more were not looked at closely. ", scope.left_out)
        } else {
            String::new()
        };
        let mut argv = vec!["why".to_owned(), format!("pod/{}", worst.target.name)];
        if !worst.target.namespace.is_empty() {
            argv.extend(["-n".to_owned(), worst.target.namespace.clone()]);
        }
        let more = format!("{left}More about one: {}", Command::kubectl(argv));
        page.line(0, &[Span(Ink::Dim, Safe::line(more))]);
    }
    page.into_text()
}

struct Widths {
    name: usize,
    status: usize,
}

impl Widths {
    fn of(reports: &[Report], scope: &Scope) -> Self {
        let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0).min(80);
        Self {
            name: longest(&mut reports.iter().map(|r| name(r, scope).chars().count())),
            status: longest(&mut reports.iter().map(|r| r.status.chars().count())),
        }
    }
}

fn name(report: &Report, scope: &Scope) -> String {
    if scope.namespace.is_none() {
        format!("{}/{}", report.target.namespace, report.target.name)
    } else {
        report.target.name.clone()
    }
}

/// The first cause's reason, or the verdict where there is none.
fn cause(report: &Report) -> &'static str {
    report.causes.first().map_or(report.verdict.word(), |c| c.rule.reason)
}

/// Reports with the same first cause, the groups by their worst member.
fn groups(reports: &[Report]) -> Vec<Vec<&Report>> {
    let mut sorted: Vec<&Report> = reports.iter().collect();
    sorted.sort_by(|a, b| (a.verdict, a.stage, &a.target).cmp(&(b.verdict, b.stage, &b.target)));
    let mut groups: Vec<Vec<&Report>> = Vec::new();
    for report in sorted {
        match groups.iter_mut().find(|g| g.first().is_some_and(|f| cause(f) == cause(report))) {
            Some(group) => group.push(report),
            None => groups.push(vec![report]),
        }
    }
    groups
}
