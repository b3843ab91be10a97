//! The program was ended for an invalid access to memory.

use super::{SYMPTOMS, code_of, finding};
use crate::facts::{End, Ending, Evidence, Facts, Signal};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "Segfault",
    stage: Stage::Running,
    summary: "the program crashed on an invalid access to memory (SIGSEGV)",
    explains: SYMPTOMS,
    check,
    explain: r#"
## Meaning
The program touched memory that it does not own, and the kernel ended it with SIGSEGV: exit code 139 (128 + 11), on Windows
0xC0000005. The fault lies in native code: the program, a library, an extension module, or how they fit each other.

## Signs
`terminated.reason` is `Error` with exit code 139, mostly without a word in the log. The node's kernel log has a line
`segfault at`.

## Fix
Find out what changed: image, base image, library versions, processor type. Wheels and libraries built for glibc crash on musl
(Alpine). The previous image, or another base image, tells whether the build is at fault; a core dump tells where.

## Not this
As PID 1 a program that calls abort() ends with 139 as well; the log then has the message of the abort (Aborted). Running out
of memory is OOMKilled, never 139.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let crashed = |end: &End<'_>| match end.ending {
        Ending::Signal(signal) => signal == Signal::SEGV,
        Ending::Windows(meaning) => meaning.name == "STATUS_ACCESS_VIOLATION",
        _ => false,
    };
    facts.ends().filter(crashed).map(|end| found(facts, &end)).collect()
}

fn found(facts: &Facts<'_>, end: &End<'_>) -> Finding {
    let what = match end.ending {
        Ending::Windows(meaning) => format!("exit code {} ({}, the SIGSEGV of Windows)", end.exit.code, meaning.name),
        _ => code_of(end, Signal::SEGV),
    };
    finding(
        facts,
        end,
        format!("{} crashes on an invalid access to memory: {what}{}", end.container.title(), end.when()),
    )
    .because(Evidence::derived(
        "a fault in native code: the program, a library, or how they fit each other and the CPU",
    ))
    .because(facts.cite_last_words(end))
    .remedy(facts.owner.set(
        "If an earlier image of it ran, go back to it:",
        "image",
        &[&format!("{}=IMAGE", end.container.name)],
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{looping, reasons};
    use super::*;
    use crate::rules::testing::one;

    #[test]
    fn exit_code_139_is_a_crash_in_native_code() {
        let finding = one(looping(139, "Error").log(true, "loading model weights\n").check(&RULE));
        assert_eq!(
            finding.headline,
            "container app crashes on an invalid access to memory: exit code 139, which is 128 + 11 (SIGSEGV), 40s after its start"
        );
    }

    #[test]
    fn an_abort_of_pid_1_looks_like_it_and_is_none() {
        let case = looping(139, "Error").log(true, "FATAL ERROR: Reached heap limit - JavaScript heap out of memory\n");
        assert_eq!(reasons(&case), ["Aborted"]);
    }
}
