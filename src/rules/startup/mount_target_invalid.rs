//! A volume cannot be mounted at its place in the container.

use super::finding;
use crate::facts::{Evidence, Facts, Problem, StartFailure};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "MountTargetInvalid",
    stage: Stage::Startup,
    summary: "a volume cannot be mounted at its path: /proc, a file over a directory, a missing subPath",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The volume itself is there; what fails is to put it into the container's file system. `/proc` and what lies in it cannot be
mounted over. A file cannot be mounted over a directory, nor a directory over a file. A mount point below a read-only mount
cannot be made. With `subPath`, the named part of the volume has to exist: where it does not, the kubelet makes a directory of
that name, which then does not fit onto a file.

## Signs
"error mounting … to rootfs at" in the container's message (crun: "mount … to"), or "failed to prepare subPath".

## Fix
Correct `mountPath` or `subPath`. To put one file of a ConfigMap into a directory that has other files, `subPath` is the key and
`mountPath` ends with the file's name. For a mount inside another volume, that volume has to be writable or hold the directory.

## Not this
A volume that the node cannot mount at all leaves the pod at ContainerCreating with FailedMount events.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for failure in facts.start_failures() {
        if let Problem::MountTarget { target, why } = &failure.problem {
            found.push(unmountable(facts, &failure, target, why));
        }
    }
    found
}

fn unmountable(facts: &Facts<'_>, failure: &StartFailure<'_>, target: &str, why: &str) -> Finding {
    let container = failure.container;
    let title = container.title();
    let mut mounts = container.spec.volume_mounts.iter().flatten();
    let same = |path: &str| !target.is_empty() && path.trim_end_matches('/') == target.trim_end_matches('/');
    let mount = mounts
        .find(|m| same(&m.mount_path) || target.is_empty() && failure.message.contains(&format!("\"{}\"", m.name)));
    let volume = mount.map_or_else(|| "a volume".to_owned(), |m| format!("volume {}", m.name));
    let path = mount.map_or(target, |m| m.mount_path.as_str());
    let at = if path.is_empty() { String::new() } else { format!(" at {path}") };
    let kernels = path == "/proc" || path.starts_with("/proc/") || path == "/sys";
    let sub_path = mount.and_then(|m| m.sub_path.as_deref()).filter(|s| !s.is_empty());
    let change = match (kernels, sub_path) {
        (true, _) => format!("Mount {volume} elsewhere in {title}: {path} belongs to the kernel"),
        (_, Some(sub)) => format!(
            "Correct subPath ({sub}) or mountPath ({path}) of {volume} in {title}; both have to be files, or both directories"
        ),
        _ => format!("Correct mountPath of {volume} in {title}"),
    };
    let cite = |field| mount.and_then(|m| facts.cite_spec(container, &["volumeMounts", &m.mount_path, field]));
    let mixed = why.contains("directory") && sub_path.is_some();
    finding(facts, failure, format!("{title} cannot have {volume} mounted{at}: {why}"))
        .because(cite("mountPath"))
        .because(cite("subPath"))
        .because(mixed.then(|| {
            Evidence::derived(
                "a subPath that does not exist in the volume is made as a directory, which fits onto no file",
            )
        }))
        .remedy(facts.owner.edit(&change))
        .remedy((mount.is_none() && at.is_empty()).then(|| {
            Remedy::advice("Look at the message for the path; the kubelet does not say which mount it is about.")
        }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(message: &str) -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "RunContainerError", "message": message}}}))
            .edit("/spec/containers/0/volumeMounts", json!([
                {"name": "e", "mountPath": "/proc"}, {"name": "cfg", "mountPath": "/etc/app.conf", "subPath": "app.conf"}]))
    }

    #[test]
    fn a_mount_over_proc_is_refused() {
        let message = r#"error during container init: error mounting "/v/e" to rootfs at "/proc": "/run/x/rootfs/proc" cannot be mounted because it is not of type proc"#;
        let finding = one(case(message).check(&RULE));
        assert_eq!(finding.headline, "container app cannot have volume e mounted at /proc: it is not of type proc");
    }

    #[test]
    fn a_directory_over_a_file_names_the_sub_path() {
        let message = r#"error during container init: error mounting "/v/cfg/0" to rootfs at "/etc/app.conf": mount /v/cfg/0:/etc/app.conf (via /proc/self/fd/6), flags: 0x5001: not a directory: unknown"#;
        let finding = one(case(message).check(&RULE));
        assert_eq!(finding.headline, "container app cannot have volume cfg mounted at /etc/app.conf: not a directory");
        assert!(finding.remedies[0].say.contains("subPath (app.conf)"));
    }

    #[test]
    fn a_sub_path_that_cannot_be_prepared_names_its_volume() {
        let finding = one(case(r#"failed to prepare subPath for volumeMount "cfg" of container "app""#).check(&RULE));
        assert!(finding.headline.starts_with("container app cannot have volume cfg mounted at /etc/app.conf"));
    }

    #[test]
    fn a_command_that_is_a_directory_is_no_mount() {
        none(case(r#"unable to start container process: exec: "/app": is a directory"#).check(&RULE));
    }
}
