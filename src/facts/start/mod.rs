//! Containers that could not be created or started, and programs that could not be run: what was really said.

mod hook;
mod message;
mod output;
mod problem;

pub use hook::HookFailure;
pub(in crate::facts) use hook::short;
pub use problem::{Lack, Mechanism, Problem, User};

use super::pulls::is_pull_word;
use super::{Container, Ending, Event, Evidence, Exit, Facts, State};
use crate::finding::{Certainty, Standing};

/// The kubelet's words for a container whose creation or start failed. Source: `pkg/kubelet/kuberuntime`; the last two are
/// those of kubelets before 1.20.
const FAILED: [&str; 8] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "StartError",
    "RunInitContainerError",
    "VerifyNonRootError",
];

/// The kubelet's words for a container that waits for something else than its own start and has been made before: its next
/// try, its hook.
const NO_FAILURE: [&str; 3] = ["CrashLoopBackOff", "RestartingAllContainers", "PostStartHookError"];

/// A container that could not be started, or whose program could not be run.
#[derive(Debug, Clone)]
pub struct StartFailure<'f> {
    /// The container.
    pub container: &'f Container,
    /// Why.
    pub problem: Problem,
    /// The whole message or line that says so; empty if nothing but an exit code does.
    pub message: String,
    /// How sure that is.
    pub certainty: Certainty,
    /// Whether it still keeps the container from running.
    pub standing: Standing,
    /// How the program ended, if the runtime could start the container.
    pub exit: Option<&'f Exit>,
    /// Where it was read.
    pub evidence: Vec<Evidence>,
}

impl Facts<'_> {
    /// The containers that could not be started, each with the one reason that was read for it.
    pub fn start_failures(&self) -> Vec<StartFailure<'_>> {
        self.main_containers().filter_map(|c| self.not_started(c).or_else(|| self.not_run(c))).collect()
    }

    /// Whether what keeps a container from running matters no more, because the whole pod is going or has been given up.
    pub fn is_going(&self) -> bool {
        super::is_at_its_end(&self.pod)
    }

    /// The file that a container is told to run; the image decides if the pod does not say.
    pub fn command_of<'c>(&self, container: &'c Container) -> Option<&'c str> {
        container.spec.command.as_ref()?.first().map(String::as_str)
    }

    /// The kubelet or the runtime says that it could not create or start the container.
    fn not_started<'f>(&'f self, container: &'f Container) -> Option<StartFailure<'f>> {
        let failure = |message: &str, config, standing, evidence: Vec<Evidence>| {
            Some(StartFailure {
                container,
                problem: message::read(message, config),
                message: message.to_owned(),
                certainty: Certainty::Certain,
                standing,
                exit: None,
                evidence,
            })
        };
        if let State::Waiting { reason, message } = &container.state
            && !container.state.is_unmade()
            && !NO_FAILURE.contains(&reason.as_str())
            && !is_pull_word(reason)
        {
            let standing = if self.is_going() { Standing::Past } else { Standing::Wrong };
            let config = matches!(reason.as_str(), "CreateContainerConfigError" | "VerifyNonRootError");
            let word = self.cite_status(container, &["state", "waiting", "reason"]);
            if !FAILED.contains(&reason.as_str()) {
                // A word of another version, or the whole error in its place: it is quoted.
                let said =
                    self.cite_status(container, &["state", "waiting", "message"]).filter(|_| !message.is_empty());
                let whole = if message.is_empty() { reason.clone() } else { format!("{reason}: {message}") };
                let failure = failure(&whole, config, standing, word.into_iter().chain(said).collect());
                return failure.map(|f| StartFailure { certainty: Certainty::Likely, ..f });
            }
            if !message.is_empty() {
                let said = self.cite_status(container, &["state", "waiting", "message"]);
                return failure(message, config, standing, word.into_iter().chain(said).collect());
            }
            let event = self.failed_start_event(container);
            let message = event.map_or("", |e| e.message.trim_start_matches("Error: "));
            return failure(message, config, standing, word.into_iter().chain(event.map(Event::cite)).collect());
        }
        let (exit, standing) = container.exit().filter(|(exit, _)| exit.is_start_failure())?;
        let cite = |field| self.cite_exit(container, exit, field);
        if !exit.message.is_empty() {
            return failure(
                &exit.message,
                false,
                standing,
                cite("reason").into_iter().chain(cite("message")).collect(),
            );
        }
        let event = self.failed_start_event(container);
        let message = event.map_or("", |e| e.message.trim_start_matches("Error: "));
        failure(message, false, standing, cite("reason").into_iter().chain(event.map(Event::cite)).collect())
    }

    /// The latest event about a failed start of that container, if it is not about its image.
    fn failed_start_event(&self, container: &Container) -> Option<&Event> {
        let about_image = |e: &Event| {
            let text = e.message.trim_start_matches("Error: ");
            text.starts_with("Failed to pull") || text.starts_with("ErrImage") || text.starts_with("ImagePull")
        };
        self.events.with(&["Failed"]).find(|e| e.container.as_deref() == Some(&container.name) && !about_image(e))
    }

    /// The container started, and what it was told to run could not be run: exit codes 126 and 127, and what its log or its
    /// termination message says.
    fn not_run<'f>(&'f self, container: &'f Container) -> Option<StartFailure<'f>> {
        let (exit, standing) = container.program_exit().filter(|(exit, _)| exit.code != 0)?;
        let code = self.cite_exit(container, exit, "exitCode");
        let failure = |problem, message: &str, certainty, evidence: Option<Evidence>| {
            Some(StartFailure {
                container,
                problem,
                message: message.to_owned(),
                certainty,
                standing,
                exit: Some(exit),
                evidence: code.clone().into_iter().chain(evidence).collect(),
            })
        };
        let words = self.last_words(container, exit);
        let told = words.iter().flat_map(|w| w.lines.iter().rev().map(move |line| (w, line.as_str())));
        for (words, line) in told {
            if let Some(problem) = output::read(line, exit.code) {
                return failure(problem, line.trim(), Certainty::Certain, words.cite_line(line));
            }
        }
        let problem = match (exit.code, self.ending(container, exit)) {
            (127, Ending::Own) => Problem::NotFound { command: String::new(), lacks: Lack::File },
            (126, Ending::Own) => Problem::NotExecutable { command: String::new(), directory: false },
            _ => return None,
        };
        failure(problem, "", Certainty::Likely, None)
    }

    /// That a container's spec does not have a field.
    pub fn spec_lacks(&self, container: &Container, field: &str) -> Option<Evidence> {
        self.cite_absence(&["spec", container.spec_list(), &container.name, field])
    }
}

impl StartFailure<'_> {
    /// Whether the script's interpreter is not found because the script was saved with Windows line ends.
    pub fn has_carriage_return(&self) -> bool {
        output::has_carriage_return(&self.message)
    }

    /// The container's mount that lies over the given path and so hides what the image has there: its volume and its path.
    pub fn hidden_by(&self, path: &str) -> Option<(&str, &str)> {
        let over = |mount: &str| {
            let mount = mount.trim_end_matches('/');
            path == mount || path.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/'))
        };
        let mounts = self.container.spec.volume_mounts.iter().flatten().filter(|m| over(&m.mount_path));
        mounts.max_by_key(|m| m.mount_path.len()).map(|m| (m.name.as_str(), m.mount_path.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::Case;

    fn waiting(reason: &str, message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
    }

    fn failures(case: &Case) -> Vec<(String, Certainty, usize)> {
        case.facts(|f| f.start_failures().into_iter().map(|s| (s.message, s.certainty, s.evidence.len())).collect())
    }

    #[test]
    fn a_word_of_another_version_is_quoted_with_what_stands_beside_it() {
        assert_eq!(failures(&waiting("NewWordError", "no")), [("NewWordError: no".to_owned(), Certainty::Likely, 2)]);
        assert_eq!(failures(&waiting("NewWordError", "")), [("NewWordError".to_owned(), Certainty::Likely, 1)]);
        assert_eq!(failures(&waiting("CreateContainerError", "no")), [("no".to_owned(), Certainty::Certain, 2)]);
        assert!(
            failures(&waiting("CrashLoopBackOff", "no")).is_empty()
                && failures(&waiting("ErrImagePull", "no")).is_empty()
        );
    }

    #[test]
    fn where_the_status_has_no_message_the_event_about_the_start_has_it() {
        let of = |container: &str, message: &str| {
            failures(&waiting("CreateContainerError", "").event("Failed", container, message)).remove(0).0
        };
        assert_eq!(of("app", "Error: failed to create it"), "failed to create it");
        assert_eq!(of("other", "Error: failed to create it"), "");
        for image in ["Error: ErrImagePull", "Error: ImagePullBackOff", "Failed to pull image \"i\": no"] {
            assert_eq!(of("app", image), "", "{image}");
        }
    }

    #[test]
    fn codes_126_and_127_say_that_the_command_could_not_be_run() {
        let of = |code: i32| {
            let end = json!({"terminated": {"exitCode": code, "reason": "Error", "startedAt": "2026-01-01T11:58:00Z"}});
            Case::container(
                json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": end}),
            )
            .edit("/spec/containers/0/command", json!(["run", "-x"]))
            .facts(|f| {
                assert_eq!(f.command_of(&f.containers[0]), Some("run"));
                f.start_failures().into_iter().map(|s| s.problem).next()
            })
        };
        assert_eq!(of(126), Some(Problem::NotExecutable { command: String::new(), directory: false }));
        assert_eq!(of(127), Some(Problem::NotFound { command: String::new(), lacks: Lack::File }));
        assert_eq!(of(1), None);
        Case::container(json!({})).facts(|f| assert_eq!(f.command_of(&f.containers[0]), None));
    }

    #[test]
    fn a_windows_line_end_shows_in_the_interpreters_name() {
        let carried = |message: &str| {
            waiting("CreateContainerError", message).facts(|f| f.start_failures().remove(0).has_carriage_return())
        };
        assert!(carried("exec /run.sh: env: 'bash\\r': No such file or directory"));
        assert!(!carried("exec /run.sh: no such file or directory"));
    }
}
