//! The container's working directory cannot be used.

use super::{finding, hidden, image};
use crate::facts::{Facts, Problem, StartFailure};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "WorkingDirInvalid",
    stage: Stage::Startup,
    summary: "the working directory cannot be used",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The runtime enters the working directory before it runs the command, and makes it if it does not exist. That failed: a part of
the path is a file, the directory is closed to the container's user, or it would have to be made on a read-only file system.

## Signs
"chdir to cwd" or "error during container init: mkdir" in the container's message.

## Fix
Correct `workingDir`, or leave it out so that the image's own is used. With `readOnlyRootFilesystem` the directory has to exist
in the image or be a volume. With `runAsUser` the directory has to let that user in.

## Not this
A mount whose target cannot be made is MountTargetInvalid.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::WorkingDir { dir, why } = &failure.problem {
            found.push(unusable(facts, &failure, dir, why));
        }
    }
    found
}

fn unusable(facts: &Facts<'_>, failure: &StartFailure<'_>, dir: &str, why: &str) -> Finding {
    let container = failure.container;
    let own = container.spec.working_dir.as_deref();
    let dir = if dir.is_empty() { own.unwrap_or("its working directory") } else { dir };
    let title = container.title();
    let of = if own.is_some() { String::new() } else { format!(" of image {}", image(container)) };
    let user = facts.cite_spec(container, &["securityContext", "runAsUser"]);
    finding(facts, failure, format!("{title} cannot use {dir}{of} as its working directory: {why}"))
        .because(facts.cite_spec(container, &["workingDir"]))
        .because(user.or_else(|| facts.cite(&["spec", "securityContext", "runAsUser"])))
        .because(hidden(facts, failure, dir))
        .remedy(
            facts
                .owner
                .edit(&format!("Set workingDir of {title} to a directory that its user can enter, or leave it out")),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(message: &str) -> Case {
        let waiting = json!({"state": {"waiting": {"reason": "RunContainerError", "message": message}}});
        Case::container(waiting).edit("/spec/containers/0/workingDir", json!("/srv/app"))
    }

    #[test]
    fn a_directory_that_cannot_be_made_or_entered_is_named() {
        for (message, why) in [
            (
                "runc create failed: error during container init: mkdir /srv/app: not a directory: unknown",
                "not a directory",
            ),
            (
                r#"runc create failed: chdir to cwd ("/srv/app") set in config.json failed: permission denied"#,
                "permission denied",
            ),
            ("container create failed: chdir `/srv/app`: Permission denied", "permission denied"),
        ] {
            let finding = one(case(message).check(&RULE));
            assert_eq!(finding.headline, format!("container app cannot use /srv/app as its working directory: {why}"));
        }
    }

    #[test]
    fn a_mount_point_that_cannot_be_made_is_no_working_directory() {
        let mount = r#"error during container init: error mounting "/v" to rootfs at "/etc/x": mkdirat /rootfs/etc/x: read-only file system"#;
        none(case(mount).check(&RULE));
    }
}
