//! A program's last words: the end of the log of the run that failed, and the line in it that says why.

use crate::facts::{Container, Evidence, Exit, Facts, State};
use crate::redact;

/// Lines worth recognising: a rank, what such a line means, and its patterns.
const SIGNATURES: &str = include_str!("log_signatures.tsv");

/// How many lines are shown, how many are searched for the telling one, and how long a line may be.
const SHOWN: usize = 10;
const SEARCHED: usize = 100;
const LONGEST: usize = 500;

/// Sentences of the kubelet in place of a log that is gone.
/// Source: `pkg/kubelet/kuberuntime/kuberuntime_container.go`, `ReadLogs`.
const NO_LOG: [&str; 4] = [
    "unable to retrieve container logs for ",
    "failed to try resolving symlinks in path ",
    "Error on reading termination message from logs",
    "failed to open log file ",
];

/// The end of a failed run's log, without values that look like secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct LastWords {
    /// The last lines in their order.
    pub lines: Vec<String>,
    /// The line that says most about the end, if one is recognised.
    pub telling: Option<Telling>,
    source: Source,
}

/// A line that is known to say why a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The line.
    pub line: String,
    /// What such a line means, as one clause.
    pub meaning: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Log { container: String, previous: bool },
    Message(Option<Evidence>),
}

impl LastWords {
    /// Every line that is known of the end.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str).chain(self.telling.iter().map(|t| t.line.as_str()))
    }

    /// The line that says most: the telling one, or else the last.
    pub fn line(&self) -> Option<&str> {
        self.telling.as_ref().map(|t| &t.line).or(self.lines.last()).map(String::as_str)
    }

    /// That line as the end of a sentence about the container: `; it says "…"`.
    pub fn clause(&self) -> Option<String> {
        let which = if self.telling.is_some() { "it says" } else { "its last words are" };
        Some(format!("; {which} {}", quoted(self.line()?)))
    }

    /// As evidence: the telling line first and what it means, then the last lines.
    pub fn cite(&self) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        if let Some(telling) = &self.telling {
            let at_a_glance = self.lines.len() <= 3 && self.lines.contains(&telling.line);
            if !at_a_glance {
                evidence.extend(self.log(vec![telling.line.clone()]));
            }
            if self.lines != [telling.line.clone()] {
                evidence.push(Evidence::derived(format!("{}: {}", quoted(&telling.line), telling.meaning)));
            }
        }
        match &self.source {
            Source::Message(message) => evidence.extend(message.clone()),
            Source::Log { .. } => evidence.extend(self.log(self.lines.clone())),
        }
        // A line that stands alone is not quoted again to say what it means.
        if let Some(telling) = self.telling.as_ref().filter(|t| self.lines == [t.line.clone()]) {
            evidence.push(Evidence::derived(format!("that means: {}", telling.meaning)));
        }
        evidence
    }

    /// One of its lines as evidence.
    pub fn cite_line(&self, line: &str) -> Option<Evidence> {
        match &self.source {
            Source::Message(message) => message.clone(),
            Source::Log { .. } => self.log(vec![line.to_owned()]),
        }
    }

    /// As one line of evidence: the telling one, or else the last.
    pub fn brief(&self) -> Option<Evidence> {
        match &self.source {
            Source::Message(message) => message.clone(),
            Source::Log { .. } => self.log(vec![self.line()?.to_owned()]),
        }
    }

    fn log(&self, lines: Vec<String>) -> Option<Evidence> {
        match &self.source {
            Source::Log { container, previous } => {
                Some(Evidence::Log { container: container.clone(), previous: *previous, lines })
            }
            Source::Message(_) => None,
        }
    }
}

impl Facts<'_> {
    /// What a container that runs has said so far.
    pub fn words_so_far(&self, container: &Container) -> Option<LastWords> {
        let log = self.snapshot().log(&self.pod.name, &container.name, false)?;
        LastWords::of(&log.text, Source::Log { container: container.name.clone(), previous: false })
    }

    /// What the program said before that end: from its log, or else from its termination message.
    pub fn last_words(&self, container: &Container, exit: &Exit) -> Option<LastWords> {
        // A container that waits has no log of its own: both logs are then those of the run before.
        let order: &[bool] = match (exit.is_last, &container.state) {
            (true, State::Waiting { .. }) => &[true, false],
            (true, _) => &[true],
            (false, _) => &[false],
        };
        let from_log = order.iter().find_map(|previous| {
            let log = self.snapshot().log(&self.pod.name, &container.name, *previous)?;
            let source = Source::Log { container: container.name.clone(), previous: *previous };
            LastWords::of(&log.text, source)
        });
        from_log.or_else(|| {
            let message = Source::Message(self.cite_exit(container, exit, "message"));
            if exit.is_start_failure() || exit.is_made_up() { None } else { LastWords::of(&exit.message, message) }
        })
    }
}

impl LastWords {
    fn of(text: &str, source: Source) -> Option<Self> {
        let is_log = |line: &&str| !line.trim().is_empty() && !NO_LOG.iter().any(|n| line.starts_with(n));
        let mut searched: Vec<&str> = text.lines().rev().filter(is_log).take(SEARCHED).collect();
        searched.reverse();
        let searched: Vec<String> = redact::text(&searched.join("\n")).lines().map(cut).collect();
        let lines = searched.get(searched.len().saturating_sub(SHOWN)..)?.to_vec();
        let telling = telling(&searched);
        (!lines.is_empty()).then_some(Self { lines, telling, source })
    }
}

/// A line, cut at the longest length that is shown.
fn cut(line: &str) -> String {
    line.trim_end().chars().take(LONGEST).collect()
}

/// A line in quotation marks for a sentence, cut to what a headline holds.
pub fn quoted(line: &str) -> String {
    const ROOM: usize = 120;
    let line = line.trim();
    let mark = if line.contains('"') && !line.contains('\'') { '\'' } else { '"' };
    match line.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{mark}{}…{mark}", line.get(..end).unwrap_or(line)),
        None => format!("{mark}{line}{mark}"),
    }
}

/// Of the recognised lines the latest of the best rank: an error that a program survived is followed by others.
fn telling(lines: &[String]) -> Option<Telling> {
    let mut best: Option<(char, Telling)> = None;
    for line in lines {
        let Some((rank, meaning)) = recognise(line.trim()) else { continue };
        let better = best.as_ref().is_none_or(|(held, _)| order(rank) >= order(*held));
        if better {
            best = Some((rank, Telling { line: line.clone(), meaning }));
        }
    }
    best.map(|(_, telling)| telling)
}

fn order(rank: char) -> u8 {
    match rank {
        's' => 2,
        'g' => 1,
        _ => 0,
    }
}

/// The first signature that fits a line.
fn recognise(line: &str) -> Option<(char, &'static str)> {
    let lower = line.to_ascii_lowercase();
    SIGNATURES.lines().skip(1).find_map(|row| {
        let mut fields = row.split('\t');
        let (rank, meaning) = (fields.next()?.chars().next()?, fields.next()?);
        fields.any(|pattern| fits(pattern, line, &lower)).then_some((rank, meaning))
    })
}

/// Whether a pattern fits: literal pieces in their order, `*` between them, `^` and `$` at the ends, `~` for any case.
fn fits(pattern: &str, line: &str, lower: &str) -> bool {
    let (pattern, line) = match pattern.strip_prefix('~') {
        Some(rest) => (rest, lower),
        None => (pattern, line),
    };
    let (anchored, pattern) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
    let (ends, pattern) = pattern.strip_suffix('$').map_or((false, pattern), |rest| (true, rest));
    let mut rest = line;
    let mut pieces = pattern.split('*').peekable();
    let mut first = true;
    while let Some(piece) = pieces.next() {
        if ends && pieces.peek().is_none() {
            return rest.ends_with(piece) && (!(first && anchored) || rest == piece);
        }
        let found = if first && anchored { rest.starts_with(piece).then_some(0) } else { rest.find(piece) };
        let Some(at) = found else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
        first = false;
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::Case;

    const REFERENCE: &str = include_str!("../../../tests/data/log-signatures.tsv");

    fn ended(is_last: bool) -> Case {
        let end = json!({"terminated": {"exitCode": 1, "reason": "Error", "message": "said at the end"}});
        Case::container(match is_last {
            true => json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": end}),
            false => json!({"state": end}),
        })
    }

    fn words(case: &Case) -> Option<LastWords> {
        case.facts(|f| {
            let container = f.container("app")?;
            f.last_words(container, container.exit()?.0)
        })
    }

    #[test]
    fn every_known_line_is_recognised() {
        for row in REFERENCE.lines().skip(1) {
            let fields: Vec<&str> = row.split('\t').collect();
            let (meaning, example) = (fields[1], fields[3]);
            if fields[4] == "kubelet" {
                assert!(LastWords::of(example, Source::Message(None)).is_none(), "{example}");
            } else {
                assert!(recognise(example).is_some(), "{meaning}: {example}");
            }
        }
    }

    #[test]
    fn ordinary_lines_say_nothing() {
        for line in [
            "ready",
            "allocated 88 MiB",
            "listening on 8080",
            "worker died, exiting",
            "config loaded",
            "boom",
            "took 3s (warm)",
        ] {
            assert_eq!(recognise(line), None, "{line}");
        }
    }

    #[test]
    fn the_line_that_says_the_cause_wins_over_the_one_that_says_the_kind() {
        let text = "Traceback (most recent call last):\nKeyError: 'DATABASE_URL'\nbye\n";
        let words = LastWords::of(text, Source::Message(None)).unwrap();
        assert_eq!(words.telling.unwrap().line, "KeyError: 'DATABASE_URL'");
        let retried = "connect ECONNREFUSED 10.0.0.5:5432\nError: ENOSPC: no space left on device\n";
        let words = LastWords::of(retried, Source::Message(None)).unwrap();
        assert_eq!(words.telling.unwrap().meaning, "a file system is full");
    }

    #[test]
    fn a_line_that_is_marked_as_an_error_says_more_than_the_last() {
        let text = "INFO ready\n2026-01-01 ERROR no config in /etc/app\n2026-01-01 INFO bye\n";
        assert_eq!(
            LastWords::of(text, Source::Message(None)).unwrap().line(),
            Some("2026-01-01 ERROR no config in /etc/app")
        );
    }

    #[test]
    fn the_log_of_the_run_that_ended_is_read() {
        let case = ended(true).log(true, "panic: lost lease\n").log(false, "ready\n");
        assert_eq!(words(&case).unwrap().lines, ["panic: lost lease"]);
        let gone = ended(true).log(true, "unable to retrieve container logs for containerd://1").log(false, "why\n");
        assert_eq!(words(&gone).unwrap().lines, ["why"]);
        let now = ended(false).log(true, "before\n").log(false, "now\n");
        assert_eq!(words(&now).unwrap().lines, ["now"]);
    }

    #[test]
    fn without_a_log_the_termination_message_speaks() {
        assert_eq!(words(&ended(false)).unwrap().lines, ["said at the end"]);
    }

    #[test]
    fn a_flood_is_bounded_and_secrets_are_taken_out() {
        let text = format!("{}\npassword=hunter2\n{}\n", "x\n".repeat(5000), "y".repeat(9000));
        let words = LastWords::of(&text, Source::Message(None)).unwrap();
        assert_eq!(words.lines.len(), SHOWN);
        assert!(words.all().all(|l| l.len() <= LONGEST && !l.contains("hunter2")));
    }

    #[test]
    fn what_names_the_cause_outranks_what_names_the_kind_and_what_announces_comes_last() {
        let told =
            |lines: &[&str]| LastWords::of(&lines.join("\n"), Source::Message(None)).unwrap().telling.unwrap().line;
        let (cause, kind, announced) =
            ("ENOSPC: no space left on device", "Worker failed to boot", "Traceback (most recent call last):");
        assert_eq!(told(&[cause, kind, announced]), cause);
        assert_eq!(told(&[announced, kind, cause]), cause);
        assert_eq!(told(&[kind, announced]), kind);
        assert_eq!(told(&[announced, kind]), kind);
        assert_eq!(told(&[cause, "exec /run: exec format error"]), "exec /run: exec format error", "of two the later");
    }

    #[test]
    fn the_runtimes_message_is_not_the_programs() {
        let of = |reason: &str| {
            let end = json!({"terminated": {"exitCode": 128, "reason": reason, "message": "said", "startedAt": "2026-01-01T11:50:00Z"}});
            words(&Case::container(json!({"state": end}))).is_some()
        };
        assert!(of("Error") && !of("StartError") && !of("ContainerStatusUnknown"));
    }

    #[test]
    fn a_telling_line_is_quoted_before_the_last_ones_unless_it_is_seen_at_a_glance() {
        let cited = |text: &str| words(&ended(true).log(true, text)).unwrap().cite().len();
        assert_eq!(cited("ENOSPC: no space left on device\nbye\n"), 2, "what it means, and the lines");
        assert_eq!(cited("ENOSPC: no space left on device\n1\n2\n3\n"), 3, "the line first");
        assert_eq!(cited(&format!("ENOSPC: no space left on device\n{}", "x\n".repeat(50))), 3);
        assert_eq!(cited("bye\n"), 1);
    }
}
