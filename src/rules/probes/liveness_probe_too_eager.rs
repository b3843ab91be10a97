//! The liveness probe's budget ends before the program has come up even once.

use super::{failing, finding};
use crate::facts::time::human;
use crate::facts::{Answer, Evidence, Facts, ProbeKind, ProbeTrouble};
use crate::finding::{Certainty, Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "LivenessProbeTooEager",
    stage: Stage::Probes,
    summary: "the liveness probe's budget ends before the container has ever been ready; it is restarted while it starts up",
    explains: &["LivenessProbeFailing"],
    check,
    explain: r#"
## Meaning
The program needs longer to start than the liveness probe waits, so the kubelet kills it while it starts up, and every new
start is killed in the same way. Nothing is wrong with the program; on a faster or less busy node it can come up.

## Signs
Each run ends about when the budget does, `initialDelaySeconds` plus `failureThreshold` times `periodSeconds`: so the probe
failed from the first try on. Nobody listens on the port yet, there is no startup probe, and the log does not say that the
program is up, or the probe has an initial delay because somebody knew that the start takes time.

## Fix
Add a startup probe: until it succeeds the liveness probe is not asked. Its budget is to be longer than the slowest start;
the liveness probe stays as quick as it is.

## Not this
A program that answers, but badly (an HTTP status, a failing command), is up: LivenessProbeFailing. A port on which the
program never listens is ProbePortMismatch.
"#,
};

/// The length of a startup probe's budget, in seconds, that is offered where the program's own need is not known: five
/// minutes, a rule of thumb.
const OFFER: i64 = 300;

/// Words with which programs say that they are up.
const UP: [&str; 7] = ["listening", "ready", "started", "serving", "accepting", "running", "online"];

/// Beginnings of words with which programs say that they are not up yet.
const STARTING: [&str; 7] = ["starting", "initializ", "initialis", "loading", "booting", "warming", "migrat"];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut found, wrong) = (Vec::new(), |t: &ProbeTrouble<'_>| t.standing == Standing::Wrong);
    for trouble in failing(facts, ProbeKind::Liveness).filter(wrong) {
        found.extend(too_eager(facts, &trouble));
    }
    found
}

fn too_eager(facts: &Facts<'_>, trouble: &ProbeTrouble<'_>) -> Option<Finding> {
    let (probe, container) = (&trouble.probe, trouble.probe.container);
    let exit = trouble.exit?;
    let lasted = exit.lasted()?;
    let (_, most) = probe.killed_after(facts.pod.spec.termination_grace_period_seconds.unwrap_or(30), false);
    let no_answer_yet = matches!(trouble.answer, Some(Answer::Refused) | None);
    let mismatched = facts.port_mismatch(probe).is_some();
    if container.spec.startup_probe.is_some() || lasted > most || !no_answer_yet || mismatched {
        return None;
    }
    let words = facts.last_words(container, exit);
    let log = words.map(|w| w.all().collect::<Vec<_>>().join(" ").to_ascii_lowercase()).unwrap_or_default();
    let mut said = log.split(|c: char| !c.is_ascii_alphanumeric());
    let says_up = said.clone().any(|word| UP.contains(&word));
    let says_starting = said.any(|word| STARTING.iter().any(|begin| word.starts_with(begin)));
    if says_up || !says_starting && probe.initial_delay == 0 {
        return None;
    }
    let budget = probe.budget();
    let threshold = (OFFER.max(budget.saturating_mul(4)) / probe.period).max(1);
    let offer = format!(
        "Add to {} a startupProbe that asks what the liveness probe asks ({}), with periodSeconds: {} and failureThreshold: {threshold}; that gives {}s to start (a rule of thumb), and the liveness probe waits until then",
        container.title(),
        probe.target(),
        probe.period,
        threshold.saturating_mul(probe.period),
    );
    let yet = if trouble.answer.is_some() { "nobody listens yet" } else { "no try has succeeded" };
    let headline =
        format!("{} allows {budget}s, and {} is killed while it starts up: {yet}", probe.title(), container.title());
    let runs = format!(
        "the last run lasted {}, as long as a probe with a budget of {} and the grace period leave it: no try has succeeded",
        human(lasted),
        probe.budget_sum()
    );
    Some(
        finding(facts, trouble, headline)
            .certainty(Certainty::Likely)
            .because(Evidence::derived(runs))
            .because(facts.cite_spec(container, &["livenessProbe", "initialDelaySeconds"]))
            .because(facts.spec_lacks(container, "startupProbe"))
            .remedy(facts.look_at_log(container, exit))
            .remedy(facts.owner.edit(&offer)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(probe: Value) -> Case {
        Case::container(json!({"restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "startedAt": "2026-01-01T11:58:00Z",
                "finishedAt": "2026-01-01T11:59:10Z"}}}))
        .edit("/spec/containers/0/livenessProbe", probe)
        .event("Killing", "app", "Container app failed liveness probe, will be restarted")
    }

    fn refused() -> Value {
        json!({"tcpSocket": {"port": 8080}, "initialDelaySeconds": 20})
    }

    const REFUSED: &str = "Liveness probe failed: dial tcp 10.0.0.1:8080: connect: connection refused";

    #[test]
    fn a_program_that_never_listened_in_a_run_as_long_as_the_budget_is_still_starting() {
        let finding = one(case(refused()).event("Unhealthy", "app", REFUSED).log(true, "starting\n").check(&RULE));
        assert!(finding.headline.contains("(TCP :8080) allows 50s"), "{}", finding.headline);
        assert!(finding.remedies.iter().any(|r| r.say.contains("failureThreshold: 30")), "{:?}", finding.remedies);
    }

    #[test]
    fn a_program_that_says_it_is_up_listens_elsewhere() {
        none(case(refused()).event("Unhealthy", "app", REFUSED).log(true, "listening on 8081\n").check(&RULE));
    }

    #[test]
    fn a_program_that_answers_is_up() {
        let probe = json!({"httpGet": {"port": 80}, "initialDelaySeconds": 20});
        let status = "Liveness probe failed: HTTP probe failed with statuscode: 404";
        none(case(probe).event("Unhealthy", "app", status).check(&RULE));
    }

    #[test]
    fn with_a_startup_probe_the_liveness_probe_waits() {
        let probed = case(refused()).edit("/spec/containers/0/startupProbe", json!({"tcpSocket": {"port": 8080}}));
        none(probed.event("Unhealthy", "app", REFUSED).check(&RULE));
    }
}
