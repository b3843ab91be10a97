//! The program was killed, and the kernel's want of memory is not known to be why.

use super::{SYMPTOMS, finding};
use crate::facts::logs::quoted;
use crate::facts::{End, Ending, Evidence, Facts, Signal};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "KilledBySIGKILL",
    stage: Stage::Running,
    summary: "exit code 137 without OOMKilled: somebody killed the program",
    explains: SYMPTOMS,
    check,
    explain: r#"
## Meaning
Exit code 137 is 128 + 9: the program was killed with SIGKILL, which it cannot catch. The runtime does not say that memory was
the reason. Many can kill: the kubelet after a failed probe or hook, or when the grace period of a stop is over; the kernel
when the node runs out of memory; somebody on the node; and a wrapper can pass on the 137 of its child, or choose the number.

## Signs
`terminated.reason` is `Error` with exit code 137. The report lists who is ruled out by what it read.

## Fix
Take what is not ruled out, in the order of the list. An event `Killing` names the kubelet's reason while it lives (an hour).
Events of the node (`SystemOOM`) and its kernel log tell of a kill for want of memory.

## Not this
With the reason OOMKilled it is OOMKilled. A probe's restart is LivenessProbeFailing or StartupProbeFailing, a hook's
PostStartHookFailed, a stop whose grace period ran out belongs to whoever asked for the stop. With the reason
ContainerStatusUnknown the 137 is made up.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let killed = |end: &End<'_>| end.ending == Ending::Signal(Signal::KILL);
    facts.ends().filter(killed).map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let own = facts.cite_own_exit(end);
    let killing = facts.killing(end);
    let (certainty, who) = match (&killing, &own) {
        (Some((event, true)), _) => (Certainty::Certain, format!("the kubelet stopped it: {}", quoted(&event.message))),
        (Some((event, false)), _) => {
            (Certainty::Likely, format!("the kubelet stopped an earlier run: {}", quoted(&event.message)))
        }
        (None, Some(_)) => (Certainty::Possible, "its own command ends with that number".to_owned()),
        (None, None) => (Certainty::Likely, "who killed it is not recorded".to_owned()),
    };
    let (title, ends, code) = (end.container.title(), end.ends(), end.exit.code);
    let headline = format!("{title} {ends} with exit code {code} (SIGKILL){}; {who}", end.when());
    let suspects = suspects(facts, end);
    let out = suspects.iter().filter(|row| row.get(1).is_some_and(|v| v == "ruled out")).count();
    let say = format!("{out} of the {} that can send SIGKILL are ruled out", suspects.len());
    finding(facts, end, headline)
        .certainty(certainty)
        .because(own)
        .because(if killing.is_none() {
            Some(Evidence::table(say, &["Who", "Verdict", "Because"], suspects))
        } else {
            None
        })
        .because(killing.map(|(event, _)| event.cite()))
        .because(facts.cite_last_words(end))
        .remedy(facts.look(["describe", "pod", &facts.pod.name]))
        .remedy(facts.look_at_node())
}

/// Everybody who can send SIGKILL, whether that is ruled out, and by what.
fn suspects(facts: &Facts<'_>, end: &End<'_>) -> Vec<Vec<String>> {
    let spec = &end.container.spec;
    let kubelet = |defined: bool, none: &str| match defined {
        false => ("ruled out", none.to_owned()),
        true => ("open", "no event tells, and events are dropped or expire".to_owned()),
    };
    let limit = match facts.memory_limit(end.container) {
        None => ("ruled out", "no memory limit is set".to_owned()),
        Some(limit) => ("not seen", format!("limit {}, but the reason is not OOMKilled", limit.text)),
    };
    let node = match facts.pod.node_name() {
        Some(node) => ("open", format!("events of {node} and its kernel log tell")),
        None => ("open", "the node is not known".to_owned()),
    };
    let stopped = facts.pod.is_deleting() || !facts.pod.reason().is_empty() || facts.pod.is_true("DisruptionTarget");
    let stop = if stopped {
        ("open", "the pod is being ended".to_owned())
    } else {
        ("ruled out", "no deletion, no reason in status.reason, no DisruptionTarget".to_owned())
    };
    let probes = spec.liveness_probe.is_some() || spec.startup_probe.is_some();
    let hook = spec.lifecycle.as_ref().is_some_and(|l| l.post_start.is_some());
    let program = match facts.cite_own_exit(end) {
        Some(_) => ("seen", "its command ends with that number".to_owned()),
        None => ("open", "a wrapper passes on the 137 of its child".to_owned()),
    };
    [
        ("the kernel, at the memory limit", limit),
        ("the kernel, for the node's memory", node),
        ("liveness or startup probe", kubelet(probes, "neither is defined")),
        ("postStart hook", kubelet(hook, "none is defined")),
        ("deletion, eviction, deadline", stop),
        ("the program itself", program),
    ]
    .into_iter()
    .map(|(who, (verdict, why))| vec![who.to_owned(), verdict.to_owned(), why])
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::looping;
    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn verdict(case: &Case, who: &str) -> String {
        let finding = one(case.check(&RULE));
        let table = finding.evidence.iter().find_map(|e| match e {
            Evidence::Derived { table: Some(table), .. } => Some(table.clone()),
            _ => None,
        });
        table.unwrap().rows.into_iter().find(|row| row[0].contains(who)).unwrap()[1].clone()
    }

    #[test]
    fn it_says_who_is_ruled_out() {
        let bare = looping(137, "Error");
        assert_eq!(verdict(&bare, "memory limit"), "ruled out");
        assert_eq!(verdict(&bare, "probe"), "ruled out");
        assert_eq!(verdict(&bare, "node's memory"), "open");
        let limited = looping(137, "Error").edit("/spec/containers/0/resources", json!({"limits": {"memory": "96Mi"}}));
        assert_eq!(verdict(&limited, "memory limit"), "not seen");
    }

    #[test]
    fn a_probe_is_not_ruled_out_by_silence() {
        let probed = looping(137, "Error").edit("/spec/containers/0/livenessProbe", json!({"tcpSocket": {"port": 80}}));
        assert_eq!(verdict(&probed.event("BackOff", "app", "Back-off").complete(&["events"]), "probe"), "open");
    }

    #[test]
    fn the_kubelets_event_names_the_killer() {
        let case =
            looping(137, "Error").event("Killing", "app", "Container app failed liveness probe, will be restarted");
        let finding = one(case.check(&RULE));
        assert!(
            finding
                .headline
                .ends_with("the kubelet stopped it: \"Container app failed liveness probe, will be restarted\"")
        );
        assert_eq!(finding.certainty, Certainty::Certain);
    }

    #[test]
    fn an_event_of_an_earlier_run_counts_because_later_ones_are_dropped() {
        let case = looping(137, "Error")
            .event("Killing", "app", "Container app failed liveness probe, will be restarted")
            .edit("/status/containerStatuses/0/lastState/terminated/startedAt", json!("2026-01-01T11:59:10Z"));
        let finding = one(case.check(&RULE));
        assert!(finding.headline.contains("the kubelet stopped an earlier run"), "{}", finding.headline);
        assert_eq!(finding.certainty, Certainty::Likely);
    }

    #[test]
    fn a_program_that_ends_with_137_itself_is_no_certain_kill() {
        let own = looping(137, "Error").edit("/spec/containers/0/command", json!(["sh", "-c", "exit 137"]));
        let finding = one(own.check(&RULE));
        assert_eq!(finding.certainty, Certainty::Possible);
        assert!(finding.headline.ends_with("its own command ends with that number"));
    }

    #[test]
    fn made_up_codes_and_the_kernels_word_are_left_alone() {
        none(looping(137, "ContainerStatusUnknown").check(&RULE));
        none(looping(137, "OOMKilled").check(&RULE));
    }

    #[test]
    fn an_end_within_a_deletion_that_a_finalizer_holds_up_is_past() {
        let case = looping(137, "Error")
            .edit("/spec/terminationGracePeriodSeconds", json!(5))
            .edit("/metadata/deletionTimestamp", json!("2026-01-01T11:58:41Z"))
            .edit("/metadata/deletionGracePeriodSeconds", json!(0));
        none(case.check(&RULE));
    }

    #[test]
    fn an_end_within_a_deletion_is_past() {
        let case = looping(137, "Error")
            .edit("/metadata/deletionTimestamp", json!("2026-01-01T11:58:30Z"))
            .edit("/metadata/deletionGracePeriodSeconds", json!(30));
        none(case.check(&RULE));
    }
}
