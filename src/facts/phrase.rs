//! Finding the parts of a sentence that a component wrote. Wording drifts between versions in case, quotes and tail, so
//! parsers look for the words that carry the meaning.

/// What follows the first occurrence of `marker`, in any case.
pub(super) fn after<'t>(text: &'t str, marker: &str) -> Option<&'t str> {
    let at = text.to_ascii_lowercase().find(&marker.to_ascii_lowercase())?;
    text.get(at + marker.len()..)
}

/// What stands before the first occurrence of `marker`, in any case; everything if it does not occur.
pub(super) fn before<'t>(text: &'t str, marker: &str) -> &'t str {
    let at = text.to_ascii_lowercase().find(&marker.to_ascii_lowercase());
    at.and_then(|at| text.get(..at)).unwrap_or(text)
}

/// What stands between two markers.
pub(super) fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let rest = after(text, start)?;
    let at = rest.to_ascii_lowercase().find(&end.to_ascii_lowercase())?;
    rest.get(..at)
}

/// Whether the text has these words, in any case.
pub(super) fn says(text: &str, words: &str) -> bool {
    after(text, words).is_some()
}

/// The first word of the text, without the quotes and punctuation that stick to it.
pub(super) fn word(text: &str) -> &str {
    let first = text.split_whitespace().next().unwrap_or_default();
    first
        .trim_matches(|c: char| matches!(c, '"' | '\'' | ',' | ';' | ':' | '[' | ']' | '(' | ')'))
        .trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        assert_eq!(between("Failed Calling webhook \"w\": x", "failed calling webhook \"", "\""), Some("w"));
        assert_eq!(before("a (b)", " ("), "a");
        assert_eq!(word("\"team-quota\", requested"), "team-quota");
        assert!(says("Node Was LOW", "was low") && after("a", "b").is_none());
    }
}
