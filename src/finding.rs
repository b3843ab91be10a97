//! What a rule says: the thing that is wrong, why it is believed, and what can be done.

pub use crate::command::Command;
pub use crate::facts::cited::{Evidence, Table};

/// The stations of a pod's life, in their order. A rule belongs to the station at which the pod stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The API server refused to make the pod, or nobody asked for it.
    Creation,
    /// No node was found.
    Scheduling,
    /// A ConfigMap, Secret or volume is not there.
    Dependencies,
    /// The pod's sandbox (network, pause container) could not be made.
    Sandbox,
    /// An image could not be pulled.
    Images,
    /// A container could not be configured, created or started, or its turn has not come.
    Startup,
    /// A probe says no.
    Probes,
    /// The program ended.
    Running,
    /// Memory ran out.
    Memory,
    /// Something took the pod away.
    Eviction,
    /// The node is at fault.
    Node,
    /// The pod is deleted and does not go away.
    Termination,
    /// An in-place change of resources does not happen.
    Resize,
}

impl Stage {
    /// Every stage in order.
    pub const ALL: [Stage; 13] = [
        Stage::Creation,
        Stage::Scheduling,
        Stage::Dependencies,
        Stage::Sandbox,
        Stage::Images,
        Stage::Startup,
        Stage::Probes,
        Stage::Running,
        Stage::Memory,
        Stage::Eviction,
        Stage::Node,
        Stage::Termination,
        Stage::Resize,
    ];

    /// The stage's folder and its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Creation => "creation",
            Stage::Scheduling => "scheduling",
            Stage::Dependencies => "dependencies",
            Stage::Sandbox => "sandbox",
            Stage::Images => "images",
            Stage::Startup => "startup",
            Stage::Probes => "probes",
            Stage::Running => "running",
            Stage::Memory => "memory",
            Stage::Eviction => "eviction",
            Stage::Node => "node",
            Stage::Termination => "termination",
            Stage::Resize => "resize",
        }
    }

    /// The word of the report's Stage line at which it stops.
    pub fn station(self) -> &'static str {
        match self {
            Stage::Probes => "ready",
            Stage::Memory | Stage::Eviction | Stage::Node | Stage::Resize => "running",
            stage => stage.name(),
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// A field made to say so says so, or it follows from such fields by arithmetic.
    Certain,
    /// Two or more independent signs point to it.
    Likely,
    /// It fits what is seen, and so does something else.
    Possible,
}

impl Certainty {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Certainty::Certain => "certain",
            Certainty::Likely => "likely",
            Certainty::Possible => "possible",
        }
    }
}

/// How a finding stands to the pod's present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is wrong now.
    Wrong,
    /// It is on its way and within its usual time.
    InProgress,
    /// It is over, or does not keep the pod from anything; shown under Also seen.
    Past,
}

/// What a finding is about: an object, and within a pod perhaps one container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The container, if the finding concerns just one.
    pub container: Option<String>,
}

impl Subject {
    /// An object.
    pub fn object(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), container: None }
    }

    /// One container of a pod.
    pub fn container(pod: &str, container: &str) -> Self {
        Self { kind: "Pod".to_owned(), name: pod.to_owned(), container: Some(container.to_owned()) }
    }
}

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whether it is wrong now.
    pub standing: Standing,
    /// One sentence without full stop: subject first, present tense.
    pub headline: String,
    /// What it rests on; never empty in a report.
    pub evidence: Vec<Evidence>,
    /// What to do, in the order in which to try it.
    pub remedies: Vec<Remedy>,
    /// Whether the pod would go on if this alone were fixed although other such findings stay: one of several nodes.
    pub alternative: bool,
}

impl Finding {
    /// A certain finding about something that is wrong now.
    pub fn new(subject: Subject, headline: impl Into<String>) -> Self {
        Self {
            subject,
            certainty: Certainty::Certain,
            standing: Standing::Wrong,
            headline: headline.into(),
            evidence: Vec::new(),
            remedies: Vec::new(),
            alternative: false,
        }
    }

    /// Sets how sure it is.
    pub fn certainty(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }

    /// Sets how it stands to the present.
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// Fixing this or another alternative is enough.
    pub fn alternative(mut self) -> Self {
        self.alternative = true;
        self
    }

    /// Adds what it rests on; takes one piece of evidence, an option or a list. What stands there already is not said again.
    pub fn because(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        for piece in evidence {
            if !self.evidence.contains(&piece) {
                self.evidence.push(piece);
            }
        }
        self
    }

    /// Adds what to do; takes an option or a list. A command that stands there already is not offered again.
    pub fn remedy(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        for remedy in remedies {
            let same = |r: &Remedy| r.command.is_some() && r.command == remedy.command && r.effect == remedy.effect;
            let again = self.remedies.iter().any(same);
            let remedy = if again { remedy.without_command() } else { remedy };
            if remedy.command.is_some() || !remedy.say.is_empty() {
                self.remedies.push(remedy);
            }
        }
        self
    }
}

/// What running a remedy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Reads only.
    Look,
    /// Changes something, and can be undone.
    Change,
    /// Loses something that does not come back; the remedy's sentence says what.
    LastResort,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What it does and when to do it; a whole sentence, or a clause with a colon if a command follows.
    pub say: String,
    /// The command that does it.
    pub command: Option<Command>,
    /// What it does to the cluster.
    pub effect: Effect,
}

impl Remedy {
    /// A command that only reads.
    pub fn look(command: Command) -> Self {
        Self { say: String::new(), command: Some(command), effect: Effect::Look }
    }

    /// A command that changes something.
    pub fn change(say: impl Into<String>, command: Command) -> Self {
        Self { say: say.into(), command: Some(command), effect: Effect::Change }
    }

    /// Something to do for which there is no one command.
    pub fn advice(say: impl Into<String>) -> Self {
        Self { say: say.into(), command: None, effect: Effect::Change }
    }

    /// A command that loses something; `say` names what is lost and on what condition it is right.
    pub fn last_resort(say: impl Into<String>, command: Command) -> Self {
        Self { say: say.into(), command: Some(command), effect: Effect::LastResort }
    }
}

impl Remedy {
    /// What it says without the words that lead to its command: the last sentence, if that is not the only one.
    fn without_command(self) -> Self {
        let lead = self.say.trim_end_matches(':');
        let say = match lead.split_once(". ") {
            Some((first, _)) if self.say.ends_with(':') => format!("{first}."),
            _ if lead.is_empty() => String::new(),
            _ => format!("{}.", lead.trim_end_matches('.')),
        };
        Self { say, command: None, ..self }
    }
}

impl IntoIterator for Remedy {
    type Item = Remedy;
    type IntoIter = std::iter::Once<Remedy>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self)
    }
}
