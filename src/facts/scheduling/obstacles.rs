//! Which of the refusals of thousands of nodes are the causes.
//!
//! A node is *meant* if it suits the pod's node selector and node affinity; if none does, the selector is the cause and all
//! count. A meant node is *usable* if it is ready, uncordoned and its taints are tolerated. What keeps the pod off the usable
//! nodes leads. A meant node that nothing but its state or taint keeps out is another way. If no node is one step away, the
//! steps to the nearest one are told, and all of them have to be taken.

use super::sentence::{Clause, Says, Sentence};
use super::{Filter, Filters, Verdict};
use crate::finding::Certainty;

/// Something that keeps the pod without a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is.
    pub filter: Filter,
    /// How sure it is.
    pub certainty: Certainty,
    /// Whether the pod would find a node if this alone were changed.
    pub alone: bool,
    /// Whether only the scheduler says so: the objects in the snapshot do not show it.
    pub hearsay: bool,
    /// How many nodes it is about.
    pub count: usize,
    /// Those nodes by their place, the nearest first; empty if nodes could not be read.
    pub(super) nodes: Vec<usize>,
}

/// What labels decide.
pub(super) const PLACE: Filters = Filters::of(&[Filter::Selector, Filter::Affinity]);
/// What the state of a node decides.
pub(super) const STATE: Filters = Filters::of(&[Filter::Unready, Filter::Cordoned, Filter::Taint]);

/// The causes, if every node of the cluster is known, or if `of_selector` every node that bears the labels of the pod's node
/// selector.
pub(super) fn among(verdicts: &mut [Verdict<'_>], sentence: Option<&Sentence>, of_selector: bool) -> Vec<Obstacle> {
    let any_meant = verdicts.iter().any(|v| !v.fails.meets(PLACE));
    let in_question = |v: &&Verdict<'_>| !any_meant || !v.fails.meets(PLACE);
    let shown = verdicts.iter().filter(in_question).fold(Filters::NONE, |set, v| set.and(v.fails));
    let heard = sentence.map(|s| believe(verdicts, s, of_selector, in_question)).unwrap_or_default();
    if verdicts.iter().any(|v| v.fails.is_empty()) {
        return Vec::new();
    }
    let all: Vec<usize> = (0..verdicts.len()).collect();
    let fails = |at: &usize| verdicts.get(*at).map_or(Filters::NONE, |v| v.fails);
    let only = |keep: &dyn Fn(&usize) -> bool, of: &[usize]| of.iter().copied().filter(keep).collect::<Vec<_>>();
    let fitting = only(&|at| !fails(at).meets(PLACE), &all);
    let meant = if fitting.is_empty() { all } else { fitting };
    let usable = only(&|at| !fails(at).meets(STATE), &meant);

    let single = |of: &[usize]| only(&|at| fails(at).len() == 1, of);
    let (mut leading, mut alone) = (single(&usable), true);
    let mut ways: Vec<usize> = single(&only(&|at| fails(at).meets(STATE), &meant));
    if leading.is_empty() && (ways.is_empty() || !usable.is_empty()) {
        let from = if usable.is_empty() { &meant } else { &usable };
        let nearest = from.iter().copied().min_by_key(|at| (fails(at).len(), fails(at)));
        leading = nearest.into_iter().collect();
        alone = false;
    }
    let reserved = |at: &usize| verdicts.get(*at).is_some_and(|v| v.reserved);
    if !leading.is_empty() || !ways.iter().all(reserved) {
        ways.retain(|at| !reserved(at));
    }

    let blocked_early = sentence.is_some_and(Sentence::looked_at_no_node);
    let hearsay = |filter| heard.has(filter) && !shown.has(filter);
    let certainty = |filter| match (hearsay(filter), blocked_early) {
        (false, false) => Certainty::Certain,
        _ => Certainty::Likely,
    };
    let mut obstacles = Vec::new();
    let chosen = |of: &[usize]| of.iter().fold(Filters::NONE, |set, at| set.and(fails(at)));
    let causes = chosen(&leading);
    for filter in causes.iter() {
        let in_sight = if usable.is_empty() { &meant } else { &usable };
        let mut nodes = only(&|at| fails(at).has(filter), in_sight);
        nodes.sort_by_key(|at| fails(at).len());
        obstacles.push(Obstacle {
            filter,
            certainty: certainty(filter),
            alone: alone && !blocked_early,
            hearsay: hearsay(filter),
            count: nodes.len(),
            nodes,
        });
    }
    // Another way is never surer than what leads, or it would be told first.
    let surest = obstacles.iter().map(|o: &Obstacle| o.certainty).max().unwrap_or(Certainty::Certain);
    for filter in chosen(&ways).iter().filter(|f| !causes.has(*f)) {
        let nodes = only(&|at| fails(at).has(filter), &ways);
        obstacles.push(Obstacle {
            filter,
            certainty: certainty(filter).max(surest),
            alone: !blocked_early,
            hearsay: false,
            count: nodes.len(),
            nodes,
        });
    }
    obstacles
}

/// Adds to the nodes that fit by the objects what the scheduler says of more nodes than the objects show: pods whose requests
/// or labels are not in the snapshot, claims of volumes, filters that are not computed here. Where there are meant nodes, what
/// it says of room is about them.
fn believe(
    verdicts: &mut [Verdict<'_>],
    sentence: &Sentence,
    of_selector: bool,
    in_question: impl Fn(&&Verdict<'_>) -> bool,
) -> Filters {
    let mut heard = Filters::NONE;
    for clause in &sentence.clauses {
        let filter = match clause.says {
            // Cordons and taints were read with the nodes: there is nothing to add, and 1.34 counts both kinds of taint as one.
            Says::Filter(filter) if STATE.has(filter) || of_selector && PLACE.has(filter) => continue,
            Says::Filter(filter) => filter,
            Says::Reason(_) | Says::Unknown if clause.count.is_some() && !sentence.looked_at_no_node() => {
                Filter::Volume
            }
            _ => continue,
        };
        let has = |v: &&Verdict<'_>| v.fails.has(filter) && (PLACE.has(filter) || in_question(v));
        let shown = verdicts.iter().filter(has).count();
        if clause.count.is_some_and(|count| count > shown) {
            heard.add(filter);
        }
    }
    for verdict in verdicts.iter_mut().filter(|v| v.fails.is_empty()) {
        verdict.fails = heard;
    }
    heard
}

/// The causes, if all that is known is what the scheduler says. The scheduler names the first filter that refused each node;
/// cordons and taints come first, then selector and affinity, then all others. So a clause about room is about nodes that
/// passed the rest; between a selector and a taint nothing can be told, and
/// neither is called the cause.
pub(super) fn heard(sentence: &Sentence, has_selector: bool, has_affinity: bool) -> Vec<Obstacle> {
    let mut told: Vec<(Filter, usize)> = Vec::new();
    for clause in &sentence.clauses {
        let count = clause.count.or(sentence.nodes).unwrap_or(0);
        let mut tell = |filter| match told.iter_mut().find(|(f, _)| *f == filter) {
            Some((_, sum)) => *sum += count,
            None => told.push((filter, count)),
        };
        match clause.says {
            Says::Filter(filter) => tell(filter),
            Says::Place if has_selector && !has_affinity => tell(Filter::Selector),
            Says::Place => tell(Filter::Affinity),
            _ => {}
        }
    }
    let others = sentence.clauses.iter().any(|c| matches!(c.says, Says::Reason(_) | Says::Unknown));
    let deep = |filter: Filter| !PLACE.has(filter) && !STATE.has(filter);
    let any_deep = others || told.iter().any(|(f, _)| deep(*f));
    let is_taint = |c: &&Clause| c.says == Says::Filter(Filter::Taint);
    let unnamed_taint = sentence.clauses.iter().filter(is_taint).any(|c| c.taint().is_none());
    let certainty = match (any_deep, told.len()) {
        (false, 2..) => Certainty::Possible,
        // Since 1.34 the sentence names no taint: it may be one of the node's state or one that someone set.
        (false, _) if unnamed_taint => Certainty::Possible,
        (_, 0..=1) => Certainty::Certain,
        _ => Certainty::Likely,
    };
    // Of several states of nodes the most frequent is told; the sentence, which is quoted, has the others.
    let most = told.iter().filter(|(f, _)| STATE.has(*f)).map(|(_, count)| *count).max();
    told.into_iter()
        .filter(|(filter, _)| !any_deep || deep(*filter))
        .filter(|(filter, count)| !STATE.has(*filter) || Some(*count) == most)
        .map(|(filter, count)| Obstacle { filter, certainty, alone: false, hearsay: true, count, nodes: Vec::new() })
        .collect()
}
