//! The kubelet cannot build a container's configuration, and no other rule knows why.

use super::finding;
use crate::facts::{Facts, Problem, StartFailure};
use crate::finding::{Certainty, Finding, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ContainerConfigInvalid",
    stage: Stage::Startup,
    summary: "the container's configuration cannot be built, for a reason that the kubelet gives",
    explains: &[],
    check,
    explain: r#"
## Meaning
Before the kubelet asks the runtime for a container it puts the configuration together: environment, mounts, user. That
failed, for a reason that has no rule of its own and is quoted: an environment file without the key, a `subPathExpr` with a
variable that `env` does not define, a field that does not exist, an image whose user is not in its own `/etc/passwd`.

## Signs
The container waits with CreateContainerConfigError; the message is the whole reason. The kubelet tries again by itself.

## Fix
What the message names. "failed to sync … cache" and "services have not yet been read" pass without help, unless the kubelet
has lost the API server.

## Not this
A ConfigMap, a Secret or a key that is not there has a reason of its own, as has runAsNonRoot.
"#,
};

/// For so long after the pod's creation a kubelet that has not read something yet is left to itself, in seconds: a rule of
/// thumb.
const PATIENCE: i64 = 300;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.start_failures().iter().filter_map(|f| invalid(facts, f)).collect()
}

fn invalid(facts: &Facts<'_>, failure: &StartFailure<'_>) -> Option<Finding> {
    let title = failure.container.title();
    let logs = facts.look(["describe", "pod", &facts.pod.name]);
    match failure.problem {
        Problem::Config => {
            let headline = match failure.message.trim() {
                "" => format!("{title} cannot be configured, and neither its status nor an event says why"),
                said => format!("{title} cannot be configured: {said}"),
            };
            let change = format!("Correct what the message names in the spec of {title}");
            Some(finding(facts, failure, headline).remedy(logs).remedy(facts.owner.edit(&change)))
        }
        Problem::NotYet => {
            let headline = format!("the kubelet has not yet read what {title} needs: {}", failure.message.trim());
            let young = facts.pod.age(facts.now).is_some_and(|age| age < PATIENCE);
            let standing = if young { Standing::InProgress } else { failure.standing };
            Some(finding(facts, failure, headline).certainty(Certainty::Likely).standing(standing).remedy(logs))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": message}}}))
    }

    #[test]
    fn an_unknown_reason_is_quoted() {
        let finding = one(case("missing value for \"POD_NAME\"").check(&RULE));
        assert_eq!(finding.headline, "container app cannot be configured: missing value for \"POD_NAME\"");
    }

    #[test]
    fn what_other_rules_know_is_left_to_them() {
        for message in [
            "configmap \"api-env\" not found",
            "secret \"api-db\" not found",
            "couldn't find key db_host in ConfigMap n/api-env",
            "container has runAsNonRoot and image will run as root",
        ] {
            none(case(message).check(&RULE));
        }
    }

    #[test]
    fn a_young_pod_is_given_time_to_have_its_caches_filled() {
        let message = "failed to sync secret cache: timed out waiting for the condition";
        assert_eq!(one(case(message).check(&RULE)).standing, Standing::Wrong);
        let young = case(message).edit("/metadata/creationTimestamp", json!("2026-01-01T11:59:00Z"));
        assert_eq!(one(young.check(&RULE)).standing, Standing::InProgress);
    }
}
