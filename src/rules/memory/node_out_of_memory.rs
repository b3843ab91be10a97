//! The node ran out of memory, not the container.

use crate::facts::time::seconds_between;
use crate::facts::{End, Ending, Event, Evidence, Facts, Quantity, Signal};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

/// How many seconds a kill on the node and the end of a container can lie apart to be the same: clocks and reports differ.
const NEAR: i64 = 15;

pub(super) const RULE: Rule = Rule {
    reason: "NodeOutOfMemory",
    stage: Stage::Memory,
    summary: "the node, not a limit, ran out of memory and the kernel killed the container",
    explains: &[
        "KilledBySIGKILL",
        "ApplicationError",
        "ExitedSuccessfully",
        "InitContainerFailed",
        "SidecarNotStarted",
        "ReadinessProbeFailing",
        "JobBackoffLimitExceeded",
    ],
    check,
    explain: r#"
## Meaning
The node had no memory left, and the kernel chose a process to kill: one of a container whose pods request little memory and
use much. Neither the container nor its pod has a memory limit that was reached.

## Signs
`terminated.reason` is `OOMKilled` although no memory limit is set for the container or the pod; or the node has an event
`SystemOOM` at the time at which the container was killed.

## Fix
Give the containers on the node memory requests that fit their use, so that the scheduler does not overfill it, and limits, so
that one cannot take the memory of all. The container that was killed need not be the one that used too much.

## Not this
With a memory limit it is OOMKilled. A kubelet that ends pods before the memory is gone evicts them (NodePressureEvicted).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.ends().filter_map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Option<Finding> {
    let event = system_oom(facts, end);
    // A limit that cannot be read may be one all the same.
    let readable = end.container.limit("memory").is_none_or(|limit| Quantity::parse(limit).is_some());
    let unlimited = facts.memory_limit(end.container).is_none() && readable;
    let (certainty, sign) = match (end.ending, &event) {
        (Ending::OutOfMemory, Some(_)) if unlimited => (Certainty::Certain, "it has no memory limit"),
        (Ending::OutOfMemory, None) if unlimited => (Certainty::Likely, "it has no memory limit"),
        (Ending::Signal(Signal::KILL), Some(_)) => (Certainty::Likely, "the node's event is of that time"),
        _ => return None,
    };
    let node = facts.pod.node_name().map_or_else(|| "the node".to_owned(), |node| format!("node {node}"));
    let title = end.container.title();
    let list = ["spec", end.container.spec_list(), &end.container.name];
    let absent = facts.cite_absence(&[&list[..], &["resources", "limits", "memory"]].concat());
    Some(
        Finding::new(
            facts.subject_of(end.container),
            format!("{node} ran out of memory and the kernel killed {title}{}: {sign}", end.when()),
        )
        .certainty(certainty)
        .standing(end.standing)
        .because(facts.cite_end(end))
        .because(if unlimited { absent } else { None })
        .because(event.map(|event| event.cite()))
        .because(request(facts, end))
        .remedy(facts.look_at_node())
        .remedy(facts.owner.set(
            "Request the memory that it needs, so that it is placed where that is free, and limit it:",
            "resources",
            &["-c", &end.container.name, "--requests=memory=MEMORY", "--limits=memory=MEMORY"],
        )),
    )
}

/// What it requests, if it does: the less, the sooner the kernel takes it.
fn request(facts: &Facts<'_>, end: &End<'_>) -> Option<Evidence> {
    facts.cite_spec(end.container, &["resources", "requests", "memory"]).or_else(|| facts.cite(&["status", "qosClass"]))
}

/// The node's event of a kill for want of memory at the time of that end.
fn system_oom(facts: &Facts<'_>, end: &End<'_>) -> Option<Event> {
    let finished = end.exit.finished?;
    let near = |e: &&Event| {
        let within = |at| seconds_between(at, finished).abs() <= NEAR;
        e.last.is_some_and(within) || e.first.is_some_and(within)
    };
    let events = facts.events_about("Node", facts.pod.node_name()?, "");
    events.with(&["SystemOOM"]).find(near).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn killed(reason: &str) -> Case {
        Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": reason, "exitCode": 137, "finishedAt": "2026-01-01T11:58:40Z"}}}))
        .edit("/spec/nodeName", json!("node-1"))
    }

    fn system_oom_at(time: &str) -> serde_json::Value {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "node-1.1", "namespace": "default"}, "type": "Warning",
            "reason": "SystemOOM", "message": "System OOM encountered, victim process: java, pid: 31337", "lastTimestamp": time,
            "involvedObject": {"kind": "Node", "name": "node-1", "uid": "node-1"}})
    }

    #[test]
    fn without_any_limit_only_the_node_can_have_run_out() {
        let finding = one(killed("OOMKilled").check(&RULE));
        assert_eq!(finding.certainty, Certainty::Likely);
        assert_eq!(
            finding.headline,
            "node node-1 ran out of memory and the kernel killed container app: it has no memory limit"
        );
    }

    #[test]
    fn with_a_limit_it_is_the_limit() {
        let limit = json!({"limits": {"memory": "96Mi"}});
        none(killed("OOMKilled").edit("/spec/containers/0/resources", limit.clone()).check(&RULE));
        none(killed("OOMKilled").edit("/spec/resources", limit).check(&RULE));
        let unreadable = json!({"limits": {"memory": "plenty"}});
        none(killed("OOMKilled").edit("/spec/containers/0/resources", unreadable).check(&RULE));
    }

    #[test]
    fn a_kill_at_the_time_of_the_nodes_event_is_the_nodes() {
        let at = |time| killed("Error").with(system_oom_at(time)).check(&RULE);
        assert_eq!(one(at("2026-01-01T11:58:42Z")).certainty, Certainty::Likely);
        none(at("2026-01-01T11:20:00Z"));
        none(killed("Error").check(&RULE));
    }
}
