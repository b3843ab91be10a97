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
