//! The pod is deleted, and a finalizer has not been removed.

use crate::facts::{Deletion, Facts, Finalizer};
use crate::finding::{Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "FinalizerPending",
    stage: Stage::Termination,
    summary: "the pod is deleted but a finalizer has not been removed",
    explains: &[],
    check,
    explain: r#"
## Meaning
A finalizer is a controller's word that it has something to do before the object goes. The API server keeps the pod until
the list is empty. Whoever put the finalizer there has to take it away; if that controller is gone, nobody does.

## Signs
`metadata.deletionTimestamp` is set, `metadata.finalizers` is not empty, and the containers have stopped. kubectl shows such
a pod as Terminating, or as Completed or Error if its phase is final.

## Fix
Find the controller and see why it does not act: it does not run, lacks a right, or waits for something itself. Taking the
finalizer away by hand skips what it protects; the command that is shown removes this one only, and only if it is still
there. Forcing the deletion (`--force`) does not remove a pod with a finalizer.

## Not this
While containers still run, the finalizer is not yet what holds the pod (GracePeriodRunning, DeletionUnconfirmed).
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(deletion) = facts.deletion() else { return Vec::new() };
    facts.finalizers().iter().map(|finalizer| found(facts, finalizer, deletion)).collect()
}

fn found(facts: &Facts<'_>, finalizer: &Finalizer, deletion: Deletion) -> Finding {
    let name = &finalizer.name;
    let silent = facts.node_state().is_silent();
    let holds = deletion.stopped || deletion.confirmed || silent;
    let waits = finalizer.known.map_or_else(String::new, |k| format!(", which waits until {}", k.waits));
    let release = match finalizer.known {
        Some(known) => known.release.to_owned(),
        None => format!("Find {} and see why it does not act.", finalizer.whose()),
    };
    let cost = match finalizer.known {
        Some(known) => format!("This gives up {}.", known.cost),
        None => format!("This skips what {name} protects: only if {} is gone for good.", finalizer.whose()),
    };
    let same = match silent && !deletion.confirmed {
        true => " While the node is silent it costs the same as forcing the deletion, once no finalizer is left.",
        false => "",
    };
    Finding::new(facts.subject(), format!("finalizer {name} of {}{waits} has not been removed", finalizer.whose()))
        .standing(if holds { Standing::Wrong } else { Standing::Past })
        .because(facts.cite_finalizer(finalizer))
        .because(facts.cite_deletion())
        .because(facts.cite(&["status", "phase"]).filter(|_| facts.pod.is_terminal()))
        .remedy(facts.look(["get", "pod", &facts.pod.name, "-o", "yaml", "--show-managed-fields"]))
        .remedy(Remedy::advice(release))
        .remedy(Remedy::last_resort(
            format!("{cost}{same} Forcing the deletion does not remove a finalizer; this does:"),
            facts.remove_finalizer(finalizer),
        ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::termination::tests_support::{deleted, ended, node, running};
    use crate::rules::testing::{none, one};

    #[test]
    fn a_stopped_pod_is_held_by_each_of_its_finalizers() {
        let case = deleted(ended(), "2026-01-01T11:55:00Z", 0)
            .edit("/metadata/finalizers", json!(["example.com/backup", "batch.kubernetes.io/job-tracking"]));
        let found = case.check(&RULE);
        assert_eq!(found.len(), 2);
        assert!(found[0].headline.contains("finalizer example.com/backup of the controller of example.com"));
        assert!(found[1].headline.contains("the Job controller"));
        let patch = found[1].remedies.last().and_then(|r| r.command.as_ref()).unwrap().to_string();
        assert!(patch.contains("/metadata/finalizers/1") && patch.contains(r#""op":"test""#), "{patch}");
    }

    #[test]
    fn while_containers_run_the_finalizer_does_not_hold_the_pod_yet() {
        let case = deleted(running(), "2026-01-01T12:05:00Z", 600).edit("/metadata/finalizers", json!(["a.b/c"]));
        assert_eq!(case.check(&RULE).len(), 1);
        none(case.check(&RULE));
    }

    #[test]
    fn on_a_lost_node_it_holds_beside_the_node() {
        let case = deleted(running(), "2026-01-01T11:05:00Z", 30).edit("/metadata/finalizers", json!(["a.b/c"]));
        assert!(one(case.with(node("Unknown")).check(&RULE)).remedies.iter().any(|r| r.say.contains("costs the same")));
    }

    #[test]
    fn a_finalizer_of_a_pod_that_nobody_deleted_is_normal() {
        let case = deleted(running(), "", 0)
            .edit("/metadata", json!({"name": "p", "namespace": "n", "finalizers": ["a.b/c"]}));
        assert!(case.check(&RULE).is_empty());
    }
}
