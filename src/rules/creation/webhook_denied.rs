//! An admission webhook or policy said no.

use super::refused;
use crate::facts::{Denial, Facts};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "WebhookDenied",
    stage: Stage::Creation,
    summary: "an admission webhook or policy denied the pod",
    explains: &[],
    check,
    explain: r#"
## Meaning
The cluster has a rule of its own about pods, and this pod breaks it. The rule is in an admission webhook (Kyverno,
Gatekeeper, a signature check) or in a ValidatingAdmissionPolicy.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `admission webhook … denied the request` or
`ValidatingAdmissionPolicy … denied request`. What follows are the rule's own words.

## Fix
Change what the message names, or talk to whoever owns the rule. A rule that was added later stops the next pod of a Deployment
that has long been running.

## Not this
A webhook that could not be called at all is WebhookUnavailable. Kubernetes' own levels are PodSecurityViolated.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::Denied { by, why } if why.is_empty() => Some(format!("{by} denied the pod and gives no reason")),
        Denial::Denied { by, why } => Some(format!("{by} denied the pod: {why}")),
        _ => None,
    };
    let complete = |finding: Finding| {
        finding.remedy(facts.owner.edit("Change what the message names")).remedy(Remedy::advice(
            "Or ask whoever owns the webhook or policy for an exception; it holds for every pod like this one.",
        ))
    };
    refused(facts, headline).into_iter().map(|(_, finding)| complete(finding)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    #[test]
    fn the_rules_own_words_are_told() {
        let headline =
            one(answered("admission webhook \"v.gatekeeper.sh\" denied the request: [owner] no label").check(&RULE))
                .headline;
        assert_eq!(headline, "webhook v.gatekeeper.sh denied the pod: [owner] no label");
    }

    #[test]
    fn a_policy_of_the_api_server_is_told_by_name() {
        let error =
            "pods \"w\" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'prod' denied request: no tag";
        assert_eq!(one(answered(error).check(&RULE)).headline, "policy no-latest denied the pod: no tag");
        none(outlived(error).check(&RULE));
    }

    #[test]
    fn a_webhook_that_does_not_answer_has_denied_nothing() {
        none(answered("Internal error occurred: failed calling webhook \"w\": EOF").check(&RULE));
    }
}
