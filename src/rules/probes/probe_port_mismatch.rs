//! A probe asks a port that the container does not have.

use super::finding;
use crate::facts::{Facts, PortMismatch, ProbeTrouble};
use crate::finding::{Certainty, Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ProbePortMismatch",
    stage: Stage::Probes,
    summary: "a probe asks a port that the container does not declare, or a named port that points elsewhere, and gets no connection",
    explains: &["ReadinessProbeFailing", "LivenessProbeFailing", "StartupProbeFailing"],
    check,
    explain: r#"
## Meaning
A probe asks one port, and the container declares others. Nobody answers, so the port in the probe is the wrong one, or the
program no longer listens where it used to. A probe can name a port; the name is looked up among the ports of the container
that has the probe, and only there.

## Signs
The probe's port is not among `ports` of any container of the pod, the container declares at least one, and the connection is
refused. Or the probe names a port that the container does not declare; then the probe cannot be carried out at all.

## Fix
Set the probe's port to the one on which the program listens, best by its name.

## Not this
`ports` is information only: a program can listen on a port that is not declared, so an answer, even a bad one, rules this
out. A container that declares no port at all tells nothing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut found, now) = (Vec::new(), |t: &ProbeTrouble<'_>| t.standing == Standing::Wrong);
    for trouble in facts.failing_probes().into_iter().filter(now) {
        found.extend(mismatch(facts, &trouble));
    }
    found
}

fn mismatch(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Option<Finding> {
    let (probe, container) = (&trouble.probe, trouble.probe.container);
    let mismatch = facts.port_mismatch(probe)?;
    let port = probe.port.as_ref()?;
    let (field, title) = (probe.kind.field(), probe.title());
    let (certainty, headline) = match (&mismatch, &trouble.answer) {
        (PortMismatch::NoSuchName { elsewhere }, _) => {
            let there = match elsewhere {
                Some((other, number)) => format!("; {other} does, for port {number}"),
                None => String::new(),
            };
            let what = format!("{title} names port {}, which the container does not declare{there}", port.written);
            (Certainty::Certain, what)
        }
        (PortMismatch::Undeclared { declared }, Some(answer)) if answer.is_no_connection() => {
            let others = declared.join(", ");
            let written = &port.written;
            let what =
                format!("{title} gets no connection: it asks port {written}, and the container declares {others}");
            (Certainty::Likely, what)
        }
        // Without the answer it is a hint, which the probe's own finding gives.
        (PortMismatch::Undeclared { .. }, _) => return None,
    };
    let declared = container.spec.ports.iter().flatten().filter_map(|p| {
        let number = p.container_port.to_string();
        let by = p.name.clone().unwrap_or(number);
        facts.cite_spec(container, &["ports", &by, "containerPort"])
    });
    let handler = ["httpGet", "tcpSocket", "grpc"].into_iter();
    let asked = handler.filter_map(|h| facts.cite_spec(container, &[field, h, "port"]));
    let change = match mismatch {
        PortMismatch::Undeclared { declared } if declared.len() == 1 => {
            format!("Set the port in {field} of {} to {}", container.title(), declared.join(""))
        }
        _ => format!("Set the port in {field} of {} to the one on which the program listens", container.title()),
    };
    Some(
        finding(facts, trouble, headline)
            .certainty(certainty)
            .because(asked)
            .because(declared)
            .remedy(facts.look(["logs", &facts.pod.name, "-c", &container.name, "--tail=50"]))
            .remedy(facts.owner.edit(&change)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(port: Value, ports: Value) -> Case {
        Case::container(
            json!({"ready": false, "started": true, "state": {"running": {"startedAt": "2026-01-01T11:50:00Z"}}}),
        )
        .edit("/spec/containers/0/ports", ports)
        .edit("/spec/containers/0/readinessProbe", json!({"tcpSocket": {"port": port}}))
    }

    const REFUSED: &str = "Readiness probe failed: dial tcp 10.0.0.1:80: connect: connection refused";

    #[test]
    fn an_undeclared_port_on_which_nobody_listens_is_the_wrong_one() {
        let finding =
            one(case(json!(80), json!([{"containerPort": 8080}])).event("Unhealthy", "app", REFUSED).check(&RULE));
        assert_eq!(
            finding.headline,
            "the readiness probe of container app (TCP :80) gets no connection: it asks port 80, and the container declares 8080"
        );
        assert_eq!(finding.certainty, Certainty::Likely);
    }

    #[test]
    fn a_declared_port_on_which_nobody_listens_is_no_mismatch() {
        none(case(json!(80), json!([{"containerPort": 80}])).event("Unhealthy", "app", REFUSED).check(&RULE));
        none(case(json!(80), json!([])).event("Unhealthy", "app", REFUSED).check(&RULE));
    }

    #[test]
    fn an_answer_rules_it_out() {
        let slow = "Readiness probe failed: dial tcp 10.0.0.1:80: i/o timeout";
        none(case(json!(80), json!([{"containerPort": 8080}])).event("Unhealthy", "app", slow).check(&RULE));
    }

    #[test]
    fn without_an_answer_it_is_not_claimed() {
        none(case(json!(80), json!([{"containerPort": 8080}])).check(&RULE));
    }

    #[test]
    fn a_name_that_only_another_container_declares_leads_nowhere() {
        let finding = one(case(json!("web"), json!([]))
            .edit(
                "/spec/containers",
                json!([
                {"name": "app", "readinessProbe": {"tcpSocket": {"port": "web"}}},
                {"name": "proxy", "ports": [{"name": "web", "containerPort": 80}]}]),
            )
            .check(&RULE));
        assert!(
            finding.headline.ends_with("does not declare; container proxy does, for port 80"),
            "{}",
            finding.headline
        );
    }
}
