//! postStart hooks: what they do, and whether one has failed or not come back.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::facts::time::seconds_between;
use crate::facts::{Container, Event, Exit, Facts, State};
use crate::finding::{Certainty, Standing};

/// Within how many seconds a stop counts as one right after the start: a rule of thumb.
const AT_ONCE: i64 = 3;

/// A postStart hook that failed, for which the kubelet killed its container.
#[derive(Debug, Clone)]
pub struct HookFailure<'f> {
    /// The container.
    pub container: &'f Container,
    /// What the hook does.
    pub hook: String,
    /// What the hook wrote or why it could not be carried out, if the kubelet says; since 1.26 its event does not.
    pub said: String,
    /// The event that says so.
    pub event: Option<&'f Event>,
    /// The end that the kill brought.
    pub exit: Option<&'f Exit>,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whether it matters now. If the program ended by itself first, its end is what matters.
    pub standing: Standing,
}

impl Facts<'_> {
    /// What a container's postStart hook does: `exec sh -c register`, `GET http://:9999/warm`, `sleep 5s`.
    pub fn post_start_hook(&self, container: &Container) -> Option<String> {
        let hook = container.spec.lifecycle.as_ref()?.post_start.as_ref()?;
        let port = |port: &IntOrString| match port {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(name) => name.clone(),
        };
        if let Some(exec) = &hook.exec {
            return Some(format!("exec {}", short(exec.command.as_deref().unwrap_or_default())));
        }
        if let Some(http) = &hook.http_get {
            let scheme = http.scheme.as_deref().unwrap_or("http").to_ascii_lowercase();
            let host = http.host.as_deref().unwrap_or_default();
            let path = http.path.as_deref().unwrap_or("/");
            let slash = if path.starts_with('/') { "" } else { "/" };
            return Some(format!("GET {scheme}://{host}:{}{slash}{path}", port(&http.port)));
        }
        if let Some(tcp) = &hook.tcp_socket {
            return Some(format!("TCP {}:{}", tcp.host.as_deref().unwrap_or_default(), port(&tcp.port)));
        }
        hook.sleep.as_ref().map(|sleep| format!("sleep {}s", sleep.seconds))
    }

    /// The postStart hooks that failed.
    pub fn failed_post_starts(&self) -> Vec<HookFailure<'_>> {
        self.main_containers().filter_map(|c| self.failed_post_start(c)).collect()
    }

    fn failed_post_start<'f>(&'f self, container: &'f Container) -> Option<HookFailure<'f>> {
        let hook = self.post_start_hook(container)?;
        let waits = container.waiting_reason() == Some("PostStartHookError");
        let event = self.latest_about(container, "FailedPostStartHook");
        let said = match event {
            _ if waits => container.waiting_message(),
            Some(event) if event.message.contains("lifecycle hook") => &event.message,
            Some(_) => "",
            None => return self.killed_at_start(container, hook),
        };
        let ended = container.program_exit();
        let standing = match (&container.state, ended) {
            _ if self.is_going() => Standing::Past,
            _ if waits => Standing::Wrong,
            (State::Running { since }, _) if since.is_some() && event.is_some_and(|e| e.seen_since(*since)) => {
                Standing::Wrong
            }
            (_, Some((exit, _))) if ended_first(exit, event, said) => Standing::Past,
            (_, Some((_, standing))) => standing,
            _ => return None,
        };
        let exit = ended.map(|(exit, _)| exit);
        let certainty = Certainty::Certain;
        Some(HookFailure { container, hook, said: complaint(said), event, exit, certainty, standing })
    }

    /// Where the events are gone: the container is stopped over and over right after its start, by SIGTERM at once or after
    /// just the grace period by SIGKILL, and nothing but its hook makes the kubelet do that.
    fn killed_at_start<'f>(&'f self, container: &'f Container, hook: String) -> Option<HookFailure<'f>> {
        let (exit, standing) = container.program_exit().filter(|(exit, _)| exit.reason != "OOMKilled")?;
        let grace = self.pod.spec.termination_grace_period_seconds.unwrap_or(30);
        let at_once = match (exit.code, exit.lasted()?) {
            (137, lasted) => (grace..=grace.saturating_add(AT_ONCE)).contains(&lasted),
            (143, lasted) => lasted <= AT_ONCE,
            _ => false,
        };
        let probed = container.spec.liveness_probe.is_some() || container.spec.startup_probe.is_some();
        let again = standing == Standing::Wrong && container.restarts() > 1;
        (self.events.is_empty() && at_once && again && !probed).then(|| HookFailure {
            container,
            hook,
            said: String::new(),
            event: None,
            exit: Some(exit),
            certainty: Certainty::Likely,
            standing,
        })
    }

    /// Seconds for which a container's postStart hook has been running. Until it returns, the kubelet goes on to nothing
    /// else: the container was started and still counts as waiting, and those after it are not begun.
    pub fn post_start_running(&self, container: &Container) -> Option<i64> {
        self.post_start_hook(container)?;
        let begun = match &container.state {
            State::Running { since }
                if container.is_started() == Some(false) && container.spec.startup_probe.is_none() =>
            {
                (*since)?
            }
            State::Waiting { reason, .. }
                if ["ContainerCreating", "PodInitializing", "CrashLoopBackOff"].contains(&reason.as_str()) =>
            {
                let started = self.latest_about(container, "Started")?.last?;
                let ended = container.last.as_ref().and_then(|exit| exit.finished);
                ended.is_none_or(|ended| started > ended).then_some(started)?
            }
            _ => return None,
        };
        let over = |reason| self.events.latest(reason).is_some_and(|e| e.seen_since(Some(begun)));
        let returned = ["FailedPostStartHook", "Killing", "SandboxChanged"].into_iter().any(over);
        (!returned && !self.is_going()).then(|| seconds_between(begun, self.now))
    }

    fn latest_about(&self, container: &Container, reason: &str) -> Option<&Event> {
        self.events.iter().find(|e| e.reason == reason && e.container.as_deref() == Some(&container.name))
    }
}

/// Whether the program had ended by itself when its hook failed: the hook runs in the same container and dies with it.
fn ended_first(exit: &Exit, event: Option<&Event>, said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let gone =
        ["container not running", "not running", "no running task", "stopped", "terminated before", "not found in"];
    let own_code = !matches!(exit.code, 0 | 137 | 143);
    let before = exit.finished.is_some() && event.is_some_and(|e| e.seen_since(exit.finished));
    own_code && (before || gone.iter().any(|g| said.contains(g)))
}

/// The part of the kubelet's sentence that says why: what follows `failed - error:`.
fn complaint(said: &str) -> String {
    let why = said.split_once("failed - error: ").map_or(said, |(_, why)| why);
    why.trim().trim_end_matches(", message: \"\"").to_owned()
}

/// A command on one line, cut where it gets long: the evidence has it whole.
pub(in crate::facts) fn short(command: &[String]) -> String {
    const MOST: usize = 80;
    let line = command.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::Case;

    fn hooked(status: Value) -> Case {
        Case::container(status)
            .edit("/spec/containers/0/lifecycle/postStart", json!({"exec": {"command": ["register"]}}))
    }

    fn said(reason: &str, message: &str, time: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{reason}{time}"), "namespace": "n"},
            "reason": reason, "message": message, "lastTimestamp": format!("2026-01-01T{time}Z"), "involvedObject":
                {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u", "fieldPath": "spec.containers{app}"}})
    }

    fn failures(case: &Case) -> Vec<(Standing, Certainty, String)> {
        case.facts(|f| f.failed_post_starts().into_iter().map(|h| (h.standing, h.certainty, h.said)).collect())
    }

    fn running(since: &str) -> Value {
        json!({"started": false, "state": {"running": {"startedAt": format!("2026-01-01T{since}Z")}}})
    }

    #[test]
    fn every_kind_of_hook_is_told_as_in_kubectl_describe() {
        let told = |hook: Value| {
            Case::container(json!({}))
                .edit("/spec/containers/0/lifecycle/postStart", hook)
                .facts(|f| f.post_start_hook(&f.containers[0]))
        };
        assert_eq!(told(json!({"exec": {"command": ["sh", "-c", "x"]}})).as_deref(), Some("exec sh -c x"));
        assert_eq!(told(json!({"httpGet": {"port": 80, "path": "warm"}})).as_deref(), Some("GET http://:80/warm"));
        let tls = json!({"httpGet": {"port": "web", "host": "h", "scheme": "HTTPS", "path": "/x"}});
        assert_eq!(told(tls).as_deref(), Some("GET https://h:web/x"));
        assert_eq!(told(json!({"tcpSocket": {"port": 80, "host": "h"}})).as_deref(), Some("TCP h:80"));
        assert_eq!(told(json!({"sleep": {"seconds": 5}})).as_deref(), Some("sleep 5s"));
        assert_eq!(told(json!({})), None);
    }

    #[test]
    fn a_failure_of_this_run_is_wrong_and_one_of_a_pod_that_goes_is_past() {
        let failed = |time: &str| {
            said("FailedPostStartHook", "Exec lifecycle hook ([register]) for Container \"app\" failed", time)
        };
        let of = |case: Case| failures(&case).first().map(|(standing, ..)| *standing);
        assert_eq!(of(hooked(running("11:50:00")).with(failed("11:51:00"))), Some(Standing::Wrong));
        assert_eq!(
            of(hooked(running("11:50:00")).with(failed("11:49:00"))),
            None,
            "an earlier run's, which left no end"
        );
        assert_eq!(
            of(hooked(json!({"state": {"running": {}}})).with(failed("11:51:00"))),
            None,
            "nobody knows of which"
        );
        let going = hooked(running("11:50:00")).edit("/metadata/deletionTimestamp", json!("2026-01-01T11:59:00Z"));
        assert_eq!(of(going.with(failed("11:51:00"))), Some(Standing::Past));
        let words = failures(&hooked(running("11:50:00")).with(failed("11:51:00")));
        assert!(words[0].2.contains("lifecycle hook"), "{words:?}");
        let bare = failures(&hooked(running("11:50:00")).with(said(
            "FailedPostStartHook",
            "PostStartHook failed",
            "11:51:00",
        )));
        assert_eq!(bare[0].2, "", "that says nothing");
    }

    #[test]
    fn without_events_a_container_that_is_stopped_at_once_again_and_again_has_a_failing_hook() {
        let crashed = |code: i32, finished: &str, restarts: i32| {
            hooked(json!({"restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": code, "reason": "Error", "startedAt": "2026-01-01T11:50:00Z",
                    "finishedAt": format!("2026-01-01T{finished}Z")}}}))
        };
        let likely =
            |case: Case| failures(&case).first().map(|(_, certainty, _)| *certainty) == Some(Certainty::Likely);
        assert!(likely(crashed(143, "11:50:00", 2)) && likely(crashed(137, "11:50:30", 2)));
        assert!(!likely(crashed(143, "11:51:00", 2)), "it had run for a while");
        assert!(!likely(crashed(137, "11:50:00", 2)) && !likely(crashed(1, "11:50:00", 2)));
        assert!(!likely(crashed(143, "11:50:00", 1)), "once can be chance");
        let other = said("Pulled", "x", "11:59:00");
        assert!(!likely(crashed(143, "11:50:00", 2).with(other)), "an event would tell");
        for probe in ["livenessProbe", "startupProbe"] {
            let probed = crashed(143, "11:50:00", 2)
                .edit(&format!("/spec/containers/0/{probe}"), json!({"tcpSocket": {"port": 1}}));
            assert!(!likely(probed), "it may be the {probe}");
        }
    }

    #[test]
    fn a_hook_runs_from_the_start_until_it_returns_or_the_container_is_stopped() {
        let span = |case: Case| case.facts(|f| f.post_start_running(&f.containers[0]));
        assert_eq!(span(hooked(running("11:50:00"))), Some(600));
        assert_eq!(span(Case::container(running("11:50:00"))), None, "there is none");
        let probed =
            hooked(running("11:50:00")).edit("/spec/containers/0/startupProbe", json!({"tcpSocket": {"port": 1}}));
        assert_eq!(span(probed), None, "it may be the probe that is awaited");
        let started = json!({"started": true, "state": {"running": {"startedAt": "2026-01-01T11:50:00Z"}}});
        assert_eq!(span(hooked(started)), None);
        assert_eq!(span(hooked(running("11:50:00")).with(said("Killing", "Stopping container app", "11:51:00"))), None);
        assert_eq!(
            span(hooked(running("11:50:00")).with(said("Killing", "Stopping container app", "11:49:00"))),
            Some(600)
        );
        let waiting = |reason: &str| {
            hooked(json!({"state": {"waiting": {"reason": reason}}})).with(said("Started", "s", "11:58:00"))
        };
        assert_eq!(span(waiting("ContainerCreating")), Some(120));
        assert_eq!(span(waiting("ErrImagePull")), None);
    }

    #[test]
    fn a_hook_does_not_run_in_a_container_that_has_ended_since() {
        let span = |finished: &str| {
            hooked(json!({"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "startedAt": "2026-01-01T11:50:00Z", "finishedAt": format!("2026-01-01T{finished}Z")}}}))
            .with(said("Started", "s", "11:58:00"))
            .facts(|f| f.post_start_running(&f.containers[0]))
        };
        assert_eq!(span("11:57:00"), Some(120));
        assert_eq!(span("11:58:00"), None);
        assert_eq!(span("11:59:00"), None);
    }
}
