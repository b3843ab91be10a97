//! The pod names a RuntimeClass that does not exist.

use super::refused;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RuntimeClassMissing",
    stage: Stage::Creation,
    summary: "the pod names a RuntimeClass that does not exist",
    explains: &[],
    check,
    explain: r#"
## Meaning
The pod template names a RuntimeClass, and the API server makes no pod with a class that is not there.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `pod rejected: RuntimeClass … not found`.

## Fix
Correct the name in the pod template (`spec.runtimeClassName`), or make the RuntimeClass.

## Not this
A class that exists but whose handler the node does not know is RuntimeClassUnsupported.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::RuntimeClass(name) => Some(format!("RuntimeClass {name} does not exist, so no pod can be made")),
        _ => None,
    };
    refused(facts, headline).into_iter().map(|(refusal, finding)| complete(facts, &refusal, finding)).collect()
}

fn complete(facts: &Facts<'_>, refusal: &Refusal, finding: Finding) -> Finding {
    let Denial::RuntimeClass(name) = &refusal.denial else { return finding };
    let near = facts.close_names("RuntimeClass", name);
    let correct = match near.is_empty() {
        true => "Correct the name in the pod template".to_owned(),
        false => format!("Correct the name in the pod template; there is {}", near.join(", ")),
    };
    finding
        .because(facts.cite_missing("RuntimeClass", name))
        .because(facts.cite_template("runtimeClassName"))
        .remedy(facts.owner.edit(&correct))
        .remedy(Remedy::advice(format!("Or install the runtime that brings RuntimeClass {name} with it.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const ANSWER: &str = "pods \"w\" is forbidden: pod rejected: RuntimeClass \"sandboxed\" not found";

    #[test]
    fn the_missing_object_is_named() {
        let finding = one(answered(ANSWER).check(&RULE));
        assert!(finding.headline.starts_with("RuntimeClass sandboxed does not exist"), "{}", finding.headline);
        assert!(finding.evidence.len() > 1);
    }

    #[test]
    fn what_has_been_made_since_or_is_refused_otherwise_is_not_told() {
        none(outlived(ANSWER).check(&RULE));
        none(answered("pods \"w\" is forbidden: node selector not allowed here").check(&RULE));
    }
}
