//! The API server did not make the pod, for a reason that no other rule knows.

use super::refused;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "CreationForbidden",
    stage: Stage::Creation,
    summary: "the API server does not make the pod; its answer is quoted",
    explains: &[],
    check,
    explain: r#"
## Meaning
The API server answered the controller's request for a pod with an error: the template is invalid, the controller has no
right, an admission plugin refuses it, the predecessor of the same name is still there, or the API server had a fault that
passes.

## Signs
The owner's event FailedCreate or ReplicaSetCreateError, or its condition ReplicaFailure. The answer is quoted in full.

## Fix
It follows from the answer. A fault that passes needs nothing: the controller tries again, at intervals that grow to about
16 minutes.

## Not this
Quotas, LimitRanges, Pod Security, webhooks, policies and missing ServiceAccounts or classes have reasons of their own.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::Other => Some("the API server refuses to make the pod".to_owned()),
        Denial::Passing => Some("the API server could not make the pod, a fault that passes".to_owned()),
        Denial::Predecessor(name) => Some(format!("the pod cannot be made while its predecessor {name} still exists")),
        _ => None,
    };
    refused(facts, headline).into_iter().map(|(refusal, finding)| complete(facts, &refusal, finding)).collect()
}

fn complete(facts: &Facts<'_>, refusal: &Refusal, mut finding: Finding) -> Finding {
    match &refusal.denial {
        Denial::Passing => finding.remedy(Remedy::advice(
            "Wait: the controller tries again by itself. If it stays, the control plane is at fault, not the pod.",
        )),
        Denial::Predecessor(_) => {
            finding.remedy(Remedy::advice("See what keeps the predecessor; ask for that pod by its name."))
        }
        _ => {
            finding.headline = format!("{}: {}", finding.headline, refusal.message);
            finding.remedy(facts.owner.edit("Change what the answer names"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    #[test]
    fn an_answer_that_no_other_rule_knows_is_quoted_whole() {
        let error = "Pod \"w\" is invalid: spec.containers[0].resources.requests: Invalid value: \"2\"";
        assert!(one(answered(error).check(&RULE)).headline.ends_with(error));
        none(outlived(error).check(&RULE));
    }

    #[test]
    fn a_predecessor_that_is_still_there_is_named() {
        let headline = one(answered("object is being deleted: pods \"db-0\" already exists").check(&RULE)).headline;
        assert!(headline.contains("predecessor db-0"), "{headline}");
    }

    #[test]
    fn a_quota_has_its_own_reason() {
        none(
            answered("pods \"w\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1")
                .check(&RULE),
        );
    }
}
