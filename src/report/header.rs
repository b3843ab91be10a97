//! The head of a report: name, owner, node, and the status line.

use jiff::Timestamp;

use crate::facts::time::{human, seconds_between};
use crate::facts::{Facts, State};
use crate::snapshot::Lookup;

/// The labels of the report's head with their values, as `kubectl describe` writes them.
pub(super) fn header(facts: &Facts<'_>) -> Vec<(&'static str, String)> {
    let mut lines = vec![("Name", facts.target.name.clone())];
    if !facts.target.namespace.is_empty() {
        lines.push(("Namespace", facts.target.namespace.clone()));
    }
    if facts.target.kind != "Pod" {
        lines.insert(0, ("Kind", facts.target.kind.to_owned()));
        let replicas = facts.workload().map(|w| w.line()).unwrap_or_default();
        lines.extend(
            [("Replicas", replicas), ("Status", facts.status_word())].into_iter().filter(|(_, v)| !v.is_empty()),
        );
        return lines;
    }
    lines.push(("Controlled By", if facts.owner.is_pod() { "<none>".to_owned() } else { facts.owner.header() }));
    lines.push(("Node", node_line(facts)));
    lines.push(("Status", status_line(facts)));
    lines
}

fn node_line(facts: &Facts<'_>) -> String {
    let Some(name) = facts.pod.node_name() else { return "<none>".to_owned() };
    let Lookup::Found(node) = facts.node() else { return name.to_owned() };
    let since = node.condition("Ready").and_then(|c| c.last_transition_time);
    let span = since.map_or_else(String::new, |t| format!(" for {}", human(seconds_between(t, facts.now))));
    match (node.is_ready(), node.is_lost()) {
        (true, _) => name.to_owned(),
        (_, true) => format!("{name} (not reporting{span})"),
        _ => format!("{name} (NotReady{span})"),
    }
}

fn status_line(facts: &Facts<'_>) -> String {
    let word = facts.status_word();
    let since = |time: Option<Timestamp>| time.map(|t| human(seconds_between(t, facts.now)));
    if facts.pod.is_deleting() {
        let span = since(facts.pod.deletion_asked()).map_or_else(String::new, |s| format!(" for {s}"));
        let deleted =
            if word == "Terminating" { span } else { format!(", deletion asked{span} ago").replace(" for ", " ") };
        return format!("{word}{deleted}, grace period {}s", facts.pod.grace_seconds());
    }
    let detail = status_detail(facts);
    if !detail.is_empty() {
        return format!("{word}: {detail}");
    }
    match since(facts.pod.created()) {
        Some(span) if !facts.pod.is_terminal() => format!("{word} for {span}{}", restarts(facts)),
        _ => word,
    }
}

/// `, 6 restarts, the last 39s ago`; nothing if there was none.
fn restarts(facts: &Facts<'_>) -> String {
    let count: i32 = facts.main_containers().map(|c| c.restarts()).fold(0, i32::saturating_add);
    let last = facts.main_containers().filter(|c| c.restarts() > 0).filter_map(|c| c.running_since()).max();
    let ago = last.map_or_else(String::new, |t| format!(", the last {} ago", human(seconds_between(t, facts.now))));
    match count {
        i32::MIN..=0 => String::new(),
        1 => format!(", 1 restart{ago}").replace(", the last", ""),
        n => format!(", {n} restarts{ago}"),
    }
}

/// The container behind the status word, its restarts and when the kubelet tries again.
pub(super) fn status_detail(facts: &Facts<'_>) -> String {
    let word = facts.status_word();
    let word = word.strip_prefix("Init:").unwrap_or(&word);
    let behind = facts.main_containers().find(|c| match &c.state {
        State::Waiting { reason, .. } => reason == word,
        State::Ended(exit) => exit.reason == word && !c.is_done(),
        _ => false,
    });
    let Some(container) = behind else { return String::new() };
    let mut detail = container.title();
    match container.restarts() {
        0 => {}
        1 => detail.push_str(", 1 restart"),
        n => detail.push_str(&format!(", {n} restarts")),
    }
    if let Some(seconds) =
        next_try(facts, container.waiting_message(), container.last.as_ref().and_then(|e| e.finished))
    {
        detail.push_str(&format!(", next try in about {}", human(seconds)));
    }
    detail
}

/// Seconds until the kubelet starts the container again. Its message says how long it waits in all:
/// `back-off 2m40s restarting failed container=…` (`pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `doBackOff`).
fn next_try(facts: &Facts<'_>, message: &str, ended: Option<Timestamp>) -> Option<i64> {
    let wait = message.strip_prefix("back-off ")?.split_whitespace().next()?;
    let wait = crate::facts::time::go_duration(wait)?;
    let left = wait.saturating_sub(seconds_between(ended?, facts.now));
    (left > 0).then_some(left)
}
