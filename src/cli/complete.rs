//! Shell completion: static scripts, and the dynamic one that kubectl asks for through `kubectl_complete-why`.
//!
//! kubectl (1.26 and later) runs `kubectl_complete-why WORD…` with the word being completed last and reads one candidate a
//! line, a tab before its description, and last `:N` with cobra's directive.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, ValueEnum};
use clap_complete::engine::CompletionCandidate;

use super::args::Cli;
use super::target::KINDS;
use crate::facts;
use crate::gather::{Client, Connect, Names, Query, names};
use crate::resource::Kind;
use crate::rules;
use crate::snapshot::name_of;
use crate::words;

/// The name under which kubectl looks for a plugin's completion.
pub const PROGRAM: &str = "kubectl_complete-why";

/// Cobra's directives: no space after the candidate, no file names, the order as given.
const NO_SPACE: u32 = 2;
const NO_FILES: u32 = 4;
const KEEP_ORDER: u32 = 32;

/// Completion gives up after so long: a shell that hangs is worse than no candidates.
const PATIENCE: Duration = Duration::from_secs(2);

/// Objects that are read for candidates.
const MOST: u32 = 500;

/// Shells for which there is a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(name = "powershell")]
    PowerShell,
}

impl Shell {
    /// Every shell with the file that its script is kept in.
    pub const FILES: [(Shell, &'static str); 4] = [
        (Shell::Bash, "kubectl-why.bash"),
        (Shell::Zsh, "_kubectl-why"),
        (Shell::Fish, "kubectl-why.fish"),
        (Shell::PowerShell, "_kubectl-why.ps1"),
    ];
}

/// The static script for a shell. It completes `kubectl-why`; behind kubectl the program above answers.
pub fn script(shell: Shell) -> String {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::PowerShell => clap_complete::Shell::PowerShell,
    };
    let mut out = Vec::new();
    // Under its bin_name, two words, the script would take over kubectl's own completion.
    let mut command = Cli::command().bin_name("kubectl-why");
    clap_complete::generate(generator, &mut command, "kubectl-why", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether the process was started to complete, and with which words.
pub fn asked(mut args: impl Iterator<Item = OsString>) -> Option<Vec<OsString>> {
    let program = args.next().unwrap_or_default();
    if Path::new(&program).file_stem() == Some(OsStr::new(PROGRAM)) {
        return Some(args.collect());
    }
    (args.next()? == "__complete").then(|| args.collect())
}

/// The answer to kubectl. Whatever goes wrong, it is a valid one.
pub fn answer(mut words: Vec<OsString>) -> String {
    if words.is_empty() {
        words.push(OsString::new());
    }
    let last = words.last().map(|w| w.to_string_lossy().into_owned()).unwrap_or_default();
    // The shells' scripts want the bare value after `--flag=`.
    let flag = last.split_once('=').filter(|_| last.starts_with('-')).map(|(flag, _)| format!("{flag}="));
    let path = takes_path(words.iter().rev().nth(1), flag.as_deref());
    let mut argv = vec![OsString::from("kubectl-why")];
    argv.extend(words);
    let place = argv.len() - 1;
    let candidates = clap_complete::engine::complete(&mut Cli::command(), argv, place, None).unwrap_or_default();
    let mut out = String::new();
    let mut all_types = !candidates.is_empty();
    for candidate in candidates.iter().filter(|c| !c.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        let value = flag.as_deref().and_then(|f| value.strip_prefix(f)).unwrap_or(&value);
        all_types &= value.ends_with('/');
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let line = match help.lines().next() {
            Some(help) if !help.is_empty() => format!("{value}\t{help}"),
            _ => value.to_owned(),
        };
        out.extend(line.chars().filter(|c| *c == '\t' || !c.is_control()).chain(['\n']));
    }
    let directive = match (candidates.is_empty(), path) {
        (true, true) => 0,
        (true, false) => NO_FILES,
        _ if all_types => NO_FILES | NO_SPACE,
        _ => NO_FILES | KEEP_ORDER,
    };
    format!("{out}:{directive}\n")
}

/// Whether the flag before the completed word takes a file, so that the shell completes file names.
fn takes_path(before: Option<&OsString>, flag: Option<&str>) -> bool {
    let flags = [
        "-f",
        "--filename",
        "--kubeconfig",
        "--save-snapshot",
        "--certificate-authority",
        "--client-certificate",
        "--client-key",
    ];
    let named =
        flag.map(|f| f.trim_end_matches('=').to_owned()).or_else(|| before.map(|w| w.to_string_lossy().into_owned()));
    named.is_some_and(|named| flags.contains(&named.as_str()))
}

/// What the words before the completed one say about the connection.
fn connection() -> Connect {
    let words = asked(std::env::args_os()).unwrap_or_default();
    let before = words.split_last().map(|(_, before)| before).unwrap_or_default();
    let argv = std::iter::once(OsString::from("kubectl-why")).chain(before.iter().cloned());
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(argv);
    let mut connect = matches
        .ok()
        .and_then(|m| Cli::from_arg_matches(&m).ok())
        .map(|cli| Connect::from(&cli.connection))
        .unwrap_or_default();
    connect.never_interactive = true;
    connect.request_timeout = Some(PATIENCE);
    connect
}

/// Objects of a kind by name, each with a description; nothing if the cluster does not answer in time.
fn objects(kind: &'static str, namespace: Option<&str>) -> Vec<(String, String)> {
    let ask = async {
        let client = Client::connect(&connection()).await.ok()?;
        let kind = Kind::named(kind)?;
        let namespace = namespace.unwrap_or_else(|| client.namespace()).to_owned();
        let query =
            Query { namespace: kind.namespaced.then_some(namespace.as_str()), limit: Some(MOST), ..Query::default() };
        let list = client.list(kind, &query).await.ok()?;
        let mut found: Vec<(bool, String, String)> = list
            .items
            .iter()
            .map(|item| {
                let (fine, about) = if kind.kind == "Pod" { facts::glance(item) } else { (true, String::new()) };
                (fine, name_of(item).to_owned(), about)
            })
            .collect();
        found.sort();
        Some(found.into_iter().map(|(_, name, about)| (name, about)).collect())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, ask).await.ok().flatten() }).unwrap_or_default()
}

fn candidate(value: impl Into<OsString>, about: &str) -> CompletionCandidate {
    let about = (!about.is_empty()).then(|| about.to_owned().into());
    CompletionCandidate::new(value).help(about)
}

/// Candidates that begin with the word.
fn beginning(word: &OsStr, candidates: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let word = word.to_string_lossy();
    candidates.into_iter().filter(|c| c.get_value().to_string_lossy().starts_with(&*word)).collect()
}

/// Pods, unhealthy ones first; after `TYPE/` or `TYPE ` the objects of that type.
pub fn targets(word: &OsStr) -> Vec<CompletionCandidate> {
    let text = word.to_string_lossy();
    if let Some((kind, _)) = text.split_once('/') {
        let Some(known) = Kind::typed(kind).filter(|k| KINDS.contains(&k.kind)) else { return Vec::new() };
        let named = objects(known.kind, None);
        return beginning(word, named.iter().map(|(name, about)| candidate(format!("{kind}/{name}"), about)).collect());
    }
    let words = asked(std::env::args_os()).unwrap_or_default();
    let before =
        words.iter().rev().skip(1).find_map(|w| Kind::typed(&w.to_string_lossy())).filter(|k| KINDS.contains(&k.kind));
    let kind = before.map_or("Pod", |k| k.kind);
    let mut all: Vec<_> = objects(kind, None).iter().map(|(name, about)| candidate(name, about)).collect();
    if before.is_none() {
        all.extend(KINDS.iter().filter_map(|k| Kind::named(k)).map(|k| candidate(format!("{}/", k.singular()), "")));
    }
    beginning(word, all)
}

/// Namespaces.
pub fn namespaces(word: &OsStr) -> Vec<CompletionCandidate> {
    beginning(word, objects("Namespace", Some("")).iter().map(|(name, _)| candidate(name, "")).collect())
}

/// Containers of the namespace's pods.
pub fn containers(word: &OsStr) -> Vec<CompletionCandidate> {
    let words = asked(std::env::args_os()).unwrap_or_default();
    let argv = std::iter::once(OsString::from("kubectl-why")).chain(words);
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(argv).ok();
    let Some(cli) = matches.and_then(|m| Cli::from_arg_matches(&m).ok()) else { return Vec::new() };
    let ask = async {
        let client = Client::connect(&connection()).await.ok()?;
        let targets = super::target::parse(&cli.run.targets, client.namespace()).ok()?;
        let pod = targets.iter().find(|t| t.kind == "Pod")?;
        let object = client.get(Kind::named("Pod")?, &pod.namespace, &pod.name).await.ok()?;
        Some(facts::container_names(&object))
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let names =
        runtime.block_on(async { tokio::time::timeout(PATIENCE, ask).await.ok().flatten() }).unwrap_or_default();
    beginning(word, names.iter().map(|name| candidate(name, "")).collect())
}

/// Reasons and the words of Kubernetes that lead to them, for `explain`.
pub fn reasons(word: &OsStr) -> Vec<CompletionCandidate> {
    let mut all: Vec<(&str, &str)> = rules::all().map(|r| (r.reason, r.summary)).collect();
    for said in words::all().filter(|w| w.reasons().next().is_some() && !w.word.contains(['(', '<', ' '])) {
        if all.iter().all(|(name, _)| *name != said.word) {
            all.push((said.word, said.says));
        }
    }
    beginning(word, all.into_iter().map(|(name, about)| candidate(name, about)).collect())
}

fn of_kubeconfig(word: &OsStr, pick: fn(Names) -> Vec<String>) -> Vec<CompletionCandidate> {
    beginning(word, pick(names(&connection())).iter().map(|name| candidate(name, "")).collect())
}

/// The kubeconfig's contexts.
pub fn contexts(word: &OsStr) -> Vec<CompletionCandidate> {
    of_kubeconfig(word, |names| names.contexts)
}

/// The kubeconfig's clusters.
pub fn clusters(word: &OsStr) -> Vec<CompletionCandidate> {
    of_kubeconfig(word, |names| names.clusters)
}

/// The kubeconfig's users.
pub fn users(word: &OsStr) -> Vec<CompletionCandidate> {
    of_kubeconfig(word, |names| names.users)
}
