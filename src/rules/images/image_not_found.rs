//! The registry has no such image.

use super::{asks_default_registry, failing, finding, other_images, wanted};
use crate::facts::{Evidence, Facts, PullFault};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImageNotFound",
    stage: Stage::Images,
    summary: "the registry has no such repository, tag or digest",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The registry was reached and let the node ask, and has no image of that name: the repository, the tag or the digest is
wrong, was never pushed, or was deleted. Runtimes rarely say which of these it is.

## Signs
The kubelet's message ends in `not found`, `manifest unknown` or `name unknown`, or the registry answered 404. An image
without a registry in its name is asked for at docker.io, where nothing of your own is unless you pushed it there. Docker Hub
refuses what does not exist in the words of a missing right; of its official images, all public, that can only mean that
there is no such image.

## Fix
Compare the name letter by letter with what the registry lists, then set the right one. If the image should be there, push
it. The kubelet tries again by itself, at most five minutes later.

## Not this
Some registries answer "not found" to hide an image from callers without rights: if you can pull it yourself with
credentials, the pod lacks them. An image that is there but not for the node's processor is ImagePlatformMismatch.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::NotFound, |pull| {
        let headline = format!("{} has no {}", pull.server(), wanted(pull));
        let found = finding(facts, pull, headline).remedy(other_images(facts, pull));
        let found = if asks_default_registry(pull) {
            found.because(Evidence::derived("the image names no registry, so docker.io is asked"))
        } else {
            found
        };
        if !pull.error.contains("denied") {
            return found;
        }
        found.certainty(Certainty::Likely).because(Evidence::derived(
            "Docker Hub refuses what does not exist; its official images are public, so this one does not exist",
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    const ABSENT: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \"r.example/team/app:9\": failed to resolve reference \"r.example/team/app:9\": r.example/team/app:9: not found";

    #[test]
    fn a_wrong_tag_is_named_with_the_tags_that_others_use() {
        let other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "n"},
            "spec": {"containers": [{"name": "c", "image": "r.example/team/app:8"}]},
            "status": {"containerStatuses": [{"name": "c", "imageID": "sha256:00"}]}});
        let finding = one(backing_off("r.example/team/app:9", ABSENT).with(other).check(&RULE));
        assert_eq!(finding.headline, "r.example has no image r.example/team/app:9 for container app");
        assert_eq!(
            finding.remedies[0].command.as_ref().unwrap().to_string(),
            "kubectl set image pod/p -n n app=r.example/team/app:8"
        );
    }

    #[test]
    fn without_a_like_image_none_is_made_up() {
        let finding = one(backing_off("r.example/team/app:9", ABSENT).check(&RULE));
        assert!(finding.remedies[0].command.as_ref().unwrap().to_string().ends_with("app=IMAGE"));
    }

    #[test]
    fn other_failures_that_say_not_found_or_404_are_not_this() {
        for error in [
            "no match for platform in manifest sha256:00: not found",
            "pull access denied, repository does not exist or may require authorization: authorization failed",
            "dial tcp: lookup r.example on 10.0.0.2:53: no such host",
        ] {
            none(backing_off("r.example/team/app:404", error).check(&RULE));
        }
    }

    #[test]
    fn a_refused_official_image_is_likely_absent() {
        let refused = "failed to resolve reference \"docker.io/library/ngin:1\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed";
        assert_eq!(one(backing_off("ngin:1", refused).check(&RULE)).certainty, Certainty::Likely);
    }
}
