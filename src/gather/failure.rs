//! Why a question got no answer, told apart as far as people act differently on it.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use http::StatusCode;
use kube::core::response::{Status, reason};
use tower::BoxError;

use super::connect::one_line;

/// A question without an answer. `Display` gives one line without control characters, as it stands in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The object does not exist.
    NotFound(String),
    /// The server does not know this kind of object.
    NotServed(String),
    /// The user has no right to ask (403).
    Forbidden(String),
    /// The server does not accept the credentials (401).
    Unauthorized(String),
    /// The question makes no sense to the server (400), as for the log of a run that there was not.
    Invalid(String),
    /// No answer, or not all of it, in that time.
    TimedOut(Duration),
    /// There was no connection.
    Unreachable(String),
    /// Anything else: a fault of the server, an answer that makes no sense or is too long.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotFound(text) | Failure::Invalid(text) | Failure::Other(text) => f.write_str(text),
            Failure::NotServed(text) => write!(f, "the server does not serve this kind: {text}"),
            Failure::Forbidden(text) => write!(f, "forbidden: {text}"),
            Failure::Unauthorized(text) => write!(f, "forbidden: the credentials were not accepted (401): {text}"),
            Failure::TimedOut(limit) => write!(f, "no answer within {}", seconds(*limit)),
            Failure::Unreachable(text) => write!(f, "no connection: {text}"),
        }
    }
}

impl Error for Failure {}

/// A time limit as people write it.
pub(super) fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}

impl Failure {
    /// What an error status means. Only a Status that names an object says that the object does not exist; a bare 404 is a path
    /// that the server, or something before it, does not know.
    pub(super) fn of_status(code: StatusCode, status: Option<Status>) -> Self {
        let name = code.canonical_reason().unwrap_or("unknown status");
        let message = status
            .as_ref()
            .map(|s| one_line(&s.message, 2000))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| format!("{} {name}", code.as_u16()));
        let absent = status
            .as_ref()
            .is_some_and(|s| s.reason == reason::NOT_FOUND && s.details.as_ref().is_some_and(|d| !d.name.is_empty()));
        match code {
            StatusCode::NOT_FOUND if absent => Failure::NotFound(message),
            StatusCode::NOT_FOUND => Failure::NotServed(message),
            StatusCode::FORBIDDEN => Failure::Forbidden(message),
            StatusCode::BAD_REQUEST if status.is_some() => Failure::Invalid(message),
            StatusCode::UNAUTHORIZED => Failure::Unauthorized(message),
            _ if status.is_some() => {
                Failure::Other(format!("the server answered {} ({name}): {message}", code.as_u16()))
            }
            _ => Failure::Other(format!("{} {name} came back, and not from a Kubernetes API server", code.as_u16())),
        }
    }

    /// What an error of the connection means.
    pub(super) fn of_transport(error: &BoxError) -> Self {
        let causes = causes(error);
        let texts: Vec<String> = causes.iter().map(|e| e.to_string()).collect();
        let deepest = texts.last().map(|text| one_line(text, 300)).unwrap_or_default();
        let kind = causes.iter().filter_map(|e| e.downcast_ref::<io::Error>()).map(io::Error::kind).next_back();
        let connecting = texts.iter().any(|t| t.contains("(Connect)"));
        let said = |word: &str| texts.iter().any(|t| t.contains(word));
        let text = if said("dns error") {
            "the host name cannot be resolved".to_owned()
        } else if said("invalid peer certificate") {
            let why = texts.iter().find_map(|t| t.split_once("invalid peer certificate: ")).map_or("", |(_, why)| why);
            certificate(why)
        } else if said("received corrupt message") || said("InvalidContentType") {
            "what answers there does not speak TLS".to_owned()
        } else if let Some((_, alert)) = texts.iter().find_map(|t| t.split_once("received fatal alert: ")) {
            format!("the server broke off the TLS handshake ({}): check the client certificate", one_line(alert, 60))
        } else if said("tunnel error") || said("proxy") {
            format!("the proxy did not let the connection through ({deepest})")
        } else {
            match kind {
                Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
                Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
                    "there is no route to the host".to_owned()
                }
                Some(io::ErrorKind::TimedOut) => "the connection timed out".to_owned(),
                Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
                    "the connection was reset".to_owned()
                }
                _ if deepest.is_empty() => "the connection failed".to_owned(),
                _ => deepest,
            }
        };
        if connecting { Failure::Unreachable(text) } else { Failure::Other(format!("the connection broke: {text}")) }
    }
}

/// The error and what lies behind it, outermost first.
fn causes(error: &BoxError) -> Vec<&(dyn Error + 'static)> {
    let mut all = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(&**error);
    while let Some(error) = next {
        all.push(error);
        next = error.source();
    }
    all
}

/// What is wrong with the server's certificate, from rustls' names.
fn certificate(why: &str) -> String {
    // A bad signature is that of another authority with the same name: kubeadm calls every cluster's "kubernetes".
    let text = if ["UnknownIssuer", "unknown issuer", "BadSignature"].iter().any(|name| why.contains(name)) {
        "the server's certificate is not signed by the certificate-authority of the kubeconfig"
    } else if why.contains("NotValidForName") || why.contains("not valid for name") {
        "the server's certificate is for another name (see --tls-server-name)"
    } else if why.contains("NotValidYet") || why.contains("not valid yet") {
        "the server's certificate is not valid yet"
    } else if why.contains("Expired") || why.contains("expired") {
        "the server's certificate has expired"
    } else if why.contains("CaUsedAsEndEntity") {
        "the server's certificate is that of a certificate authority"
    } else if why.contains("UnsupportedCertVersion") || why.contains("UnsupportedSignatureAlgorithm") {
        "the server's certificate is of a kind that is no longer accepted"
    } else {
        // The rest are rustls' own names for things that people do not act on.
        "the server's certificate is not valid"
    };
    text.to_owned()
}

/// Whether a broken connection is worth another try: the server closed it, or it broke in the middle of the answer.
pub(super) fn is_reset(error: &BoxError) -> bool {
    causes(error).into_iter().any(|e| {
        let io = e.downcast_ref::<io::Error>().is_some_and(|e| {
            matches!(
                e.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionAborted
            )
        });
        let closed = e.downcast_ref::<hyper::Error>().is_some_and(|e| {
            e.is_incomplete_message() || e.is_closed() || e.is_canceled() || e.is_body_write_aborted()
        });
        io || closed
            || e.to_string().contains("connection was closed")
            || e.to_string().contains("stream error")
            || e.to_string().contains("GOAWAY")
    })
}
