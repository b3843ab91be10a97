//! A ResourceQuota of the namespace refuses the pod.

use super::refused;
use crate::facts::{Denial, Excess, Facts, Refusal};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "QuotaExceeded",
    stage: Stage::Creation,
    summary: "a ResourceQuota of the namespace refuses the pod",
    explains: &[],
    check,
    explain: r#"
## Meaning
The namespace has a ResourceQuota, and the new pod would go over it; or the quota counts a resource that every container
must then request or limit, and one does not.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `exceeded quota` with what is requested, used and
limited, or `failed quota … must specify`.

## Fix
Free what is used (finished pods and idle Deployments count too), ask for less, or have the quota raised. Where the quota
demands a request or limit, name it in every container, or let a LimitRange give a default.

## Not this
A node without room: then the pod exists and is Pending (InsufficientCPU, InsufficientMemory).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    refused(facts, headline).into_iter().map(|(refusal, finding)| complete(facts, &refusal, finding)).collect()
}

fn headline(denial: &Denial) -> Option<String> {
    let Denial::Quota { quota, excess, must_specify } = denial else { return None };
    Some(match (quota.as_str(), must_specify.as_str()) {
        ("", _) => "no quota of the namespace covers the pod, and one has to".to_owned(),
        (quota, "") => format!(
            "ResourceQuota {quota} has no room for the pod: {}",
            excess.iter().map(numbers).collect::<Vec<_>>().join(", ")
        ),
        (quota, must) => format!("ResourceQuota {quota} demands what the pod does not name: {must}"),
    })
}

fn numbers(excess: &Excess) -> String {
    let Excess { resource, requested, used, limited } = excess;
    format!("{resource} ({used} of {limited} used, {requested} more asked for)")
}

fn complete(facts: &Facts<'_>, refusal: &Refusal, finding: Finding) -> Finding {
    let Denial::Quota { quota, excess, must_specify } = &refusal.denial else { return finding };
    if quota.is_empty() {
        return finding.remedy(facts.look(["get", "resourcequota"])).remedy(Remedy::advice(
            "Have a ResourceQuota made for this namespace that covers the pod's priority class, or use another class.",
        ));
    }
    let finding =
        finding.because(facts.cite_quota(quota, excess)).remedy(facts.look(["describe", "resourcequota", quota]));
    if must_specify.is_empty() {
        return finding
            .remedy(facts.look(["get", "pods"]))
            .remedy(Remedy::change(
                "Raise the quota, if it is yours to raise:",
                facts.kubectl(["edit", "resourcequota", quota]),
            ))
            .remedy(Remedy::advice("Or free what others use, or let the pod request less."));
    }
    let args = unnamed(must_specify);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    finding.remedy(match args.as_slice() {
        [] => facts.owner.edit("Name it in every container"),
        args => facts.owner.set("Name it in every container:", "resources", args),
    })
}

/// The flags of `kubectl set resources` for what a quota demands: `limits.cpu for: app; requests.memory for: app`, in older
/// versions `limits.cpu,requests.memory`.
fn unnamed(must_specify: &str) -> Vec<String> {
    let of = |field: &str, flag: &str| {
        let words = must_specify.split([',', ';', ' ']).filter_map(|word| word.strip_prefix(field));
        let amounts: Vec<String> = words.map(|resource| format!("{resource}={}", resource.to_uppercase())).collect();
        (!amounts.is_empty()).then(|| format!("{flag}={}", amounts.join(",")))
    };
    [of("requests.", "--requests"), of("limits.", "--limits")].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const FULL: &str =
        "pods \"web-1\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4";

    #[test]
    fn a_full_quota_is_told_with_its_numbers() {
        let finding = one(answered(FULL).check(&RULE));
        assert_eq!(
            finding.headline,
            "ResourceQuota team has no room for the pod: pods (4 of 4 used, 1 more asked for)"
        );
    }

    #[test]
    fn a_quota_that_demands_limits_is_told_by_what_it_demands() {
        let error = "pods \"web-1\" is forbidden: failed quota: team: must specify limits.cpu for: app";
        assert!(one(answered(error).check(&RULE)).headline.ends_with("limits.cpu for: app"));
        assert_eq!(
            unnamed("limits.cpu,limits.memory,requests.cpu"),
            ["--requests=cpu=CPU", "--limits=cpu=CPU,memory=MEMORY"]
        );
    }

    #[test]
    fn a_refusal_that_was_overcome_is_not_told() {
        none(outlived(FULL).check(&RULE));
    }

    #[test]
    fn a_limit_range_is_no_quota() {
        none(answered("pods \"w\" is forbidden: maximum cpu usage per Pod is 1, but limit is 2").check(&RULE));
    }
}
