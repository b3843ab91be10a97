//! The pod names a ServiceAccount that does not exist.

use super::refused;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ServiceAccountMissing",
    stage: Stage::Creation,
    summary: "the pod names a ServiceAccount that does not exist",
    explains: &[],
    check,
    explain: r#"
## Meaning
Every pod runs under a ServiceAccount, and the API server makes no pod for one that is not there. For `default`, which the
cluster makes by itself, the namespace is only seconds old or kube-controller-manager does not run.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `error looking up service account … not found`.

## Fix
Correct the name in the pod template (`spec.serviceAccountName`), or make the ServiceAccount.

## Not this
A ServiceAccount without rights exists: its pod is made and gets refusals of its own. A missing pull secret is
PullSecretMissing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::ServiceAccount(name) => Some(format!("ServiceAccount {name} does not exist, so no pod can be made")),
        _ => None,
    };
    refused(facts, headline).into_iter().map(|(refusal, finding)| complete(facts, &refusal, finding)).collect()
}

fn complete(facts: &Facts<'_>, refusal: &Refusal, finding: Finding) -> Finding {
    let Denial::ServiceAccount(name) = &refusal.denial else { return finding };
    let near = facts.close_names("ServiceAccount", name);
    let correct = match near.is_empty() {
        true => "Correct the name in the pod template".to_owned(),
        false => format!("Correct the name in the pod template; there is {}", near.join(", ")),
    };
    finding
        .because(facts.cite_missing("ServiceAccount", name))
        .because(facts.cite_template("serviceAccountName"))
        .remedy(facts.owner.edit(&correct))
        .remedy(Remedy::change("Or make it:", facts.kubectl(["create", "serviceaccount", name])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const ANSWER: &str =
        "pods \"w-\" is forbidden: error looking up service account n/web-sa: serviceaccount \"web-sa\" not found";

    #[test]
    fn the_missing_object_is_named() {
        let finding = one(answered(ANSWER).check(&RULE));
        assert!(finding.headline.starts_with("ServiceAccount web-sa does not exist"), "{}", finding.headline);
        assert!(finding.evidence.len() > 1);
    }

    #[test]
    fn what_has_been_made_since_or_is_refused_otherwise_is_not_told() {
        none(outlived(ANSWER).check(&RULE));
        none(answered("pods \"w\" is forbidden: node selector not allowed here").check(&RULE));
    }
}
