//! Takes out what looks like a secret from text that other people may read: log lines, arguments, values of variables.
//!
//! It errs towards taking out, but keeps what a diagnosis needs: addresses, user names, options, error messages.
//! Redacting twice changes nothing more.

use std::borrow::Cow;

use serde_json::{Map, Value};

mod keys;
mod values;

use keys::{is_plain, is_secret};
pub(crate) use values::MASK;

/// The longest line that is kept; what lies beyond is left out, as nobody can search endless text for secrets.
const LONGEST_LINE: usize = 16 << 10;
/// The longest line of a log.
const LONGEST_LOG_LINE: usize = 4 << 10;
/// How much of the end of a log is kept.
const LONGEST_LOG: usize = 64 << 10;

/// How often the passes are repeated at most.
const ROUNDS: usize = 8;

/// One line without values that look like secrets.
pub fn line(text: &str) -> Cow<'_, str> {
    let mut out = cut(text, LONGEST_LINE);
    // What one pass takes out can show another that a value is one, not a word of a sentence.
    for _ in 0..ROUNDS {
        let before = out.clone();
        for pass in [values::known, values::urls, values::headers, assignments, programs] {
            if let Some(changed) = pass(&out) {
                out = Cow::Owned(changed);
            }
        }
        if out == before {
            break;
        }
    }
    out
}

/// The beginning of a line, and how much was left out.
fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    // Room for the note, so that a line that was cut is not cut again.
    if text.len() <= longest + 64 {
        return Cow::Borrowed(text);
    }
    let (kept, rest) = text.split_at(text.floor_char_boundary(longest));
    Cow::Owned(format!("{kept} [{} more bytes]", rest.len()))
}

/// The end of a log, in lines of bounded length.
pub fn log(whole: &str) -> String {
    let from = whole.ceil_char_boundary(whole.len().saturating_sub(LONGEST_LOG));
    let end = whole.get(from..).unwrap_or_default();
    let end = match end.split_once('\n') {
        Some((_, lines)) if from > 0 && !lines.is_empty() => lines,
        _ => end,
    };
    let mut lines = String::with_capacity(end.len());
    for line in end.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => lines.extend([&*cut(line, LONGEST_LOG_LINE), "\n"]),
            None => lines.push_str(&cut(line, LONGEST_LOG_LINE)),
        }
    }
    text(&lines)
}

/// Several lines; also takes out key blocks that go over many.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_key = false;
    for raw in text.split_inclusive('\n') {
        let body = raw.trim_end_matches(['\n', '\r']);
        let end = raw.get(body.len()..).unwrap_or_default();
        let begins = body.contains("PRIVATE KEY-----") && body.contains("-----BEGIN");
        let ends = body.contains("-----END");
        if in_key && !begins {
            in_key = !ends;
            continue;
        }
        in_key = begins && !ends;
        out.push_str(&line(body));
        out.push_str(end);
    }
    out
}

/// The arguments of a program, where a secret can stand in the argument after its flag.
pub fn arguments(list: &mut [Value]) {
    let mut mask_next = false;
    for item in list {
        let Value::String(arg) = item else { continue };
        let is_flag = arg.starts_with('-');
        let changed = match mask_next && !is_flag && !is_plain(arg) {
            true => MASK.to_owned(),
            false => text(arg),
        };
        mask_next = is_flag && !arg.contains('=') && is_secret(arg.trim_start_matches('-'));
        *arg = changed;
    }
}

/// Takes secrets out of an object: values of variables and headers by their name, arguments and commands, annotations by
/// their key, and text in messages. Everything else stays as it is.
pub fn object(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(object),
        Value::Object(map) => fields(map),
        _ => {}
    }
}

fn fields(map: &mut Map<String, Value>) {
    if let (Some(Value::String(name)), Some(Value::String(_))) = (map.get("name"), map.get("value")) {
        let name = name.clone();
        if let Some(Value::String(value)) = map.get_mut("value") {
            *value = named(&name, value);
        }
    }
    for (key, value) in map.iter_mut() {
        match (key.as_str(), value) {
            ("args" | "command" | "mountOptions", Value::Array(list)) => arguments(list),
            // Maps whose keys anybody may choose; a driver's attributes and a class' parameters can hold its credentials.
            ("annotations" | "volumeAttributes" | "parameters" | "options", Value::Object(named_values)) => {
                for (key, value) in named_values.iter_mut() {
                    if let Value::String(value) = value {
                        *value = embedded(value).unwrap_or_else(|| named(key, value));
                    }
                }
            }
            ("message" | "note", Value::String(message)) => *message = text(message),
            ("path", Value::String(path)) if path.contains('?') => *path = text(path),
            (_, value) => object(value),
        }
    }
}

/// The value of something with that name.
fn named(name: &str, value: &str) -> String {
    let whole = is_secret(name) && !is_plain(value) && !value.starts_with("$(");
    if whole { MASK.to_owned() } else { text(value) }
}

/// A value that is itself a document in JSON, as tools leave them in annotations.
fn embedded(value: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(value).ok().filter(|v: &Value| v.is_object() || v.is_array())?;
    let before = document.clone();
    document_values(&mut document);
    object(&mut document);
    Some(if document == before { value.to_owned() } else { document.to_string() })
}

/// In a document every key counts, not only those of Kubernetes' types.
fn document_values(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    Value::String(text) => *text = named(key, text),
                    other => document_values(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(document_values),
        _ => {}
    }
}

/// `key=value`, `key: value`, `"key": "value"`, `--key value`.
fn assignments(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(key) = keys::next(text, from) {
        from = key.end;
        let Some(span) = keys::value_after(text, &key) else { continue };
        if span.start < copied || !is_secret(key.name(text)) {
            continue;
        }
        let value = text.get(span.clone()).unwrap_or_default();
        if is_plain(value) || !keys::worth_masking(text, &key, &span) {
            continue;
        }
        out.push_str(text.get(copied..span.start)?);
        out.push_str(MASK);
        copied = span.end;
        from = span.end;
    }
    finish(text, out, copied)
}

/// Flags of common clients whose name does not say that a secret follows.
fn programs(text: &str) -> Option<String> {
    const FLAGS: [(&str, &str); 8] = [
        ("mysql", "-p"),
        ("mysqldump", "-p"),
        ("mysqladmin", "-p"),
        ("mariadb", "-p"),
        ("sshpass", "-p"),
        ("redis-cli", "-a"),
        ("curl", "-u"),
        ("curl", "--user"),
    ];
    let mut out = String::new();
    let mut copied = 0;
    let mut program = "";
    let mut pending = false;
    for (start, word) in words(text) {
        let flag = FLAGS.iter().find(|(name, flag)| *name == program && word.starts_with(flag));
        let joined = flag.and_then(|(_, flag)| word.strip_prefix(flag)).unwrap_or_default();
        let secret = match flag {
            // mysql takes its password joined to the flag only: a separate word is the database.
            Some((name, _)) if joined.is_empty() => {
                pending = !name.starts_with("my") && *name != "mariadb";
                continue;
            }
            Some((_, "--user")) => joined.trim_start_matches('='),
            Some(_) => joined,
            None if pending => word,
            None => {
                let base = word.rsplit('/').next().unwrap_or(word);
                if FLAGS.iter().any(|(name, _)| *name == base) {
                    program = base;
                }
                continue;
            }
        };
        pending = false;
        let secret =
            if program == "curl" { secret.split_once(':').map_or("", |(_, password)| password) } else { secret };
        if !is_plain(secret) {
            let end = start + word.len();
            out.push_str(text.get(copied..end - secret.len())?);
            out.push_str(MASK);
            copied = end;
        }
    }
    finish(text, out, copied)
}

/// The words of a shell's line with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let ends = |c: char| c.is_whitespace() || "\"'`;|&()".contains(c);
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.find(|c| !ends(c))?;
        let word = text.get(start..)?;
        let word = word.get(..word.find(ends).unwrap_or(word.len()))?;
        at = start + word.len();
        Some((start, word))
    })
}

/// The rest of the text after the last change; nothing if there was none.
fn finish(text: &str, mut out: String, copied: usize) -> Option<String> {
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

#[cfg(test)]
mod tests;
