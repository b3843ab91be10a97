//! How far the reading of many pods has come, for whoever waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// So many different states are told apart.
const WORDS: usize = 50;

/// How far it has come.
#[derive(Debug, Default, Clone)]
pub struct Progress {
    listed: Arc<AtomicUsize>,
    states: Arc<Mutex<BTreeMap<String, usize>>>,
    asked: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
}

impl Progress {
    /// Pods that have come in with the list.
    pub fn listed(&self) -> usize {
        self.listed.load(Ordering::Relaxed)
    }

    /// In which states those of them are that do not seem fine, and how many in each; the most frequent first.
    pub fn states(&self) -> Vec<(String, usize)> {
        let states = self.states.lock().map(|states| states.clone()).unwrap_or_default();
        let mut states: Vec<_> = states.into_iter().collect();
        states.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        states
    }

    /// How many of the questions about them are answered, and how many there are so far.
    pub fn answered(&self) -> (usize, usize) {
        (self.answered.load(Ordering::Relaxed), self.asked.load(Ordering::Relaxed))
    }

    /// A pod has come in; with its state if it does not seem fine.
    pub(super) fn list(&self, state: Option<&str>) {
        self.listed.fetch_add(1, Ordering::Relaxed);
        let Some(state) = state else { return };
        if let Ok(mut states) = self.states.lock() {
            let known = states.contains_key(state) || states.len() < WORDS;
            *states.entry(if known { state } else { "other" }.to_owned()).or_default() += 1;
        }
    }

    /// The list comes again.
    pub(super) fn restart(&self) {
        self.listed.store(0, Ordering::Relaxed);
        if let Ok(mut states) = self.states.lock() {
            states.clear();
        }
    }

    /// So many more questions are on their way.
    pub(super) fn ask(&self, questions: usize) {
        self.asked.fetch_add(questions, Ordering::Relaxed);
    }

    /// Counts the answers.
    pub(super) fn answers(&self) -> &Arc<AtomicUsize> {
        &self.answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_state_comes_first_and_very_many_are_not_told_apart() {
        let progress = Progress::default();
        progress.list(None);
        (0..2).for_each(|_| progress.list(Some("Pending")));
        (0..3).for_each(|_| progress.list(Some("ImagePullBackOff")));
        let expected = [("ImagePullBackOff".to_owned(), 3), ("Pending".to_owned(), 2)];
        assert_eq!((progress.listed(), progress.states().as_slice()), (6, expected.as_slice()));
        (0..100).for_each(|n| progress.list(Some(&n.to_string())));
        assert_eq!(progress.states().first(), Some(&("other".to_owned(), 52)));
        progress.restart();
        assert_eq!((progress.listed(), progress.states().len()), (0, 0));
    }
}
