//! The registry's name does not resolve.

use super::{failing, finding, node_name, on_node, set_image, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RegistryNameUnresolved",
    stage: Stage::Images,
    summary: "the registry's host name does not resolve on the node",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The node asked its DNS server for the registry's address and got none. The node resolves names with its own resolver, not
with the cluster's DNS: names of Services are unknown to it.

## Signs
`no such host` means that the server knows no such name. `server misbehaving`, `i/o timeout` or `read udp` after `lookup`
mean that the server itself does not do its work.

## Fix
With `no such host`, correct the host in the image's name, or make the name known to the node's DNS. Otherwise repair the
node's resolver (/etc/resolv.conf, systemd-resolved, the way to the DNS server).

## Not this
A name that resolves to an address where nothing answers is RegistryUnreachable.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::NameUnresolved, |pull| {
        let (node, server) = (node_name(facts), pull.server());
        let unknown = pull.error.contains("no such host") && pull.image.is_from(server);
        finding(facts, pull, format!("{node} cannot resolve the name {server}, so {} cannot be pulled", wanted(pull)))
            .remedy(on_node(facts, format!("Make {server} resolve on {node}, through the node's own DNS server.")))
            .remedy(unknown.then(|| set_image(facts, pull, "Or correct the registry in the image's name:", "IMAGE")))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_name_that_was_looked_up_is_named() {
        let error = "failed to do request: Head \"https://r.example/v2/a\": dial tcp: lookup r.example on 10.96.0.10:53: no such host";
        let finding = one(backing_off("r.example/a:1", error).check(&RULE));
        assert!(finding.headline.starts_with("node-1 cannot resolve the name r.example"), "{}", finding.headline);
    }

    #[test]
    fn a_token_server_or_proxy_of_another_name_is_told_apart() {
        let token = "failed to authorize: failed to fetch anonymous token: Get \"https://auth.example/token\": dial tcp: lookup auth.example: server misbehaving";
        assert!(one(backing_off("r.example/a:1", token).check(&RULE)).headline.contains("auth.example"));
        none(
            backing_off("r.example/a:1", "proxyconnect tcp: dial tcp: lookup proxy.example: no such host").check(&RULE),
        );
    }

    #[test]
    fn a_refused_connection_is_not_this() {
        none(backing_off("r.example/a:1", "dial tcp 10.0.0.1:443: connect: connection refused").check(&RULE));
    }
}
