//! The registry's certificate is not trusted.

use super::{failing, node_name, on_node, wanted};
use crate::facts::{Facts, FailedPull, PullFault};
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
    let headline = |pull: &FailedPull<'_>| {
        format!(
            "{} does not trust the certificate of {} ({}), so {} cannot be pulled",
            node_name(facts),
            pull.server(),
            why(pull.error),
            wanted(pull)
        )
    };
    failing(facts, PullFault::TlsUntrusted, headline, |pull| {
        let (server, node) = (pull.server(), node_name(facts));
        let say = match why(pull.error) {
            "expired or not yet valid" => {
                format!("Renew the certificate of {server}; if it is still valid, set the clock of {node}.")
            }
            "for another name" => {
                format!("Give {server} a certificate for that very name, or name the registry as its certificate does.")
            }
            "unknown authority" => format!(
                "Make the authority of {server} known to the container runtime of every node, or use one that is."
            ),
            _ => format!("Make {server} and the container runtime of {node} agree on TLS."),
        };
        on_node(facts, say)
    })
}

fn why(error: &str) -> &'static str {
    let has = |words: &str| error.contains(words);
    if has("unknown authority") {
        "unknown authority"
    } else if has("expired or is not yet valid") {
        "expired or not yet valid"
    } else if has("is valid for")
        || has("not valid for any names")
        || has("cannot validate certificate for")
        || has("Common Name")
    {
        "for another name"
    } else {
        "TLS fails"
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
