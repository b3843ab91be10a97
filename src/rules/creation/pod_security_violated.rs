//! The namespace's Pod Security level refuses the pod.

use super::refused;
use crate::facts::{Denial, Facts};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PodSecurityViolated",
    stage: Stage::Creation,
    summary: "the namespace's Pod Security level refuses the pod",
    explains: &[],
    check,
    explain: r#"
## Meaning
The namespace enforces a Pod Security level (`baseline` or `restricted`), or the cluster has PodSecurityPolicies (before
1.25) or SecurityContextConstraints (OpenShift), and the pod's security settings are not allowed by them.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `violates PodSecurity`, `PodSecurityPolicy: unable to
admit pod` or `unable to validate against any security context constraint`, and lists every setting that is at fault.

## Fix
Change the settings that are listed: `runAsNonRoot: true`, `allowPrivilegeEscalation: false`, drop all capabilities, a seccomp
profile of type RuntimeDefault. A pod that needs more belongs in a namespace of another level.

## Not this
A container that the kubelet refuses because its image runs as root exists (RunAsRootForbidden). A policy of one's own is
WebhookDenied.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::PodSecurity { level, violations } => {
            Some(format!("the pod violates {}: {}", title(level), names(violations)))
        }
        _ => None,
    };
    let namespace = &facts.target.namespace;
    let complete = |finding: Finding| {
        finding
            .because(facts.cite_pod_security())
            .remedy(Remedy::look(crate::finding::Command::kubectl(["describe", "namespace", namespace])))
            .remedy(facts.owner.edit("Change the security settings that are listed"))
            .remedy(Remedy::advice(format!(
                "A pod that needs them belongs in a namespace that allows them; namespace {namespace} does not."
            )))
    };
    refused(facts, headline).into_iter().map(|(_, finding)| complete(finding)).collect()
}

/// A level of Pod Security is written with its version; other mechanisms by their own name.
fn title(level: &str) -> String {
    if level.contains(':') { format!("Pod Security level {level}") } else { format!("the {level}") }
}

/// The violations without their details, which the evidence has in full: `NAME (DETAIL), NAME (DETAIL)`.
fn names(violations: &str) -> String {
    let name = |part: &str| part.split_once(" (").map(|(name, _)| name.to_owned());
    let all: Option<Vec<String>> = violations.split("), ").map(name).collect();
    all.map_or_else(|| violations.to_owned(), |all| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const VIOLATES: &str = "pods \"n\" is forbidden: violates PodSecurity \"restricted:v1.30\": privileged (container \"app\" \
        must not set securityContext.privileged=true)";

    #[test]
    fn level_and_settings_are_told() {
        let headline = one(answered(VIOLATES).check(&RULE)).headline;
        assert_eq!(headline, "the pod violates Pod Security level restricted:v1.30: privileged");
    }

    #[test]
    fn older_mechanisms_count_too() {
        let error =
            "pods \"w-\" is forbidden: unable to validate against any security context constraint: [provider anyuid]";
        assert!(one(answered(error).check(&RULE)).headline.contains("security context constraints"));
    }

    #[test]
    fn a_webhook_that_speaks_of_security_is_not_pod_security() {
        none(answered("admission webhook \"psp.example.com\" denied the request: privileged").check(&RULE));
        none(outlived(VIOLATES).check(&RULE));
    }
}
