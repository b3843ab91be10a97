//! Something asked the program to stop, and it did.

use super::{SYMPTOMS, code_of, finding};
use crate::facts::{End, Ending, Facts, Signal};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "StoppedBySIGTERM",
    stage: Stage::Running,
    summary: "something asked the program to stop (SIGTERM), and it did",
    explains: SYMPTOMS,
    check,
    explain: r#"
## Meaning
The program received SIGTERM, or says so with its exit code 143 (128 + 15): it was asked to stop and obeyed. By itself this is
no crash. The kubelet asks when the pod is deleted, evicted or drained, when a liveness or startup probe fails, and when the
node shuts down. Inside the pod a wrapper, a supervisor or another container that shares the process namespace can ask.

## Signs
`terminated.reason` is `Error` with exit code 143. An event `Killing` at that time names the kubelet's reason.

## Fix
Find who asks. With an event `Killing`, its sentence says so. Without one, look at the command for a wrapper with a time limit
(`timeout`), a supervisor, or a script that ends its own children.

## Not this
A probe that makes the kubelet restart the container is LivenessProbeFailing or StartupProbeFailing. A 143 from before the
node's last reboot, of a container that runs now, is over.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let stopped = |end: &End<'_>| match end.ending {
        Ending::Signal(signal) => signal == Signal::TERM,
        Ending::Windows(meaning) => meaning.name == "STATUS_CONTROL_C_EXIT",
        _ => false,
    };
    facts.ends().filter(stopped).map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let what = match end.ending {
        Ending::Windows(meaning) => format!("exit code {} ({}, the SIGTERM of Windows)", end.exit.code, meaning.name),
        _ => code_of(end, Signal::TERM),
    };
    let killing = facts.killing(end);
    let own = facts.cite_own_exit(end);
    let who = match (&killing, &own) {
        (Some((_, true)), _) => "the kubelet asked it to",
        (Some((_, false)), _) => "the kubelet asked an earlier run to",
        (None, Some(_)) => "its own command says so",
        (None, None) => "who asked is not recorded",
    };
    let look =
        Remedy::advice("Look for who asks: a wrapper with a time limit, a supervisor, another container of the pod.");
    finding(facts, end, format!("{} stops on request: {what}{}; {who}", end.container.title(), end.when()))
        .certainty(if own.is_some() { Certainty::Likely } else { Certainty::Certain })
        .because(killing.map(|(event, _)| event.cite()))
        .because(own)
        .because(facts.cite_last_words(end))
        .remedy(if killing.is_none() { Some(look) } else { None })
}

#[cfg(test)]
mod tests {
    use super::super::tests::looping;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn exit_code_143_is_a_stop_on_request() {
        let finding = one(looping(143, "Error").check(&RULE));
        assert!(finding.headline.contains("143, which is 128 + 15 (SIGTERM)"), "{}", finding.headline);
        assert!(finding.headline.ends_with("who asked is not recorded"));
    }

    #[test]
    fn the_kubelets_event_says_who_asked() {
        let case = looping(143, "Error").event("Killing", "app", "Stopping container app");
        assert!(one(case.check(&RULE)).headline.ends_with("the kubelet asked it to"));
    }

    #[test]
    fn a_kill_is_no_request() {
        none(looping(137, "Error").check(&RULE));
    }
}
