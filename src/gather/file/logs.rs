//! The container logs that `kubectl cluster-info dump` writes between marker lines.

use super::parse::Piece;

/// How much of the end of a log is kept.
const TAIL: usize = 16 * 1024;

const START: &str = "==== START logs for container ";
const END: &str = "==== END logs for container ";
const CLOSE: &str = " ====";

/// One container's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section<'a> {
    pub(super) namespace: &'a str,
    pub(super) pod: &'a str,
    pub(super) container: &'a str,
    /// What stands between the markers.
    pub(super) text: &'a str,
    whole: &'a str,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A log with its markers.
    Log(Section<'a>),
    /// What is between logs.
    Other(&'a str),
}

impl<'a> Part<'a> {
    /// All of it, markers included.
    pub(super) fn whole(&self) -> &'a str {
        match self {
            Part::Log(section) => section.whole,
            Part::Other(text) => text,
        }
    }
}

impl<'a> Section<'a> {
    /// Why the log could not be fetched, where kubectl wrote that in its place.
    pub(super) fn failure(&self) -> Option<&'a str> {
        let said = self
            .text
            .strip_prefix("Request log error: ")
            .or_else(|| self.text.strip_prefix("Create log request error: "))?;
        Some(said.trim_end())
    }

    /// The end of the log, from the start of a line if one begins there.
    pub(super) fn tail(&self) -> &'a str {
        let Some(from) = self.text.len().checked_sub(TAIL) else { return self.text };
        let from = (from..=self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or_default();
        let tail = self.text.get(from..).unwrap_or_default();
        match tail.split_once('\n') {
            Some((_, lines)) if !lines.is_empty() => lines,
            _ => tail,
        }
    }
}

impl<'a> From<Section<'a>> for Piece<'a> {
    fn from(section: Section<'a>) -> Self {
        Piece::Log(section)
    }
}

/// Splits a text into logs and what is between them. Raw newlines cannot occur in a JSON string, so a marker at the
/// start of a line is one.
pub(super) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = match start(rest) {
            Some(0) => match section(rest) {
                Some((section, after)) => (Part::Log(section), after),
                None => (Part::Other(rest), ""),
            },
            Some(at) => {
                let (other, after) = rest.split_at_checked(at)?;
                (Part::Other(other), after)
            }
            None => (Part::Other(rest), ""),
        };
        rest = after;
        Some(part)
    })
}

/// Where the first marker line of a text starts.
fn start(text: &str) -> Option<usize> {
    if text.starts_with(START) {
        return Some(0);
    }
    text.match_indices(START).map(|(at, _)| at).find(|at| text.get(..*at).is_some_and(|before| before.ends_with('\n')))
}

/// The log at the start of a text, and what follows it. A log need not end with a newline, so its end marker need not
/// stand at the start of a line; a log that was cut off has none and ends with the text.
fn section(text: &str) -> Option<(Section<'_>, &str)> {
    let (marker, after) = text.split_once('\n').unwrap_or((text, ""));
    let about = marker.trim_end_matches('\r').strip_prefix(START)?.strip_suffix(CLOSE)?;
    let (container, pod) = about.split_once(" of pod ")?;
    let (namespace, pod) = pod.split_once('/')?;
    let end = format!("{END}{about}{CLOSE}");
    let (log, rest) = match after.split_once(end.as_str()) {
        Some((log, rest)) => (log, rest.trim_start_matches('\r').strip_prefix('\n').unwrap_or(rest)),
        None => (after, ""),
    };
    let whole = text.get(..text.len() - rest.len())?;
    Some((Section { namespace, pod, container, text: log, whole }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Section<'_> {
        match parts(text).collect::<Vec<_>>().as_slice() {
            [Part::Log(section)] => *section,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_without_a_newline_at_its_end_still_ends() {
        let log = only(
            "==== START logs for container app of pod shop/api ====\nboom==== END logs for container app of pod shop/api ====\n",
        );
        assert_eq!((log.namespace, log.pod, log.container, log.text), ("shop", "api", "app", "boom"));
    }

    #[test]
    fn a_log_that_speaks_of_other_logs_is_one_log() {
        let log = only(
            "==== START logs for container app of pod shop/api ====\n==== END logs for container x of pod a/b ====\nend\n\
             ==== END logs for container app of pod shop/api ====\n",
        );
        assert!(log.text.ends_with("end\n"));
    }

    #[test]
    fn objects_and_logs_take_turns_in_a_dump_to_standard_output() {
        let text = "{}\n==== START logs for container a of pod n/p ====\nx\n==== END logs for container a of pod n/p ====\n{}\n";
        let parts: Vec<_> = parts(text).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.iter().map(Part::whole).collect::<String>(), text);
    }

    #[test]
    fn of_a_long_log_whole_lines_at_its_end_are_kept() {
        let text = format!(
            "==== START logs for container a of pod n/p ====\n{}last\n==== END logs for container a of pod n/p ====\n",
            "é line of the log\n".repeat(2000)
        );
        let tail = only(&text).tail().to_owned();
        assert!(tail.len() <= TAIL && tail.starts_with("é line") && tail.ends_with("last\n"));
        let one_line = format!("==== START logs for container a of pod n/p ====\n{}", "é".repeat(1 << 20));
        assert!(only(&one_line).tail().len() <= TAIL);
    }
}
