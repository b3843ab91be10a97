//! Neither the pod nor the image says what to run.

use super::{finding, image};
use crate::facts::{Facts, Problem, StartFailure};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "CommandMissing",
    stage: Stage::Startup,
    summary: "neither the pod nor the image says what to run",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
A container runs the pod's `command` and `args`, and without them the image's entrypoint and command. Here both are empty.

## Signs
The container waits with CreateContainerError and "no command specified". The API server cannot refuse such a pod, because it
does not look into images.

## Fix
Set `command` in the pod, or build the image with an ENTRYPOINT or a CMD. An image that used to have one was overwritten by an
empty build or a base image; then the older tag is the fix.

## Not this
A command that is there but does not exist in the image is CommandNotFound.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let failures = facts.start_failures();
    failures.iter().filter(|f| f.problem == Problem::NoCommand).map(|f| missing(facts, f)).collect()
}

fn missing(facts: &Facts<'_>, failure: &StartFailure<'_>) -> Finding {
    let container = failure.container;
    let title = container.title();
    let headline = format!("{title} has no command, and image {} does not give it one", image(container));
    finding(facts, failure, headline)
        .because(facts.spec_lacks(container, "command"))
        .remedy(facts.owner.edit(&format!("Set command of {title}")))
        .remedy(Remedy::advice("Build the image with an ENTRYPOINT or a CMD, if the pod is to rely on it."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "CreateContainerError", "message": message}}}))
    }

    #[test]
    fn nothing_to_run_is_told_in_the_words_of_each_runtime() {
        for message in [
            "failed to generate container \"84\" spec: failed to generate spec: no command specified",
            "container create failed: executable path not specified",
        ] {
            let finding = one(case(message).check(&RULE));
            assert_eq!(finding.headline, "container app has no command, and image i does not give it one");
        }
    }

    #[test]
    fn a_command_that_does_not_exist_is_another_matter() {
        none(case("container create failed: executable file `x` not found in $PATH").check(&RULE));
    }
}
