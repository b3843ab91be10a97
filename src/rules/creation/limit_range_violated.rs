//! A LimitRange's bounds refuse the pod.

use super::refused;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "LimitRangeViolated",
    stage: Stage::Creation,
    summary: "a LimitRange's minimum, maximum or ratio refuses the pod",
    explains: &[],
    check,
    explain: r#"
## Meaning
The namespace has a LimitRange. It sets bounds for what one container, pod or claim can request and be limited to, and this
one is outside them. A LimitRange also fills in defaults, so a value can break a bound that the manifest does not name.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `maximum … usage per Container is …`, `minimum …` or
`max limit to request ratio`.

## Fix
Bring requests and limits within the bounds, or have the LimitRange changed.

## Not this
A limit for the namespace as a whole is a ResourceQuota (QuotaExceeded). A pod that no node has room for exists and is
Pending.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::LimitRange(bounds) => Some(format!("{} refuses the pod: {bounds}", ranges(facts))),
        _ => None,
    };
    let complete = |finding: Finding| {
        finding
            .because(facts.cite_limit_ranges())
            .remedy(match &facts.limit_ranges()[..] {
                [one] => facts.look(["describe", "limitrange", one]),
                _ => facts.look(["describe", "limitrange"]),
            })
            .remedy(Remedy::advice("Or have the LimitRange of the namespace changed."))
    };
    let within = |refusal: &Refusal| match &refusal.denial {
        Denial::LimitRange(bounds) => Some(within(facts, bounds)),
        _ => None,
    };
    let all = refused(facts, headline).into_iter();
    all.map(|(refusal, finding)| complete(finding.remedy(within(&refusal)))).collect()
}

/// The change that respects the bounds of a container, which the message names: a maximum is the most that its limit can be,
/// a minimum the least that it can request.
fn within(facts: &Facts<'_>, bounds: &str) -> Remedy {
    let of = |word: &str, flag: &str| {
        let clauses = bounds.split(word).skip(1).filter_map(|clause| {
            let (resource, rest) = clause.split_once(" usage per Container is ")?;
            let amount = rest.split([',', ' ']).next()?.trim_end_matches('.');
            Some(format!("{flag}={resource}={amount}"))
        });
        clauses.collect::<Vec<_>>()
    };
    let args = [of("minimum ", "--requests"), of("maximum ", "--limits")].concat();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => facts.owner.edit("Bring requests and limits within the bounds"),
        args => facts.owner.set("Bring requests and limits within the bounds:", "resources", args),
    }
}

/// The LimitRange, by name if there is only one.
fn ranges(facts: &Facts<'_>) -> String {
    match &facts.limit_ranges()[..] {
        [one] => format!("LimitRange {one}"),
        _ => "a LimitRange of the namespace".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const OVER: &str = "pods \"r\" is forbidden: [maximum memory usage per Container is 256Mi, but limit is 2Gi]";

    #[test]
    fn the_bound_is_told_with_the_name_of_the_only_limit_range() {
        let range = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "caps", "namespace": "n"},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "256Mi"}}]}});
        let finding = one(answered(OVER).with(range).check(&RULE));
        assert_eq!(
            finding.headline,
            "LimitRange caps refuses the pod: maximum memory usage per Container is 256Mi, but limit is 2Gi"
        );
        let change = finding.remedies.iter().filter_map(|r| r.command.as_ref()).map(ToString::to_string);
        assert!(change.into_iter().any(|c| c.ends_with("--limits=memory=256Mi")));
    }

    #[test]
    fn a_pod_that_was_made_and_a_quota_are_not_told() {
        none(outlived(OVER).check(&RULE));
        none(
            answered("pods \"r\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1")
                .check(&RULE),
        );
    }
}
