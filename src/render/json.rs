//! The report for machines, version `kubectl-why/v1`: keys stay, and new ones may come.

use serde::Serialize;

use crate::finding::{Effect, Evidence, Remedy};
use crate::rank::Cause;
use crate::report::{Enough, Gap, Report};

/// The answer about one target.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// `kubectl-why/v1`.
    pub api_version: &'static str,
    /// `Diagnosis`.
    pub kind: &'static str,
    /// When the cluster was read, RFC 3339.
    pub taken_at: String,
    /// What it is about.
    pub target: TargetName,
    /// The word of kubectl's STATUS column.
    pub status: String,
    /// The stage of the first cause; null if there is none.
    pub stage: Option<&'static str>,
    /// `Blocked`, `Degraded`, `InProgress`, `Failed`, `Healthy`, `Completed` or `Unknown`.
    pub verdict: &'static str,
    /// One sentence.
    pub summary: String,
    /// `All` or `AnyOne` of the causes must be fixed; `Unknown` where only nodes that were not read would tell.
    pub enough: &'static str,
    /// What keeps the target, the first first.
    pub causes: Vec<CauseEntry>,
    /// True and useful, not the cause.
    pub notes: Vec<Note>,
    /// Where to look for a cause that is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look: Vec<RemedyEntry>,
    /// Questions that got no answer.
    pub gaps: Vec<GapEntry>,
    /// Names of other pods of which the same is true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// Several answers.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DiagnosisList {
    /// `kubectl-why/v1`.
    pub api_version: &'static str,
    /// `DiagnosisList`.
    pub kind: &'static str,
    /// The answers.
    pub items: Vec<Diagnosis>,
}

/// An object that is diagnosed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TargetName {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace; empty for a node.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// One cause.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CauseEntry {
    /// The reason, as `kubectl why explain REASON` knows it.
    pub reason: &'static str,
    /// The stage of a pod's life.
    pub stage: &'static str,
    /// `Certain`, `Likely` or `Possible`.
    pub certainty: String,
    /// What it is about.
    pub subject: SubjectName,
    /// One sentence.
    pub headline: String,
    /// Reasons that follow from it.
    pub symptoms: Vec<&'static str>,
    /// What it rests on.
    pub evidence: Vec<EvidenceEntry>,
    /// What to do, in the order in which to try it.
    pub remedies: Vec<RemedyEntry>,
}

/// What a cause is about.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubjectName {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The container, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// A piece of evidence.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum EvidenceEntry {
    /// A field of an object and its value.
    Field {
        /// `v1/Pod NAMESPACE/NAME`.
        object: String,
        /// A path in the form of kubectl's JSONPath.
        path: String,
        /// The value; anything but a string as JSON.
        value: String,
    },
    /// An event.
    Event {
        /// What it is about.
        object: String,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
        /// How often it was seen.
        count: u32,
        /// When it was last seen.
        last_seen: String,
    },
    /// Lines of a log.
    Log {
        /// The container.
        container: String,
        /// Whether from the run before the present one.
        previous: bool,
        /// The lines.
        lines: Vec<String>,
    },
    /// An object or a field that does not exist.
    Absent {
        /// The object.
        object: String,
        /// The field, if it is a field that does not exist.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// A conclusion.
    Derived {
        /// The conclusion with its numbers.
        say: String,
        /// The numbers' columns.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String>,
        /// The numbers.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        rows: Vec<Vec<String>>,
    },
}

/// Something to do.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RemedyEntry {
    /// `Look`, `Change` or `LastResort`.
    pub effect: &'static str,
    /// What it does and when.
    pub say: String,
    /// The command's arguments, exact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// The command quoted for a POSIX shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A note.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Note {
    /// The reason.
    pub reason: String,
    /// One sentence.
    pub headline: String,
}

/// A question without answer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GapEntry {
    /// What it would have told.
    pub question: String,
    /// Why there is no answer.
    pub why: String,
    /// The command that asks whether the right is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
}

/// One answer as it is, several as a list.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Answer {
    /// One target.
    One(Box<Diagnosis>),
    /// Several targets.
    Many(DiagnosisList),
}

/// The reports for machines.
pub fn answer(reports: &[Report]) -> Answer {
    match reports {
        [one] => Answer::One(Box::new(diagnosis(one))),
        many => list(many),
    }
}

/// The reports for machines as a list, even of one or none.
pub fn list(reports: &[Report]) -> Answer {
    Answer::Many(DiagnosisList {
        api_version: "kubectl-why/v1",
        kind: "DiagnosisList",
        items: reports.iter().map(diagnosis).collect(),
    })
}

/// The reports as JSON.
pub fn json(reports: &[Report]) -> String {
    to_json(&answer(reports))
}

/// The answer as JSON.
pub fn to_json(answer: &Answer) -> String {
    let mut text = serde_json::to_string_pretty(answer).unwrap_or_default();
    text.push('\n');
    text
}

/// The answer as YAML.
pub fn to_yaml(answer: &Answer) -> String {
    serde_saphyr::to_string(answer).unwrap_or_default()
}

fn diagnosis(report: &Report) -> Diagnosis {
    Diagnosis {
        api_version: "kubectl-why/v1",
        kind: "Diagnosis",
        taken_at: report.taken_at.to_string(),
        target: TargetName {
            kind: report.target.kind,
            namespace: report.target.namespace.clone(),
            name: report.target.name.clone(),
            uid: report.uid.clone(),
        },
        status: report.status.clone(),
        stage: report.stage.map(|s| s.name()),
        verdict: report.verdict.word(),
        summary: report.summary.clone(),
        enough: match report.enough {
            Enough::All => "All",
            Enough::AnyOne => "AnyOne",
            Enough::Unknown => "Unknown",
        },
        causes: report.causes.iter().map(cause).collect(),
        notes: report
            .notes
            .iter()
            .map(|(reason, headline)| Note { reason: reason.clone(), headline: headline.clone() })
            .collect(),
        look: report.look.iter().map(remedy).collect(),
        gaps: report.gaps.iter().map(gap).collect(),
        also: report.also.clone(),
    }
}

fn cause(cause: &Cause) -> CauseEntry {
    let finding = &cause.finding;
    CauseEntry {
        reason: cause.rule.reason,
        stage: cause.rule.stage.name(),
        certainty: format!("{:?}", finding.certainty),
        subject: SubjectName {
            kind: finding.subject.kind.clone(),
            name: finding.subject.name.clone(),
            container: finding.subject.container.clone(),
        },
        headline: finding.headline.clone(),
        symptoms: cause.symptoms.iter().map(|(rule, _)| rule.reason).collect(),
        evidence: finding.evidence.iter().map(evidence).collect(),
        remedies: finding.remedies.iter().map(remedy).collect(),
    }
}

fn evidence(evidence: &Evidence) -> EvidenceEntry {
    match evidence.clone() {
        Evidence::Field { object, path, value } => {
            EvidenceEntry::Field { object: object.qualified(), path: path.exact(), value }
        }
        Evidence::Event { object, reason, message, count, last_seen } => {
            EvidenceEntry::Event { object: object.qualified(), reason, message, count, last_seen }
        }
        Evidence::Log { container, previous, lines } => EvidenceEntry::Log { container, previous, lines },
        Evidence::Absent { object, path } => {
            EvidenceEntry::Absent { object: object.qualified(), path: path.map(|p| p.exact()) }
        }
        Evidence::Derived { say, table } => {
            let (columns, rows) = table.map(|t| (t.columns, t.rows)).unwrap_or_default();
            EvidenceEntry::Derived { say, columns, rows }
        }
    }
}

fn remedy(remedy: &Remedy) -> RemedyEntry {
    // What kubectl would misread is no command for machines either.
    let command = remedy.command.as_ref().filter(|c| c.trap().is_none());
    RemedyEntry {
        effect: match remedy.effect {
            Effect::Look => "Look",
            Effect::Change => "Change",
            Effect::LastResort => "LastResort",
        },
        say: remedy.say.clone(),
        argv: command.map(|c| c.argv().to_vec()).unwrap_or_default(),
        command: command.map(ToString::to_string),
    }
}

fn gap(gap: &Gap) -> GapEntry {
    GapEntry {
        question: gap.question.clone(),
        why: gap.why.clone(),
        ask: gap.command().filter(|c| c.trap().is_none()).map(|c| c.to_string()),
    }
}
