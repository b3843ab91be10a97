//! The kernel does not know the format of what is to be run.

use super::{command_evidence, finding, image};
use crate::facts::{Facts, Problem, StartFailure};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;
use crate::snapshot::Lookup;

pub(super) const RULE: Rule = Rule {
    reason: "ExecFormatError",
    stage: Stage::Startup,
    summary: "the binary is for another architecture, or is no program",
    explains: &["ApplicationError", "InitContainerFailed", "JobBackoffLimitExceeded"],
    check,
    explain: r#"
## Meaning
The kernel can run binaries of its own processor architecture, and scripts whose first line names an interpreter. The file is
neither: most often the image was built on a machine with another processor (arm64 against amd64), or a script lacks its
first line, or the file is empty.

## Signs
"exec format error" in the log. The container counts as started by then, so its exit code is an ordinary 1 (runc 1.1) or 255
(runc 1.2) and only the log tells.

## Fix
Build the image for the nodes' architecture (`docker buildx build --platform`), or for several; or bind the pod to nodes of the
image's architecture with `nodeSelector: kubernetes.io/arch`. Give a script its first line (`#!/bin/sh`).

## Not this
An image whose manifest names no fitting platform is not even pulled: ImagePlatformMismatch.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::ExecFormat { command } = &failure.problem {
            found.push(unknown_format(facts, &failure, command));
        }
    }
    found
}

fn unknown_format(facts: &Facts<'_>, failure: &StartFailure<'_>, command: &str) -> Finding {
    let container = failure.container;
    let named = match (command, facts.command_of(container)) {
        ("", Some(told)) => told,
        ("", None) => "its program",
        (command, _) => command,
    };
    let node = match facts.node() {
        Lookup::Found(node) => Some(node),
        _ => None,
    };
    let arch = node.and_then(|n| n.metadata.labels.get("kubernetes.io/arch"));
    let on =
        arch.map_or_else(|| "that the node can run".to_owned(), |arch| format!("for {arch}, the node's architecture"));
    let headline =
        format!("{} cannot run {named} of image {}: it is no program {on}", container.title(), image(container));
    finding(facts, failure, headline)
        .because(node.and_then(|n| facts.cite_node(n, &["metadata", "labels", "kubernetes.io/arch"])))
        .because(command_evidence(facts, container))
        .remedy(failure.exit.map(|exit| facts.look_at_log(container, exit)))
        .remedy(Remedy::advice(format!("Build image {} for the architecture of the nodes.", image(container))))
        .remedy(facts.owner.edit("Bind the pod to nodes of the image's architecture (nodeSelector kubernetes.io/arch)"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn ended(code: i32) -> Case {
        Case::container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": code}}}))
    }

    #[test]
    fn the_log_tells_whatever_the_exit_code() {
        for code in [1, 255] {
            let finding = one(ended(code).log(true, "exec /app/server: exec format error\n").check(&RULE));
            assert!(
                finding.headline.starts_with("container app cannot run /app/server of image i"),
                "{}",
                finding.headline
            );
        }
    }

    #[test]
    fn a_failed_start_says_it_under_crun() {
        let message = "container create failed: exec container process `/app/server`: exec format error";
        let waiting = json!({"state": {"waiting": {"reason": "CreateContainerError", "message": message}}});
        one(Case::container(waiting).check(&RULE));
    }

    #[test]
    fn a_program_that_could_not_run_a_helper_ran_itself() {
        none(ended(1).log(true, "OSError: [Errno 8] Exec format error: './tool'\n").check(&RULE));
    }
}
