//! Values that are secrets by their own shape or by where they stand, whatever their name.

/// What stands in place of a secret.
pub(crate) const MASK: &str = "[redacted]";

/// Prefixes that services give to their tokens, with the least number of characters that follow.
const PREFIXES: [(&str, usize); 38] = [
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("gldt-", 16),
    ("xoxa-", 8),
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("xoxr-", 8),
    ("xoxs-", 8),
    ("xapp-", 8),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("rk_test_", 8),
    ("whsec_", 16),
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sk-", 32),
    ("AIza", 30),
    ("ya29.", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("SG.", 30),
    ("hvs.", 20),
    ("hvb.", 20),
    ("dop_v1_", 40),
    ("dckr_pat_", 20),
    ("hf_", 30),
    ("shpat_", 20),
    ("AGE-SECRET-KEY-", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    // The base64 of `{"`: a JSON Web Token, or the credentials of a registry.
    ("eyJ", 24),
    ("ewog", 32),
];

fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.+/=".contains(c)
}

/// Tokens of known services, JSON Web Tokens, key blocks and their lines.
pub(super) fn known(text: &str) -> Option<String> {
    if is_key_line(text) {
        return Some(text.replace(text.trim(), MASK));
    }
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let fresh = !text.get(..at).is_some_and(|b| b.ends_with(|c: char| c.is_ascii_alphanumeric()));
        let length = if fresh { known_length(rest) } else { None };
        match length {
            Some(length) => {
                out.push_str(text.get(copied..at)?);
                out.push_str(MASK);
                at += length;
                copied = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

/// How long the secret is that begins here, if one does.
fn known_length(rest: &str) -> Option<usize> {
    if let Some(block) = rest.strip_prefix("-----BEGIN ") {
        let (label, _) = block.split_once("-----")?;
        if !label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK") {
            return None;
        }
        let end = format!("-----END {label}-----");
        return Some(rest.find(&end).map_or(rest.len(), |n| n + end.len()));
    }
    let (prefix, least) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix))?;
    let length = rest.find(|c| !in_token(c)).unwrap_or(rest.len());
    let body = rest.get(prefix.len()..length)?.trim_end_matches(['.', '/', '-']);
    let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let fits = match *prefix {
        "AKIA" | "ASIA" => body.len() == *least && body.bytes().all(upper),
        _ => body.len() >= *least && body.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase()),
    };
    fits.then_some(prefix.len() + body.len())
}

/// Whether a line is nothing but a row of a key in base64 as PEM files have it; a digest in hexadecimal is none.
fn is_key_line(text: &str) -> bool {
    let row = text.trim();
    let base64 = row.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    let any = |is: fn(&u8) -> bool| row.as_bytes().iter().any(is);
    row.len() >= 60
        && base64
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && any(u8::is_ascii_digit)
        && row.bytes().any(|b| !b.is_ascii_hexdigit())
}

/// The longest user, password and host that are looked for, so that a word full of `://` costs no more than any other.
const LONGEST_AUTHORITY: usize = 4 << 10;

/// The password in `scheme://user:password@host`, and a token that stands for the user.
pub(super) fn urls(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut word_end = 0;
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        if word_end < start {
            let tail = text.get(start..)?;
            word_end = start + tail.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(tail.len());
        }
        let end = text.floor_char_boundary(word_end.min(start + LONGEST_AUTHORITY));
        let Some(secret) = userinfo_secret(text.get(start..end)?) else { continue };
        if start + secret.start < copied {
            continue;
        }
        out.push_str(text.get(copied..start + secret.start)?);
        out.push_str(MASK);
        copied = start + secret.end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

/// Where the secret lies in what follows `://`.
fn userinfo_secret(rest: &str) -> Option<std::ops::Range<usize>> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let until = match authority.rfind('@') {
        Some(at) => at,
        // A password with a slash in it; `host:5000/image@sha256:…` has a port there instead.
        None => {
            let (_, password) = authority.split_once(':')?;
            let is_port = !password.is_empty() && password.bytes().all(|b| b.is_ascii_digit());
            if is_port || authority.len() == rest.len() {
                return None;
            }
            rest.split(['?', '#']).next().unwrap_or(rest).rfind('@')?
        }
    };
    let userinfo = rest.get(..until)?;
    match userinfo.split_once(':') {
        Some((_, "" | MASK)) => None,
        Some((user, _)) => Some(user.len() + 1..until),
        None if userinfo.len() >= 20 && userinfo.bytes().any(|b| b.is_ascii_digit()) => Some(0..until),
        None => None,
    }
}

/// Credentials of HTTP headers: `Authorization`, `Cookie`, and `Bearer` or `Basic` with what follows.
pub(super) fn headers(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (word, sure) in [("authorization", true), ("cookie", true), ("bearer ", false), ("basic ", false)] {
        for (at, _) in lower.match_indices(word) {
            let from = at + word.len();
            if sure {
                spans.extend(header_value(text, from, word == "cookie"));
            } else {
                spans.extend(credentials(text, from));
            }
        }
    }
    spans.sort_unstable();
    let mut out = String::new();
    let mut copied = 0;
    for (start, end) in spans {
        if start >= copied && !text.get(start..)?.starts_with(MASK) {
            out.push_str(text.get(copied..start)?);
            out.push_str(MASK);
            copied = end;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(text.get(copied..)?);
    Some(out)
}

/// The credentials after a header's name: what follows its scheme, or all of a cookie.
fn header_value(text: &str, from: usize, whole: bool) -> Option<(usize, usize)> {
    const SCHEMES: [&str; 7] = ["bearer", "basic", "token", "digest", "negotiate", "apikey", "aws4-hmac-sha256"];
    let rest = text.get(from..)?;
    let value = rest.trim_start_matches(['\\', '"', '\'']).trim_start().strip_prefix([':', '='])?;
    let value = value.trim_start_matches(|c: char| c.is_whitespace() || "\\\"'[".contains(c));
    let end = value.find(['"', '\'', '\\', ']']).unwrap_or(value.len());
    let value_start = text.len() - value.len();
    let value = value.get(..end)?;
    let (first, after) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let scheme = SCHEMES.contains(&first.to_ascii_lowercase().as_str());
    let start = if scheme { value_start + value.len() - after.trim_start().len() } else { value_start };
    let stop = if whole || scheme { value_start + value.len() } else { value_start + first.len() };
    let secret = text.get(start..stop)?;
    (!super::is_plain(secret) && (scheme || whole || !secret.bytes().all(|b| b.is_ascii_lowercase())))
        .then_some((start, stop))
}

/// What follows `Bearer` or `Basic`, if it is no word of a sentence and no parameter of a challenge.
fn credentials(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let length = rest.find(|c| !in_token(c) && c != '~').unwrap_or(rest.len());
    let token = rest.get(..length)?;
    let random = token.bytes().skip(1).any(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'=');
    let parameter = rest.get(length..)?.starts_with('"') && token.ends_with('=');
    (token.len() >= 8 && random && !parameter).then_some((from, from + length))
}
