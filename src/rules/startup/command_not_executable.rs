//! What is to be run exists and may not be run.

use super::{command_evidence, finding, hidden, image};
use crate::facts::{Facts, Problem, StartFailure};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "CommandNotExecutable",
    stage: Stage::Startup,
    summary: "the command cannot be executed, or is a directory; exit code 126",
    explains: &["ApplicationError", "InitContainerFailed", "JobBackoffLimitExceeded"],
    check,
    explain: r#"
## Meaning
The file that is to be run is there, and the kernel refuses to run it: it lacks the permission to be executed, it is a
directory, a directory on its way is closed to the container's user, or it lies on a volume that is mounted without the right
to execute.

## Signs
"permission denied" or "is a directory" in the container's message, with the reason StartError or RunContainerError
(CreateContainerError under CRI-O). Or exit code 126, with the line of the shell in the log.

## Fix
Give the file its permission when the image is built (`RUN chmod +x`, `COPY --chmod=0755`). A script from a ConfigMap needs
`defaultMode: 0755` on its volume. For a script without the permission, run its interpreter: `command: ["sh", "/path"]`. If the
container runs as another user than the image was built for, let that user reach the file.

## Not this
A file that does not exist is CommandNotFound; one for another processor is ExecFormatError.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::NotExecutable { command, directory } = &failure.problem {
            found.push(refused(facts, &failure, command, *directory));
        }
    }
    found
}

fn refused(facts: &Facts<'_>, failure: &StartFailure<'_>, command: &str, directory: bool) -> Finding {
    let container = failure.container;
    let title = container.title();
    let code = failure.exit.map_or_else(String::new, |exit| format!(" (exit code {})", exit.code));
    let verb = if failure.exit.is_some() { "ends" } else { "cannot start" };
    let what = match (command, directory) {
        ("", _) => "a command that it was told to run cannot be executed".to_owned(),
        (_, true) => format!("{command} is a directory"),
        (_, false) => format!("{command} cannot be executed: permission denied"),
    };
    let look = match failure.exit {
        Some(exit) => facts.look_at_log(container, exit),
        None => facts.look(["describe", "pod", &facts.pod.name]),
    };
    let over = failure.hidden_by(command);
    let change = match (directory, over) {
        (true, _) => format!("Let command of {title} name the file instead of its directory"),
        (_, Some((volume, _))) => {
            format!("Give volume {volume} a defaultMode of 0755, if it comes from a ConfigMap or a Secret")
        }
        _ => format!("Let {title} run the script through its interpreter, or correct its command"),
    };
    let own = facts.cite_spec(container, &["securityContext", "runAsUser"]);
    finding(facts, failure, format!("{title} {verb}{code}: {what}"))
        .because(command_evidence(facts, container))
        .because(own.or_else(|| facts.cite(&["spec", "securityContext", "runAsUser"])))
        .because(hidden(facts, failure, command))
        .remedy(look)
        .remedy((!directory && over.is_none()).then(|| {
            Remedy::advice(format!(
                "Build image {} so that the container's user can execute the file (chmod 0755).",
                image(container)
            ))
        }))
        .remedy(facts.owner.edit(&change))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn start(message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "RunContainerError", "message": message}}}))
    }

    #[test]
    fn a_refused_file_and_a_directory_are_told_apart() {
        let denied =
            start(r#"runc create failed: unable to start container process: exec: "/app/server": permission denied"#);
        assert_eq!(
            one(denied.check(&RULE)).headline,
            "container app cannot start: /app/server cannot be executed: permission denied"
        );
        let directory = start(r#"runc create failed: unable to start container process: exec: "/app": is a directory"#);
        assert_eq!(one(directory.check(&RULE)).headline, "container app cannot start: /app is a directory");
    }

    #[test]
    fn exit_code_126_says_so_too() {
        let case = Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 126}}}));
        let finding = one(case.log(true, "sh: /etc/passwd: Permission denied\n").check(&RULE));
        assert_eq!(
            finding.headline,
            "container app ends (exit code 126): /etc/passwd cannot be executed: permission denied"
        );
    }

    #[test]
    fn a_program_that_is_denied_a_file_is_executable() {
        let case = Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}));
        none(case.log(true, "open /data/db: permission denied\n").check(&RULE));
    }

    #[test]
    fn a_working_directory_that_is_closed_is_no_command() {
        none(start(r#"chdir to cwd ("/srv") set in config.json failed: permission denied"#).check(&RULE));
    }
}
