//! A text into values: JSON or YAML, one document or many, with the container logs that a dump to standard output
//! mixes in.

use serde::de::DeserializeSeed;
use serde_json::Value;
use serde_json::error::Category;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error as YamlError, Options};

use super::bounded::{Bounded, Budget};
use super::error::{Fault, Format, Place, Problem};
use super::{MAX_YAML_BYTES, logs};

/// A part of a text.
pub(super) enum Piece<'a> {
    /// A JSON value or a YAML document.
    Document(Value),
    /// One container's log.
    Log(logs::Section<'a>),
}

/// What is done with each part.
pub(super) type Take<'t> = dyn FnMut(Piece<'_>) -> Result<(), Problem> + 't;

/// YAML nested deeper than this is refused, for every level takes kilobytes of stack; `serde_json`'s limit is 128.
const MAX_DEPTH: usize = 64;
/// Documents in one YAML file, each of which costs the start of a parser.
const MAX_DOCUMENTS: usize = 100_000;

/// The bytes as text: UTF-8, or the UTF-16 that `>` writes in Windows PowerShell, told by its byte order mark.
pub(super) fn text(mut bytes: Vec<u8>) -> Result<String, Fault> {
    let wide = |from: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| from(*pair)).collect();
        String::from_utf16(&units).map_err(|_| Problem::NotText.into())
    };
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return wide(u16::from_le_bytes, rest);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return wide(u16::from_be_bytes, rest);
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let whole = error.utf8_error().valid_up_to();
        Fault { place: Some(place_of(error.as_bytes().get(..whole).unwrap_or_default())), problem: Problem::NotText }
    })
}

/// The place that follows the bytes.
fn place_of(before: &[u8]) -> Place {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    Place { line: line as u64, column: column as u64 }
}

/// Hands over every part of a text, in order.
pub(super) fn pieces(text: &str, budget: &mut Budget, take: &mut Take<'_>) -> Result<(), Fault> {
    let mut lines_before = 0;
    for part in logs::parts(text) {
        match part {
            logs::Part::Other(text) => documents(text, lines_before, budget, take)?,
            logs::Part::Log(section) => take(Piece::Log(section))?,
        }
        lines_before += lines(part.whole());
    }
    Ok(())
}

fn lines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// JSON if it begins as JSON objects do: YAML's own way to write a map begins with a key.
fn documents(text: &str, lines_before: u64, budget: &mut Budget, take: &mut Take<'_>) -> Result<(), Fault> {
    if text.trim_start().starts_with(['{', '[']) {
        json(text, lines_before, budget, take)
    } else {
        yaml(text, lines_before, budget, take)
    }
}

fn json(text: &str, lines_before: u64, budget: &mut Budget, take: &mut Take<'_>) -> Result<(), Fault> {
    let mut from = serde_json::Deserializer::from_str(text);
    while from.end().is_err() {
        let value = Bounded::document(budget).deserialize(&mut from).map_err(|error| {
            let place = Place { line: lines_before + error.line() as u64, column: error.column() as u64 };
            Fault { place: Some(place), problem: json_problem(&error, budget.is_spent()) }
        })?;
        take(Piece::Document(value))?;
    }
    Ok(())
}

fn json_problem(error: &serde_json::Error, spent: bool) -> Problem {
    if spent {
        return Problem::TooMuch;
    }
    // The parser's own messages are fixed texts; only what it says about data quotes the file.
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        Category::Eof => Problem::Truncated { format: Format::Json },
        Category::Syntax if said.starts_with("recursion limit") => Problem::TooDeep,
        Category::Syntax => Problem::Syntax { format: Format::Json, detail: said.to_owned() },
        Category::Data | Category::Io => Problem::Syntax { format: Format::Json, detail: String::new() },
    }
}

fn yaml(text: &str, lines_before: u64, budget: &mut Budget, take: &mut Take<'_>) -> Result<(), Fault> {
    if text.len() > MAX_YAML_BYTES {
        return Err(Problem::TooLarge { most: MAX_YAML_BYTES }.into());
    }
    let mut lines_before = lines_before;
    for (index, document) in yaml_documents(text).enumerate() {
        if index >= MAX_DOCUMENTS {
            return Err(Problem::TooMuch.into());
        }
        if !is_blank(document) {
            let read =
                serde_saphyr::with_deserializer_from_str_with_options(document, options(document.len()), |from| {
                    Bounded::document(budget).deserialize(from)
                });
            let value = read.map_err(|error| yaml_fault(&error, lines_before, budget.is_spent()))?;
            take(Piece::Document(value))?;
        }
        lines_before += lines(document);
    }
    Ok(())
}

/// The documents of a stream. `---` and `...` at the start of a line are markers wherever they stand, even inside a
/// block of text or quotes (YAML 1.2, section 9.1.2).
fn yaml_documents(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if at > 0 && is_marker(line) {
                break;
            }
            at += line.len();
        }
        let (document, after) = text.split_at_checked(at)?;
        rest = if after.is_empty() { None } else { Some(after) };
        Some(document)
    })
}

fn is_marker(line: &str) -> bool {
    let after = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether nothing but markers, comments and directives is in it.
fn is_blank(document: &str) -> bool {
    document.lines().all(|line| {
        let rest = if is_marker(line) { line.get(3..).unwrap_or_default() } else { line };
        let rest = rest.trim();
        rest.is_empty() || rest.starts_with('#') || line.starts_with('%')
    })
}

/// The values are counted by [`Budget`], as aliases expand; here is what the parser itself may hold. Every event takes
/// a character at least. Words such as `yes` and numbers such as `0755` are strings, as tools that write YAML 1.2 mean.
fn options(bytes: usize) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_events: bytes.saturating_mul(2).saturating_add(1_000_000),
            max_nodes: bytes.saturating_add(1_000_000),
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        ignore_binary_tag_for_string: true,
        with_snippet: false,
    }
}

/// The parser's messages quote keys, anchors and values: only the place and the kind of trouble are taken from it.
fn yaml_fault(error: &YamlError, lines_before: u64, spent: bool) -> Fault {
    let error = error.without_snippet();
    let place = error.location().filter(|at| at.line() > 0);
    let place = place.map(|at| Place { line: lines_before + at.line(), column: at.column() });
    Fault { place, problem: if spent { Problem::TooMuch } else { yaml_problem(error) } }
}

fn yaml_problem(error: &YamlError) -> Problem {
    match error.without_snippet() {
        YamlError::AliasError { error, .. } => yaml_problem(error),
        YamlError::Budget { breach: BudgetBreach::Depth { .. }, .. } => Problem::TooDeep,
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. }
        | YamlError::AliasReplayCounterOverflow { .. } => Problem::TooMuch,
        YamlError::Eof { .. } => Problem::Truncated { format: Format::Yaml },
        YamlError::UnknownAnchor { .. } => {
            Problem::Syntax { format: Format::Yaml, detail: "an alias whose anchor is not in the document".to_owned() }
        }
        _ => Problem::Syntax { format: Format::Yaml, detail: String::new() },
    }
}
