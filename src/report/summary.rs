//! The one sentence of a report, and what stands out where no rule applies.

use super::Enough;
use crate::facts::scheduling::named;
use crate::facts::{Facts, Role, State};
use crate::finding::{Command, Remedy, Stage};
use crate::rank::Cause;
use crate::rules;
use crate::verdict::Verdict;

/// How many of the causes have to clear. The scheduler's sentence alone does not say whether two of its reasons are about
/// the same nodes, unless each is about all of them.
pub(super) fn enough(facts: &Facts<'_>, causes: &[Cause]) -> Enough {
    match causes {
        [] | [_] => Enough::All,
        _ if causes.iter().all(|c| c.finding.alternative) => Enough::AnyOne,
        _ if is_scheduling(causes) && facts.is_obstructed_in_parts() && facts.fit().is_none() => Enough::Unknown,
        _ => Enough::All,
    }
}

fn is_scheduling(causes: &[Cause]) -> bool {
    causes.iter().all(|c| c.rule.stage == Stage::Scheduling)
}

/// The sentence after `Why:`, without full stop.
pub(super) fn summary(
    facts: &Facts<'_>,
    causes: &[Cause],
    verdict: Verdict,
    progress: Option<String>,
    enough: Enough,
) -> String {
    let counts_nodes = || facts.scheduling_sentence().is_some_and(|s| s.nodes.is_some());
    match (causes, verdict) {
        ([], Verdict::Healthy) => "nothing is wrong now".to_owned(),
        ([], Verdict::Completed) => "the pod has done its work and will not run again".to_owned(),
        ([], Verdict::InProgress) => progress.unwrap_or_else(|| "it is on its way".to_owned()),
        ([], _) if progress.is_some() => "unknown: nothing says when the file was read, so no age is known".to_owned(),
        ([], _) if facts.target.kind != "Pod" => {
            format!("unknown: {}, and nothing that was read says why", facts.status_word())
        }
        ([], _) if facts.awaits_node() && counts_nodes() && facts.fit().is_none() => {
            "unknown: the scheduler finds no node, and without the nodes nothing tells which of its reasons to act on"
                .to_owned()
        }
        ([], _) => {
            let how_far = facts.how_far().map_or_else(String::new, |far| format!("; {far}"));
            format!("unknown: {} rules looked, none applies{how_far}", rules::all().count())
        }
        ([one], _) => one.finding.headline.clone(),
        (many, _) => {
            let clear = match (enough, many.len()) {
                (Enough::AnyOne, 2) => "Fixing either is enough",
                (Enough::AnyOne, _) => "Fixing any one of them is enough",
                (Enough::All, 2) => "Both must clear",
                (Enough::All, _) => "All of them must clear",
                (Enough::Unknown, _) => "Which of them has to clear, only the nodes would tell",
            };
            format!("{}. {clear}", several(facts, many, enough))
        }
    }
}

/// What several causes have in common: what they keep the pod from, and the containers that they are about.
fn several(facts: &Facts<'_>, causes: &[Cause], enough: Enough) -> String {
    let things = number(causes.len());
    let first = causes.first().map(|c| c.rule.stage);
    let in_scheduling = is_scheduling(causes);
    let mut containers: Vec<&str> = causes.iter().filter_map(|c| c.finding.subject.container.as_deref()).collect();
    containers.dedup();
    match first {
        _ if facts.pod.is_deleting() => format!("{things} things keep this pod from going away"),
        _ if in_scheduling && enough == Enough::AnyOne => format!("no node takes this pod, for {things} reasons"),
        _ if in_scheduling => format!("{things} things keep this pod from getting a node"),
        _ if containers.len() == causes.len() && containers.len() <= 4 => {
            format!("{things} faults, one each in containers {}", named(&containers))
        }
        _ => format!("{things} things stand against this pod"),
    }
}

fn number(n: usize) -> String {
    let words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    words.get(n).map_or_else(|| n.to_string(), |w| (*w).to_owned())
}

/// What a person would look at first where no rule applies: what the containers wait for, what conditions and Warning
/// events say.
pub(super) fn what_stands_out(facts: &Facts<'_>) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    if !facts.pod.reason().is_empty() {
        seen.push((facts.pod.reason().to_owned(), facts.pod.message().to_owned()));
    }
    for container in facts.main_containers().filter(|c| c.role != Role::Ephemeral) {
        if let State::Waiting { reason, message } = &container.state {
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            seen.push((reason.clone(), format!("{} waits{why}", container.title())));
        }
    }
    // A Job's pod ends only with the last of its containers, a helper beside the work included.
    let mut ended = facts.main_containers().filter(|c| c.role == Role::App && matches!(c.state, State::Ended(_)));
    if facts.pod.restart_policy() != "Always" && ended.next().is_some() {
        let running = facts.main_containers().filter(|c| c.role == Role::App && c.is_running());
        seen.extend(
            running.map(|c| ("Running".to_owned(), format!("{} still runs, so the pod does not end", c.title()))),
        );
    }
    for condition in facts.pod.status.conditions.iter().flatten().filter(|c| c.status == "False") {
        let reason = condition.reason.clone().unwrap_or_default();
        let again = |m: &&str| seen.iter().any(|(r, said): &(String, String)| *r == reason && said.ends_with(*m));
        if let Some(message) = condition.message.as_deref().filter(|m| !m.is_empty() && !again(m)) {
            seen.push((reason, format!("condition {}: {message}", condition.type_)));
        }
    }
    // What a status says already is often said by an event too.
    for event in facts.events.iter().filter(|e| e.warning) {
        if event.message.is_empty() || !seen.iter().any(|(_, said)| said.ends_with(&event.message)) {
            seen.push((event.reason.clone(), event.message.clone()));
        }
    }
    seen
}

/// The most logs that are worth a command each.
const MOST_LOGS: usize = 2;

/// The commands with which a person would go on where no rule applies.
pub(super) fn look(facts: &Facts<'_>) -> Vec<Remedy> {
    let target = &facts.target;
    if target.kind == "Node" {
        return vec![Remedy::look(Command::kubectl(["describe", "node", &target.name]))];
    }
    let mut all = vec![facts.look(["describe", &target.kind.to_ascii_lowercase(), &target.name])];
    let logs = facts.main_containers().filter(|c| !(c.is_running() && c.is_ready())).filter_map(|container| {
        let name = [facts.pod.name.as_str(), "-c", container.name.as_str()];
        match (&container.state, container.restarts()) {
            (State::Running { .. }, _) => Some(facts.look(["logs"].into_iter().chain(name).chain(["--tail=50"]))),
            (State::Ended(exit), _) => Some(facts.look_at_log(container, exit)),
            (_, 0) => None,
            _ => Some(facts.look(["logs"].into_iter().chain(name).chain(["--previous"]))),
        }
    });
    all.extend(logs.take(MOST_LOGS));
    all.extend(facts.look_at_node());
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Report, report};
    use super::*;
    use crate::rules::testing::Case;

    fn of(case: &Case) -> Report {
        report(&case.snapshot(), &case.facts(|f| f.target.clone()))
    }

    fn refused_by_the_scheduler(sentence: &str) -> Case {
        Case::pod(
            json!({"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "app"}]}),
            json!({"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": sentence}]}),
        )
        .refused("nodes")
        .event("FailedScheduling", "", sentence)
    }

    #[test]
    fn what_is_said_of_every_node_must_all_clear() {
        let report =
            of(&refused_by_the_scheduler("0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory."));
        assert_eq!((report.causes.len(), report.enough), (2, Enough::All));
    }

    #[test]
    fn whether_one_of_several_is_enough_only_the_nodes_tell() {
        let report =
            of(&refused_by_the_scheduler("0/5 nodes are available: 2 Insufficient cpu, 3 Insufficient memory."));
        assert_eq!((report.causes.len(), report.enough), (2, Enough::Unknown));
        assert!(
            report.summary.ends_with("Which of them has to clear, only the nodes would tell"),
            "{}",
            report.summary
        );
    }

    #[test]
    fn an_unknown_cause_says_where_to_look() {
        let lost = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
        let report = of(&Case::container(lost).edit("/spec/nodeName", json!("node-1")));
        let commands: Vec<_> = report.look.iter().filter_map(|r| r.command.as_ref().map(ToString::to_string)).collect();
        assert_eq!(
            commands,
            ["kubectl describe pod p -n n", "kubectl logs p -c app --previous -n n", "kubectl describe node node-1"]
        );
        let fine = json!({"ready": true, "started": true, "state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}}});
        assert!(of(&Case::container(fine)).look.is_empty());
    }

    #[test]
    fn a_helper_that_keeps_a_jobs_pod_from_ending_stands_out() {
        let case = Case::pod(
            json!({"nodeName": "node-1", "restartPolicy": "Never", "containers": [{"name": "work"}, {"name": "proxy"}]}),
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [
                {"name": "work", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
                {"name": "proxy", "ready": true, "state": {"running": {"startedAt": "2026-01-01T11:50:00Z"}}}]}),
        );
        let report = of(&case);
        assert_eq!(report.verdict, Verdict::Unknown);
        assert_eq!(report.notes[0].1, "container proxy still runs, so the pod does not end");
    }

    #[test]
    fn a_choice_that_only_the_nodes_could_make_is_said_to_be_open() {
        let sentence = "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint(s).";
        let report = of(&refused_by_the_scheduler(sentence));
        assert_eq!(report.verdict, Verdict::Unknown);
        assert!(report.summary.contains("without the nodes nothing tells which of its reasons"), "{}", report.summary);
        assert_eq!(report.notes.iter().filter(|(_, said)| said.ends_with(sentence)).count(), 1, "said once");
    }

    #[test]
    fn an_unknown_cause_says_at_least_how_far_the_pod_got() {
        let waiting = json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
        let case = Case::container(waiting)
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/status/conditions", json!([
                {"type": "PodReadyToStartContainers", "status": "False"},
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T11:35:00Z"},
                {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "unready: [app]"},
                {"type": "ContainersReady", "status": "False", "reason": "ContainersNotReady", "message": "unready: [app]"}]));
        let report = of(&case);
        let end = "none applies; in 25m node-1 has not got its volumes, network and sandbox ready";
        assert!(report.summary.ends_with(end), "{}", report.summary);
        assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    }
}
