//! The pod is scheduled only together with its group, and the group does not fit or is not complete.

use crate::facts::Facts;
use crate::facts::scheduling::Says;
use crate::finding::{Certainty, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "GangIncomplete",
    stage: Stage::Scheduling,
    summary: "the pod is scheduled only together with its group, which is not complete or does not fit",
    explains: &["SchedulerAbsent"],
    check,
    explain: r#"
## Meaning
A gang scheduler (Volcano, the coscheduling plugin, Kubernetes' own since 1.35) places a group of pods all at once or not at
all. This pod waits for the others: not enough of them exist, or the nodes have no room for the least number of them.

## Signs
The scheduler's sentence speaks of a gang, a pod group, `minCount`, `minAvailable`, or of a time-out at the permit plugin.

## Fix
See that all pods of the group are created and what keeps each; lower the group's least number; make room for the whole group.

## Not this
A pod that waits for a queue's admission bears a scheduling gate: SchedulingGated.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let gang = Says::Reason("GangIncomplete");
    let heard = facts.scheduling_sentence().filter(|s| s.says(gang));
    let Some(sentence) = heard.filter(|_| facts.awaits_node()) else { return Vec::new() };
    let lower = sentence.text.to_ascii_lowercase();
    let what = match () {
        _ if lower.contains("permit") => "its group was not complete in time",
        _ if lower.contains("to appear") => "its group is not complete",
        _ => "its group as a whole finds no room",
    };
    let labels = facts.pod.meta.labels.iter().flatten().chain(facts.pod.meta.annotations.iter().flatten());
    let group = labels
        .filter(|(key, _)| matches!(key.as_str(), "scheduling.k8s.io/group-name" | "scheduling.x-k8s.io/pod-group"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .next();
    let headline = match &group {
        Some((_, name)) => format!("the pod is scheduled only with its group {name}, and {what}"),
        None => format!("the pod is scheduled only with its group, and {what}"),
    };
    let certainty = if lower.contains("permit") && group.is_none() { Certainty::Likely } else { Certainty::Certain };
    let cited = group.iter().filter_map(|(key, _)| {
        facts.cite(&["metadata", "labels", key]).or_else(|| facts.cite(&["metadata", "annotations", key]))
    });
    vec![
        Finding::new(facts.subject(), headline)
            .certainty(certainty)
            .because(cited.collect::<Vec<_>>())
            .because(facts.cite_sentence())
            .remedy(facts.look(["get", "pods", "-o", "wide"]))
            .remedy(Remedy::advice(
                "See that every pod of the group exists, and make room for all of them at once or lower the group's least number.",
            )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::scheduling::testing::refused;
    use crate::rules::testing::{none, one};

    #[test]
    fn a_group_is_told_in_every_schedulers_words() {
        for message in [
            "waiting for minCount pods from a gang to appear in scheduling queue",
            "3/3 tasks in gang unschedulable: pod group is not ready, 3 Pending, 3 minAvailable; Pending: 3 Unschedulable",
            "rejected due to timeout after waiting 10m0s at plugin Coscheduling",
        ] {
            one(refused(message).check(&RULE));
        }
        none(refused("0/3 nodes are available: 3 Insufficient cpu.").check(&RULE));
    }

    #[test]
    fn the_group_is_named_if_the_pod_bears_its_name() {
        let key = "scheduling.x-k8s.io~1pod-group";
        let said = "rejected due to timeout after waiting 10m0s at plugin Coscheduling (permit)";
        let bare = one(refused(said).check(&RULE));
        assert_eq!(bare.certainty, Certainty::Likely);
        for place in ["labels", "annotations"] {
            let labels = serde_json::json!({key.replace("~1", "/"): "train"});
            let named = one(refused(said).edit(&format!("/metadata/{place}"), labels).check(&RULE));
            assert_eq!(
                named.headline,
                "the pod is scheduled only with its group train, and its group was not complete in time"
            );
            assert_eq!((named.certainty, named.evidence.len()), (Certainty::Certain, 2));
        }
    }
}
