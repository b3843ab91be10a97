//! No connection to the registry.

use super::{failing, finding, node_name, on_node, wanted};
use crate::facts::{Facts, FailedPull, PullFault};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RegistryUnreachable",
    stage: Stage::Images,
    summary: "no connection to the registry: refused, no route, timeout, or broken off",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The node could not talk to the registry: nothing listens at its address, no way leads there, packets are lost, a proxy is in
the way, or the connection breaks off while data flows.

## Signs
`connection refused`, `no route to host`, `i/o timeout`, `TLS handshake timeout`, `connection reset by peer`, `EOF`,
`context deadline exceeded`. `proxyconnect` in front of them means that the runtime's HTTP proxy is what cannot be reached.

## Fix
Refused: check that the registry runs and that host and port in the image's name are right; 127.0.0.1 and localhost mean the
node itself. Timeouts: firewalls, security groups, network policies of the node, the route, the MTU, the proxy settings of
the runtime. A single broken connection heals by itself at the next try.

## Not this
A name without address is RegistryNameUnresolved. An answer with an error is RegistryError.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::Unreachable, |pull| {
        let (node, server) = (node_name(facts), pull.server());
        let target = if is_proxy(pull) { "its HTTP proxy" } else { server };
        let say = if is_proxy(pull) {
            format!("Repair the proxy settings of the container runtime on {node}, or the proxy.")
        } else if is_loopback(server) {
            format!("{server} is {node} itself. Run the registry there, or name its real host in the image.")
        } else {
            format!("Make {server} reachable from {node}: the registry itself, firewalls, routes, the runtime's proxy.")
        };
        // An error that names no connection fits a stuck container runtime as well.
        let names_place = ["://", "dial tcp", "registry is unavailable"].iter().any(|sign| pull.error.contains(sign));
        let certain = names_place || pull.error.is_empty();
        finding(
            facts,
            pull,
            format!("{node} gets no usable connection to {target}, so {} cannot be pulled", wanted(pull)),
        )
        .certainty(if certain { Certainty::Certain } else { Certainty::Likely })
        .remedy(on_node(facts, say))
    })
}

fn is_proxy(pull: &FailedPull<'_>) -> bool {
    let error = pull.error.to_ascii_lowercase();
    error.contains("proxyconnect") || error.contains("proxy authentication required")
}

fn is_loopback(server: &str) -> bool {
    server.starts_with("localhost") || server.starts_with("127.") || server.starts_with("[::1]")
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn refused_and_lost_connections() {
        for error in [
            "failed to do request: Head \"https://r.example:5999/v2/\": dial tcp 10.0.0.1:5999: connect: connection refused",
            "failed to do request: Head \"https://r.example:5999/v2/\": net/http: TLS handshake timeout",
            "Error response from daemon: Get \"https://r.example:5999/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        ] {
            let finding = one(backing_off("r.example:5999/a:1", error).check(&RULE));
            assert!(finding.headline.contains("r.example:5999"), "{}", finding.headline);
            assert_eq!(finding.certainty, Certainty::Certain);
        }
    }

    #[test]
    fn a_proxy_is_named_as_one() {
        let error = "Head \"https://r.example/v2/\": proxyconnect tcp: dial tcp: lookup proxy.example: no such host";
        assert!(one(backing_off("r.example/a:1", error).check(&RULE)).headline.contains("its HTTP proxy"));
    }

    #[test]
    fn a_deadline_without_a_place_is_only_likely() {
        let error = "rpc error: code = DeadlineExceeded desc = context deadline exceeded";
        assert_eq!(one(backing_off("r.example/a:1", error).check(&RULE)).certainty, Certainty::Likely);
    }

    #[test]
    fn names_certificates_and_the_runtimes_socket_are_other_matters() {
        for error in [
            "dial tcp: lookup r.example on 10.0.0.2:53: read udp 10.0.0.4:1->10.0.0.2:53: i/o timeout",
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "connection error: desc = \"transport: dial unix /run/containerd/containerd.sock: connect: connection refused\"",
        ] {
            none(backing_off("r.example/a:1", error).check(&RULE));
        }
    }
}
