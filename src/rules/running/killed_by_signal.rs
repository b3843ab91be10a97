//! A signal other than the well-known ones ended the program.

use super::{SYMPTOMS, code_of, finding};
use crate::facts::{Ending, Evidence, Facts, Signal};
use crate::finding::{Certainty, Finding, Stage};
use crate::rules::Rule;

/// Signals with a reason of their own.
const NAMED: [Signal; 4] = [Signal::ABRT, Signal::KILL, Signal::SEGV, Signal::TERM];

pub(super) const RULE: Rule = Rule {
    reason: "KilledBySignal",
    stage: Stage::Running,
    summary: "a signal ended the program: exit code 128 and the signal's number",
    explains: SYMPTOMS,
    check,
    explain: r#"
## Meaning
The exit code is 128 and the number of a signal, so the program most likely died of that signal: 132 SIGILL (an instruction
that the CPU does not know), 135 SIGBUS (memory that cannot be backed, often a full /dev/shm), 136 SIGFPE (a division by zero),
141 SIGPIPE (nobody reads what it writes), 159 SIGSYS (a system call that seccomp forbids), and others.

## Signs
`terminated.reason` is `Error` with an exit code from 129 to 192.

## Fix
It depends on the signal; `kubectl why explain CODE` says what each mostly means. For SIGILL compare the node's CPU with that
of nodes where it runs. For SIGBUS mount a larger memory volume at /dev/shm. For SIGSYS look at the seccomp profile.

## Not this
A program can choose such a number itself; the host of .NET does, for its own errors, and the log then says so. SIGABRT is
Aborted, SIGKILL KilledBySIGKILL, SIGSEGV Segfault, SIGTERM StoppedBySIGTERM.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for end in facts.ends() {
        let Ending::Signal(signal) = end.ending else { continue };
        if NAMED.contains(&signal) {
            continue;
        }
        let meaning = Some(signal.meaning()).filter(|m| !m.is_empty());
        let headline =
            format!("{} dies of {}: {}{}", end.container.title(), signal.name(), code_of(&end, signal), end.when());
        found.push(
            finding(facts, &end, headline)
                .certainty(Certainty::Likely)
                .because(meaning.map(|m| Evidence::derived(format!("{} mostly means: {m}", signal.name()))))
                .because(facts.cite_last_words(&end)),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::{looping, reasons};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_signal_is_named_with_what_it_mostly_means() {
        let finding = one(looping(135, "Error").check(&RULE));
        assert!(finding.headline.contains("dies of SIGBUS: exit code 135, which is 128 + 7 (SIGBUS)"));
        assert!(
            finding.evidence.iter().any(|e| matches!(e, Evidence::Derived { say, .. } if say.contains("/dev/shm")))
        );
    }

    #[test]
    fn well_known_signals_and_own_numbers_are_left_alone() {
        for code in [134, 137, 139, 143, 1, 145, 255] {
            none(looping(code, "Error").check(&RULE));
        }
    }

    #[test]
    fn a_number_that_the_dotnet_host_chose_is_no_signal() {
        let case = looping(150, "Error").log(true, "You must install or update .NET to run this application.\n");
        assert_eq!(reasons(&case), ["ApplicationError"]);
        let case = looping(131, "Error").log(true, "You must install or update .NET to run this application.\n");
        assert_eq!(reasons(&case), ["ApplicationError"]);
    }
}
