//! The namespace is being deleted, so nothing new is made in it.

use super::refused;
use crate::facts::{Denial, Facts};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "NamespaceTerminating",
    stage: Stage::Creation,
    summary: "the namespace is being deleted, so nothing new can be made in it",
    explains: &["QuotaExceeded", "ServiceAccountMissing", "WebhookUnavailable", "CreationForbidden"],
    check,
    explain: r#"
## Meaning
Someone deleted the namespace. Everything in it goes away, and nothing new is accepted meanwhile. If it stays in this state,
something in it cannot be deleted.

## Signs
The owner's event FailedCreate says `because it is being terminated`.

## Fix
Deploy to another namespace, or wait until this one is gone and make it anew. The namespace's conditions say what still
holds it: remaining objects, finalizers, or an API group that does not answer.

## Not this
A pod that is itself Terminating while its namespace is not has its own reasons.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let namespace = &facts.target.namespace;
    let headline = |denial: &Denial| match denial {
        Denial::NamespaceEnding => {
            Some(format!("namespace {namespace} is being deleted or gone, so no pod is made in it"))
        }
        _ => None,
    };
    let complete = |finding: Finding| {
        finding
            .remedy(Remedy::look(Command::kubectl(["describe", "namespace", namespace])))
            .remedy(Remedy::advice("Deploy to another namespace, or make this one anew once it is gone."))
    };
    refused(facts, headline).into_iter().map(|(_, finding)| complete(finding)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const ENDING: &str =
        "pods \"w\" is forbidden: unable to create new content in namespace n because it is being terminated";

    #[test]
    fn the_namespace_is_named() {
        assert!(one(answered(ENDING).check(&RULE)).headline.starts_with("namespace n is being deleted"));
    }

    #[test]
    fn another_refusal_or_one_that_is_over_is_not_told() {
        none(outlived(ENDING).check(&RULE));
        none(answered("pods \"w\" is forbidden: node selector not allowed").check(&RULE));
    }
}
