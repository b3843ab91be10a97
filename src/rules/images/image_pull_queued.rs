//! The kubelet holds the pull back.

use super::{failing, finding, node_name, wanted};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImagePullQueued",
    stage: Stage::Images,
    summary: "the pull waits behind others on the node",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The kubelet limits how many pulls it starts per second (registryPullQPS, 5 by default, in bursts of registryBurst, 10), and
this one was over the limit.

## Signs
`pull QPS exceeded` in the kubelet's message. By default a kubelet also pulls one image after the other
(serializeImagePulls): a pod that waits for its turn shows ContainerCreating, mostly with Pulling, as one whose image is on its
way does.

## Fix
Wait; the kubelet tries again by itself. If many pods start on a node at once as a matter of course, raise the limits in the
kubelet's configuration.

## Not this
429 and `toomanyrequests` come from the registry: RegistryRateLimited.
"#,
};

/// Seconds for which a pod may be held back before that counts as wrong; a rule of thumb.
const LONG: i64 = 15 * 60;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let young = facts.pod.age(facts.now).is_some_and(|age| age <= LONG);
    failing(facts, PullFault::Queued, |pull| {
        let headline =
            format!("the kubelet of {} holds back the pull of {}: too many at once", node_name(facts), wanted(pull));
        let standing = if pull.standing == Standing::Wrong && young { Standing::InProgress } else { pull.standing };
        finding(facts, pull, headline).standing(standing).remedy(Remedy::advice(
            "Wait: the kubelet tries again by itself. Its limits are registryPullQPS and registryBurst.",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_kubelets_limit_passes() {
        assert_eq!(one(backing_off("r.example/a:1", "pull QPS exceeded").check(&RULE)).standing, Standing::InProgress);
    }

    #[test]
    fn the_registrys_limit_is_not_the_kubelets() {
        none(backing_off("r.example/a:1", "toomanyrequests: rate exceeded").check(&RULE));
    }
}
