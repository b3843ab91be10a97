//! The words that Kubernetes and kubectl themselves say of a pod, and the reasons to which each leads.
//!
//! The table beside this file has a line for each word: where it is said, the word, the reasons (`-` for a word that
//! deliberately leads to none, because nothing is wrong when it is said or no pod is kept by it), and what it means.

use crate::rules::{self, Rule};

/// A word of Kubernetes or kubectl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    places: &'static str,
    /// The word; for conditions `TYPE/REASON`, with `N` for numbers and `<…>` for names.
    pub word: &'static str,
    reasons: &'static str,
    /// What it means: whole sentences.
    pub says: &'static str,
}

impl Word {
    /// Where it is said: `container_waiting`, `container_terminated`, `pod_reason`, `pod_condition`, `event`,
    /// `node_condition`, `taint`, `kubectl` (its STATUS column).
    pub fn places(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.places.split('|')
    }

    /// The reasons of ours to which it leads, the likeliest first; none for a deliberate exception.
    pub fn reasons(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.reasons.split('|').filter(|r| *r != "-")
    }

    /// The rules of those reasons.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> + use<> {
        self.reasons().filter_map(rules::named)
    }

    /// Whether the word as it is met in a cluster is this one: conditions go by type, by reason or by both, kubectl's words
    /// with any numbers, resources with any name.
    pub fn is(&self, met: &str) -> bool {
        let same = |a: &str| a.eq_ignore_ascii_case(met);
        let is_condition = self.places().all(|p| p.ends_with("_condition"));
        match self.word.split_once('/') {
            Some((kind, reason)) if is_condition => same(kind) || same(reason) || same(self.word),
            _ => match self.word.split_once('<') {
                Some((stem, _)) => met.len() > stem.len() && met.starts_with(stem),
                None => same(self.word),
            },
        }
    }

    /// The page that explains it: what it means where, and the reasons to which it leads.
    pub fn page(&self) -> String {
        let places: Vec<&str> = self.places().map(called).collect();
        let mut page = format!("{} ({})\n  {}\n", self.word, places.join(", "), self.says);
        if self.reasons().next().is_none() {
            page.push_str("  No reason of kubectl why follows from it.\n");
        }
        for rule in self.rules() {
            page.push_str(&format!("    {:28}  {}\n", rule.reason, rule.summary));
        }
        page
    }
}

/// A place in words.
fn called(place: &str) -> &str {
    match place {
        "container_waiting" => "why a container waits",
        "container_terminated" => "why a container ended",
        "pod_reason" => "reason in a pod's status",
        "pod_condition" => "condition of a pod",
        "event" => "event",
        "node_condition" => "condition of a node",
        "taint" => "taint of a node",
        _ => "STATUS of kubectl get",
    }
}

/// Every word.
pub fn all() -> impl Iterator<Item = Word> {
    include_str!("words.tsv").lines().skip(1).filter_map(|line| {
        let mut fields = line.split('\t');
        Some(Word { places: fields.next()?, word: fields.next()?, reasons: fields.next()?, says: fields.next()? })
    })
}

/// What a word means at each place where it is said. kubectl's `Init:` before another word only says that the container is
/// an init container.
pub fn named(met: &str) -> Vec<Word> {
    let numbers = pattern(met);
    let found = |word: &str| all().filter(|w| w.is(word)).collect::<Vec<_>>();
    let mut words = found(met);
    if words.is_empty() {
        words = found(&numbers);
    }
    match met.strip_prefix("Init:") {
        Some(rest) if words.is_empty() => named(rest),
        _ => words,
    }
}

/// kubectl's words that hold numbers, as the table writes them: `Init:0/1` is `Init:N/M`, `Signal:9` is `Signal:N`.
fn pattern(met: &str) -> String {
    let number = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
    match met.rsplit_once(':') {
        Some((stem, rest)) if number(rest) => format!("{stem}:N"),
        Some((stem, rest)) if rest.split_once('/').is_some_and(|(n, m)| number(n) && number(m)) => {
            format!("{stem}:N/M")
        }
        _ => met.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(met: &str) -> Vec<&'static str> {
        named(met).iter().map(|w| w.word).collect()
    }

    #[test]
    fn a_word_is_found_as_it_is_met() {
        assert_eq!(words("CrashLoopBackOff"), ["CrashLoopBackOff"]);
        assert_eq!(words("crashloopbackoff"), ["CrashLoopBackOff"]);
        assert_eq!(words("Init:0/2"), ["Init:N/M"]);
        assert_eq!(words("Init:CrashLoopBackOff"), ["CrashLoopBackOff"]);
        assert_eq!(words("Init:Signal:9"), ["Signal:N"]);
        assert_eq!(words("OutOfnvidia.com/gpu"), ["OutOf<extended-resource>"]);
        assert_eq!(words("Unschedulable"), ["PodScheduled/Unschedulable"]);
        assert_eq!(words("node.kubernetes.io/unreachable"), ["node.kubernetes.io/unreachable"]);
        assert!(words("NoSuchWord").is_empty() && words("Init:").is_empty() && words("").is_empty());
    }

    #[test]
    fn a_page_names_what_the_word_leads_to() {
        let page: String = named("ErrImagePull").iter().map(Word::page).collect();
        assert!(page.starts_with("ErrImagePull (why a container waits)\n  The latest pull"), "{page}");
        assert!(page.contains("ImageNotFound") && page.contains("the registry"), "{page}");
        let page: String = named("Pulled").iter().map(Word::page).collect();
        assert!(page.ends_with("No reason of kubectl why follows from it.\n"), "{page}");
    }
}
