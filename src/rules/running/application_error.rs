//! The program ended by its own decision with a code other than 0.

use super::{SYMPTOMS, finding};
use crate::facts::exit::meanings;
use crate::facts::{End, Ending, Evidence, Facts, LastWords, Role};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ApplicationError",
    stage: Stage::Running,
    summary: "the program ends with an exit code of its own",
    explains: SYMPTOMS,
    check,
    explain: r#"
## Meaning
The program in the container started, ran, and ended itself with an exit code that means failure. The cluster did nothing to
it. Why it ended is known only to the program, and mostly stands in the last lines of its log.

## Signs
`terminated.reason` is `Error` with an exit code from 1 to 125, or above 128 where no signal is meant. With restartPolicy
Always or OnFailure the kubelet starts it again, later each time (CrashLoopBackOff).

## Fix
Read the last lines of the run that ended, with `kubectl logs --previous` if another has followed. What they ask for is
mostly missing configuration, a dependency that does not answer, or a wrong argument. `kubectl why explain CODE` lists what a
number means by convention.

## Not this
126 and 127 are a command that cannot be run or is not there (CommandNotExecutable, CommandNotFound). 128 with the reason
StartError means that the program never ran. 137 and 143 are signals from outside; with the reason OOMKilled the code says
nothing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let own = |end: &End<'_>| match end.ending {
        Ending::Own => !matches!(end.exit.code, 126 | 127),
        Ending::Windows(meaning) => !matches!(meaning.name, "STATUS_ACCESS_VIOLATION" | "STATUS_CONTROL_C_EXIT"),
        _ => false,
    };
    facts.ends().filter(|e| e.container.role != Role::Init).filter(own).map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let words = facts.last_words(end.container, end.exit);
    let says = words.as_ref().and_then(LastWords::clause);
    let change = "Change what the program complains about: its configuration, arguments or image";
    finding(facts, end, format!("{}{}", end.told(), says.unwrap_or_default()))
        .because(words.map(|w| w.cite()).unwrap_or_default())
        .because(convention(end))
        .remedy(facts.owner.edit(change))
}

/// What the number means by convention, where there is just one convention for it.
fn convention(end: &End<'_>) -> Option<Evidence> {
    if let Ending::Windows(meaning) = end.ending {
        let bits = end.exit.code.cast_unsigned();
        return Some(Evidence::derived(format!(
            "{} is 0x{bits:08X}, {}: {}",
            end.exit.code, meaning.name, meaning.says
        )));
    }
    let known = meanings(i64::from(end.exit.code));
    let [meaning] = known.as_slice() else { return None };
    let code = end.exit.code;
    Some(Evidence::derived(format!("{code} is by convention {}: {}", meaning.name, meaning.says)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::looping;
    use super::*;
    use crate::finding::Standing;
    use crate::rules::testing::{Case, none, one};

    #[test]
    fn the_line_that_says_why_stands_in_the_headline() {
        let case = looping(1, "Error").log(true, "config loaded\nError: connect ECONNREFUSED 10.0.0.5:5432\nbye\n");
        let finding = one(case.check(&RULE));
        assert_eq!(
            finding.headline,
            "container app ends with exit code 1, 40s after its start; it says \"Error: connect ECONNREFUSED 10.0.0.5:5432\""
        );
        assert!(finding.evidence.iter().any(|e| matches!(e, Evidence::Log { .. })));
    }

    #[test]
    fn without_a_log_the_exit_code_alone_speaks() {
        let finding = one(looping(3, "Error").check(&RULE));
        assert_eq!(finding.headline, "container app ends with exit code 3, 40s after its start");
    }

    #[test]
    fn a_number_of_sysexits_is_named() {
        let finding = one(looping(65, "Error").check(&RULE));
        let named = |e: &Evidence| matches!(e, Evidence::Derived { say, .. } if say.contains("EX_DATAERR"));
        assert!(finding.evidence.iter().any(named));
    }

    #[test]
    fn a_failed_init_container_has_a_reason_of_its_own() {
        let case = Case::pod(
            json!({"initContainers": [{"name": "migrate"}], "containers": [{"name": "app"}]}),
            json!({"initContainerStatuses": [{"name": "migrate", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}]}),
        );
        none(case.check(&RULE));
    }

    fn restarted_once(since: &str) -> Case {
        Case::container(json!({"restartCount": 1, "ready": true, "state": {"running": {"startedAt": since}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}))
    }

    #[test]
    fn the_first_restart_is_no_proof_in_its_first_moment() {
        let finding = one(restarted_once("2026-01-01T11:59:55Z").check(&RULE));
        assert_eq!(finding.standing, Standing::InProgress);
        none(restarted_once("2026-01-01T11:59:45Z").check(&RULE));
    }

    #[test]
    fn no_crash_keeps_a_pod_that_is_being_deleted() {
        let deleted = looping(1, "Error").edit("/metadata/deletionTimestamp", json!("2026-01-01T12:00:20Z"));
        none(deleted.check(&RULE));
    }

    #[test]
    fn a_crash_long_ago_is_past() {
        let case = Case::container(json!({"restartCount": 1, "ready": true,
            "state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}));
        assert_eq!(case.check(&RULE)[0].standing, Standing::Past);
    }
}
