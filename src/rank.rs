//! From findings to causes: who explains whom, and in what order to tell it.
//!
//! The whole of it: (1) A explains B if A's rule lists B's reason, both concern the same container or one of them none, and
//! A is at least likely. (2) Causes are the findings that nothing explains. (3) They are sorted: what is wrong before what
//! is in progress, then by stage, certainty, place in the registry, subject. (4) What is explained hangs under its cause.
//! No weights: a reader can redo it by hand.

use crate::finding::{Certainty, Finding, Standing};
use crate::rules::Rule;

/// A finding with the rule that made it and the rule's place in the registry.
pub type Found = (usize, &'static Rule, Finding);

/// A finding that nothing else explains, with what it explains.
#[derive(Debug)]
pub struct Cause {
    /// The rule.
    pub rule: &'static Rule,
    /// What it found.
    pub finding: Finding,
    /// What follows from it, the nearest first; the last is what one sees first.
    pub symptoms: Vec<(&'static Rule, Finding)>,
}

/// Findings in the order in which they are told.
#[derive(Debug, Default)]
pub struct Ranked {
    /// What keeps the pod, the first first.
    pub causes: Vec<Cause>,
    /// What is true and no cause.
    pub notes: Vec<(&'static Rule, Finding)>,
}

/// Ranks findings.
pub fn rank(found: Vec<Found>) -> Ranked {
    let (past, mut present): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, _, f)| f.standing == Standing::Past);
    present.sort_by(|a, b| key(a).cmp(&key(b)));
    let parents: Vec<Option<usize>> = (0..present.len()).map(|n| explainer(&present, n)).collect();
    let roots: Vec<usize> = (0..present.len()).map(|n| root(&parents, n)).collect();

    let mut ranked = Ranked::default();
    let mut slots: Vec<Option<Found>> = present.into_iter().map(Some).collect();
    for n in 0..slots.len() {
        if roots[n] != n {
            continue;
        }
        let mut below: Vec<usize> = (0..slots.len()).filter(|m| *m != n && roots[*m] == n).collect();
        below.sort_by_key(|m| depth(&parents, *m));
        let symptoms = below.into_iter().filter_map(|m| slots[m].take()).map(|(_, r, f)| (r, f)).collect();
        if let Some((_, rule, finding)) = slots[n].take() {
            ranked.causes.push(Cause { rule, finding, symptoms });
        }
    }

    let mut past = past;
    past.sort_by(|a, b| key(a).cmp(&key(b)));
    past.retain(|(_, rule, finding)| !ranked.causes.iter().any(|c| explains(c.rule, &c.finding, rule, finding)));
    ranked.notes = past.into_iter().map(|(_, r, f)| (r, f)).collect();
    ranked
}

type Key<'f> = (Standing, crate::finding::Stage, Certainty, usize, &'f crate::finding::Subject, &'f str);

fn key((place, rule, finding): &Found) -> Key<'_> {
    (finding.standing, rule.stage, finding.certainty, *place, &finding.subject, &finding.headline)
}

fn explains(rule: &Rule, finding: &Finding, other: &Rule, symptom: &Finding) -> bool {
    let same_place = match (&finding.subject.container, &symptom.subject.container) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    rule.reason != other.reason
        && rule.explains.contains(&other.reason)
        && same_place
        && finding.certainty <= Certainty::Likely
}

/// The first finding, in the order in which they are told, that explains the `n`th.
fn explainer(present: &[Found], n: usize) -> Option<usize> {
    let (_, rule, finding) = &present[n];
    present.iter().position(|(_, other, cause)| explains(other, cause, rule, finding))
}

/// The finding at the end of the `n`th's chain of explainers. In a circle of findings that explain each other that is the
/// one that is told first.
fn root(parents: &[Option<usize>], n: usize) -> usize {
    let mut seen = vec![n];
    let mut here = n;
    while let Some(next) = parents[here] {
        if let Some(start) = seen.iter().position(|s| *s == next) {
            return seen[start..].iter().copied().min().unwrap_or(next);
        }
        seen.push(next);
        here = next;
    }
    here
}

/// How many findings stand between the `n`th and the end of its chain; in a circle, as many as there are.
fn depth(parents: &[Option<usize>], n: usize) -> usize {
    std::iter::successors(parents[n], |above| parents[*above]).take(parents.len()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Stage, Subject};

    const fn rule(reason: &'static str, stage: Stage, explains: &'static [&'static str]) -> Rule {
        Rule { reason, stage, summary: "", explains, check: |_| Vec::new(), explain: "" }
    }
    static HEAP: Rule = rule("Heap", Stage::Memory, &["Oom"]);
    static OOM: Rule = rule("Oom", Stage::Memory, &["Kill"]);
    static KILL: Rule = rule("Kill", Stage::Running, &[]);
    static CHICKEN: Rule = rule("Chicken", Stage::Running, &["Egg"]);
    static EGG: Rule = rule("Egg", Stage::Running, &["Chicken"]);

    fn found(place: usize, rule: &'static Rule, container: &str) -> Found {
        (place, rule, Finding::new(Subject::container("p", container), rule.reason))
    }

    fn told(ranked: &Ranked) -> Vec<(&str, Vec<&str>)> {
        ranked.causes.iter().map(|c| (c.rule.reason, c.symptoms.iter().map(|(r, _)| r.reason).collect())).collect()
    }

    #[test]
    fn what_is_explained_hangs_under_its_cause_nearest_first() {
        let ranked = rank(vec![found(0, &KILL, "a"), found(1, &OOM, "a"), found(2, &HEAP, "a")]);
        assert_eq!(told(&ranked), [("Heap", vec!["Oom", "Kill"])]);
    }

    #[test]
    fn one_containers_cause_does_not_explain_anothers_end() {
        let ranked = rank(vec![found(0, &KILL, "a"), found(1, &OOM, "b")]);
        assert_eq!(told(&ranked), [("Kill", vec![]), ("Oom", vec![])]);
    }

    #[test]
    fn what_is_only_possible_explains_nothing() {
        let (place, rule, finding) = found(1, &OOM, "a");
        let ranked = rank(vec![found(0, &KILL, "a"), (place, rule, finding.certainty(Certainty::Possible))]);
        assert_eq!(told(&ranked), [("Kill", vec![]), ("Oom", vec![])]);
    }

    #[test]
    fn a_circle_has_one_cause() {
        let ranked = rank(vec![found(0, &EGG, "a"), found(1, &CHICKEN, "a")]);
        assert_eq!(told(&ranked), [("Egg", vec!["Chicken"])]);
    }

    #[test]
    fn what_is_past_is_a_note() {
        let (place, rule, finding) = found(1, &OOM, "a");
        let ranked = rank(vec![(place, rule, finding.standing(Standing::Past))]);
        assert!(ranked.causes.is_empty());
        assert_eq!(ranked.notes.len(), 1);
    }
}
