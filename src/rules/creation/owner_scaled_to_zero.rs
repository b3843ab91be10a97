//! Nobody asks for a pod.

use crate::facts::{Facts, Idle};
use crate::finding::{Certainty, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "OwnerScaledToZero",
    stage: Stage::Creation,
    summary: "the object asks for no pods: no replicas, suspended, paused, no run, or no node selected",
    explains: &[],
    check,
    explain: r#"
## Meaning
There is no pod because the object that would make it asks for none: a Deployment, StatefulSet or ReplicaSet with 0 replicas,
a suspended Job or CronJob, a Deployment whose rollout was paused before its first pod, a DaemonSet whose node selector fits
no node.

## Signs
`spec.replicas` is 0, `spec.suspend` or `spec.paused` is true, or `status.desiredNumberScheduled` is 0. A CronJob whose schedule
or time zone is wrong, or that has missed too many runs, says so in an event.

## Fix
Scale it up, resume it, or correct the node selector. First see who scaled it down: an autoscaler, a GitOps controller or a
queue such as Kueue does it again.

## Not this
An object that asks for pods and does not get them has an event FailedCreate (QuotaExceeded and others).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(idle) = facts.workload().and_then(|w| w.idle()) else { return no_run(facts) };
    let title = format!("{} {}", facts.target.kind, facts.target.name);
    let argument = facts.owner.argument();
    let resume = facts.kubectl(["patch", &argument, "-p", r#"{"spec":{"suspend":false}}"#]);
    let (headline, remedy) = match idle {
        Idle::Zero => (
            format!("{title} asks for 0 replicas"),
            Remedy::change("Scale it up:", facts.kubectl(["scale", &argument, "--replicas=REPLICAS"])),
        ),
        Idle::Suspended if facts.target.kind == "CronJob" => (
            format!("{title} is suspended, so its schedule starts no Job"),
            Remedy::change("Let its schedule run again:", resume),
        ),
        Idle::Suspended => (
            format!("{title} is suspended, so it makes no pod"),
            Remedy::change("Let it run, unless a queue holds it, which then decides:", resume),
        ),
        Idle::NoParallelism => (
            format!("{title} asks for a parallelism of 0"),
            Remedy::change("Let it run:", facts.kubectl(["patch", &argument, "-p", r#"{"spec":{"parallelism":1}}"#])),
        ),
        Idle::Paused => (
            format!("the rollout of {title} is paused, and it has no pod yet"),
            Remedy::change("Resume it:", facts.kubectl(["rollout", "resume", &argument])),
        ),
        Idle::NoNode => {
            (format!("{title} selects no node"), facts.owner.edit("Correct its node selector, affinity or tolerations"))
        }
    };
    let finding = Finding::new(facts.subject(), headline)
        .because(facts.cite_idle(idle))
        .because(facts.events.latest("ScalingReplicaSet").filter(|_| idle == Idle::Zero).map(|e| e.cite()));
    vec![finding.remedy(facts.look(["describe", &argument])).remedy(remedy)]
}

/// Events of a CronJob that starts no Job from now on. Source: `pkg/controller/cronjob/cronjob_controllerv2.go`.
const NEVER: [&str; 6] = [
    "UnparseableSchedule",
    "UnParseableCronJobSchedule",
    "InvalidSchedule",
    "UnknownTimeZone",
    "TooManyMissedTimes",
    "FailedNeedsStart",
];

/// Events of a CronJob that left out one run.
const ONCE: [&str; 2] = ["JobAlreadyActive", "MissSchedule"];

/// What a CronJob that is not suspended says about runs that it does not start.
fn no_run(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.target.kind != "CronJob" {
        return Vec::new();
    }
    let title = format!("CronJob {}", facts.target.name);
    let never = facts.events.with(&NEVER).next().map(|event| {
        Finding::new(facts.subject(), format!("{title} starts no Job: {}", event.message.trim()))
            .certainty(Certainty::Likely)
            .because(event.cite())
            .because(facts.cite(&["spec", "schedule"]))
            .remedy(facts.look(["describe", &facts.owner.argument()]))
            .remedy(facts.owner.edit("Correct its schedule, time zone or startingDeadlineSeconds"))
    });
    let once = facts.events.with(&ONCE).next().map(|event| {
        Finding::new(facts.subject(), format!("{title} left out a run: {}", event.message.trim()))
            .standing(Standing::Past)
            .because(event.cite())
    });
    never.or(once).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn object(kind: &str, spec: Value, status: Value) -> Case {
        Case::of(json!({"kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec, "status": status}))
    }

    #[test]
    fn every_way_to_ask_for_nothing_is_told() {
        for (kind, spec, status, says) in [
            ("StatefulSet", json!({"replicas": 0}), json!({}), "asks for 0 replicas"),
            ("CronJob", json!({"suspend": true}), json!({}), "schedule starts no Job"),
            ("Job", json!({"suspend": true}), json!({}), "is suspended"),
            ("Deployment", json!({"paused": true, "replicas": 2}), json!({}), "is paused"),
            ("DaemonSet", json!({}), json!({"observedGeneration": 1, "desiredNumberScheduled": 0}), "selects no node"),
        ] {
            let finding = one(object(kind, spec, status).check(&RULE));
            assert!(finding.headline.contains(says) && !finding.evidence.is_empty(), "{}", finding.headline);
        }
    }

    #[test]
    fn a_cronjob_says_why_it_starts_no_job() {
        let cron = |reason: &str| {
            object("CronJob", json!({"schedule": "0 3 * * *"}), json!({})).with(
                json!({"apiVersion": "v1", "kind": "Event",
                "metadata": {"name": "e", "namespace": "n"}, "reason": reason, "message": "so it is", "type": "Warning",
                "lastTimestamp": "2026-01-01T11:59:00Z",
                "involvedObject": {"kind": "CronJob", "namespace": "n", "name": "x"}}),
            )
        };
        assert_eq!(one(cron("UnknownTimeZone").check(&RULE)).headline, "CronJob x starts no Job: so it is");
        none(cron("MissSchedule").check(&RULE));
        assert_eq!(cron("MissSchedule").check(&RULE)[0].headline, "CronJob x left out a run: so it is");
    }

    #[test]
    fn what_asks_for_pods_or_is_done_is_not_told() {
        none(object("Deployment", json!({}), json!({})).check(&RULE));
        none(object("Deployment", json!({"paused": true}), json!({"replicas": 1})).check(&RULE));
        none(object("CronJob", json!({"schedule": "0 3 * * *"}), json!({})).check(&RULE));
        none(object("DaemonSet", json!({}), json!({})).check(&RULE));
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        none(object("Job", json!({"parallelism": 0}), complete).check(&RULE));
    }
}
