//! The registry does not speak TLS.

use super::{failing, finding, node_name, on_node, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RegistryPlainHTTP",
    stage: Stage::Images,
    summary: "the registry speaks HTTP where HTTPS is expected",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The node's container runtime asked with HTTPS, as it does unless told otherwise, and the other side answered in plain HTTP.

## Signs
`server gave HTTP response to HTTPS client`, or `first record does not look like a TLS handshake`.

## Fix
Put TLS in front of the registry. For a registry of a test cluster, tell the runtime of every node that this host speaks
HTTP: for containerd a hosts.toml under /etc/containerd/certs.d/HOST/ with `server = "http://HOST"`, for CRI-O `insecure =
true` in registries.conf, for docker `insecure-registries`.

## Not this
containerd asks its mirrors first and reports the first error: a mirror that speaks HTTP hides what the registry itself
answered, for example that the tag does not exist. A proxy or a portal that asks for a login can answer in the registry's
place. The same sentence in a probe's event is about the probe's scheme.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::PlainHttp, |pull| {
        let (node, server, registry) = (node_name(facts), pull.server(), pull.image.registry);
        let mirror = pull.is_at_mirror();
        let role = if mirror { format!("{server}, a mirror of {registry},") } else { server.to_owned() };
        let hidden = if mirror { format!(" What {registry} itself answers shows only then.") } else { String::new() };
        let headline = format!("{role} speaks HTTP where {node} expects HTTPS, so {} cannot be pulled", wanted(pull));
        finding(facts, pull, headline)
            .certainty(if mirror { Certainty::Likely } else { Certainty::Certain })
            .remedy(on_node(
                facts,
                format!(
                    "Put TLS in front of {server}, or tell the container runtime of every node that it speaks HTTP.{hidden}"
                ),
            ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_registry_without_tls() {
        let error = "failed to do request: Head \"https://r.example:5000/v2/a/manifests/1\": http: server gave HTTP response to HTTPS client";
        let finding = one(backing_off("r.example:5000/a:1", error).check(&RULE));
        assert!(finding.headline.starts_with("r.example:5000 speaks HTTP"), "{}", finding.headline);
        assert_eq!(finding.certainty, Certainty::Certain);
    }

    #[test]
    fn a_mirror_hides_what_the_registry_says() {
        let error = "failed to do request: Head \"https://m.example:5000/v2/library/nginx/manifests/9?ns=docker.io\": http: server gave HTTP response to HTTPS client";
        let finding = one(backing_off("nginx:9", error).check(&RULE));
        assert!(
            finding.headline.starts_with("m.example:5000, a mirror of docker.io, speaks HTTP"),
            "{}",
            finding.headline
        );
        assert_eq!(finding.certainty, Certainty::Likely);
    }

    #[test]
    fn an_untrusted_certificate_is_not_this() {
        none(backing_off("r.example/a:1", "x509: certificate signed by unknown authority").check(&RULE));
    }
}
