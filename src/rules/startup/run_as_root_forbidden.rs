//! `runAsNonRoot` is set, and the container would run as root or as a user that cannot be checked.

use super::{finding, image};
use crate::facts::{Facts, Problem, StartFailure, User};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RunAsRootForbidden",
    stage: Stage::Startup,
    summary: "runAsNonRoot forbids the container's user: root, or a user name that cannot be checked",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
`runAsNonRoot: true` makes the kubelet check the user before it creates the container. It refuses root; it also refuses a user
that the image gives by name, because only a number can be checked without looking into the image.

## Signs
The container waits with CreateContainerConfigError and a message that begins "container has runAsNonRoot".

## Fix
Set `securityContext.runAsUser` to the number of a user other than 0 that can read what the image needs, or give the image a
numeric `USER`. An image that is built to run as root needs another image, rather than a weaker policy.

## Not this
A pod that the API server refuses for the same reason was never created: PodSecurityViolated.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::RootForbidden(user) = &failure.problem {
            found.push(forbidden(facts, &failure, user));
        }
    }
    found
}

fn forbidden(facts: &Facts<'_>, failure: &StartFailure<'_>, user: &User) -> Finding {
    let container = failure.container;
    let title = container.title();
    let headline = match user {
        User::ImageRoot => format!("{title} has runAsNonRoot, and image {} runs as root", image(container)),
        User::Named(name) => format!(
            "{title} has runAsNonRoot, and image {} names its user ({name}) instead of giving a number that can be checked",
            image(container)
        ),
        User::PodRoot => format!("{title} has runAsNonRoot, and the pod itself sets runAsUser to 0, which is root"),
        User::Other(user) => format!("{title} has runAsNonRoot, and its user {user} is none that it allows"),
    };
    let own = |field| facts.cite_spec(container, &["securityContext", field]);
    let pods = |field| facts.cite(&["spec", "securityContext", field]);
    let change = match user {
        User::Named(name) => {
            format!("Set securityContext.runAsUser of {title} to the number that user {name} has in the image")
        }
        _ => format!("Set securityContext.runAsUser of {title} to the number of a user other than 0"),
    };
    finding(facts, failure, headline)
        .because(own("runAsNonRoot").or_else(|| pods("runAsNonRoot")))
        .because(own("runAsUser").or_else(|| pods("runAsUser")))
        .remedy(facts.owner.edit(&change))
        .remedy(Remedy::advice("Give the image a numeric user (for example USER 1000), if the pod is to rely on it."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(message: &str) -> Case {
        let waiting = json!({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": message}}});
        Case::container(waiting).edit("/spec/securityContext/runAsNonRoot", json!(true))
    }

    #[test]
    fn root_is_refused_from_wherever_it_comes() {
        let image = case("container has runAsNonRoot and image will run as root (pod: \"p_n(u)\", container: app)");
        assert_eq!(one(image.check(&RULE)).headline, "container app has runAsNonRoot, and image i runs as root");
        let pod = case("container's runAsUser breaks non-root policy (pod: \"p_n(u)\", container: app)");
        assert!(one(pod.check(&RULE)).headline.contains("sets runAsUser to 0"));
    }

    #[test]
    fn a_named_user_needs_a_number() {
        let named =
            case("container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root");
        assert!(one(named.check(&RULE)).headline.contains("names its user (web)"));
    }

    #[test]
    fn a_missing_config_map_is_another_matter() {
        none(case("configmap \"runAsNonRoot\" not found").check(&RULE));
    }

    #[test]
    fn a_pod_that_is_going_no_longer_needs_a_user() {
        let case = case("container has runAsNonRoot and image will run as root");
        none(case.edit("/metadata/deletionTimestamp", json!("2026-01-01T12:00:10Z")).check(&RULE));
    }
}
