//! How to reach the cluster, as the command line says it: kubectl's flags.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::facts::time::go_seconds;

/// How long one question to the server may take if nothing else is said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection that the user asked for. Whatever is `None`, empty or false comes from the kubeconfig.
///
/// It holds credentials and therefore has no `Debug`.
#[derive(Clone, Default)]
pub struct Connect {
    /// `--kubeconfig`: the only file that is read. It must exist.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`
    pub context: Option<String>,
    /// `--cluster`
    pub cluster: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `-n`, `--namespace`
    pub namespace: Option<String>,
    /// `-s`, `--server`
    pub server: Option<String>,
    /// `--token`
    pub token: Option<String>,
    /// `--username`
    pub username: Option<String>,
    /// `--password`
    pub password: Option<String>,
    /// `--as`
    pub as_user: Option<String>,
    /// `--as-uid`
    pub as_uid: Option<String>,
    /// `--as-group`, repeatable
    pub as_groups: Vec<String>,
    /// `--as-user-extra KEY=VALUE`, repeatable
    pub as_user_extra: Vec<String>,
    /// `--certificate-authority`
    pub certificate_authority: Option<PathBuf>,
    /// `--client-certificate`
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`
    pub client_key: Option<PathBuf>,
    /// `--tls-server-name`
    pub tls_server_name: Option<String>,
    /// `--insecure-skip-tls-verify`
    pub insecure_skip_tls_verify: bool,
    /// `--request-timeout`, for each question; zero is none, and nothing is [`DEFAULT_TIMEOUT`].
    pub request_timeout: Option<Duration>,
    /// `--disable-compression`
    pub disable_compression: bool,
    /// No credential plugin may ask the user anything: set while completing.
    pub never_interactive: bool,
}

/// Why there is no connection: one or two sentences for the user, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError(pub(super) String);

impl ConnectError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

/// Reads the value of `--request-timeout` as kubectl does: a number with a unit (`5s`, `2m`, `1h30m`, `500ms`) or bare
/// seconds; `0` is no limit.
///
/// # Errors
/// A sentence that names the value.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "invalid timeout \"{}\": a number with a unit is expected, for example 5s, 2m or 1h",
            one_line(text, 40)
        )
    };
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let total = go_seconds(text).ok_or_else(wrong)?;
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}

/// Text from elsewhere as part of one line: no control characters, at most `limit` characters.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for c in text.trim().chars() {
        if out.chars().count() >= limit {
            out.push('\u{2026}');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_kubectl_reads_them() {
        for (text, millis) in [
            ("5s", 5_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("7", 7_000),
            ("0", 0),
            ("1.5s", 1_500),
        ] {
            assert_eq!(parse_timeout(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "5x", "-1s", "1d", "5s3", ".s", "9e99s", "99999999999999999999h"] {
            assert!(parse_timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_from_elsewhere_stays_on_its_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m", 20), "a b\u{fffd}[31m");
        assert_eq!(one_line("abcdef", 3), "abc\u{2026}");
    }
}
