//! The registry's certificate is not trusted.

use super::{failing, finding, node_name, on_node, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RegistryTLSUntrusted",
    stage: Stage::Images,
    summary: "the node does not trust the registry's certificate",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The node reached the registry, but its certificate is not one that the node's container runtime trusts: issued by an unknown
authority, expired, for another name; or the two could not agree on TLS.

## Signs
`x509:` and what follows it, or `remote error: tls:`, in the kubelet's message.

## Fix
Give the registry a certificate that the nodes trust, or make the authority known to the runtime on every node: for
containerd a `ca.crt` under /etc/containerd/certs.d/HOST/, for CRI-O and docker under /etc/containers/certs.d/HOST/ or
/etc/docker/certs.d/HOST/. For an expired one, renew it, and look at the node's clock too.

## Not this
A registry without TLS is RegistryPlainHTTP. A pod's own trust store plays no part: the node pulls.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::TlsUntrusted, |pull| {
        let (node, server) = (node_name(facts), pull.server());
        let (why, say) = why(pull.error);
        let headline =
            format!("{node} does not trust the certificate of {server} ({why}), so {} cannot be pulled", wanted(pull));
        finding(facts, pull, headline).remedy(on_node(facts, say.replace("HOST", server)))
    })
}

/// What is wrong with the certificate of HOST, and what to do.
fn why(error: &str) -> (&'static str, &'static str) {
    let has = |signs: &[&str]| signs.iter().any(|sign| error.contains(sign));
    if has(&["unknown authority"]) {
        (
            "unknown authority",
            "Make the authority of HOST known to the container runtime of every node, or use one that is.",
        )
    } else if has(&["expired or is not yet valid"]) {
        ("expired or not yet valid", "Renew the certificate of HOST; if it is valid, set the node's clock.")
    } else if has(&["is valid for", "not valid for any names", "cannot validate certificate for", "Common Name"]) {
        (
            "for another name",
            "Give HOST a certificate for that very name, or name the registry as its certificate does.",
        )
    } else {
        ("TLS fails", "Make HOST and the node's container runtime agree on TLS.")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn each_fault_of_a_certificate_is_named() {
        for (error, why) in [
            ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "unknown authority"),
            ("x509: certificate has expired or is not yet valid: current time is after", "expired"),
            ("x509: certificate is valid for a.example, not r.example", "for another name"),
            ("remote error: tls: handshake failure", "TLS fails"),
        ] {
            let error = format!("failed to do request: Head \"https://r.example/v2/\": {error}");
            let finding = one(backing_off("r.example/a:1", &error).check(&RULE));
            assert!(finding.headline.contains(why), "{}", finding.headline);
        }
    }

    #[test]
    fn a_handshake_that_times_out_or_meets_plain_http_is_not_this() {
        none(backing_off("r.example/a:1", "net/http: TLS handshake timeout").check(&RULE));
        none(backing_off("r.example/a:1", "tls: first record does not look like a TLS handshake").check(&RULE));
    }
}
