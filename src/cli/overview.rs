//! `kubectl why` without a name: the pods that are not fine.

use std::io::{IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use super::args::Cli;
use super::{Answer, Failure, UNREAD, USAGE, live, save};
use crate::gather::{Client, Depth, Fatal, Options, Overview, Pods, Progress, overview, overview_of};
use crate::render::Safe;
use crate::render::overview::Scope;
use crate::report::Report;
use crate::snapshot::Snapshot;

/// Whoever waits longer than this is told what for.
const PATIENCE: Duration = Duration::from_millis(300);

/// The pods of the cluster that are not fine.
pub(super) async fn live(cli: &Cli, client: &Client) -> Result<Answer, Failure> {
    let run = &cli.run;
    let namespace = (!run.all_namespaces).then(|| client.namespace().to_owned());
    let pods = Pods { namespace: namespace.clone(), labels: run.selector.clone(), fields: run.field_selector.clone() };
    // The log of one pod in two hundred tells nothing about the others, and costs a request each.
    let options = Options { depth: Depth { log_lines: 0 }, ..Options::default() };
    let progress = Progress::default();
    let gathered = with_status(&progress, overview(client, &pods, &options, &progress)).await;
    live::print_requests(cli, client);
    let found = gathered.map_err(|fatal| {
        let code = if matches!(fatal, Fatal::Selector(_)) { USAGE } else { UNREAD };
        Failure(code, fatal.to_string())
    })?;
    save(cli, &found.snapshot)?;
    let mut place = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), |n| format!("namespace {n}"));
    let selectors: Vec<&str> =
        [run.selector.as_str(), &run.field_selector].into_iter().filter(|s| !s.is_empty()).collect();
    if !selectors.is_empty() {
        place.push_str(&format!(" with {}", selectors.join(" and ")));
    }
    Ok(diagnosed(&found, place, namespace))
}

/// The pods of a file that are not fine.
pub(super) fn of_file(snapshot: Snapshot, namespace: Option<&str>) -> Answer {
    let place = namespace.map_or_else(|| "the file".to_owned(), |n| format!("namespace {n} of the file"));
    let found = overview_of(snapshot, namespace);
    diagnosed(&found, place, namespace.map(str::to_owned))
}

fn diagnosed(found: &Overview, place: String, namespace: Option<String>) -> Answer {
    let all: Vec<Report> = found.targets.iter().flat_map(|t| crate::diagnose(&found.snapshot, t)).collect();
    let looked_at = all.len();
    let mut reports: Vec<Report> = all.into_iter().filter(|r| !r.verdict.is_fine()).collect();
    reports.sort_by(|a, b| (a.verdict, a.stage, &a.target).cmp(&(b.verdict, b.stage, &b.target)));
    let fine = found.fine + looked_at - reports.len();
    Answer { reports, scope: Some(Scope { place, fine, left_out: found.left_out, namespace }), unread: Vec::new() }
}

/// Tells on a terminal how far the work has come while it lasts.
async fn with_status<T>(progress: &Progress, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let mut shown = false;
    loop {
        match tokio::time::timeout(PATIENCE, &mut work).await {
            Ok(done) => {
                if shown {
                    status("");
                }
                return done;
            }
            Err(_) => {
                shown = true;
                let columns = terminal_size::terminal_size_of(std::io::stderr());
                status(&state_of(progress, columns.map_or(80, |(width, _)| usize::from(width.0))));
            }
        }
    }
}

/// What is known by now, in one line of the terminal: how many pods do not seem fine, and their states, which the list shows long
/// before it is known why.
fn state_of(progress: &Progress, columns: usize) -> String {
    let states = progress.states();
    let sick: usize = states.iter().map(|(_, count)| count).sum();
    let mut line = match progress.answered() {
        (_, 0) => format!("{} pods read", progress.listed()),
        (done, all) => format!("{} pods read, {done} of {all} questions answered", progress.listed()),
    };
    if sick > 0 {
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{state} {count}")).collect();
        line.push_str(&format!(", {sick} do not seem fine: {}", states.join(", ")));
    }
    // The last column stays free: some terminals begin a new line after it.
    Safe::line(line).as_str().chars().take(columns.saturating_sub(1)).collect()
}

/// Puts a line where the last one stood.
fn status(line: &str) {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "\r\u{1b}[K{line}");
    let _ = err.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_whoever_waits_stays_within_the_terminal() {
        let line = state_of(&Progress::default(), 80);
        assert_eq!(line, "0 pods read");
        assert_eq!(state_of(&Progress::default(), 7), "0 pods");
        assert_eq!(state_of(&Progress::default(), 0), "");
    }
}
