//! The scheduler failed on the pod, or refused it for a reason of its own.

use super::binding_failed::quoted;
use crate::facts::Facts;
use crate::facts::scheduling::{Says, named};
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SchedulerRefused",
    stage: Stage::Scheduling,
    summary: "the scheduler failed on the pod, or one of its plugins refused it in words of its own",
    explains: &[],
    check,
    explain: r#"
## Meaning
The scheduler could not finish its work on the pod: one of its plugins or an extender gave an error. Or a plugin that is not
part of Kubernetes refused the nodes, in words that only it knows.

## Signs
The condition PodScheduled has the reason SchedulerError, or its message has a part that is none of the scheduler's usual ones.
It is quoted.

## Fix
Look at the plugin or extender that is named. An extender that does not answer stops every pod of its scheduler.

## Not this
Everything that the scheduler says in its usual words has a reason of its own, such as InsufficientCPU.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let errors = quoted(facts, "SchedulerRefused", "the scheduler failed on the pod with an error of its own");
    let sentence =
        facts.scheduling_sentence().filter(|_| errors.is_empty() && facts.awaits_node() && !facts.is_obstructed());
    let Some(sentence) = sentence.filter(|s| s.says(Says::Unknown)) else { return errors };
    let unknown = sentence.clauses.iter().filter(|c| c.says == Says::Unknown && !c.text.is_empty());
    let words: Vec<&str> = unknown.map(|c| c.text.as_str()).collect();
    if words.is_empty() {
        return errors;
    }
    vec![
        Finding::new(facts.subject(), format!("the scheduler refuses the pod in words of its own: {}", named(&words)))
            .certainty(Certainty::Likely)
            .because(facts.cite_sentence())
            .remedy(facts.look(["describe", "pod", &facts.pod.name]))
            .remedy(Remedy::advice("Look for the scheduler plugin that says this, and at the scheduler's log.")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::scheduling::testing::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn errors_and_foreign_words_are_quoted() {
        one(refused(
            "Post \"http://x.kube-system:1/scheduler/filter\": dial tcp 10.0.0.1:1: connect: connection refused",
        )
        .check(&RULE));
        let finding = one(refused("0/3 nodes are available: 3 node(s) had no licence.").check(&RULE));
        assert_eq!(finding.headline, "the scheduler refuses the pod in words of its own: node(s) had no licence");
    }

    #[test]
    fn the_usual_words_have_reasons_of_their_own() {
        none(refused("0/3 nodes are available: 3 Insufficient cpu.").check(&RULE));
        none(refused("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.").check(&RULE));
    }
}
