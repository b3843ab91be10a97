//! The answer about one target, ready to be printed: renderers decide nothing.

mod header;
mod summary;

use jiff::Timestamp;

use crate::facts::Facts;
use crate::finding::{Command, Remedy, Stage};
use crate::rank::{self, Cause};
use crate::resource::Kind;
use crate::rules;
use crate::snapshot::{Snapshot, Target, Unanswered};
pub use crate::verdict::Verdict;
use crate::verdict::verdict;

/// The answer about one target.
#[derive(Debug)]
pub struct Report {
    /// What it is about.
    pub target: Target,
    /// The target's uid; empty if it is not known.
    pub uid: String,
    /// The labels of the header with their values, as `kubectl describe` writes them.
    pub header: Vec<(&'static str, String)>,
    /// kubectl's STATUS word.
    pub status: String,
    /// Seconds since the target was created, if it says.
    pub age: Option<i64>,
    /// What the status word stands for, for the first line of the ladder: container, restarts.
    pub status_detail: String,
    /// Where the pod stopped; none if it did not.
    pub stage: Option<Stage>,
    /// What it comes to.
    pub verdict: Verdict,
    /// One sentence, no full stop.
    pub summary: String,
    /// How many of the causes have to clear.
    pub enough: Enough,
    /// The causes, the first first.
    pub causes: Vec<Cause>,
    /// True and useful, not the cause: reason and sentence, five at most.
    pub notes: Vec<(String, String)>,
    /// Where to look for a cause that is unknown.
    pub look: Vec<Remedy>,
    /// Questions that got no answer.
    pub gaps: Vec<Gap>,
    /// Other pods of which the same is true.
    pub also: Vec<String>,
    /// The pod's containers in the order in which they start.
    pub containers: Vec<String>,
    /// When the snapshot was taken.
    pub taken_at: Timestamp,
    /// Whether that is only the newest time in the objects, because nothing tells when they were read.
    pub undated: bool,
}

/// How many of several causes have to clear before the pod gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enough {
    /// All of them, or the only one.
    All,
    /// Any one: each stands for nodes of its own.
    AnyOne,
    /// Only the nodes, which were not read, could tell.
    Unknown,
}

/// A question that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What it would have told.
    pub question: String,
    /// Why there is no answer.
    pub why: String,
    /// The argv that asks whether the right is there; empty if a right is not what is lacking.
    pub ask: Vec<String>,
}

/// The most notes in a report.
pub(crate) const MOST_NOTES: usize = 5;

/// Diagnoses one target, from what the snapshot holds about it.
pub fn report(snapshot: &Snapshot, target: &Target) -> Report {
    let facts = Facts::new(snapshot, target);
    let findings = rules::apply(&facts);
    let ranked = rank::rank(findings.found);
    let progress = if ranked.causes.is_empty() { facts.in_progress() } else { None };
    let verdict = verdict(&facts, &ranked.causes, progress.is_some() && !snapshot.header.undated);
    let mut notes: Vec<_> = ranked.notes.iter().map(|(r, f)| (r.reason.to_owned(), f.headline.clone())).collect();
    if verdict == Verdict::Unknown {
        notes.splice(0..0, summary::what_stands_out(&facts));
    }
    notes.truncate(MOST_NOTES);
    let enough = summary::enough(&facts, &ranked.causes);
    Report {
        uid: facts.target_uid().to_owned(),
        header: header::header(&facts),
        status: facts.status_word(),
        age: facts.pod.age(facts.now),
        status_detail: header::status_detail(&facts),
        stage: ranked.causes.first().map(|c| c.rule.stage),
        verdict,
        summary: summary::summary(&facts, &ranked.causes, verdict, progress, enough),
        enough,
        causes: ranked.causes,
        notes,
        look: if verdict == Verdict::Unknown { summary::look(&facts) } else { Vec::new() },
        gaps: gaps(snapshot, target, &facts, &findings.broken),
        also: Vec::new(),
        containers: facts.containers.iter().map(|c| c.name.clone()).collect(),
        taken_at: facts.now,
        undated: snapshot.header.undated,
        target: facts.target,
    }
}

impl Report {
    /// The word of the Stage line at which the pod stopped. A pod whose init containers are not through has not got further
    /// than their start, whatever it is that ails them.
    pub fn station(&self) -> Option<&'static str> {
        let station = self.stage?.station();
        let initializing = self.status.starts_with("Init:") && matches!(station, "running" | "ready");
        Some(if initializing { Stage::Startup.station() } else { station })
    }

    /// What a reader who watches would want to be told of: the verdict and the causes.
    pub fn gist(&self) -> (Verdict, String, Vec<&'static str>) {
        (self.verdict, self.target.name.clone(), self.causes.iter().map(|c| c.rule.reason).collect())
    }

    /// Leaves only what concerns that container, or the pod as a whole.
    ///
    /// # Errors
    /// A sentence with the containers that there are.
    pub fn narrow(&mut self, container: &str) -> Result<(), String> {
        if self.target.kind != "Pod" {
            return Ok(());
        }
        if !self.containers.iter().any(|c| c == container) {
            let there = self.containers.join(", ");
            return Err(format!("container {container} is not in pod {}; it has {there}", self.target.name));
        }
        let before = self.causes.len();
        self.causes.retain(|c| c.finding.subject.container.as_ref().is_none_or(|own| own == container));
        match (self.causes.as_slice(), before - self.causes.len()) {
            (_, 0) => {}
            ([], others) => {
                self.summary = format!(
                    "nothing is wrong with container {container} itself; {others} of the pod's causes concern others"
                )
            }
            ([one], _) => self.summary.clone_from(&one.finding.headline),
            (_, others) => self.summary = format!("{}, and {others} of others", self.summary),
        }
        self.stage = self.causes.first().map(|c| c.rule.stage);
        Ok(())
    }
}

fn gaps(snapshot: &Snapshot, target: &Target, facts: &Facts<'_>, broken: &[&str]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = snapshot.header.unanswered.iter().map(|u| gap(u, target)).collect();
    gaps.extend(snapshot.header.undated.then(|| Gap {
        question: "how long things have lasted".to_owned(),
        why: "the file does not say when it was read; ages are those at the newest time in it".to_owned(),
        ask: Vec::new(),
    }));
    gaps.extend(facts.pod.unreadable.iter().map(|part| Gap {
        question: format!("what the pod's {part} says"),
        why: format!("its {part} is not of the form that the API has, or is larger than any pod's"),
        ask: Vec::new(),
    }));
    gaps.extend(broken.iter().map(|reason| Gap {
        question: format!("whether {reason} applies"),
        why: "the rule failed on this input, which is a fault of kubectl-why".to_owned(),
        ask: Vec::new(),
    }));
    gaps.sort();
    gaps.dedup();
    gaps
}

fn gap(unanswered: &Unanswered, target: &Target) -> Gap {
    let (resource, subresource) = unanswered.resource.split_once('/').unwrap_or((&unanswered.resource, ""));
    let kind = Kind::of_resource(resource);
    let question = match (kind, subresource) {
        (_, "log") => format!("what {} wrote to its log before it ended", either(&unanswered.name, "the container")),
        (Some(kind), _) => kind.tells.to_owned(),
        (None, _) => format!("what {} say", unanswered.resource),
    };
    let mut ask = Vec::new();
    if unanswered.is_refusal() {
        ask.extend(["kubectl", "auth", "can-i", either(&unanswered.verb, "get"), resource].map(str::to_owned));
        if !subresource.is_empty() {
            ask.push(format!("--subresource={subresource}"));
        }
        if kind.is_none_or(|k| k.namespaced) {
            ask.extend(["-n".to_owned(), either(&unanswered.namespace, &target.namespace).to_owned()]);
        }
    }
    Gap { question, why: unanswered.why.clone(), ask }
}

fn either<'s>(first: &'s str, second: &'s str) -> &'s str {
    if first.is_empty() { second } else { first }
}

impl Gap {
    /// The command that asks for the right, if a right is lacking.
    pub fn command(&self) -> Option<Command> {
        (!self.ask.is_empty()).then(|| Command::program(&self.ask))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::Case;

    #[test]
    fn without_a_clock_nothing_is_called_on_its_way() {
        let creating = Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/metadata/creationTimestamp", json!("2026-01-01T11:59:58Z"));
        let target = creating.facts(|f| f.target.clone());
        let mut snapshot = creating.snapshot();
        assert_eq!(report(&snapshot, &target).verdict, Verdict::InProgress);
        snapshot.header.undated = true;
        let undated = report(&snapshot, &target);
        assert_eq!(undated.verdict, Verdict::Unknown);
        assert!(undated.gaps.iter().any(|gap| gap.question == "how long things have lasted"));
    }
}
