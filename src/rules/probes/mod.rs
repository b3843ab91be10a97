//! A probe says no.

mod liveness_probe_failing;
mod liveness_probe_too_eager;
mod probe_port_mismatch;
mod readiness_gate_unmet;
mod readiness_probe_failing;
mod startup_probe_failing;

use super::Rule;
use crate::facts::{Answer, Evidence, Facts, Handler, PortMismatch, ProbeKind, ProbeTrouble};
use crate::finding::{Command, Finding, Remedy, Standing};

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    startup_probe_failing::RULE,
    liveness_probe_failing::RULE,
    liveness_probe_too_eager::RULE,
    readiness_probe_failing::RULE,
    probe_port_mismatch::RULE,
    readiness_gate_unmet::RULE,
];

/// The failing probes of one kind.
fn failing<'f>(facts: &'f Facts<'_>, kind: ProbeKind) -> impl Iterator<Item = ProbeTrouble<'f>> {
    facts.failing_probes().into_iter().filter(move |t| t.probe.kind == kind)
}

/// A finding about a probe with all that the snapshot says of it: the container's state, the probe's events and settings.
fn finding(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>, headline: String) -> Finding {
    let (probe, container) = (&trouble.probe, trouble.probe.container);
    let timed_out = matches!(trouble.answer, Some(Answer::TimedOut | Answer::CommandTimedOut));
    let settings = if timed_out { "timeoutSeconds" } else { "failureThreshold" };
    let state = match probe.kind {
        ProbeKind::Startup => "started",
        ProbeKind::Liveness => "restartCount",
        ProbeKind::Readiness => "ready",
    };
    Finding::new(facts.subject_of(container), headline)
        .certainty(trouble.certainty)
        .standing(trouble.standing)
        .because(facts.cite_status(container, &[state]))
        .because(trouble.exit.and_then(|exit| facts.cite_exit(container, exit, "exitCode")))
        .because(trouble.event.map(|e| e.cite()))
        .because(trouble.kill.map(|e| e.cite()))
        .because(facts.cite_spec(container, &[probe.kind.field(), settings]))
        .because(other_port(facts, trouble))
}

/// Where no event tells what came back: that the probe asks a port which the container does not declare.
fn other_port(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Option<Evidence> {
    let (None, Some(PortMismatch::Undeclared { declared })) = (&trouble.answer, facts.port_mismatch(&trouble.probe))
    else {
        return None;
    };
    let port = &trouble.probe.port.as_ref()?.written;
    let declared = declared.join(", ");
    Some(Evidence::derived(format!(
        "it asks port {port}, and the container declares {declared}; no event says what came back"
    )))
}

/// What came back, as the end of a sentence about the probe.
fn what_came_back(trouble: &ProbeTrouble<'_>) -> String {
    trouble.answer.as_ref().map_or_else(|| "does not succeed".to_owned(), |a| a.said(&trouble.probe))
}

/// Commands that show what the program and the probe do, then the change that the answer calls for.
fn remedies(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Vec<Remedy> {
    let (probe, container) = (&trouble.probe, trouble.probe.container);
    let mut all = Vec::new();
    match trouble.exit {
        Some(exit) => all.push(facts.look_at_log(container, exit)),
        None => all.push(facts.look(["logs", &facts.pod.name, "-c", &container.name, "--tail=50"])),
    }
    if let (Handler::Exec(command), true) = (&probe.handler, container.is_running()) {
        let pod = ["exec", &facts.pod.name, "-n", &facts.target.namespace, "-c", &container.name, "--"];
        all.push(Remedy::look(Command::kubectl(pod.into_iter().chain(command.iter().map(String::as_str)))));
    }
    if trouble.standing == Standing::Wrong {
        let advice = match &trouble.answer {
            Some(answer) => answer.advice(probe),
            None => format!(
                "Correct {} of {}, if it is the probe and not the program that is wrong",
                probe.kind.field(),
                container.title()
            ),
        };
        all.push(facts.owner.edit(&format!("{advice}:")));
    }
    all
}
