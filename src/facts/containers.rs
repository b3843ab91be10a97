//! A pod's containers: spec and status joined, of every kind. There is no other list of them.

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use super::time::seconds_between;
use crate::finding::Standing;

/// Seconds after a restart within which nothing can be said of how the new run goes: a rule of thumb.
const JUST_NOW: i64 = 10;

/// Seconds after which a run counts as long: a rule of thumb, far beyond what a probe or a crash takes to show.
const LONG: i64 = 3600;

/// What part a container has in its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Runs to its end before the containers after it start.
    Init,
    /// An init container with `restartPolicy: Always`: starts in its turn and stays.
    Sidecar,
    /// One of `spec.containers`.
    App,
    /// Added by `kubectl debug`; never restarted and without influence on the pod's state.
    Ephemeral,
}

/// What a container does at the moment of the snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The kubelet has not reported on it.
    Unreported,
    /// It does not run; the kubelet's word and sentence for why.
    Waiting {
        /// `ContainerCreating`, `CrashLoopBackOff`, …
        reason: String,
        /// Often the whole error.
        message: String,
    },
    /// It runs since then.
    Running {
        /// When this run began.
        since: Option<Timestamp>,
    },
    /// It has ended.
    Ended(Exit),
}

impl State {
    /// Whether the kubelet says no more of it than that it is not made yet.
    pub fn is_unmade(&self) -> bool {
        match self {
            State::Unreported => true,
            State::Waiting { reason, .. } => is_usual_wait(reason),
            State::Running { .. } | State::Ended(_) => false,
        }
    }
}

/// Whether a waiting container's reason is what every container has before it is made: `PodInitializing` in a pod with init
/// containers, `ContainerCreating` in any other (`pkg/kubelet/kubelet_pods.go`).
pub fn is_usual_wait(reason: &str) -> bool {
    matches!(reason, "" | "ContainerCreating" | "PodInitializing")
}

/// The end of one run of a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exit {
    /// The exit code as the runtime reported it; 128+n for a signal on Linux.
    pub code: i32,
    /// The signal, which only few runtimes report; else 0.
    pub signal: i32,
    /// `Error`, `Completed`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`, …
    pub reason: String,
    /// The termination message or the runtime's error.
    pub message: String,
    /// When the run began; the epoch if it never did.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Whether it stands in `lastState`, so another run has followed.
    pub is_last: bool,
}

impl Exit {
    fn read(ended: &core::ContainerStateTerminated, is_last: bool) -> Self {
        let real = |t: &Timestamp| t.as_second() > 0;
        Self {
            code: ended.exit_code,
            signal: ended.signal.unwrap_or(0),
            reason: ended.reason.clone().unwrap_or_default(),
            message: ended.message.clone().unwrap_or_default(),
            started: ended.started_at.as_ref().map(|t| t.0).filter(real),
            finished: ended.finished_at.as_ref().map(|t| t.0).filter(real),
            is_last,
        }
    }

    /// Whether the program never ran: the runtime failed before it could start it. The exit code is the runtime's then.
    pub fn is_start_failure(&self) -> bool {
        let runtimes = ["failed to create containerd task", "failed to create shim task", "OCI runtime create failed"];
        matches!(
            self.reason.as_str(),
            "StartError" | "ContainerCannotRun" | "RunContainerError" | "CreateContainerError"
        ) || self.started.is_none() && runtimes.iter().any(|r| self.message.starts_with(r))
    }

    /// Whether nobody saw the end and the code is made up: 137 of a kubelet that lost track of the container or removed it to
    /// restart the whole pod, 255 of a containerd that found it gone after a restart of itself or of the node.
    /// Source: `pkg/kubelet/kubelet_pods.go`, `ContainerReasonStatusUnknown` and `ContainerReasonRestartingAllContainers`;
    /// containerd `internal/cri/server/helpers.go`, `unknownExitCode`.
    pub fn is_made_up(&self) -> bool {
        match self.reason.as_str() {
            "ContainerStatusUnknown" | "RestartingAllContainers" => true,
            "Unknown" => self.code == 255,
            _ => false,
        }
    }

    /// Whether a program that had worked for long was stopped from outside, as when its node restarts: it ended on SIGTERM,
    /// or was gone afterwards. What stops it that seldom is no fault of the container.
    fn is_interruption(&self) -> bool {
        match self.lasted() {
            Some(seconds) => seconds >= LONG && (self.is_made_up() || self.code == 143),
            None => self.is_made_up(),
        }
    }

    /// How long the run lasted, in seconds.
    pub fn lasted(&self) -> Option<i64> {
        Some(seconds_between(self.started?, self.finished?).max(0))
    }
}

/// One container, spec and status together.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its part in the pod.
    pub role: Role,
    /// Its place among those of its list.
    pub index: usize,
    /// The spec; for an ephemeral container what it has in common with the others.
    pub spec: core::Container,
    /// The status, if the kubelet has reported one.
    pub status: Option<core::ContainerStatus>,
    /// What it does now.
    pub state: State,
    /// How the run before the present state ended.
    pub last: Option<Exit>,
    /// Whether the container is restarted when it ends.
    restart: Restart,
    standing: Option<Standing>,
}

/// When a container is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// After every end.
    Always,
    /// After an end with a code other than 0.
    OnFailure,
    /// Not at all.
    Never,
}

impl Container {
    /// The containers of a pod in the order in which they start.
    pub(super) fn all(pod: &Value, spec: &core::PodSpec, status: &core::PodStatus) -> Vec<Self> {
        let policy = spec.restart_policy.as_deref().unwrap_or("Always");
        let mut all = Vec::new();
        let lists = [
            (spec.init_containers.clone().unwrap_or_default(), status.init_container_statuses.as_deref(), Role::Init),
            (spec.containers.clone(), status.container_statuses.as_deref(), Role::App),
            (ephemeral(pod), status.ephemeral_container_statuses.as_deref(), Role::Ephemeral),
        ];
        for (specs, statuses, list) in lists {
            for (index, spec) in specs.into_iter().enumerate() {
                let status = statuses.unwrap_or_default().iter().find(|s| s.name == spec.name).cloned();
                all.push(Self::join(spec, status, list, index, policy));
            }
        }
        all
    }

    fn join(
        spec: core::Container,
        status: Option<core::ContainerStatus>,
        list: Role,
        index: usize,
        pod_policy: &str,
    ) -> Self {
        let own_policy = spec.restart_policy.as_deref();
        let role = if list == Role::Init && own_policy == Some("Always") { Role::Sidecar } else { list };
        let restart = match (role, own_policy.unwrap_or(pod_policy)) {
            (Role::Ephemeral, _) | (_, "Never") => Restart::Never,
            (Role::Init, _) | (_, "OnFailure") => Restart::OnFailure,
            _ => Restart::Always,
        };
        let read_state = |state: Option<&core::ContainerState>, is_last| match state {
            Some(core::ContainerState { terminated: Some(ended), .. }) => State::Ended(Exit::read(ended, is_last)),
            Some(core::ContainerState { running: Some(running), .. }) => {
                State::Running { since: running.started_at.as_ref().map(|t| t.0) }
            }
            Some(core::ContainerState { waiting: Some(waiting), .. }) => State::Waiting {
                reason: waiting.reason.clone().unwrap_or_default(),
                message: waiting.message.clone().unwrap_or_default(),
            },
            _ => State::Unreported,
        };
        let state = read_state(status.as_ref().and_then(|s| s.state.as_ref()), false);
        let last = match read_state(status.as_ref().and_then(|s| s.last_state.as_ref()), true) {
            State::Ended(exit) => Some(exit),
            _ => None,
        };
        Self { name: spec.name.clone(), role, index, spec, status, state, last, restart, standing: None }
    }

    /// Decides how the last end stands to the present. `over` says that the pod itself is at its end (deletion, eviction):
    /// nothing is restarted any more, and no end of a container keeps it. `undated` says that `now` is only the newest time in
    /// the objects.
    pub(super) fn judge(&mut self, now: Timestamp, undated: bool, over: bool) {
        let standing = match (&self.state, &self.last) {
            _ if self.role == Role::Ephemeral => None,
            (State::Ended(_), _) | (_, Some(_)) if over => Some(Standing::Past),
            (State::Ended(exit), _) if exit.code == 0 && exit.reason != "OOMKilled" => {
                (self.restart == Restart::Always).then_some(Standing::Wrong)
            }
            (State::Ended(_), _) => Some(Standing::Wrong),
            (State::Waiting { reason, .. }, Some(_)) if reason == "CrashLoopBackOff" => Some(Standing::Wrong),
            (State::Running { since }, Some(last)) => Some(self.standing_of_restarted(*since, last, now, undated)),
            (_, Some(_)) => Some(Standing::Past),
            _ => None,
        };
        self.standing = standing;
    }

    /// A container that runs again is well if it has outlived its last run twice over, and a minute at least (a rule of
    /// thumb: the kubelet itself forgets a crash only after ten minutes, twice its longest back-off). After its first restart
    /// it is given credit, except for the first moment.
    fn standing_of_restarted(&self, since: Option<Timestamp>, last: &Exit, now: Timestamp, undated: bool) -> Standing {
        let up = since.map_or(0, |since| seconds_between(since, now));
        let outlived = up > (2 * last.lasted().unwrap_or(0)).max(60);
        match self.restarts() {
            _ if outlived || last.is_interruption() => Standing::Past,
            0 | 1 if up < JUST_NOW && !undated => Standing::InProgress,
            0 | 1 => Standing::Past,
            // It runs and is ready, for nobody knows how long.
            _ if undated && self.is_ready() => Standing::InProgress,
            _ => Standing::Wrong,
        }
    }

    /// The end that matters for the present state, and how it stands to it: that of the present state, or of the run before
    /// if the container waits for its restart or has been restarted.
    pub fn exit(&self) -> Option<(&Exit, Standing)> {
        let exit = match &self.state {
            State::Ended(exit) => exit,
            _ => self.last.as_ref()?,
        };
        Some((exit, self.standing?))
    }

    /// As [`Container::exit`], but only of a program that ran and whose end the runtime saw.
    pub fn program_exit(&self) -> Option<(&Exit, Standing)> {
        self.exit().filter(|(exit, _)| !exit.is_start_failure() && !exit.is_made_up())
    }

    /// The kubelet's word for why it waits, if it waits.
    pub fn waiting_reason(&self) -> Option<&str> {
        match &self.state {
            State::Waiting { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The kubelet's sentence for why it waits; empty if there is none.
    pub fn waiting_message(&self) -> &str {
        match &self.state {
            State::Waiting { message, .. } => message,
            _ => "",
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// When the present run began.
    pub fn running_since(&self) -> Option<Timestamp> {
        match self.state {
            State::Running { since } => since,
            _ => None,
        }
    }

    /// Whether it passes its readiness probe, or runs and has none.
    pub fn is_ready(&self) -> bool {
        self.status.as_ref().is_some_and(|s| s.ready)
    }

    /// Whether it has passed its startup probe and postStart hook. `None` if the kubelet has not said.
    pub fn is_started(&self) -> Option<bool> {
        self.status.as_ref().and_then(|s| s.started)
    }

    /// How often it was restarted.
    pub fn restarts(&self) -> i32 {
        self.status.as_ref().map_or(0, |s| s.restart_count)
    }

    /// When it is restarted.
    pub fn restart(&self) -> Restart {
        self.restart
    }

    /// Whether it has done its work: an init container that ended with 0, or any container that ended with 0 and is not
    /// restarted.
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Ended(exit) => exit.code == 0 && (self.role == Role::Init || self.restart != Restart::Always),
            _ => false,
        }
    }

    /// `container app`, `init container migrate`, `sidecar envoy`.
    pub fn title(&self) -> String {
        let word = match self.role {
            Role::Init => "init container",
            Role::Sidecar => "sidecar",
            Role::App => "container",
            Role::Ephemeral => "ephemeral container",
        };
        format!("{word} {}", self.name)
    }

    /// The list in the spec.
    pub fn spec_list(&self) -> &'static str {
        match self.role {
            Role::Init | Role::Sidecar => "initContainers",
            Role::App => "containers",
            Role::Ephemeral => "ephemeralContainers",
        }
    }

    /// The list in the status.
    pub fn status_list(&self) -> &'static str {
        match self.role {
            Role::Init | Role::Sidecar => "initContainerStatuses",
            Role::App => "containerStatuses",
            Role::Ephemeral => "ephemeralContainerStatuses",
        }
    }

    /// A resource's limit as written in the spec.
    pub fn limit(&self, resource: &str) -> Option<&str> {
        let limits = self.spec.resources.as_ref()?.limits.as_ref()?;
        limits.get(resource).map(|q| q.0.as_str())
    }

    /// A resource's request as written in the spec.
    pub fn request(&self, resource: &str) -> Option<&str> {
        let requests = self.spec.resources.as_ref()?.requests.as_ref()?;
        requests.get(resource).map(|q| q.0.as_str())
    }
}

/// Ephemeral containers have a type of their own in the API that shares its fields with that of the others.
fn ephemeral(pod: &Value) -> Vec<core::Container> {
    let list = pod.pointer("/spec/ephemeralContainers").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|c| core::Container::deserialize(c).ok()).collect()
}

#[cfg(test)]
mod tests;
