//! What an image pull's error comes to: one classifier for containerd 1.6 to 2.x, CRI-O and dockerd.
//!
//! Runtimes wrap errors in one another, outermost first, and quote image names, addresses and whole answers of servers in
//! them. So the text is first cut down to the attempt that decides and to the words that are the runtime's own; then the
//! more specific fault is looked for before the more general one.

/// Why an image is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullFault {
    /// The registry has no such repository, tag or digest.
    NotFound,
    /// The registry wants credentials, or others.
    Unauthorized,
    /// The reference cannot be read, or stands for several images.
    NameInvalid,
    /// The image is not on the node and may not be pulled.
    NeverPull,
    /// The image has no variant for the node.
    Platform,
    /// The registry limits the rate.
    RateLimited,
    /// A host name does not resolve.
    NameUnresolved,
    /// No connection, or one that breaks off.
    Unreachable,
    /// The certificate is not trusted, or TLS fails otherwise.
    TlsUntrusted,
    /// The other side does not speak TLS.
    PlainHttp,
    /// The registry answers with an error of its own.
    ServerError,
    /// The kubelet holds the pull back.
    Queued,
    /// The node has no room.
    DiskFull,
    /// A policy refuses the image.
    Unverified,
    /// The runtime cannot read the image that it has.
    Uninspectable,
    /// The runtime itself does not answer.
    RuntimeDown,
    /// Something else, which the error says.
    Other,
    /// The error is no longer recorded.
    Unrecorded,
}

impl PullFault {
    /// The fault in a few words, for a sentence about a pull that is not a container's own.
    pub fn words(self) -> &'static str {
        match self {
            Fault::NotFound => "the registry has no such image",
            Fault::Unauthorized => "the registry refuses",
            Fault::NameInvalid => "its name cannot be parsed",
            Fault::NeverPull => "it is not to be pulled",
            Fault::Platform => "it has no variant for the node",
            Fault::RateLimited => "the registry limits the pull rate",
            Fault::NameUnresolved => "the registry's name does not resolve",
            Fault::Unreachable => "there is no usable connection to the registry",
            Fault::TlsUntrusted => "the registry's certificate is not trusted",
            Fault::PlainHttp => "the registry does not speak HTTPS",
            Fault::ServerError => "the registry answers with an error of its own",
            Fault::Queued => "the kubelet holds the pull back",
            Fault::DiskFull => "the disk is full",
            Fault::Unverified => "a policy refuses it",
            Fault::Uninspectable => "it cannot be read",
            Fault::RuntimeDown => "the container runtime does not answer",
            Fault::Other | Fault::Unrecorded => "the error is quoted below",
        }
    }
}

use PullFault as Fault;

/// The fault that a pull's error tells.
pub fn classify(error: &str) -> Fault {
    let attempts = attempts(error);
    // The kubelet tries one pull secret after the other: a refusal of one credential says less than any other answer.
    let mut faults = attempts.iter().map(|attempt| fault_of(attempt));
    let first = faults.next().unwrap_or(Fault::Other);
    if first == Fault::Unauthorized { faults.find(|f| *f != Fault::Unauthorized).unwrap_or(first) } else { first }
}

/// The host that the error is about: the one whose name was looked up, or else that of the last request.
pub(super) fn server(error: &str) -> Option<&str> {
    let decisive = own_registry(error);
    if let Some((before, after)) = decisive.rsplit_once("lookup ") {
        let host = after.split([' ', ':']).next().filter(|host| host.contains('.') || before.ends_with("tcp: "));
        if host.is_some() {
            return host;
        }
    }
    let requests = decisive.match_indices("://").filter_map(|(at, _)| {
        let (before, after) = (decisive.get(..at)?, decisive.get(at + 3..)?);
        let before = before.strip_suffix("https").or_else(|| before.strip_suffix("http"))?;
        let asks = REQUEST.iter().any(|words| before.ends_with(words));
        after.split(['/', '"', ' ', '?']).next().filter(|host| asks && !host.is_empty())
    });
    requests.last()
}

/// Words before an address that was asked; other addresses are advice in a server's answer.
const REQUEST: [&str; 4] = ["\"", "request to ", "status code ", "content at "];

/// Whether the failing request went to another host in the registry's place: containerd tells a mirror whose place it takes.
pub(super) fn is_mirror_request(error: &str) -> bool {
    own_registry(error).contains("?ns=")
}

/// The errors of the several attempts, which the kubelet writes as `[first, second]`.
fn attempts(error: &str) -> Vec<&str> {
    let error = own_registry(error).trim();
    let Some(list) = error.strip_prefix('[').and_then(|e| e.strip_suffix(']')) else { return vec![error] };
    let mut rest = list;
    let mut found = Vec::new();
    while let Some(at) = [", rpc error:", ", failed to pull", ", initializing source", ", Error response"]
        .iter()
        .filter_map(|separator| rest.find(separator))
        .min()
    {
        let (attempt, more) = rest.split_at(at);
        found.push(attempt);
        rest = more.get(2..).unwrap_or_default();
    }
    found.push(rest);
    found
}

/// CRI-O puts its mirrors' errors before that of the registry itself, which decides.
fn own_registry(error: &str) -> &str {
    match error.split_once("(Mirrors also failed: ") {
        Some((_, rest)) => rest.rsplit_once("]): ").map_or(error, |(_, own)| own),
        None => error,
    }
}

fn fault_of(error: &str) -> Fault {
    let text = own_words(error);
    let has = |needles: &[&str]| needles.iter().any(|n| text.contains(n));
    let to_registry = error.contains("://");
    if has(QUEUED) {
        Fault::Queued
    } else if has(RUNTIME_DOWN) || !to_registry && has(&["code = unavailable"]) {
        Fault::RuntimeDown
    } else if has(UNVERIFIED) {
        Fault::Unverified
    } else if has(NAME_INVALID) {
        Fault::NameInvalid
    } else if has(PLATFORM) {
        Fault::Platform
    } else if has(RATE_LIMITED) {
        Fault::RateLimited
    } else if let Some(status) = status(&text) {
        fault_of_status(status, &has)
    } else if has(PROXY) {
        Fault::Unreachable
    } else if has(PLAIN_HTTP) {
        Fault::PlainHttp
    } else if has(DISK_FULL) {
        Fault::DiskFull
    } else if has(UNRESOLVED) || has(&[" lookup "]) && has(LOOKUP_FAILED) {
        Fault::NameUnresolved
    } else if has(TLS) && !has(&["tls handshake timeout"]) {
        Fault::TlsUntrusted
    } else if has(DAMAGED) {
        Fault::Other
    } else if has(UNREACHABLE) || text.trim_end().ends_with(": eof") {
        Fault::Unreachable
    } else if has(UNAUTHORIZED) {
        Fault::Unauthorized
    } else if has(INCOMPLETE) || lacks_digest(&text) {
        Fault::Other
    } else if has(NOT_FOUND) {
        Fault::NotFound
    } else if has(TOKEN) {
        Fault::Unauthorized
    } else {
        Fault::Other
    }
}

fn fault_of_status(status: u16, has: &impl Fn(&[&str]) -> bool) -> Fault {
    match status {
        401 | 403 => Fault::Unauthorized,
        404 if has(TOKEN) => Fault::ServerError,
        404 if has(INCOMPLETE) => Fault::Other,
        404 => Fault::NotFound,
        407 => Fault::Unreachable,
        429 => Fault::RateLimited,
        400..=499 if has(UNAUTHORIZED) => Fault::Unauthorized,
        _ => Fault::ServerError,
    }
}

const QUEUED: &[&str] = &["pull qps exceeded"];
const RUNTIME_DOWN: &[&str] = &["dial unix", "ttrpc: closed", "cannot connect to the docker daemon"];
const UNVERIFIED: &[&str] = &[
    "signature validation failed",
    "signaturevalidationfailed",
    "source image rejected",
    "signature was required",
    "is rejected by policy",
];
const NAME_INVALID: &[&str] = &[
    "invalid reference format",
    "couldn't parse image",
    "invalid image name",
    "short-name",
    "short name mode is enforcing",
];
const PLATFORM: &[&str] = &[
    "no match for platform",
    "no matching manifest for",
    "no image found in image index",
    "no image found in manifest list",
    "cannot be used on this platform",
    "does not match the specified platform",
];
const RATE_LIMITED: &[&str] =
    &["toomanyrequests", "too many requests", "pull rate limit", "rate limit", " rate exceeded"];
const PROXY: &[&str] = &["proxyconnect", "proxy authentication required"];
const PLAIN_HTTP: &[&str] =
    &["server gave http response to https client", "first record does not look like a tls handshake"];
const DISK_FULL: &[&str] = &["no space left on device", "disk quota exceeded"];
const UNRESOLVED: &[&str] =
    &["no such host", "temporary failure in name resolution", "could not resolve host", "server misbehaving"];
const LOOKUP_FAILED: &[&str] = &["i/o timeout", "read udp", "connection refused", "dnsquery", "no answer"];
const TLS: &[&str] = &[" x509: ", "remote error: tls:", " tls: "];
/// What came is not what the manifest promised, or of a kind that the runtime no longer reads.
const DAMAGED: &[&str] = &[
    "unexpected commit digest",
    "wrong diff",
    "mismatched image rootfs",
    "invalid tar header",
    "gzip: invalid",
    "digest did not match",
    "digest mismatch",
    "digest verification failed",
    "layer verification failed",
    "content digest",
    "no longer supported",
];
const UNREACHABLE: &[&str] = &[
    "connection refused",
    "registry is unavailable",
    "no route to host",
    "network is unreachable",
    "host is down",
    "i/o timeout",
    "connection timed out",
    "operation was canceled",
    "cannot assign requested address",
    "tls handshake timeout",
    "client.timeout exceeded",
    "request canceled",
    "timeout awaiting response headers",
    "unexpected eof",
    "connection reset by peer",
    "broken pipe",
    "stream error",
    " http2: ",
    "use of closed network connection",
    "failed size validation",
    "short read",
    "context canceled",
    "pull canceled",
    "pull cancelled",
    "pull was cancelled",
    "no progress in",
    "deadline exceeded",
    "deadlineexceeded",
];
const UNAUTHORIZED: &[&str] = &[
    "no basic auth credentials",
    "pull access denied",
    "insufficient_scope",
    "authorization failed",
    " unauthorized",
    " denied:",
    " denied on resource",
    "not authorized",
    "not have permission",
    "authentication required",
    "invalid username",
    "incorrect username",
    "authorization token has expired",
    "requested access to the resource is denied",
    "access forbidden",
    " 403 forbidden",
];
/// The manifest is there, but a layer or the configuration that it lists is not.
const INCOMPLETE: &[&str] = &["content at ", "httpreadseeker", "could not fetch content"];
const NOT_FOUND: &[&str] = &[
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "name_unknown",
    " not found",
    "code = notfound",
    "failed to fetch ",
];
/// The words that introduce an error of the server that hands out tokens.
const TOKEN: &[&str] = &["fetch anonymous token", "fetch oauth token", "auth token", "bearer token"];

/// The error in lower case without what others wrote: addresses, references, paths, every word with a slash in it but the
/// few of the runtime's own. Punctuation at such a word's end stays.
fn own_words(error: &str) -> String {
    let mut text = String::from(" ");
    for word in error.split_whitespace() {
        let lower = word.to_ascii_lowercase();
        if lower.contains('/') && !lower.starts_with("i/o") && !lower.starts_with("net/http:") {
            text.push_str(if lower.ends_with(':') { ":" } else { "" });
        } else {
            text.push_str(lower.trim_start_matches(['"', '(', '\'']));
        }
        text.push(' ');
    }
    // A file's permission is not a registry's.
    text.replace("open : permission denied", "").replace(" : permission denied", "").trim_end().to_owned()
}

/// The HTTP status that the error names.
fn status(text: &str) -> Option<u16> {
    const BEFORE: &[&str] =
        &["unexpected status", "status code", "statuscode:", "http status:", "parsing http", "http code"];
    const PLAIN: &[(&str, u16)] = &[
        ("500 internal server error", 500),
        ("501 not implemented", 501),
        ("502 bad gateway", 502),
        ("503 service unavailable", 503),
        ("504 gateway time", 504),
        ("404 not found", 404),
        ("401 unauthorized", 401),
        ("403 forbidden", 403),
    ];
    let number = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        digits.parse::<u16>().ok().filter(|n| digits.len() == 3 && (400..600).contains(n))
    };
    let introduced = BEFORE.iter().filter_map(|before| text.rfind(before).and_then(|at| text.get(at + before.len()..)));
    let after = introduced.min_by_key(|after| after.len());
    after
        .and_then(|after| after.split_whitespace().take(8).find_map(number))
        .or_else(|| PLAIN.iter().find(|(words, _)| text.contains(words)).map(|(_, status)| *status))
}

/// Whether a bare digest, which no pod asks for, is what was not found.
fn lacks_digest(text: &str) -> bool {
    text.split_whitespace()
        .zip(text.split_whitespace().skip(1))
        .any(|(word, next)| word.starts_with("sha256:") && word.ends_with(':') && next == "not")
}

#[cfg(test)]
mod tests;
