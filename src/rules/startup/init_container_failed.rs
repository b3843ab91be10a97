//! An init container ends with an error, so the containers after it never start.

use super::waiting_for;
use crate::facts::{End, Ending, Facts, LastWords, Role};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "InitContainerFailed",
    stage: Stage::Startup,
    summary: "an init container fails, so the containers after it never start",
    explains: &["JobBackoffLimitExceeded"],
    check,
    explain: r#"
## Meaning
Init containers run one after the other, each to its end. One that ends with a code other than 0 is started again, and with
`restartPolicy: Never` the whole pod fails; the containers after it are not started until it has ended with 0.

## Signs
kubectl shows Init:Error, Init:CrashLoopBackOff or Init:N/M; the init container's status has the exit code, and the pod's
condition Initialized is False.

## Fix
Read the init container's log: what it did is usually the first thing that meets a database, a secret or a service. The code
is the program's own, unless it is above 125.

## Not this
An init container that is killed for its memory is OOMKilled; one whose command does not exist is CommandNotFound; one that
runs and does not end is InitContainerRunning.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of_program = |end: &End<'_>| !matches!(end.ending, Ending::NeverRan | Ending::Unseen) && end.exit.code != 0;
    facts.ends().filter(|e| e.container.role == Role::Init).filter(of_program).map(|end| failed(facts, &end)).collect()
}

fn failed(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let (container, exit) = (end.container, end.exit);
    let given_up = facts.pod.phase() == "Failed";
    let words = facts.last_words(container, exit);
    let says = words.as_ref().and_then(LastWords::clause).unwrap_or_default();
    let after = match waiting_for(facts, container) {
        _ if given_up => "; it is not tried again, so the pod has failed".to_owned(),
        after if after.is_empty() => after,
        after => format!("; {after}"),
    };
    let again = given_up.then(|| {
        Remedy::advice(
            "Once the reason is mended, the pod has to be made anew: with this restartPolicy the kubelet does not try again.",
        )
    });
    let change = format!("Correct what {} complains about or needs", container.title());
    Finding::new(facts.subject_of(container), format!("{}{says}{after}", end.told()))
        .standing(end.standing)
        .because(facts.cite_end(end))
        .because(facts.cite_condition("Initialized", "message"))
        .because(given_up.then(|| facts.cite(&["spec", "restartPolicy"])).flatten())
        .because(words.map(|w| w.cite()).unwrap_or_default())
        .remedy(facts.look_at_log(container, exit))
        .remedy(facts.owner.edit(&change))
        .remedy(again)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(init: Value, phase: &str) -> Case {
        let mut init = init;
        init["name"] = "migrate".into();
        Case::pod(
            json!({"initContainers": [{"name": "migrate"}], "containers": [{"name": "app"}, {"name": "log"}]}),
            json!({"phase": phase, "initContainerStatuses": [init], "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "PodInitializing"}}},
                {"name": "log", "state": {"waiting": {"reason": "PodInitializing"}}}]}),
        )
    }

    #[test]
    fn a_failed_init_container_names_who_waits() {
        let finding =
            one(case(json!({"state": {"terminated": {"exitCode": 3}}, "restartCount": 6}), "Pending").check(&RULE));
        assert_eq!(
            finding.headline,
            "init container migrate ends with exit code 3; container app, container log wait for it"
        );
    }

    #[test]
    fn without_a_restart_the_pod_has_failed() {
        let finding = one(case(json!({"state": {"terminated": {"exitCode": 4}}}), "Failed").check(&RULE));
        assert!(finding.headline.ends_with("exit code 4; it is not tried again, so the pod has failed"));
    }

    #[test]
    fn an_init_container_that_made_it_in_the_end_is_no_failure() {
        let done = json!({"state": {"terminated": {"exitCode": 0}}, "restartCount": 2,
            "lastState": {"terminated": {"exitCode": 1}}});
        none(case(done, "Running").check(&RULE));
    }

    #[test]
    fn a_sidecar_is_no_init_container() {
        let sidecar = case(json!({"state": {"terminated": {"exitCode": 1}}}), "Pending");
        none(sidecar.edit("/spec/initContainers/0/restartPolicy", json!("Always")).check(&RULE));
    }
}
