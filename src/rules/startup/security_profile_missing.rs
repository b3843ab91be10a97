//! What is to confine the container cannot be applied on the node.

use super::finding;
use crate::facts::{Evidence, Facts, Mechanism, Problem, StartFailure};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SecurityProfileMissing",
    stage: Stage::Startup,
    summary: "a seccomp, AppArmor, SELinux or capability setting cannot be applied on the node",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The pod asks for a profile that the node has to have already: a seccomp profile of type Localhost is a file below
`/var/lib/kubelet/seccomp`, an AppArmor profile is loaded into the kernel. Nothing in Kubernetes brings it there. Or the
kernel does not support what is asked for.

## Signs
The container waits with CreateContainerError or RunContainerError, and the message names seccomp, AppArmor, SELinux or a
capability.

## Fix
Put the profile onto every node on which the pod can run (the Security Profiles Operator does that), or bind the pod to nodes
that have it, or use RuntimeDefault. A name that is mistyped looks the same as a profile that is missing.

## Not this
A profile that is applied and then forbids the program something shows as the program's own error.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::SecurityProfile(mechanism) = failure.problem {
            found.push(missing(facts, &failure, mechanism));
        }
    }
    found
}

fn missing(facts: &Facts<'_>, failure: &StartFailure<'_>, mechanism: Mechanism) -> Finding {
    let container = failure.container;
    let title = container.title();
    let (what, field, it) = match mechanism {
        Mechanism::Seccomp => ("seccomp profile", "seccompProfile", "it"),
        Mechanism::AppArmor => ("AppArmor profile", "appArmorProfile", "it"),
        Mechanism::SELinux => ("SELinux label", "seLinuxOptions", "it"),
        Mechanism::Capabilities => ("capabilities", "capabilities", "them"),
    };
    let own = |steps: &[&str]| {
        let in_container = facts.cite_spec(container, &[&["securityContext", field], steps].concat());
        in_container.or_else(|| facts.cite(&[&["spec", "securityContext", field], steps].concat()))
    };
    let profile = own(&["localhostProfile"]);
    let name = profile.as_ref().and_then(Evidence::value).map_or_else(String::new, |value| format!(" {value}"));
    let node = facts.pod.node_name().unwrap_or("the node");
    let absent =
        ["no such file", "not found", "unknown"].iter().any(|w| failure.message.to_ascii_lowercase().contains(w));
    let why = if absent && profile.is_some() {
        format!("{node} does not have {it}")
    } else {
        format!("{node} cannot apply {it}")
    };
    let bring = (!name.is_empty()).then(|| {
        Remedy::advice(format!("Put the {what}{name} onto {node} and every other node on which the pod can run."))
    });
    finding(facts, failure, format!("{title} asks for {what}{name}, and {why}"))
        .because(profile.or_else(|| own(&["type"])).or_else(|| own(&[])))
        .remedy(bring)
        .remedy(
            facts
                .owner
                .edit(&format!("Correct securityContext.{field} of {title}, or leave it to the runtime's default")),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "CreateContainerError", "message": message}}}))
            .edit("/spec/nodeName", json!("node-1"))
    }

    const ABSENT: &str = "failed to create containerd container: cannot load seccomp profile \"/var/lib/kubelet/seccomp/a.json\": open /var/lib/kubelet/seccomp/a.json: no such file or directory";

    #[test]
    fn a_profile_that_the_node_lacks_is_named_from_the_container_or_the_pod() {
        let profile = json!({"type": "Localhost", "localhostProfile": "a.json"});
        for place in ["/spec/containers/0/securityContext/seccompProfile", "/spec/securityContext/seccompProfile"] {
            let finding = one(case(ABSENT).edit(place, profile.clone()).check(&RULE));
            assert_eq!(finding.headline, "container app asks for seccomp profile a.json, and node-1 does not have it");
        }
    }

    #[test]
    fn capabilities_that_cannot_be_given_belong_here() {
        let finding = one(case("runc create failed: unable to apply caps: operation not permitted").check(&RULE));
        assert_eq!(finding.headline, "container app asks for capabilities, and node-1 cannot apply them");
    }

    #[test]
    fn a_missing_command_is_no_missing_profile() {
        none(case(r#"exec: "/app": stat /app: no such file or directory"#).check(&RULE));
    }
}
