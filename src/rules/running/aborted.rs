//! The program ended itself with abort().

use super::{code_of, finding};
use crate::facts::{Ending, Evidence, Facts, Signal};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "Aborted",
    stage: Stage::Running,
    summary: "the program ended itself with abort() (SIGABRT)",
    explains: &[
        "InitContainerFailed",
        "SidecarNotStarted",
        "ReadinessProbeFailing",
        "JobBackoffLimitExceeded",
        "CommandNotFound",
        "ApplicationError",
        "Segfault",
    ],
    check,
    explain: r#"
## Meaning
The program or its runtime found itself in a state in which it must not go on, and called abort(): a failed assertion, an
uncaught C++ or .NET exception, corrupted memory, the V8 heap limit, a crash of the JVM. Exit code 134 (128 + 6).

## Signs
Exit code 134 and, nearly always, a message in the log: `terminate called`, `Assertion … failed`, `JavaScript heap out of
memory`, `Unhandled exception.`, `A fatal error has been detected by the Java Runtime Environment`. As PID 1 a program does
not receive its own SIGABRT: the same abort then shows as 139, that of the JVM as 127.

## Fix
The message says what the program found. For a heap limit, raise the runtime's heap together with the memory limit.

## Not this
139 without such a message is a Segfault. A process that the kernel killed for want of memory is OOMKilled.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .ends()
        .filter(|end| end.ending == Ending::Signal(Signal::ABRT))
        .map(|end| {
            let as_pid_1 = (end.exit.code != 134).then(|| {
                Evidence::derived(format!(
                    "as PID 1 a program does not receive its own SIGABRT, and ends with {}",
                    end.exit.code
                ))
            });
            let what = code_of(&end, Signal::ABRT);
            finding(facts, &end, format!("{} ends itself with abort(): {what}{}", end.container.title(), end.when()))
                .because(facts.cite_last_words(&end))
                .because(as_pid_1)
                .remedy(
                    facts
                        .owner
                        .edit("Change what the message of the abort complains about, or go back to the image before"),
                )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::looping;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn exit_code_134_is_an_abort() {
        assert!(one(looping(134, "Error").check(&RULE)).headline.contains("134, which is 128 + 6 (SIGABRT)"));
    }

    #[test]
    fn as_pid_1_the_log_gives_the_abort_away() {
        for (code, line) in [
            (139, "terminate called after throwing an instance of 'std::runtime_error'"),
            (127, "# A fatal error has been detected by the Java Runtime Environment:"),
        ] {
            let finding = one(looping(code, "Error").log(true, line).check(&RULE));
            assert!(finding.headline.contains("SIGABRT by what its log says"), "{}", finding.headline);
        }
    }

    #[test]
    fn a_crash_without_such_a_message_is_none() {
        none(looping(139, "Error").log(true, "loading\n").check(&RULE));
        none(looping(127, "Error").log(true, "sh: javaa: not found\n").check(&RULE));
    }
}
