//! A write that was refused because the place is read-only: what the program said, and the mount that covers the path.

use crate::facts::cited::Evidence;
use crate::facts::{Container, Exit, Facts};

/// A write to a read-only volume.
#[derive(Debug, Clone)]
pub struct RefusedWrite {
    /// The path.
    pub path: String,
    /// The pod's volume.
    pub volume: String,
    /// Why it is read-only; completes "which …".
    pub why: String,
    /// Whether a volume of that kind is never writable.
    pub always: bool,
    /// What the program said, and the fields that make the volume read-only.
    pub evidence: Vec<Evidence>,
}

impl Facts<'_> {
    /// The write to a read-only volume that the program reported before it ended, in its termination message or in the log
    /// of that run.
    pub fn refused_write(&self, container: &Container, exit: &Exit) -> Option<RefusedWrite> {
        let log = self.snapshot().log(&self.pod.name, &container.name, exit.is_last);
        let (line, said) = match last_refusal(&exit.message) {
            Some(line) => (line, self.cite_exit(container, exit, "message")?),
            None => {
                let line = last_refusal(&log?.text)?;
                let lines = vec![line.to_owned()];
                (line, Evidence::Log { container: container.name.clone(), previous: exit.is_last, lines })
            }
        };
        let path = path_in(line)?;
        let mounts = container.spec.volume_mounts.iter().flatten();
        let mount = mounts.filter(|m| covers(&m.mount_path, path)).max_by_key(|m| m.mount_path.len())?;
        let volume = self.volume(&mount.name)?;
        let in_volume = |steps: &[&str]| self.cite(&[&["spec", "volumes", volume.name.as_str()], steps].concat());
        let read_only_kinds = [
            (volume.config_map.is_some(), "a ConfigMap"),
            (volume.secret.is_some(), "a Secret"),
            (volume.projected.is_some(), "a projected volume"),
            (volume.downward_api.is_some(), "a downward API volume"),
            (volume.image.is_some(), "an image volume"),
        ];
        let claim = volume.persistent_volume_claim.as_ref();
        let (why, always, field) = if mount.read_only == Some(true) {
            let field = self.cite_spec(container, &["volumeMounts", &mount.mount_path, "readOnly"]);
            let field = field.or_else(|| self.cite_spec(container, &["volumeMounts", &mount.name, "readOnly"]));
            ("it mounts with readOnly: true".to_owned(), false, field)
        } else if let Some((_, kind)) = read_only_kinds.iter().find(|(is, _)| *is) {
            (format!("is {kind} and always read-only"), true, in_volume(&["name"]))
        } else if claim.is_some_and(|c| c.read_only == Some(true)) {
            ("takes its claim with readOnly: true".to_owned(), false, in_volume(&["persistentVolumeClaim", "readOnly"]))
        } else if volume.nfs.as_ref().is_some_and(|n| n.read_only == Some(true)) {
            ("takes its export with readOnly: true".to_owned(), false, in_volume(&["nfs", "readOnly"]))
        } else if volume.csi.as_ref().is_some_and(|c| c.read_only == Some(true)) {
            ("is of a CSI driver with readOnly: true".to_owned(), false, in_volume(&["csi", "readOnly"]))
        } else {
            return None;
        };
        let evidence = std::iter::once(said).chain(field).collect();
        Some(RefusedWrite { path: path.to_owned(), volume: volume.name.clone(), why, always, evidence })
    }
}

/// The last line that speaks of a read-only file system.
fn last_refusal(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| {
        let lower = line.to_ascii_lowercase();
        lower.contains("read-only file system") || lower.contains("erofs")
    })
}

/// The last absolute path in a line, without quotes and punctuation.
fn path_in(line: &str) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '(' | ')' | '[' | ']' | ',' | ';' | '=');
    line.split(ends).map(|word| word.trim_end_matches([':', '.'])).rfind(|word| word.starts_with('/') && word.len() > 1)
}

/// Whether a path is the mount path or lies below it.
fn covers(mount: &str, path: &str) -> bool {
    let mount = mount.trim_end_matches('/');
    path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_every_notation() {
        for (line, path) in [
            ("touch: /data/x: Read-only file system", "/data/x"),
            ("OSError: [Errno 30] Read-only file system: '/data/x'", "/data/x"),
            ("Error: EROFS: read-only file system, open '/data/x'", "/data/x"),
            ("open /data/x: read-only file system", "/data/x"),
            ("java.nio.file.FileSystemException: /data/x: Read-only file system", "/data/x"),
        ] {
            assert_eq!(path_in(last_refusal(line).unwrap()), Some(path), "{line}");
        }
        assert_eq!(path_in("Read-only file system"), None);
        assert_eq!(path_in("read / write: Read-only file system"), None, "that is no path");
    }

    #[test]
    fn a_mount_covers_what_lies_below_it_and_no_sibling() {
        assert!(covers("/data", "/data/x") && covers("/data/", "/data") && covers("/", "/x"));
        assert!(!covers("/data", "/database"));
    }

    #[test]
    fn the_field_that_makes_a_volume_read_only_is_named() {
        use crate::rules::testing::Case;
        use serde_json::{Value, json};
        let why = |volume: Value, mount: Value| {
            let (mut volume, mut mount) = (volume, mount);
            volume["name"] = "v".into();
            mount["name"] = "v".into();
            mount["mountPath"] = "/data".into();
            let state = json!({"terminated": {"exitCode": 1, "reason": "Error", "message": "open /data/x: read-only file system"}});
            let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "n"}});
            Case::container(json!({"state": state}))
                .edit("/spec/volumes", json!([volume]))
                .edit("/spec/containers/0/volumeMounts", json!([mount]))
                .with(claim)
                .facts(|f| {
                    let exit = f.containers[0].exit()?.0;
                    f.refused_write(&f.containers[0], exit).map(|w| (w.why, w.always))
                })
        };
        let of = |volume: Value| why(volume, json!({}));
        let said = |words: &str, always: bool| Some((words.to_owned(), always));
        assert_eq!(of(json!({"configMap": {"name": "c"}})), said("is a ConfigMap and always read-only", true));
        assert_eq!(of(json!({"secret": {"secretName": "c"}})), said("is a Secret and always read-only", true));
        for read_only in [true, false] {
            let claim = json!({"persistentVolumeClaim": {"claimName": "c", "readOnly": read_only}});
            assert_eq!(of(claim).is_some(), read_only);
            assert_eq!(of(json!({"nfs": {"server": "s", "path": "/", "readOnly": read_only}})).is_some(), read_only);
            assert_eq!(of(json!({"csi": {"driver": "d", "readOnly": read_only}})).is_some(), read_only);
            let mounted = why(json!({"emptyDir": {}}), json!({"readOnly": read_only}));
            assert_eq!(mounted.is_some(), read_only, "{mounted:?}");
        }
        assert_eq!(
            of(json!({"nfs": {"server": "s", "path": "/", "readOnly": true}})),
            said("takes its export with readOnly: true", false)
        );
        assert_eq!(
            of(json!({"csi": {"driver": "d", "readOnly": true}})),
            said("is of a CSI driver with readOnly: true", false)
        );
    }
}
