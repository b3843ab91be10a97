//! Which names belong to secrets, and where the value of such a name begins and ends in a line.

use std::ops::Range;

use super::values::MASK;

/// Parts of a name that make it a secret's wherever they stand.
const PARTS: [&str; 17] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "apikey",
    "accesskey",
    "accountkey",
    "privatekey",
    "authkey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "licensekey",
    "connectionstring",
    "sharedaccesssignature",
];

/// Words that are a secret's name on their own.
const WORDS: [&str; 9] = ["pwd", "pass", "token", "authorization", "cookie", "dsn", "sig", "signature", "sas"];

/// Last words of names that speak about a secret without holding it.
const ABOUT: [&str; 39] = [
    "file",
    "path",
    "dir",
    "name",
    "names",
    "ref",
    "url",
    "uri",
    "endpoint",
    "host",
    "ttl",
    "length",
    "len",
    "min",
    "max",
    "expiry",
    "expires",
    "expiration",
    "timeout",
    "count",
    "size",
    "limit",
    "policy",
    "type",
    "version",
    "issuer",
    "enabled",
    "required",
    "algorithm",
    "header",
    "mode",
    "provider",
    "audience",
    "store",
    "class",
    "hash",
    "error",
    "age",
    "format",
];

/// Values that are no secrets: words of state, schemes, what is taken out already.
const PLAIN: [&str; 52] = [
    "true",
    "false",
    "null",
    "nil",
    "none",
    "yes",
    "no",
    "on",
    "off",
    "not",
    "is",
    "was",
    "are",
    "must",
    "missing",
    "invalid",
    "expired",
    "required",
    "empty",
    "unset",
    "set",
    "failed",
    "denied",
    "unknown",
    "undefined",
    "unauthorized",
    "forbidden",
    "mismatch",
    "newline",
    "unexpected",
    "wrong",
    "incorrect",
    "flag",
    "option",
    "argument",
    "for",
    "and",
    "or",
    "to",
    "in",
    "with",
    "from",
    "value",
    "bearer",
    "basic",
    "digest",
    "negotiate",
    "token",
    "error",
    "string",
    "eof",
    "cannot",
];

/// A name in a line that a value can follow.
pub(super) struct Key {
    start: usize,
    /// Where the name ends.
    pub(super) end: usize,
}

impl Key {
    /// The name.
    pub(super) fn name<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// The next name at or after `from`.
pub(super) fn next(text: &str, from: usize) -> Option<Key> {
    let part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let rest = text.get(from..)?;
    let start = from + rest.find(|c: char| c.is_ascii_alphabetic() || c == '_')?;
    let tail = text.get(start..)?;
    let length = tail.find(|c| !part(c)).unwrap_or(tail.len());
    Some(Key { start, end: start + length })
}

/// Whether something with that name is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let words = split(name);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    let joined = words.concat();
    let before = words.len().checked_sub(2).and_then(|n| words.get(n)).map(String::as_str);
    let is_key = last == "key"
        && before.is_some_and(|w| {
            !["public", "primary", "foreign", "routing", "partition", "cache", "sort", "host"].contains(&w)
        })
        && !joined.contains("publickey");
    let part = PARTS.iter().any(|p| joined.contains(p)) && !joined.ends_with("keyid");
    part || is_key
        || words.iter().any(|w| WORDS.contains(&w.as_str()))
        || joined.ends_with("token")
        || joined.ends_with("pwd")
}

/// `DB_PASSWORD`, `dbPassword` and `db-password` as `db`, `password`.
fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        let breaks = !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && lower_before;
        if breaks {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|w| !w.is_empty());
    words
}

/// Whether a value cannot be a secret.
pub(super) fn is_plain(value: &str) -> bool {
    let bare = value.trim_matches(|c: char| "\"'`,;:.()<>{}*".contains(c) || c.is_whitespace());
    bare.is_empty()
        || bare.contains(MASK.trim_matches(['[', ']']))
        || bare.starts_with("$")
        || PLAIN.contains(&bare.to_ascii_lowercase().as_str())
}

/// Where the value of a name lies, if one follows.
pub(super) fn value_after(text: &str, key: &Key) -> Option<Range<usize>> {
    let after = text.get(key.end..)?;
    let unquoted = after.trim_start_matches(['\\', '"', '\'']);
    let spaceless = unquoted.trim_start();
    let is_flag = text.get(..key.start)?.ends_with('-');
    let rest =
        match spaceless.strip_prefix(":=").or(spaceless.strip_prefix("=>")).or(spaceless.strip_prefix(['=', ':'])) {
            Some(rest) if !rest.starts_with("//") && !rest.starts_with('=') => rest,
            None if is_flag && spaceless.len() < unquoted.len() && !spaceless.starts_with('-') => spaceless,
            _ => return None,
        };
    let rest = rest.trim_start();
    let start = text.len() - rest.len();
    let inner = rest.trim_start_matches('\\');
    let quote = inner.chars().next().filter(|c| "\"'`".contains(*c));
    if let Some(quote) = quote {
        let open = text.len() - inner.len() + 1;
        let body = text.get(open..)?;
        return Some(open..open + closing(body, quote));
    }
    Some(start..start + bare_length(rest))
}

/// The length of a quoted value; an escaped quote belongs to it unless the whole value is in escaped quotes.
fn closing(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (n, c) in body.char_indices() {
        match c {
            '\\' if body.get(n + 1..).is_some_and(|r| r.starts_with(quote)) && ends_there(body.get(n + 2..)) => {
                return n;
            }
            '\\' => escaped = !escaped,
            c if c == quote && !escaped => return n,
            _ => escaped = false,
        }
    }
    body.len()
}

fn ends_there(rest: Option<&str>) -> bool {
    rest.is_some_and(|r| r.is_empty() || r.starts_with([',', '}', ']', ' ', ':', '"']))
}

/// The length of an unquoted value. Commas and the like end it only if another name, a space or nothing follows.
fn bare_length(rest: &str) -> usize {
    for (n, c) in rest.char_indices() {
        let tail = rest.get(n + c.len_utf8()..).unwrap_or_default();
        let stops = match c {
            '"' | '\'' | '`' => true,
            ',' | ';' | '&' | ')' | ']' | '}' => {
                tail.is_empty()
                    || tail.starts_with(|c: char| c.is_whitespace() || "\"'}])".contains(c))
                    || next(tail, 0)
                        .is_some_and(|k| k.start == 0 && tail.get(k.end..).is_some_and(|r| r.starts_with(['=', ':'])))
            }
            c => c.is_whitespace(),
        };
        if stops {
            return n;
        }
    }
    rest.len()
}

/// Whether what follows a secret's name reads as its value and not as prose: "token: unexpected end of input".
pub(super) fn worth_masking(text: &str, key: &Key, span: &Range<usize>) -> bool {
    let value = text.get(span.clone()).unwrap_or_default();
    let between = text.get(key.end..span.start).unwrap_or_default();
    let plural = key.name(text).ends_with(['s', 'S']);
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    if plural && digits {
        return false;
    }
    let prose = between.contains(": ") && !between.contains(['"', '\'']);
    if !prose {
        return true;
    }
    let letters = value.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'\'');
    let after = text.get(span.end..).unwrap_or_default().trim_start();
    let before = text.get(..key.start).unwrap_or_default().trim_end();
    let more = after.starts_with(|c: char| c.is_alphanumeric() || "\"'(<".contains(c));
    let led = before.ends_with(|c: char| c.is_alphanumeric());
    match (letters, more) {
        (true, true) => false,
        (true, false) => !led,
        (false, true) => !digits || !led,
        (false, false) => true,
    }
}
