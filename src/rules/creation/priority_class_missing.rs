//! The pod names a PriorityClass that does not exist.

use super::refused;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "PriorityClassMissing",
    stage: Stage::Creation,
    summary: "the pod names a PriorityClass that does not exist",
    explains: &[],
    check,
    explain: r#"
## Meaning
The pod template names a PriorityClass, and the API server makes no pod with a class that is not there.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `no PriorityClass with name … was found`.

## Fix
Correct the name in the pod template (`spec.priorityClassName`), or make the PriorityClass.

## Not this
A class that exists but is not permitted in this namespace is CreationForbidden or QuotaExceeded.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::PriorityClass(name) => Some(format!("PriorityClass {name} does not exist, so no pod can be made")),
        _ => None,
    };
    refused(facts, headline).into_iter().map(|(refusal, finding)| complete(facts, &refusal, finding)).collect()
}

fn complete(facts: &Facts<'_>, refusal: &Refusal, finding: Finding) -> Finding {
    let Denial::PriorityClass(name) = &refusal.denial else { return finding };
    let near = facts.close_names("PriorityClass", name);
    let correct = match near.is_empty() {
        true => "Correct the name in the pod template".to_owned(),
        false => format!("Correct the name in the pod template; there is {}", near.join(", ")),
    };
    finding
        .because(facts.cite_missing("PriorityClass", name))
        .because(facts.cite_template("priorityClassName"))
        .remedy(facts.owner.edit(&correct))
        .remedy(Remedy::change("Or make it:", Command::kubectl(["create", "priorityclass", name, "--value=VALUE"])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const ANSWER: &str = "pods \"w-1\" is forbidden: no PriorityClass with name urgent was found";

    #[test]
    fn the_missing_object_is_named() {
        let finding = one(answered(ANSWER).check(&RULE));
        assert!(finding.headline.starts_with("PriorityClass urgent does not exist"), "{}", finding.headline);
        assert!(finding.evidence.len() > 1);
    }

    #[test]
    fn what_has_been_made_since_or_is_refused_otherwise_is_not_told() {
        none(outlived(ANSWER).check(&RULE));
        none(answered("pods \"w\" is forbidden: node selector not allowed here").check(&RULE));
    }
}
