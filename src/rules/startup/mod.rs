//! A container could not be configured, created or started, or its turn has not come.

mod command_missing;
mod command_not_executable;
mod command_not_found;
mod container_config_invalid;
mod container_start_failed;
mod exec_format_error;
mod init_container_failed;
mod init_container_running;
mod mount_target_invalid;
mod post_start_hook_failed;
mod post_start_hook_running;
mod run_as_root_forbidden;
mod security_profile_missing;
mod sidecar_not_started;
mod working_dir_invalid;

use super::Rule;
use crate::facts::{Container, Evidence, Facts, Role, StartFailure, State};
use crate::finding::Finding;

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    run_as_root_forbidden::RULE,
    container_config_invalid::RULE,
    command_missing::RULE,
    command_not_found::RULE,
    command_not_executable::RULE,
    exec_format_error::RULE,
    working_dir_invalid::RULE,
    mount_target_invalid::RULE,
    security_profile_missing::RULE,
    container_start_failed::RULE,
    init_container_failed::RULE,
    init_container_running::RULE,
    sidecar_not_started::RULE,
    post_start_hook_failed::RULE,
    post_start_hook_running::RULE,
];

/// What follows from a container that could not be started.
const SYMPTOMS: &[&str] = &["InitContainerFailed", "JobBackoffLimitExceeded"];

/// A finding about a container that could not be started, with what says so.
fn finding(facts: &Facts<'_>, failure: &StartFailure<'_>, headline: String) -> Finding {
    Finding::new(facts.subject_of(failure.container), headline)
        .certainty(failure.certainty)
        .standing(failure.standing)
        .because(failure.evidence.iter().cloned())
}

/// The image of a container, as the end of a sentence.
fn image(container: &Container) -> &str {
    container.spec.image.as_deref().unwrap_or("without a name")
}

/// What the pod tells the container to run, cited.
fn command_evidence(facts: &Facts<'_>, container: &Container) -> Vec<Evidence> {
    ["command", "args"].iter().filter_map(|field| facts.cite_spec(container, &[field])).collect()
}

/// That a mount lies over a path and hides what the image has there, with the mount.
fn hidden(facts: &Facts<'_>, failure: &StartFailure<'_>, path: &str) -> Vec<Evidence> {
    let Some((volume, mount)) = failure.hidden_by(path) else { return Vec::new() };
    let say = format!("volume {volume} is mounted at {mount} and hides what the image has there");
    let field = facts.cite_spec(failure.container, &["volumeMounts", mount, "mountPath"]);
    field.into_iter().chain([Evidence::derived(say)]).collect()
}

/// The containers that wait for an init container or a sidecar, as the end of a sentence: `container app waits for it`.
fn waiting_for(facts: &Facts<'_>, container: &Container) -> String {
    let after = facts.main_containers().skip_while(|c| c.name != container.name).skip(1);
    let waiting: Vec<String> = after
        .filter(|c| c.role != Role::Ephemeral && matches!(c.state, State::Waiting { .. } | State::Unreported))
        .map(Container::title)
        .collect();
    match waiting.len() {
        0 => String::new(),
        1 => format!("{} waits for it", waiting.join("")),
        n if n <= 4 => format!("{} wait for it", waiting.join(", ")),
        n => format!("{n} containers wait for it"),
    }
}
