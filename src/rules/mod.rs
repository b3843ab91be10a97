//! Every reason, in the order of a pod's life: a folder per stage, a file per reason.

pub mod creation;
pub mod dependencies;
pub mod eviction;
pub mod images;
pub mod memory;
pub mod node;
pub mod probes;
pub mod resize;
pub mod running;
pub mod sandbox;
pub mod scheduling;
pub mod startup;
pub mod termination;
#[cfg(test)]
pub(crate) mod testing;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::facts::Facts;
use crate::finding::{Finding, Stage};

/// One thing that can be wrong with a pod.
#[derive(Debug)]
pub struct Rule {
    /// The name that reports give it: CamelCase, the bad state, the cluster's own word where there is one.
    pub reason: &'static str,
    /// The station of a pod's life at which it stops the pod; also the folder.
    pub stage: Stage,
    /// One line without full stop.
    pub summary: &'static str,
    /// Reasons that are only symptoms once this one is found.
    pub explains: &'static [&'static str],
    /// Looks for it. Pure: it sees facts and nothing else.
    pub check: fn(&Facts<'_>) -> Vec<Finding>,
    /// The manual page in Markdown: `## Meaning`, `## Signs`, `## Fix`, `## Not this`.
    pub explain: &'static str,
}

/// The stages in the order of a pod's life, each with its rules in the order in which they are read.
pub static ALL: &[&[Rule]] = &[
    creation::RULES,
    scheduling::RULES,
    dependencies::RULES,
    sandbox::RULES,
    images::RULES,
    startup::RULES,
    probes::RULES,
    running::RULES,
    memory::RULES,
    eviction::RULES,
    node::RULES,
    termination::RULES,
    resize::RULES,
];

/// Every rule in order.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().flat_map(|stage| stage.iter())
}

/// The rule of that name, in any case.
pub fn named(reason: &str) -> Option<&'static Rule> {
    all().find(|r| r.reason.eq_ignore_ascii_case(reason))
}

/// What the rules found, and which of them could not be applied.
pub struct Findings {
    /// Findings with the rule that made them and the rule's place in the registry.
    pub found: Vec<(usize, &'static Rule, Finding)>,
    /// Reasons of rules that failed on this input.
    pub broken: Vec<&'static str>,
}

/// Whether the rules of a stage are about targets of that kind: a node meets those about nodes, an object that makes pods
/// those of their creation. A Job meets those about its end too: it can outlive every pod that would tell of it.
fn concerns(stage: Stage, kind: &str) -> bool {
    match kind {
        "Pod" => stage != Stage::Creation,
        "Node" => stage == Stage::Node,
        "Job" => matches!(stage, Stage::Creation | Stage::Running),
        _ => stage == Stage::Creation,
    }
}

/// Applies the rules that concern the target to the facts. A rule that panics loses its own answer and no other.
pub fn apply(facts: &Facts<'_>) -> Findings {
    let mut findings = Findings { found: Vec::new(), broken: Vec::new() };
    for (place, rule) in all().enumerate() {
        if !concerns(rule.stage, facts.target.kind) {
            continue;
        }
        match catch_unwind(AssertUnwindSafe(|| (rule.check)(facts))) {
            Ok(found) => findings.found.extend(found.into_iter().map(|f| (place, rule, f))),
            Err(_) => findings.broken.push(rule.reason),
        }
    }
    findings
}
