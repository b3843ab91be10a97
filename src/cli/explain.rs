//! `kubectl why explain`: the manual page of a reason, of an exit code or of a word of Kubernetes.

use crate::facts::exit::explain_code;
use crate::rules;
use crate::words::{self, Word};

/// The page of a reason, of an exit code or of a word that Kubernetes says; the list of all reasons without one.
///
/// # Errors
/// A sentence with close names, if there is no such word.
pub fn page(word: Option<&str>) -> Result<String, String> {
    let Some(word) = word else { return Ok(list()) };
    if let Ok(code) = word.parse() {
        return Ok(explain_code(code));
    }
    if let Some(rule) = rules::named(word) {
        return Ok(format!("{}: {}\n{}", rule.reason, rule.summary, rule.explain));
    }
    let pages: Vec<String> = words::named(word).iter().map(Word::page).collect();
    if pages.is_empty() { Err(unknown(word)) } else { Ok(pages.join("\n")) }
}

fn unknown(word: &str) -> String {
    let lower = word.to_lowercase();
    let mut names: Vec<&str> = rules::all().map(|r| r.reason).chain(words::all().map(|w| w.word)).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<(String, &str)> = names.into_iter().map(|n| (n.to_lowercase(), n)).collect();
    let close = crate::facts::closest(&lower, names.iter().map(|(l, _)| l.as_str()));
    let close: Vec<&str> =
        close.iter().filter_map(|c| names.iter().find(|(l, _)| l == c)).map(|(_, name)| *name).collect();
    let hint = if close.is_empty() { "kubectl why explain lists them".to_owned() } else { close.join(", ") };
    format!("no reason, exit code or word of Kubernetes is called \"{word}\"; {hint}")
}

fn list() -> String {
    rules::all().map(|r| format!("{:13} {:30} {}\n", r.stage.name(), r.reason, r.summary)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_kubernetes_is_explained_by_the_reasons_to_which_it_leads() {
        let page = page(Some("CrashLoopBackOff")).unwrap();
        assert!(page.starts_with("CrashLoopBackOff (why a container waits)"), "{page}");
        assert!(page.contains("ApplicationError"), "{page}");
    }

    #[test]
    fn a_reason_of_ours_that_is_kubernetes_word_too_has_its_own_page() {
        assert!(page(Some("OOMKilled")).unwrap().contains("## Meaning"));
    }

    #[test]
    fn a_word_that_nobody_says_is_answered_with_close_ones() {
        assert!(page(Some("CrashLoopBakOff")).unwrap_err().contains("CrashLoopBackOff"));
        assert!(page(Some("Zzzzzzzzzzzzzz")).unwrap_err().ends_with("kubectl why explain lists them"));
    }
}
