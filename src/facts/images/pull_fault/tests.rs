//! Errors of real runtimes and what they come to.

use super::*;

/// The reason that a fault leads to.
fn reason(fault: Fault) -> &'static str {
    match fault {
        Fault::NotFound => "ImageNotFound",
        Fault::Unauthorized => "ImagePullUnauthorized",
        Fault::NameInvalid => "ImageNameInvalid",
        Fault::NeverPull => "ImageAbsentNeverPull",
        Fault::Platform => "ImagePlatformMismatch",
        Fault::RateLimited => "RegistryRateLimited",
        Fault::NameUnresolved => "RegistryNameUnresolved",
        Fault::Unreachable => "RegistryUnreachable",
        Fault::TlsUntrusted => "RegistryTLSUntrusted",
        Fault::PlainHttp => "RegistryPlainHTTP",
        Fault::ServerError => "RegistryError",
        Fault::Queued => "ImagePullQueued",
        Fault::DiskFull => "ImageDiskFull",
        Fault::Unverified => "ImageUnverified",
        Fault::Uninspectable => "ImageInspectFailed",
        Fault::RuntimeDown => "RuntimeUnavailable",
        Fault::Other | Fault::Unrecorded => "ImagePullFailed",
    }
}

/// Ours for a finer class of the list.
fn coarse(class: &str) -> &str {
    match class {
        "+ImageIncomplete" | "+ImageCorrupt" | "+ImageFormatUnsupported" => "ImagePullFailed",
        "+ImageNameAmbiguous" => "ImageNameInvalid",
        "+NodeDiskFull" => "ImageDiskFull",
        "+RegistryProxyFailed" => "RegistryUnreachable",
        "+RuntimeDown" => "RuntimeUnavailable",
        same => same,
    }
}

#[test]
fn every_known_message_about_a_pull_has_its_class() {
    // What is told by the kubelet's word instead of the error, or is no error.
    let not_errors = ["IMG-NEVER", "IMG-INSPECT", "IMG-SECRET-MISSING"];
    let mut seen = 0;
    for line in include_str!("../../../../tests/data/messages.tsv").lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, surface, words, _, example, classes, ..] = columns[..] else { continue };
        let is_pull = id.starts_with("IMG-") && surface.contains("event") && words.contains("Failed");
        if !is_pull || classes == "-" || not_errors.contains(&id) {
            continue;
        }
        seen += 1;
        let found = reason(classify(example));
        assert!(classes.split('|').any(|c| coarse(c) == found), "{id}: {found}\n{example}");
    }
    assert!(seen > 40, "{seen}");
}

#[track_caller]
fn told(error: &str, fault: Fault) {
    assert_eq!(classify(error), fault, "{error}");
}

#[test]
fn the_innermost_error_decides() {
    told(
        r#"failed to authorize: failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=x": dial tcp: lookup auth.docker.io on 10.0.0.2:53: no such host"#,
        Fault::NameUnresolved,
    );
    told(
        "failed to fetch oauth token: unexpected status from POST request to https://a.example/token: 500 Internal Server Error",
        Fault::ServerError,
    );
    told(
        r#"failed to do request: Head "https://r.example/v2/": dial tcp: lookup r.example on [::1]:53: read udp [::1]:1->[::1]:53: read: connection refused"#,
        Fault::NameUnresolved,
    );
    told(
        "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 503 Service Unavailable - Server message: upstream connect error, reset reason: connection refused",
        Fault::ServerError,
    );
    told("failed to extract layer sha256:00: mkdir /var/lib/x: permission denied: unknown", Fault::Other);
}

#[test]
fn names_that_sound_like_errors_are_not_errors() {
    told(
        r#"failed to pull and unpack image "r.example/429/unauthorized:401": failed to resolve reference "r.example/429/unauthorized:401": r.example/429/unauthorized:401: not found"#,
        Fault::NotFound,
    );
    told("reading manifest 503 in r.example/team/x509: manifest unknown", Fault::NotFound);
}

#[test]
fn a_missing_platform_is_not_a_missing_image() {
    told("code = NotFound desc = no match for platform in manifest sha256:00: not found", Fault::Platform);
    told(
        r#"choosing image instance: no image found in image index for architecture "arm64", variant "v8", OS "linux""#,
        Fault::Platform,
    );
}

#[test]
fn of_several_attempts_the_one_that_was_let_in_decides() {
    let refused = r#"failed to pull and unpack image "r.example/a:1": failed to resolve image: unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 401 Unauthorized"#;
    let absent =
        r#"failed to pull and unpack image "r.example/a:1": failed to resolve image: r.example/a:1: not found"#;
    told(&format!("[{refused}, {absent}]"), Fault::NotFound);
    told(&format!("[{refused}, {refused}]"), Fault::Unauthorized);
    told(
        r#"(Mirrors also failed: [m.example/a:1: pinging container registry m.example: Get "https://m.example/v2/": EOF]): r.example/a:1: reading manifest 1 in r.example/a: manifest unknown"#,
        Fault::NotFound,
    );
}

#[test]
fn an_answer_that_is_no_json_still_has_its_status() {
    told(r#"error parsing HTTP 404 response body: invalid character '<': "<html> denied: </html>""#, Fault::NotFound);
    told(r#"reading manifest 1 in r.example/a: StatusCode: 502, "<html><h1>502 Bad Gateway</h1>""#, Fault::ServerError);
    told("Requesting bearer token: invalid status code from registry 403 (Forbidden)", Fault::Unauthorized);
}

#[test]
fn the_server_is_the_one_that_was_asked_last() {
    let of = |error| server(error).unwrap_or_default();
    assert_eq!(of(r#"Head "https://r.example:5000/v2/a": dial tcp 10.0.0.1:5000: connect: refused"#), "r.example:5000");
    assert_eq!(
        of(r#"Head "https://r.example/v2/": dial tcp: lookup proxy.example on 10.0.0.2:53: no such host"#),
        "proxy.example"
    );
    assert_eq!(
        of("unexpected status from HEAD request to http://r.example:5001/v2/a/manifests/1: 401"),
        "r.example:5001"
    );
    assert_eq!(of("manifest unknown"), "");
    assert_eq!(of("toomanyrequests: see https://docs.example/limits"), "");
}

#[test]
fn a_status_that_the_registry_answers_with_decides() {
    for (error, wanted) in [
        ("unexpected status code 401 Unauthorized", Fault::Unauthorized),
        ("unexpected status code 403 Forbidden", Fault::Unauthorized),
        ("unexpected status code 403", Fault::Unauthorized),
        ("unexpected status code 429", Fault::RateLimited),
        ("failed to fetch oauth token: unexpected status code 404", Fault::ServerError),
        ("could not fetch content descriptor: unexpected status code 404", Fault::Other),
        ("sha256:0123: not found", Fault::Other),
        ("library/app: not found", Fault::NotFound),
        ("unexpected status code 404 Not Found", Fault::NotFound),
        ("unexpected status code 407 Proxy Authentication Required", Fault::Unreachable),
        ("unexpected status code 429 Too Many Requests", Fault::RateLimited),
        ("unexpected status code 400 Bad Request: unauthorized: authentication required", Fault::Unauthorized),
        ("unexpected status code 400 Bad Request", Fault::ServerError),
        ("unexpected status code 503 Service Unavailable", Fault::ServerError),
        ("unexpected status code 200 OK", Fault::Other),
        ("unexpected status code 4030", Fault::Other),
        ("unexpected status code 600", Fault::Other),
    ] {
        assert_eq!(classify(error), wanted, "{error}");
    }
}

#[test]
fn every_fault_has_words_of_its_own() {
    let all = [
        Fault::NotFound,
        Fault::Unauthorized,
        Fault::NameInvalid,
        Fault::NeverPull,
        Fault::Platform,
        Fault::RateLimited,
        Fault::TlsUntrusted,
        Fault::PlainHttp,
        Fault::ServerError,
        Fault::Unreachable,
        Fault::Queued,
        Fault::DiskFull,
        Fault::Unverified,
        Fault::Uninspectable,
        Fault::RuntimeDown,
        Fault::Other,
    ];
    let said: std::collections::BTreeSet<&str> = all.iter().map(|fault| fault.words()).collect();
    assert_eq!(said.len(), all.len());
}

#[test]
fn the_host_of_a_failed_lookup_or_request_is_the_server() {
    for (error, wanted) in [
        ("dial tcp: lookup r.example on 10.0.0.10:53: no such host", Some("r.example")),
        ("dial tcp: lookup registry on 10.0.0.10:53: no such host", Some("registry")),
        ("it is of no use to lookup nothing: no", None),
        ("Head \"https://r.example/v2/\": EOF", Some("r.example")),
        ("see https://docs.example/help", None),
        ("Get \"http://r.example:5000/v2/\": EOF", Some("r.example:5000")),
        ("Get \"ftp://r.example/v2/\": EOF", None),
    ] {
        assert_eq!(server(error), wanted, "{error}");
    }
}
