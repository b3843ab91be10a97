//! A program writes to a volume that it has read-only.

use crate::facts::{Container, Exit, Facts};
use crate::finding::{Certainty, Finding, Remedy, Stage, Standing};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "VolumeReadOnly",
    stage: Stage::Dependencies,
    summary: "a read-only volume is used for writing",
    explains: &["ApplicationError", "InitContainerFailed"],
    check,
    explain: r#"
## Meaning
The program failed to write to a path that lies in a volume which it has read-only: the mount says `readOnly: true`, the claim
or the volume does, or it is a ConfigMap, Secret, projected or downward API volume, which are read-only always.

## Signs
`Read-only file system` (EROFS) with a path in the log or in the termination message, and a mount of that container that covers
the path and is read-only.

## Fix
Take `readOnly` away if the program has to write there, or let it write elsewhere: an emptyDir at that path, or a copy of the
configuration that an init container makes.

## Not this
A path in no volume belongs to the image: that is `readOnlyRootFilesystem`, and the program's own error.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .main_containers()
        .filter_map(|c| c.program_exit().map(|(exit, standing)| (c, exit, standing)))
        .filter(|(_, exit, _)| exit.code != 0)
        .filter_map(|(container, exit, standing)| found(facts, container, exit, standing))
        .collect()
}

fn found(facts: &Facts<'_>, container: &Container, exit: &Exit, standing: Standing) -> Option<Finding> {
    let write = facts.refused_write(container, exit)?;
    let mount = format!("{} in volume {}", write.path, write.volume);
    let headline = format!("{} cannot write to {mount}, which {}", container.title(), write.why);
    let remedy = if write.always {
        Remedy::advice(format!(
            "Let the program write elsewhere: mount an emptyDir at that path, and let an init container copy there what volume {} holds.",
            write.volume
        ))
    } else {
        facts.owner.edit("Take readOnly away there, if the program has to write to it")
    };
    Some(
        Finding::new(facts.subject_of(container), headline)
            .certainty(Certainty::Likely)
            .standing(standing)
            .because(write.evidence)
            .because(facts.cite_exit(container, exit, "exitCode"))
            .remedy(facts.look_at_log(container, exit))
            .remedy(remedy),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn writes(path: &str, mount: Value, volume: Value) -> Case {
        Case::container(json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}))
        .edit("/spec/containers/0/volumeMounts", json!([mount]))
        .edit("/spec/volumes", json!([volume]))
        .log(true, &format!("starting\ntouch: {path}: Read-only file system\n"))
    }

    #[test]
    fn the_mount_that_covers_the_path_is_named() {
        let mount = json!({"name": "data", "mountPath": "/data", "readOnly": true});
        let case = writes("/data/db", mount, json!({"name": "data", "persistentVolumeClaim": {"claimName": "d"}}));
        assert_eq!(
            one(case.check(&RULE)).headline,
            "container app cannot write to /data/db in volume data, which it mounts with readOnly: true"
        );
    }

    #[test]
    fn a_config_map_is_read_only_always() {
        let case = writes(
            "/etc/web/x",
            json!({"name": "cfg", "mountPath": "/etc/web"}),
            json!({"name": "cfg", "configMap": {"name": "web"}}),
        );
        assert!(one(case.check(&RULE)).headline.ends_with("which is a ConfigMap and always read-only"));
    }

    #[test]
    fn the_images_own_files_are_no_volume() {
        let mount = json!({"name": "data", "mountPath": "/data", "readOnly": true});
        none(writes("/cache", mount.clone(), json!({"name": "data", "emptyDir": {}})).check(&RULE));
        none(writes("/database/x", mount, json!({"name": "data", "emptyDir": {}})).check(&RULE));
    }

    #[test]
    fn a_writable_mount_is_not_to_blame() {
        none(
            writes("/data/x", json!({"name": "data", "mountPath": "/data"}), json!({"name": "data", "emptyDir": {}}))
                .check(&RULE),
        );
    }
}
