//! The command line: arguments in, report and exit status out.

mod args;
pub mod complete;
mod explain;
mod live;
mod overview;
mod target;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::gather::file;
use crate::render::overview::{self as list, Scope};
use crate::render::{Safe, Style, json, text};
use crate::report::Report;
use crate::snapshot::{Snapshot, Target, name_of, namespace_of};
use args::{Cli, Colour, Output, Run, Task};

/// Wrong usage.
const USAGE: u8 = 2;
/// The cluster or the file could not be read, or the target does not exist.
const UNREAD: u8 = 3;

/// Why there is no report: the exit status and the sentence.
struct Failure(u8, String);

/// What there is to print.
#[derive(Default)]
struct Answer {
    reports: Vec<Report>,
    /// For a list of the pods that are not fine, what it is about.
    scope: Option<Scope>,
    /// Targets that could not be read, although others could.
    unread: Vec<String>,
}

impl Answer {
    /// Whether it is about a list of pods, and there are none.
    fn is_of_nothing(&self) -> bool {
        self.reports.is_empty() && self.scope.as_ref().is_some_and(|s| s.fine + s.left_out == 0)
    }
}

/// The command line as clap knows it, for generated pages.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(words) = complete::asked(std::env::args_os()) {
        let _ = print(&complete::answer(words));
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(Failure(code, why)) => {
            tell(&format!("error: {why}"));
            ExitCode::from(code)
        }
    }
}

/// Writes to standard error.
fn tell(text: &str) {
    for line in Safe::lines(text) {
        let _ = writeln!(std::io::stderr(), "{}", line.as_str());
    }
}

fn run(cli: &Cli) -> Result<u8, Failure> {
    match &cli.command {
        Some(Task::Explain { word }) => {
            return print(&explain::page(word.as_deref()).map_err(|why| Failure(USAGE, why))?);
        }
        Some(Task::Completion { shell }) => return print(&complete::script(*shell)),
        None => {}
    }
    match &cli.run.filename {
        Some(path) => show(cli, from_file(cli, path)?),
        None if cli.run.watch => live::watch(cli, |answer| show(cli, answer)),
        None => show(cli, live::answer(cli)?),
    }
}

/// Prints an answer and gives the exit status.
fn show(cli: &Cli, mut answer: Answer) -> Result<u8, Failure> {
    if let Some(container) = &cli.run.container {
        answer.reports.iter_mut().try_for_each(|r| r.narrow(container)).map_err(|why| Failure(USAGE, why))?;
    }
    if cli.run.output == Output::Text && answer.is_of_nothing() {
        let space = answer.scope.and_then(|s| s.namespace).map_or_else(String::new, |n| format!(" in {n} namespace."));
        tell(&format!("No resources found{space}"));
        return Ok(0);
    }
    if !answer.reports.is_empty() || answer.scope.is_some() {
        print(&rendered(&answer, &cli.run))?;
    }
    answer.unread.iter().for_each(|why| tell(&format!("error: {why}")));
    if !answer.unread.is_empty() {
        return Ok(UNREAD);
    }
    let bad = answer.reports.iter().any(|r| !r.verdict.is_fine());
    Ok(u8::from(cli.run.exit_code && bad))
}

fn from_file(cli: &Cli, path: &Path) -> Result<Answer, Failure> {
    let snapshot = file::read(path).map_err(|e| Failure(UNREAD, e.to_string()))?;
    if is_about_all_pods(cli, &snapshot)? {
        save(cli, &snapshot)?;
        let namespace = cli.connection.namespace.as_deref().filter(|_| !cli.run.all_namespaces);
        return Ok(overview::of_file(snapshot, namespace));
    }
    let namespace = cli.connection.namespace.clone().unwrap_or_else(|| snapshot.header.namespace.clone());
    let targets = targets(&snapshot, &cli.run.targets, &namespace)?;
    save(cli, &snapshot)?;
    let reports = targets.iter().flat_map(|t| crate::diagnose(&snapshot, t)).collect();
    Ok(Answer { reports, ..Answer::default() })
}

/// Whether no target is named, on the command line or in the file, and the file does not hold just one pod.
fn is_about_all_pods(cli: &Cli, snapshot: &Snapshot) -> Result<bool, Failure> {
    let usage = |why| Failure(USAGE, why);
    let args = &cli.run.targets;
    let targets = target::parse(args, "").map_err(usage)?;
    target::check(args, &targets, cli.run.all_namespaces, false).map_err(usage)?;
    let pods = snapshot.all("Pod").len();
    let asked_for = !args.is_empty() || cli.run.all_namespaces;
    Ok(targets.is_empty() && pods > 0 && (asked_for || snapshot.header.target.is_empty() && pods > 1))
}

/// Writes the snapshot where `--save-snapshot` says.
fn save(cli: &Cli, snapshot: &Snapshot) -> Result<(), Failure> {
    match &cli.run.save_snapshot {
        Some(path) => file::write(path, snapshot).map_err(|e| Failure(UNREAD, e.to_string())),
        None => Ok(()),
    }
}

/// The targets that are meant, looked up in the snapshot: a namespace that is not given is that of the only object of the
/// name; without a name the snapshot's own target, or its only pod.
fn targets(snapshot: &Snapshot, args: &[String], namespace: &str) -> Result<Vec<Target>, Failure> {
    let usage = |why| Failure(USAGE, why);
    let own = [snapshot.header.target.clone()];
    let args = if args.is_empty() && !own[0].is_empty() { &own[..] } else { args };
    let mut targets = target::parse(args, namespace).map_err(usage)?;
    if targets.is_empty() {
        let [pod] = snapshot.all("Pod") else {
            return Err(usage(
                "the file holds no pod; name what it is about: kubectl why TYPE/NAME -f FILE".to_owned(),
            ));
        };
        targets.push(Target { kind: "Pod", namespace: namespace_of(pod).to_owned(), name: name_of(pod).to_owned() });
    }
    for target in &mut targets {
        let same = |o: &&serde_json::Value| {
            name_of(o) == target.name && (namespace.is_empty() || namespace_of(o) == namespace)
        };
        let named: Vec<&str> = snapshot.all(target.kind).iter().filter(same).map(namespace_of).collect();
        match named.as_slice() {
            [space] => target.namespace = (*space).to_owned(),
            [] if target.kind == "Node" && snapshot.node(&target.name).found().is_some() => {}
            [] => {
                let close = crate::facts::closest(&target.name, snapshot.all(target.kind).iter().map(name_of));
                let hint = if close.is_empty() { String::new() } else { format!("; there is {}", close.join(", ")) };
                let what = target.kind.to_lowercase();
                return Err(Failure(UNREAD, format!("{what} \"{}\" is not in the file{hint}", target.name)));
            }
            many => {
                let spaces = many.join(", ");
                return Err(usage(format!(
                    "{} is in several namespaces of the file ({spaces}); choose one with -n",
                    target.name
                )));
            }
        }
    }
    Ok(targets)
}

fn rendered(answer: &Answer, run: &Run) -> String {
    let reports = &answer.reports;
    let machine = || if answer.scope.is_some() { json::list(reports) } else { json::answer(reports) };
    match (run.output, &answer.scope) {
        (Output::Json, _) => json::to_json(&machine()),
        (Output::Yaml, _) => json::to_yaml(&machine()),
        (Output::Name, _) => reports
            .iter()
            .filter(|r| !r.verdict.is_fine())
            .map(|r| format!("{}/{}\n", r.target.kind.to_lowercase(), Safe::line(&r.target.name).as_str()))
            .collect(),
        (Output::Text, Some(scope)) => list::overview(reports, scope, style(run)),
        (Output::Text, None) => text::text(reports, style(run)),
    }
}

/// Colour as kubectl plugins do it: NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM decide on a terminal.
fn style(run: &Run) -> Style {
    let colour = match run.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never,
    };
    let on_terminal = std::io::stdout().is_terminal();
    let width = terminal_size::terminal_size().filter(|_| on_terminal).map_or(100, |(width, _)| usize::from(width.0));
    Style { colour, width: width.clamp(60, 120), hints: !run.no_hints }
}

/// Writes to standard output. A reader that went away (`| head`) is no error.
fn print(text: &str) -> Result<u8, Failure> {
    let mut out = anstream::AutoStream::always_ansi(std::io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure(1, format!("writing the report: {e}"))),
        _ => Ok(0),
    }
}
