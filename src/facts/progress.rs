//! Whether a pod that is not yet fine is within its usual time.

use super::time::{human, seconds_between};
use super::{Container, Facts, ProbeKind, Role, State};

/// Seconds within which a pod is usually bound to a node: a rule of thumb.
const SCHEDULING_USUAL: i64 = 30;

/// Seconds within which sandbox, volumes and containers are usually made, images apart: a rule of thumb.
const CREATION_USUAL: i64 = 60;

/// Seconds that an init container may run before that is worth a word: a rule of thumb.
pub const INIT_USUAL: i64 = 300;

/// Seconds that a postStart hook may run before that is worth a word: a rule of thumb.
pub const HOOK_USUAL: i64 = 60;

/// Seconds within which the kubelet takes note of an end or of a first success: a rule of thumb.
const NOTICE_USUAL: i64 = 10;

impl Facts<'_> {
    /// Why the pod is not yet fine and nothing is wrong all the same: one sentence without full stop. The number in it is a
    /// rule of thumb or computed from the pod's own settings, and says which.
    pub fn in_progress(&self) -> Option<String> {
        if let Some(deletion) = self.deletion() {
            let leaving = deletion.stopped && !deletion.is_overdue();
            return leaving.then(|| "its containers have stopped, and the deletion is being finished".to_owned());
        }
        if self.pod.is_terminal() || self.pod.name.is_empty() {
            return None;
        }
        if self.pod.node_name().is_none() {
            return self.not_yet_scheduled();
        }
        let slow: Vec<&Container> = self.main_containers().filter(|c| !self.is_well(c)).collect();
        // Every container that is not well has to be on its way; the first says where the pod is.
        let ways: Option<Vec<String>> = slow.into_iter().map(|c| self.on_its_way(c)).collect();
        ways?.into_iter().next().or_else(|| self.not_yet_ready())
    }

    /// How far a pod got that is on a node and whose containers are not made: the end of a sentence about an unknown cause.
    pub fn how_far(&self) -> Option<String> {
        let (node, span) = (self.pod.node_name()?, human(self.bound_for()?));
        if self.awaits_volumes() {
            return Some(format!("in {span} {node} has not got its volumes, network and sandbox ready"));
        }
        let unmade = |c: &&Container| match &c.state {
            State::Waiting { reason, .. } => reason == "ContainerCreating",
            _ => false,
        };
        let container = self.main_containers().find(unmade).filter(|_| self.sandbox_is_up(None) == Some(true))?;
        Some(format!("its sandbox is up, and {node} has not made {} in {span}", container.title()))
    }

    fn not_yet_scheduled(&self) -> Option<String> {
        let age = self.pod.age(self.now)?;
        let refused = self.pod.condition("PodScheduled").is_some_and(|c| c.status == "False");
        (!refused && age < SCHEDULING_USUAL).then(|| {
            format!(
                "it was created {} ago and has no node yet; {SCHEDULING_USUAL}s are usual (a rule of thumb)",
                human(age)
            )
        })
    }

    fn is_well(&self, container: &Container) -> bool {
        container.is_done() || container.is_running() && container.is_ready() && container.is_started() != Some(false)
    }

    fn on_its_way(&self, container: &Container) -> Option<String> {
        let title = container.title();
        match &container.state {
            unmade if unmade.is_unmade() => self.being_created(container),
            State::Waiting { .. } | State::Unreported => None,
            State::Ended(exit) => {
                let ago = seconds_between(exit.finished?, self.now);
                (container.restarts() == 0 && exit.code == 0 && ago < NOTICE_USUAL)
                    .then(|| format!("{title} ended {} ago and is started again", human(ago)))
            }
            State::Running { since } => {
                let up = seconds_between((*since)?, self.now);
                match container.role {
                    Role::Init => (up <= INIT_USUAL).then(|| {
                        let usual = human(INIT_USUAL);
                        format!("{title} has been running for {}; up to {usual} are usual (a rule of thumb)", human(up))
                    }),
                    _ => self.starting_up(container, up),
                }
            }
        }
    }

    /// A container that has not been made yet: its turn has not come, or it is being made.
    fn being_created(&self, container: &Container) -> Option<String> {
        let title = container.title();
        if let Some(span) = self.post_start_running(container) {
            return (span <= HOOK_USUAL).then(|| {
                format!("the postStart hook of {title} has been running for {}; up to {HOOK_USUAL}s are usual (a rule of thumb)", human(span))
            });
        }
        let before = || self.main_containers().take_while(|c| c.name != container.name);
        if let Some(earlier) = before().find(|c| matches!(c.role, Role::Init | Role::Sidecar) && !self.has_made_way(c))
        {
            return self.on_its_way(earlier);
        }
        if let Some(hooked) = before().find(|c| self.post_start_running(c).is_some()) {
            return self.being_created(hooked);
        }
        let turn = before().filter_map(|c| match &c.state {
            State::Ended(exit) => exit.finished,
            State::Running { since } => *since,
            _ => None,
        });
        let bound = self.pod.condition("PodScheduled").and_then(|c| c.last_transition_time.as_ref()).map(|t| t.0);
        let since = turn.max().or(bound).or_else(|| self.pod.created())?;
        let span = seconds_between(since, self.now);
        let failed =
            self.events.iter().any(|e| e.warning && e.reason != "FailedScheduling" && e.seen_since(Some(since)));
        (!failed && span <= CREATION_USUAL).then(|| {
            format!("{title} has been in the making for {}; {CREATION_USUAL}s are usual (a rule of thumb)", human(span))
        })
    }

    /// Whether the containers after it may start.
    fn has_made_way(&self, container: &Container) -> bool {
        match container.role {
            Role::Sidecar => container.is_started() == Some(true) || container.restarts() > 0 && container.is_running(),
            _ => container.is_done(),
        }
    }

    /// A container that runs and is not ready: its startup probe or readiness probe still has time.
    fn starting_up(&self, container: &Container, up: i64) -> Option<String> {
        let title = container.title();
        let startup = self.probe(container, ProbeKind::Startup);
        let within = |probe: &super::Probe<'_>, budget: i64| {
            (up <= budget.saturating_add(NOTICE_USUAL)).then(|| {
                format!(
                    "{title} has been running for {}, and its {} probe has until {} to succeed ({})",
                    human(up),
                    probe.kind.word(),
                    human(budget),
                    probe.budget_sum()
                )
            })
        };
        if let (Some(probe), Some(false) | None) = (&startup, container.is_started()) {
            return within(probe, probe.budget());
        }
        match self.probe(container, ProbeKind::Readiness) {
            Some(probe) => within(&probe, startup.map_or(0, |s| s.budget()).saturating_add(probe.budget())),
            None => (up < NOTICE_USUAL).then(|| {
                format!(
                    "{title} was started {} ago; {NOTICE_USUAL}s are usual until it counts (a rule of thumb)",
                    human(up)
                )
            }),
        }
    }

    /// All containers are well and the pod is not ready: the kubelet has not said so yet.
    fn not_yet_ready(&self) -> Option<String> {
        let ready = self.pod.condition("Ready")?;
        let gated = ready.reason.as_deref() == Some("ReadinessGatesNotReady");
        let since = self.main_containers().filter_map(Container::running_since).max()?;
        let up = seconds_between(since, self.now);
        (ready.status == "False" && !gated && up < NOTICE_USUAL)
            .then(|| format!("its last container was started {} ago and is not counted yet", human(up)))
    }
}

#[cfg(test)]
mod tests;
