//! The pull failed for another reason.

use super::{failing, finding, node_name, wanted};
use crate::facts::{Facts, FailedPull, PullFault};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImagePullFailed",
    stage: Stage::Images,
    summary: "the pull failed for another reason, which is quoted, or is no longer recorded",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The image could not be pulled, and the error is none of those that have a reason of their own: a damaged or incomplete image,
a format that the runtime no longer reads, a fault of the node's image store. Or nobody recorded the error: kubelets before
1.32 keep it only in an event, and events are gone after an hour.

## Signs
The container waits with ErrImagePull or ImagePullBackOff; the kubelet's message is quoted in full.

## Fix
Read the quoted error. If there is none, make the kubelet try again and record it: create the pod anew, then look at its
events.

## Not this
A pull that runs is ImagePullInProgress.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let failed = failing(facts, PullFault::Other, |pull| {
        let (what, say) = what(pull.error);
        finding(facts, pull, format!("{} cannot pull {}: {what}", node_name(facts), wanted(pull)))
            .remedy(Remedy::advice(say))
    });
    let unrecorded = failing(facts, PullFault::Unrecorded, |pull| unrecorded(facts, pull));
    failed.into_iter().chain(unrecorded).collect()
}

fn unrecorded(facts: &Facts<'_>, pull: &FailedPull<'_>) -> Finding {
    let node = node_name(facts);
    let finding = finding(facts, pull, format!("{node} cannot pull {}; why is no longer recorded", wanted(pull)));
    let anew = if facts.owner.is_pod() { None } else { Some(facts.kubectl(["delete", "pod", &facts.pod.name])) };
    let near = facts.similar_images(&pull.image);
    finding
        .remedy(facts.look(["events", "--for", &format!("pod/{}", facts.pod.name)]))
        .remedy(facts.pod.node_name().map(|node| Remedy::look(Command::kubectl(["describe", "node", node]))))
        .remedy(anew.map(|command| {
            Remedy::last_resort(
                "Create the pod anew, so that the kubelet pulls at once and records the error; this ends its other containers:",
                command,
            )
        }))
        .remedy(
            (!near.is_empty())
                .then(|| Remedy::advice(format!("Of a like name and in use in this namespace: {}.", near.join(", ")))),
        )
}

/// What an error means that has no reason of its own, and what to do.
fn what(error: &str) -> (&'static str, &'static str) {
    let error = error.to_ascii_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| error.contains(sign));
    if has(&["no longer supported", "prettyjws", "unsupported compression", "unsupported media type"]) {
        (
            "the image is of a format that the runtime does not read",
            "Build and push the image anew with a current tool.",
        )
    } else if has(&["content at ", "httpreadseeker", "could not fetch content"]) {
        (
            "the registry lacks a part of it",
            "Push the image again: the registry has its manifest, but not all that it lists.",
        )
    } else if has(&["commit digest", "diff id", "diffid", "rootfs", "tar header", "gzip", "digest"]) {
        (
            "what arrives is not what its manifest says",
            "Push the image again, and look at mirrors and caches in between.",
        )
    } else {
        ("the error is quoted below", "Read the quoted error; the container runtime's log on the node has more.")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{backing_off, waiting};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn an_error_without_a_reason_of_its_own_is_quoted() {
        let finding =
            one(backing_off("r.example/a:1", "unexpected commit digest sha256:1, expected sha256:0").check(&RULE));
        assert!(finding.headline.contains("not what its manifest says"), "{}", finding.headline);
        assert!(one(backing_off("r.example/a:1", "quantum flux").check(&RULE)).headline.contains("quoted"));
    }

    #[test]
    fn an_error_that_has_expired_is_said_to_be_unknown() {
        let finding =
            one(waiting("r.example/a:1", "ImagePullBackOff", "Back-off pulling image \"r.example/a:1\"").check(&RULE));
        assert_eq!(
            finding.headline,
            "node-1 cannot pull image r.example/a:1 for container app; why is no longer recorded"
        );
    }

    #[test]
    fn errors_with_a_reason_of_their_own_are_not_this() {
        none(backing_off("r.example/a:1", "manifest unknown").check(&RULE));
        none(backing_off("r.example/a:1", "pull QPS exceeded").check(&RULE));
    }
}
