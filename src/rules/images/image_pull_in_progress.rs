//! The pull is running.

use super::node_name;
use crate::facts::Facts;
use crate::facts::time::{human, seconds_between};
use crate::finding::{Certainty, Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImagePullInProgress",
    stage: Stage::Images,
    summary: "the image is being pulled",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The kubelet has asked for the image, and neither success nor failure has been reported since. By default a kubelet pulls one
image after the other (serializeImagePulls) and reports the pull before its turn has come, so a small image can wait for a
large one of another pod on the node; the later Pulled event counts both times.

## Signs
The event Pulling without a later Pulled or Failed, while the container waits with ContainerCreating or PodInitializing.

## Fix
Wait. A pull that takes longer than a quarter of an hour (a rule of thumb) deserves a look at the size of the image, the
node's disk and the way to the registry.

## Not this
Events are gone after an hour; then nobody can see from outside whether a pull runs.
"#,
};

/// Seconds after which a pull is no longer usual; a rule of thumb.
const LONG: i64 = 15 * 60;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pulls = facts.running_pulls();
    let found = pulls.iter().map(|pull| {
        let seconds = seconds_between(pull.since, facts.now);
        let headline = format!(
            "{} has been pulling image {} for {} for {}",
            node_name(facts),
            pull.image,
            pull.container.title(),
            human(seconds)
        );
        let finding = Finding::new(facts.subject_of(pull.container), headline)
            .because(pull.event.cite())
            .because(facts.cite_status(pull.container, &["state", "waiting", "reason"]))
            .remedy(facts.look(["events", "--for", &format!("pod/{}", facts.pod.name)]));
        match seconds {
            ..=LONG => finding.standing(Standing::InProgress),
            _ => finding.certainty(Certainty::Likely),
        }
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn pulling() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}})).event(
            "Pulling",
            "app",
            "Pulling image \"i\"",
        )
    }

    #[test]
    fn a_pull_without_end_is_on_its_way() {
        let finding = one(pulling().check(&RULE));
        assert_eq!(finding.standing, Standing::InProgress);
        assert!(finding.headline.contains("for container app for 60s"), "{}", finding.headline);
    }

    #[test]
    fn a_pull_that_ended_either_way_is_not_in_progress() {
        none(pulling().event("Pulled", "app", "Successfully pulled image \"i\" in 2s").check(&RULE));
        none(pulling().event("Failed", "app", "Failed to pull image \"i\": manifest unknown").check(&RULE));
    }

    #[test]
    fn a_container_that_waits_without_such_an_event_is_not_claimed_to_pull() {
        none(Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}})).check(&RULE));
    }
}
