//! What is to be run does not exist: the command, its interpreter or a library.

use super::{command_evidence, finding, hidden, image};
use crate::facts::{Facts, Lack, Problem, StartFailure};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "CommandNotFound",
    stage: Stage::Startup,
    summary: "the command, its interpreter or a library of it does not exist in the image; exit code 127",
    explains: &["ApplicationError", "InitContainerFailed", "JobBackoffLimitExceeded"],
    check,
    explain: r#"
## Meaning
The file that is to be run is not there. Either the runtime could not start the container at all, or a shell inside it looked
for a program and did not find it, which ends with exit code 127. A script whose first line names an interpreter that the
image lacks, and a program whose loader or shared library is missing, fail with the same words as if they were missing
themselves.

## Signs
"executable file not found in $PATH" or "no such file or directory" in the container's message, with the reason StartError or
RunContainerError (CreateContainerError under CRI-O). Or exit code 127, with the line of the shell in the log.

## Fix
Correct `command` or `args`; remember that `command` replaces the image's entrypoint and `args` its command. Without a shell in
front, `$PATH` is searched and no shell syntax is understood. If a volume is mounted over the program's directory, mount it
elsewhere. `bash` does not exist in Alpine images; Windows line ends make the interpreter's name end in a carriage return.

## Not this
A file that exists and cannot be run is CommandNotExecutable. A program that reports that a file of its own is missing has
another exit code.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::NotFound { command, lacks } = &failure.problem {
            found.push(not_found(facts, &failure, command, lacks));
        }
    }
    found
}

fn not_found(facts: &Facts<'_>, failure: &StartFailure<'_>, command: &str, lacks: &Lack) -> Finding {
    let container = failure.container;
    let title = container.title();
    let image = image(container);
    let code = failure.exit.map_or_else(String::new, |exit| format!(" (exit code {})", exit.code));
    let named = if command.is_empty() { "its command" } else { command };
    let what = match lacks {
        _ if command.is_empty() && failure.message.is_empty() => {
            "a command that it was told to run was not found".to_owned()
        }
        Lack::InPath => format!("{named} is not in $PATH of image {image}"),
        Lack::File => format!("{named} does not exist in image {image}"),
        Lack::Interpreter if failure.has_carriage_return() => {
            format!(
                "the script that it runs has Windows line ends, so its interpreter {named} with a carriage return is looked for"
            )
        }
        Lack::Interpreter => format!("the interpreter or loader that {named} needs does not exist in image {image}"),
        Lack::Library(library) => {
            format!("{named} needs the shared library {library}, which image {image} does not have")
        }
    };
    let verb = if failure.exit.is_some() { "ends" } else { "cannot start" };
    let change = match lacks {
        Lack::Library(library) => format!("Use an image that has {library}"),
        Lack::Interpreter if failure.has_carriage_return() => {
            "Save the script with Unix line ends and use that build".to_owned()
        }
        Lack::Interpreter => {
            "Use an image that has the interpreter, or name one that it has in the script's first line".to_owned()
        }
        _ => format!("Correct command or args of {title}"),
    };
    let look = match failure.exit {
        Some(exit) => facts.look_at_log(container, exit),
        None => facts.look(["describe", "pod", &facts.pod.name]),
    };
    let hides = hidden(facts, failure, command);
    let moves = (!hides.is_empty())
        .then(|| Remedy::advice(format!("Mount the volume elsewhere, if {named} is part of the image.")));
    finding(facts, failure, format!("{title} {verb}{code}: {what}"))
        .because(command_evidence(facts, container))
        .because(hides)
        .remedy(look)
        .remedy(facts.owner.edit(&change))
        .remedy(moves)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::finding::Certainty;
    use crate::rules::testing::{Case, none, one};

    const STAT: &str = r#"failed to create containerd task: OCI runtime create failed: unable to start container process: exec: "/app/sever": stat /app/sever: no such file or directory"#;

    fn ended(code: i32) -> Case {
        Case::container(
            json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": code,
                "startedAt": "2026-01-01T11:59:00Z", "finishedAt": "2026-01-01T11:59:00Z"}}}),
        )
    }

    #[test]
    fn a_failed_start_names_the_file_now_and_in_the_back_off() {
        let now = json!({"state": {"waiting": {"reason": "RunContainerError", "message": STAT}}});
        let later = json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
            "lastState": {"terminated": {"reason": "StartError", "exitCode": 128, "message": STAT, "startedAt": "1970-01-01T00:00:00Z"}}});
        let never =
            json!({"state": {"terminated": {"reason": "ContainerCannotRun", "exitCode": 127, "message": STAT}}});
        for status in [now, later, never] {
            let finding = one(Case::container(status).check(&RULE));
            assert_eq!(finding.headline, "container app cannot start: /app/sever does not exist in image i");
        }
    }

    #[test]
    fn the_shells_line_names_the_program() {
        let finding = one(ended(127).log(true, "sh: exec: line 0: gunicornn: not found\n").check(&RULE));
        assert_eq!(finding.headline, "container app ends (exit code 127): gunicornn is not in $PATH of image i");
        assert_eq!(finding.certainty, Certainty::Certain);
    }

    #[test]
    fn a_bare_127_is_only_likely_and_names_nothing() {
        let finding = one(ended(127).check(&RULE));
        assert_eq!(
            finding.headline,
            "container app ends (exit code 127): a command that it was told to run was not found"
        );
        assert_eq!(finding.certainty, Certainty::Likely);
    }

    #[test]
    fn a_crash_that_ends_with_127_is_no_missing_command() {
        none(ended(127).log(true, "# A fatal error has been detected by the Java Runtime Environment:\n").check(&RULE));
    }

    #[test]
    fn a_missing_file_of_the_program_is_its_own_error() {
        none(ended(1).log(true, "cat: /etc/app.conf: No such file or directory\n").check(&RULE));
    }

    #[test]
    fn a_volume_over_the_program_is_pointed_out() {
        let case = Case::container(json!({"state": {"waiting": {"reason": "RunContainerError", "message": STAT}}}))
            .edit("/spec/containers/0/volumeMounts", json!([{"name": "code", "mountPath": "/app"}]));
        let finding = one(case.check(&RULE));
        assert!(finding.evidence.iter().any(|e| format!("{e:?}").contains("volume code is mounted at /app")));
    }
}
