//! The registry answered with an error.

use super::{failing, finding, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RegistryError",
    stage: Stage::Images,
    summary: "the registry answered with a server error",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The registry was reached and failed itself, or something in front of it (a load balancer, a proxy, a cache) did.

## Signs
A status of 500 and above in the kubelet's message, or one of 400 and above that is neither 401, 403, 404 nor 429.

## Fix
Look at the registry: its status page, its logs, its storage. The kubelet tries again by itself, at most five minutes apart.
A mirror or cache helps through such times.

## Not this
429 is RegistryRateLimited, 401 and 403 are ImagePullUnauthorized, 404 is ImageNotFound.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::ServerError, |pull| {
        let server = pull.server();
        finding(facts, pull, format!("{server} answers the pull of {} with an error of its own", wanted(pull))).remedy(
            Remedy::advice(format!(
                "Look at {server}: its status page, its logs, what stands in front of it. The kubelet tries again by itself, at most five minutes apart."
            )),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn server_errors_of_all_runtimes() {
        for error in [
            "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 503 Service Unavailable",
            "Error response from daemon: received unexpected HTTP status: 502 Bad Gateway",
            "initializing source docker://r.example/a:1: reading manifest 1 in r.example/a: StatusCode: 500, \"oops\"",
            "unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 451 Unavailable For Legal Reasons",
        ] {
            assert!(one(backing_off("r.example/a:1", error).check(&RULE)).headline.starts_with("r.example answers"));
        }
    }

    #[test]
    fn refusals_limits_and_absence_are_not_errors_of_the_registry() {
        for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "429 Too Many Requests"] {
            let error =
                format!("unexpected status from HEAD request to https://r.example/v2/503/manifests/1: {status}");
            none(backing_off("r.example/503:1", &error).check(&RULE));
        }
    }
}
