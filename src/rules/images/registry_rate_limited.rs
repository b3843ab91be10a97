//! The registry asks for fewer pulls.

use super::{failing, finding, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RegistryRateLimited",
    stage: Stage::Images,
    summary: "the registry limits the pull rate",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The registry counts pulls by account, or by address where no credentials are sent, and the count is used up. All nodes
behind one address share it.

## Signs
429, `toomanyrequests`, `You have reached your pull rate limit`.

## Fix
The kubelet tries again by itself, and the limit renews with time. To be free of it: pull with credentials, through a mirror
or cache of your own, or from a registry without the limit; and use imagePullPolicy: IfNotPresent, so that a node pulls an
image once.

## Not this
`pull QPS exceeded` is the kubelet's own limit: ImagePullQueued.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let account = if facts.pull_secrets().is_empty() { "" } else { " of an account" };
    failing(facts, PullFault::RateLimited, |pull| {
        finding(facts, pull, format!("{} limits the pull rate and refuses {}", pull.server(), wanted(pull)))
            .remedy(Remedy::advice(
                "Wait: the kubelet tries again by itself, at most five minutes apart, until the limit renews.",
            ))
            .remedy(facts.owner.edit(&format!(
                "Pull with credentials{account} whose limit is higher: name a Secret for {} in spec.imagePullSecrets",
                pull.image.registry
            )))
            .remedy(Remedy::advice("Or pull through a mirror or cache of your own."))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn every_way_to_say_so() {
        for error in [
            "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 429 Too Many Requests",
            "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
            "reading manifest 1 in docker.io/library/nginx: toomanyrequests: Too Many Requests (HAP429)",
        ] {
            assert!(one(backing_off("r.example/a:1", error).check(&RULE)).headline.contains("limits the pull rate"));
        }
    }

    #[test]
    fn the_kubelets_own_limit_is_not_the_registrys() {
        none(backing_off("r.example/a:429", "pull QPS exceeded").check(&RULE));
    }
}
