//! No usable node has the cpu free that the pod requests. Also what all rules about room have in common.

use crate::facts::scheduling::{Filter, Obstacle, Shortage, clause, named};
use crate::facts::{Evidence, Facts, Quantity};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "InsufficientCPU",
    stage: Stage::Scheduling,
    summary: "no usable node has as much cpu free as the pod requests",
    explains: &[],
    check: |facts| lack(facts, Filter::Cpu),
    explain: r#"
## Meaning
The scheduler places a pod only on a node whose allocatable cpu, less the requests of the pods that are there, covers the
pod's request. What the pods really use plays no part. The request is that of all containers together with their sidecars, or
that of an init container if it is larger, and the overhead of the RuntimeClass.

## Signs
For each node that suits the pod otherwise, the report computes allocatable, requested, free and short by. It says whether no
node is large enough at all, whether the nodes are full, or whether the free cpu is scattered over nodes. The scheduler says
`Insufficient cpu`.

## Fix
Request less if the program needs less; lower the requests of other pods, or remove them; add a node. If no node is large
enough, only a smaller request or a larger node helps.

## Not this
A container that is slow because it runs at its cpu limit is CPUThrottled: it has a node. A pod that the kubelet turned away
with `OutOfcpu` is NodeRejected.
"#,
};

/// What is found of a resource that the nodes lack.
pub(super) fn lack(facts: &Facts<'_>, filter: Filter) -> Vec<Finding> {
    let Some(obstacle) = facts.obstacle(filter) else { return Vec::new() };
    let shortages = facts.fit().map(|fit| fit.shortages(obstacle)).unwrap_or_default();
    match shortages.first() {
        Some(shortage) => vec![counted(facts, obstacle, shortage, &shortages)],
        None => vec![heard(facts, obstacle)],
    }
}

fn counted(facts: &Facts<'_>, obstacle: &Obstacle, worst: &Shortage<'_>, all: &[Shortage<'_>]) -> Finding {
    let evidence = all.iter().flat_map(|shortage| {
        let mut evidence = facts.cite_requests(shortage.resource);
        if evidence.len() > 1 {
            evidence.push(Evidence::derived(format!(
                "the scheduler counts {} of {} for the whole pod",
                shortage.show(shortage.asked),
                shortage.resource
            )));
        }
        evidence.push(
            shortage.table(&format!("status.allocatable[{}], less the requests of the pods there", shortage.resource)),
        );
        evidence
    });
    let finding = facts.obstructed(obstacle, headline(facts, worst), evidence.collect::<Vec<_>>());
    let nearest = worst.rooms.first();
    finding
        .remedy(nearest.map(|room| Remedy::look(Command::kubectl(["describe", "node", room.node]))))
        .remedy(smaller_request(facts, worst))
        .remedy(Remedy::advice(match worst.largest() {
            Some(room) if room.allocatable >= worst.asked => format!(
                "Make room: remove pods from a node or lower their requests, or add a node with {} of {} to spare.",
                worst.show(worst.asked),
                worst.resource
            ),
            _ => format!("Add a node with at least {} of {}.", worst.show(worst.asked), worst.resource),
        }))
}

/// Which of the three it is: none is large enough, all are full, or the free room is scattered.
fn headline(facts: &Facts<'_>, shortage: &Shortage<'_>) -> String {
    let (asked, resource) = (shortage.show(shortage.asked), shortage.resource);
    let (Some(nearest), Some(largest)) = (shortage.rooms.first(), shortage.largest()) else { return String::new() };
    let count = shortage.rooms.len();
    let anywhere = facts.fit().and_then(|fit| fit.largest(resource)).filter(|(_, size)| *size < shortage.asked);
    match anywhere {
        Some((_, size)) if size.is_zero() => {
            return format!("no node offers {resource}, of which the pod requests {asked}");
        }
        Some((node, size)) => {
            let size = shortage.show(size);
            return format!(
                "no node is large enough for the {asked} {resource} requested: {node}, the largest, offers {size}"
            );
        }
        None if largest.allocatable.is_zero() => {
            return format!("no usable node offers {resource}, of which the pod requests {asked}");
        }
        None if largest.allocatable < shortage.asked => {
            let size = shortage.show(largest.allocatable);
            return match count {
                1 => format!("{} is too small: it offers {size} {resource}, the pod requests {asked}", largest.node),
                _ => format!(
                    "no usable node is large enough for the {asked} {resource} requested: {}, the largest, offers {size}",
                    largest.node
                ),
            };
        }
        None => {}
    }
    let (free, short) = (shortage.show(nearest.free), shortage.show(nearest.short));
    let node = nearest.node;
    if count == 1 {
        return format!("{node} is full: {free} {resource} is free, {short} less than the {asked} requested");
    }
    if shortage.free_together() >= shortage.asked {
        let together = shortage.show(shortage.free_together());
        return format!(
            "free {resource} is scattered: {together} on {count} nodes, but none has the {asked} requested; {node} lacks {short}"
        );
    }
    format!("{count} nodes are full: none has the {asked} {resource} requested; {node}, the nearest, lacks {short}")
}

/// The request that would fit today, if one container alone asks for the resource.
fn smaller_request(facts: &Facts<'_>, shortage: &Shortage<'_>) -> Option<Remedy> {
    let room = shortage.rooms.iter().max_by_key(|r| r.free)?;
    let asking: Vec<_> = facts.main_containers().filter(|c| c.request(shortage.resource).is_some()).collect();
    let largest = shortage.largest();
    let plain = !facts.pod_has_own_request(shortage.resource);
    match asking.as_slice() {
        // Less than a quarter of what was asked for is no offer (a rule of thumb).
        [one] if plain && room.free.times(4) >= shortage.asked => {
            let most = shortage.show(room.free);
            let say = format!(
                "Request at most {most}, the most that fits today (on {}), if the program needs no more:",
                room.node
            );
            let request = format!("--requests={}={most}", shortage.resource);
            Some(facts.owner.set(&say, "resources", &["-c", &one.name, &request]))
        }
        [_] if largest.is_some_and(|room| room.allocatable.is_zero()) => Some(Remedy::advice(format!(
            "If a node has the hardware, see that the device plugin for {} runs there, and that the name is spelled as the plugin spells it.",
            shortage.resource
        ))),
        [one] if plain => {
            let least = Quantity::default().max(room.free);
            let say = format!(
                "Request less {}, if the program needs less; today at most {} fits (on {}):",
                shortage.resource,
                shortage.show(least),
                room.node
            );
            let request = format!("--requests={}=AMOUNT", shortage.resource);
            Some(facts.owner.set(&say, "resources", &["-c", &one.name, &request]))
        }
        _ => Some(facts.owner.edit(&format!("Request less {}, if the program needs less:", shortage.resource))),
    }
}

/// The objects do not show it: only the scheduler's count can be told.
fn heard(facts: &Facts<'_>, obstacle: &Obstacle) -> Finding {
    let sentence = facts.scheduling_sentence();
    let short = sentence.into_iter().flat_map(|s| &s.clauses).filter_map(|c| c.resource());
    let resources: Vec<&str> = short.filter(|r| Filter::of_resource(r) == obstacle.filter).collect();
    let what = match resources.as_slice() {
        [] => clause(facts, obstacle.filter).unwrap_or_default(),
        resources => format!("too little {}", named(resources)),
    };
    let headline = match obstacle.count {
        0 => format!("the scheduler finds {what} on the nodes"),
        1 => format!("the scheduler finds {what} on 1 node"),
        n => format!("the scheduler finds {what} on {n} nodes"),
    };
    let evidence: Vec<_> = resources.iter().flat_map(|r| facts.cite_requests(r)).collect();
    facts
        .obstructed(obstacle, headline, evidence)
        .remedy(Remedy::look(Command::kubectl(["describe", "nodes"])))
        .remedy(facts.owner.edit("Request less, if the program needs less:"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::scheduling::testing::{node, placed, refused};
    use crate::finding::Certainty;
    use crate::rules::testing::{none, one};

    fn asks(cpu: &str) -> crate::rules::testing::Case {
        refused("0/2 nodes are available: 2 Insufficient cpu.")
            .edit("/spec/containers/0/resources", json!({"requests": {"cpu": cpu}}))
    }

    #[test]
    fn no_node_is_large_enough() {
        let case = asks("64").with(node("a", "4")).with(node("b", "8")).complete(&["nodes"]);
        let finding = one(case.check(&RULE));
        assert_eq!(finding.headline, "no node is large enough for the 64 cpu requested: b, the largest, offers 8");
        assert!(finding.alternative);
    }

    #[test]
    fn full_and_scattered_are_told_apart() {
        let full = asks("2").with(node("a", "4")).with(placed("x", "a", "3900m")).complete(&["nodes"]);
        assert_eq!(one(full.check(&RULE)).headline, "a is full: 100m cpu is free, 1900m less than the 2 requested");
        let scattered = asks("2")
            .with(node("a", "4"))
            .with(node("b", "4"))
            .with(placed("x", "a", "3"))
            .with(placed("y", "b", "2500m"))
            .complete(&["nodes"]);
        assert_eq!(
            one(scattered.check(&RULE)).headline,
            "free cpu is scattered: 2500m on 2 nodes, but none has the 2 requested; b lacks 500m"
        );
    }

    #[test]
    fn a_pod_that_fits_is_not_short_of_cpu_unless_the_scheduler_says_so() {
        let fits = |message: &str| {
            refused(message)
                .edit("/spec/containers/0/resources", json!({"requests": {"cpu": "1"}}))
                .with(node("a", "4"))
                .complete(&["nodes"])
        };
        none(fits("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.").check(&RULE));
        let finding = one(fits("0/1 nodes are available: 1 Insufficient cpu.").check(&RULE));
        assert_eq!(finding.headline, "the scheduler finds too little cpu on 1 node");
        assert_eq!(finding.certainty, Certainty::Likely);
    }

    #[test]
    fn without_nodes_the_scheduler_is_believed() {
        let finding = one(asks("64").refused("nodes").check(&RULE));
        assert_eq!(finding.headline, "the scheduler finds too little cpu on 2 nodes");
        assert_eq!(finding.certainty, Certainty::Certain);
    }

    #[test]
    fn a_pod_that_has_a_node_or_is_leaving_is_left_alone() {
        let case = || asks("64").with(node("a", "4")).complete(&["nodes"]);
        none(case().edit("/spec/nodeName", json!("a")).check(&RULE));
        none(case().edit("/metadata/deletionTimestamp", json!("2026-01-01T12:00:00Z")).check(&RULE));
    }
}
