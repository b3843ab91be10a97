//! Probes that fail now, judged from the container's state first and supported by events.

use super::{Answer, Probe, ProbeKind};
use crate::facts::time::seconds_between;
use crate::facts::{Event, Exit, Facts, State};
use crate::finding::{Certainty, Standing};

/// How long the API server keeps events unless it is told otherwise (`--event-ttl`), in seconds.
const EVENT_TTL: i64 = 3600;

/// How long ago a failure of a liveness probe may lie and still be one of now, in seconds: a rule of thumb.
const RECENT: i64 = 60;

/// A probe that fails, or that has ended an earlier run of its container.
#[derive(Debug, Clone)]
pub struct ProbeTrouble<'f> {
    /// The probe.
    pub probe: Probe<'f>,
    /// Whether it matters now.
    pub standing: Standing,
    /// How sure that is.
    pub certainty: Certainty,
    /// The latest event about a failed try.
    pub event: Option<&'f Event>,
    /// What came back, if the event says.
    pub answer: Option<Answer>,
    /// The event that says that the kubelet killed the container for it.
    pub kill: Option<&'f Event>,
    /// The end that the kill brought.
    pub exit: Option<&'f Exit>,
}

impl Facts<'_> {
    /// The probes that fail, of all containers. None if the pod is going or its node does not report: then nobody probes.
    pub fn failing_probes(&self) -> Vec<ProbeTrouble<'_>> {
        if self.is_going() || self.node().found().is_some_and(|n| n.is_lost()) {
            return Vec::new();
        }
        let mut all: Vec<ProbeTrouble<'_>> = self
            .main_containers()
            .flat_map(|c| self.probes(c))
            .filter_map(|probe| match probe.kind {
                ProbeKind::Startup | ProbeKind::Liveness => self.killing_probe(probe),
                ProbeKind::Readiness => self.unready_probe(probe),
            })
            .collect();
        // A program that is killed because it does not answer on a port is not ready for the same reason.
        let killers: Vec<_> =
            all.iter().filter(|t| t.is_kill()).map(|t| (t.probe.container.name.clone(), t.asks())).collect();
        all.retain(|t| t.is_kill() || !killers.contains(&(t.probe.container.name.clone(), t.asks())));
        all
    }

    /// Trouble with a probe whose failure ends the container.
    fn killing_probe<'f>(&'f self, probe: Probe<'f>) -> Option<ProbeTrouble<'f>> {
        let container = probe.container;
        let (event, kill) = (self.unhealthy(&probe), self.probe_kill(&probe));
        let ended = container.program_exit().filter(|(exit, _)| exit.reason != "OOMKilled");
        let killed =
            ended.and_then(|(exit, standing)| Some((exit, standing, self.killed_by(&probe, exit, event, kill)?)));
        let exit = killed.map(|(exit, _, _)| exit);
        let certainty = match killed {
            Some((_, _, certainty)) => certainty,
            None => Certainty::Certain,
        };
        let standing = match container.state {
            State::Ended(_) | State::Waiting { .. } => killed?.1,
            State::Running { .. } if probe.kind == ProbeKind::Startup => {
                self.standing_of_startup(&probe, kill.is_some() || killed.is_some())?
            }
            State::Running { .. } => {
                let again = killed.is_some_and(|(_, standing, _)| standing == Standing::Wrong);
                self.standing_of_liveness(&probe, event, kill, killed.is_some(), again)?
            }
            State::Unreported => return None,
        };
        let answer = event.map(|e| Answer::read(&e.message, &probe)).filter(|a| *a != Answer::Gone);
        Some(ProbeTrouble { probe, standing, certainty, event, answer, kill, exit })
    }

    /// Whether that end was the kubelet's doing because the probe failed. Events say so; the kubelet's recorder drops them
    /// when there are many (25 at once, then one in five minutes), and after an hour they are gone. Then the length of the
    /// run tells: it is that of a probe which failed from the first try on.
    fn killed_by(
        &self,
        probe: &Probe<'_>,
        exit: &Exit,
        event: Option<&Event>,
        kill: Option<&Event>,
    ) -> Option<Certainty> {
        let in_run = |e: &Event| exit.started.is_some() && e.seen_since(exit.started);
        // As a program ends that is asked to stop; one that ends with a code of its own can have crashed.
        let stopped = matches!(exit.code, 0 | 137 | 143);
        let forced = exit.code == 137;
        let (least, most) = probe.killed_after(self.pod.spec.termination_grace_period_seconds.unwrap_or(30), forced);
        // The liveness probe's time begins when the startup probe has passed, and that moment is not known.
        let has_clock = probe.kind == ProbeKind::Startup || probe.container.spec.startup_probe.is_none();
        let lasted_so = has_clock && exit.lasted().is_some_and(|s| (least..=most).contains(&s));
        let told = !self.events.is_empty() && exit.finished.is_some_and(|t| seconds_between(t, self.now) < EVENT_TTL);
        match (kill, event) {
            (Some(kill), _) if in_run(kill) => Some(Certainty::Certain),
            (Some(_), Some(event)) if in_run(event) && (lasted_so || stopped) => Some(Certainty::Certain),
            (Some(_), _) if lasted_so => Some(Certainty::Likely),
            (None, Some(event)) if in_run(event) && lasted_so && i64::from(event.count) >= probe.threshold => {
                Some(Certainty::Likely)
            }
            (None, None) if !told && lasted_so && matches!(exit.code, 137 | 143) => Some(Certainty::Likely),
            _ => None,
        }
    }

    fn standing_of_startup(&self, probe: &Probe<'_>, killed: bool) -> Option<Standing> {
        let up = seconds_between(probe.container.running_since()?, self.now);
        match probe.container.is_started() {
            Some(true) => killed.then_some(Standing::Past),
            _ if killed => Some(Standing::Wrong),
            Some(false) => (up > probe.budget().saturating_add(probe.timeout + 10)).then_some(Standing::Wrong),
            None => None,
        }
    }

    fn standing_of_liveness(
        &self,
        probe: &Probe<'_>,
        event: Option<&Event>,
        kill: Option<&Event>,
        killed: bool,
        again: bool,
    ) -> Option<Standing> {
        let since = probe.container.running_since();
        let now_failing = event.is_some_and(|e| {
            e.seen_since(since) && e.age(self.now).is_some_and(|age| age <= RECENT.max(2 * probe.period))
        });
        let being_killed = since.is_some() && kill.is_some_and(|k| k.seen_since(since));
        match killed || kill.is_some() {
            true if now_failing || again || being_killed => Some(Standing::Wrong),
            true => Some(Standing::Past),
            false => now_failing.then_some(Standing::Past),
        }
    }

    /// Trouble with a readiness probe: the container runs, has started and is not ready, for longer than the probe allows.
    fn unready_probe<'f>(&'f self, probe: Probe<'f>) -> Option<ProbeTrouble<'f>> {
        let container = probe.container;
        let since = container.running_since()?;
        if container.is_ready() || container.is_started() == Some(false) {
            return None;
        }
        let event = self.unhealthy(&probe).filter(|e| e.seen_since(Some(since)));
        let startup = self.probe(container, ProbeKind::Startup).map_or(0, |p| p.budget());
        let over = seconds_between(since, self.now) > startup.saturating_add(probe.budget());
        let for_long = event.is_some_and(|e| {
            let first = e.first.map_or(since, |first| first.max(since));
            let span = e.last.map_or(0, |last| seconds_between(first, last));
            i64::from(e.count) >= probe.threshold && span >= probe.period * (probe.threshold - 1)
        });
        if !over && !for_long {
            return None;
        }
        let answer = event.map(|e| Answer::read(&e.message, &probe)).filter(|a| *a != Answer::Gone);
        let (standing, certainty) = (Standing::Wrong, Certainty::Certain);
        Some(ProbeTrouble { probe, standing, certainty, event, answer, kill: None, exit: None })
    }
}

impl ProbeTrouble<'_> {
    /// Whether the kubelet kills the container for it now.
    fn is_kill(&self) -> bool {
        self.probe.kind != ProbeKind::Readiness && self.standing == Standing::Wrong
    }

    fn asks(&self) -> Option<i32> {
        self.probe.port.as_ref().and_then(|p| p.number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::Case;

    /// What is said of each failing probe of container `app`.
    fn told(case: &Case) -> Vec<(ProbeKind, Standing, Certainty)> {
        case.facts(|f| f.failing_probes().iter().map(|t| (t.probe.kind, t.standing, t.certainty)).collect())
    }

    fn event(reason: &str, message: &str, first: &str, last: &str, count: u32) -> Value {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("p.{reason}.{message}"), "namespace": "n"},
            "reason": reason, "message": message, "count": count,
            "firstTimestamp": format!("2026-01-01T{first}Z"), "lastTimestamp": format!("2026-01-01T{last}Z"),
            "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u", "fieldPath": "spec.containers{app}"}})
    }

    fn running(since: &str, ready: bool, started: bool) -> Case {
        Case::container(json!({"ready": ready, "started": started, "restartCount": 0,
            "state": {"running": {"startedAt": format!("2026-01-01T{since}Z")}}}))
    }

    /// A container that waits for its next start after a run from `started` to `finished`.
    fn crashed(code: i32, started: &str, finished: &str) -> Case {
        Case::container(json!({"restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": code, "reason": "Error",
                "startedAt": format!("2026-01-01T{started}Z"), "finishedAt": format!("2026-01-01T{finished}Z")}}}))
        .edit("/spec/containers/0/livenessProbe", probe(1))
    }

    fn probe(port: i32) -> Value {
        json!({"tcpSocket": {"port": port}})
    }

    fn unready(since: &str) -> Case {
        running(since, false, true).edit("/spec/containers/0/readinessProbe", probe(1))
    }

    const LIVENESS: &str = "Liveness probe failed: dial tcp 10.0.0.1:1: connect: connection refused";
    const READINESS: &str = "Readiness probe failed: dial tcp 10.0.0.1:1: connect: connection refused";
    const KILL: &str = "Container app failed liveness probe, will be restarted";
    const UNREADY: [(ProbeKind, Standing, Certainty); 1] =
        [(ProbeKind::Readiness, Standing::Wrong, Certainty::Certain)];

    #[test]
    fn readiness_fails_once_every_try_that_is_allowed_is_over() {
        assert_eq!(told(&unready("11:59:30")), []);
        assert_eq!(told(&unready("11:59:29")), UNREADY);
        assert_eq!(told(&running("11:50:00", true, true).edit("/spec/containers/0/readinessProbe", probe(1))), []);
        assert_eq!(told(&running("11:50:00", false, false).edit("/spec/containers/0/readinessProbe", probe(1))), []);
    }

    #[test]
    fn as_many_failures_as_are_allowed_in_the_time_that_they_take_are_enough() {
        let of =
            |first, last, count| told(&unready("11:59:35").with(event("Unhealthy", READINESS, first, last, count)));
        assert_eq!(of("11:59:36", "11:59:56", 3), UNREADY);
        assert_eq!(of("11:59:36", "11:59:55", 3), [], "the third came too early");
        assert_eq!(of("11:59:36", "11:59:56", 2), []);
        assert_eq!(of("11:00:00", "11:59:56", 3), UNREADY, "what was before this run does not count");
        assert_eq!(of("11:00:00", "11:59:40", 30), []);
    }

    #[test]
    fn nobody_probes_a_pod_that_goes_or_whose_node_is_lost() {
        let node = |ready: &str| {
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w"},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        let on = |ready: &str| unready("11:50:00").edit("/spec/nodeName", json!("w")).with(node(ready));
        assert_eq!(told(&on("True")), UNREADY);
        assert_eq!(told(&on("Unknown")), []);
        let going = on("True").edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"));
        assert_eq!(told(&going), []);
    }

    #[test]
    fn a_start_that_takes_longer_than_its_probe_allows_and_a_last_try_is_wrong() {
        let of = |since| told(&running(since, false, false).edit("/spec/containers/0/startupProbe", probe(1)));
        assert_eq!(of("11:59:19"), [], "41 seconds: 3 x 10, a timeout of 1 and 10 more");
        assert_eq!(of("11:59:18"), [(ProbeKind::Startup, Standing::Wrong, Certainty::Certain)]);
    }

    #[test]
    fn a_slow_liveness_probe_is_failing_for_two_of_its_periods() {
        let slow = json!({"tcpSocket": {"port": 1}, "periodSeconds": 60});
        let of = |last| {
            let case = running("11:50:00", true, true).edit("/spec/containers/0/livenessProbe", slow.clone());
            told(&case.with(event("Unhealthy", LIVENESS, last, last, 1)))
        };
        assert_eq!(of("11:58:00"), [(ProbeKind::Liveness, Standing::Past, Certainty::Certain)]);
        assert_eq!(of("11:57:59"), []);
    }

    #[test]
    fn a_program_that_is_killed_for_a_port_is_not_also_unready_for_it() {
        let of = |readiness: Value, killed: bool| {
            let case = running("11:50:00", false, true)
                .edit("/spec/containers/0/livenessProbe", probe(1))
                .edit("/spec/containers/0/readinessProbe", readiness)
                .with(event("Unhealthy", LIVENESS, "11:59:30", "11:59:50", 3));
            let case = if killed { case.with(event("Killing", KILL, "11:59:50", "11:59:50", 1)) } else { case };
            told(&case).into_iter().map(|(kind, standing, _)| (kind, standing)).collect::<Vec<_>>()
        };
        let (killed, unready) = ((ProbeKind::Liveness, Standing::Wrong), (ProbeKind::Readiness, Standing::Wrong));
        assert_eq!(of(probe(1), true), [killed]);
        assert_eq!(of(probe(2), true), [killed, unready]);
        assert_eq!(of(json!({"exec": {"command": ["x"]}}), true), [killed, unready]);
        assert_eq!(of(probe(1), false), [(ProbeKind::Liveness, Standing::Past), unready]);
    }

    #[test]
    fn without_events_the_length_of_the_run_tells_of_a_kill() {
        let likely = [(ProbeKind::Liveness, Standing::Wrong, Certainty::Likely)];
        assert_eq!(told(&crashed(137, "11:57:00", "11:58:00")), likely);
        assert_eq!(told(&crashed(1, "11:57:00", "11:58:00")), [], "it has a code of its own");
        assert_eq!(told(&crashed(137, "11:50:00", "11:58:00")), [], "it lasted too long");
        let startup = json!({"tcpSocket": {"port": 1}, "failureThreshold": 300});
        let slow = crashed(137, "11:57:00", "11:58:00").edit("/spec/containers/0/startupProbe", startup);
        assert_eq!(told(&slow), [], "nobody knows when the start was over");
        let other = || event("Pulled", "x", "11:50:00", "11:50:00", 1);
        assert_eq!(told(&crashed(137, "10:59:00", "11:00:00").with(other())), likely, "its events are gone");
        assert_eq!(told(&crashed(137, "10:59:01", "11:00:01").with(other())), [], "one would tell of a kill");
    }

    #[test]
    fn events_of_the_run_that_ended_tell_of_a_kill() {
        let of = |case: Case| told(&case).first().map(|(_, _, certainty)| *certainty);
        let kill = |at: &str| event("Killing", KILL, at, at, 1);
        let failing = |at: &str, count| event("Unhealthy", LIVENESS, at, at, count);
        assert_eq!(of(crashed(1, "11:50:00", "11:58:00").with(kill("11:57:00"))), Some(Certainty::Certain));
        assert_eq!(of(crashed(143, "11:50:00", "11:58:00").with(kill("11:40:00"))), None, "an earlier run's");
        assert_eq!(of(crashed(143, "11:57:00", "11:58:00").with(kill("11:40:00"))), Some(Certainty::Likely));
        let both =
            |code, at, count| crashed(code, "11:50:00", "11:58:00").with(kill("11:40:00")).with(failing(at, count));
        assert_eq!(of(both(143, "11:57:00", 1)), Some(Certainty::Certain), "it was asked to stop");
        assert_eq!(of(both(1, "11:57:00", 1)), None, "it ended by itself");
        assert_eq!(of(both(143, "11:41:00", 1)), None, "and the failure was an earlier run's too");
        let unkilled = |started, count| crashed(1, started, "11:58:00").with(failing("11:57:50", count));
        assert_eq!(of(unkilled("11:57:35", 3)), Some(Certainty::Likely));
        assert_eq!(of(unkilled("11:57:35", 2)), None, "too few failures");
        assert_eq!(of(unkilled("11:50:00", 3)), None, "too long a run");
    }
}
