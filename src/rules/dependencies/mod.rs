//! Something that the pod depends on is not there: a ConfigMap, a Secret, a volume.

mod config_map_key_missing;
mod config_map_missing;
mod csi_driver_missing;
mod host_path_mismatch;
mod secret_key_missing;
mod secret_missing;
mod volume_attach_failed;
mod volume_mount_failed;
mod volume_multi_attach;
mod volume_read_only;

use super::Rule;
use crate::facts::Facts;
use crate::facts::closest;
use crate::facts::lacks::{Lack, ROOT_CA};
use crate::facts::references::{By, key_patch};
use crate::finding::{Command, Finding, Remedy, Standing};

/// The reasons of this stage, in the order in which they are read.
pub const RULES: &[Rule] = &[
    config_map_missing::RULE,
    config_map_key_missing::RULE,
    secret_missing::RULE,
    secret_key_missing::RULE,
    host_path_mismatch::RULE,
    csi_driver_missing::RULE,
    volume_attach_failed::RULE,
    volume_multi_attach::RULE,
    volume_mount_failed::RULE,
    volume_read_only::RULE,
];

/// What follows where a ConfigMap, a Secret or a key of one is missing.
const LEFT_WITHOUT: &[&str] = &[
    "VolumeMountFailed",
    "ContainerConfigInvalid",
    "InitContainerFailed",
    "InitContainerRunning",
    "SidecarNotStarted",
];

/// ConfigMaps or Secrets that the pod needs and that do not exist.
fn missing_objects(facts: &Facts<'_>, kind: &'static str) -> Vec<Finding> {
    facts.lacking_objects(kind).into_iter().map(|lack| missing_object(facts, lack)).collect()
}

fn missing_object(facts: &Facts<'_>, mut lack: Lack) -> Finding {
    let needed = needed_by(facts, &lack.needed_by);
    let place = lack.namespace.as_ref().map_or_else(String::new, |n| format!(" of namespace {n}"));
    let object = format!("{} {}{place}", lack.kind, lack.name);
    let headline = match lack.standing {
        Standing::InProgress => {
            format!("{object}, which {needed}, was missing at the kubelet's last try and exists now")
        }
        _ => format!("{object}, which {needed}, does not exist"),
    };
    let kind = lack.kind.to_ascii_lowercase();
    let namespace = lack.namespace.clone().unwrap_or_else(|| facts.target.namespace.clone());
    let listed = Remedy::look(Command::kubectl(["get", &format!("{kind}s"), "-n", &namespace]));
    let finding = Finding::new(lack.subject(), headline)
        .standing(lack.standing)
        .because(std::mem::take(&mut lack.evidence))
        .remedy(listed);
    if lack.standing == Standing::InProgress {
        return finding.remedy(Remedy::advice("Nothing: the kubelet tries again by itself within two minutes."));
    }
    if lack.name == ROOT_CA {
        return finding.remedy(Remedy::advice(
            "The controller manager puts this ConfigMap into every namespace (root-ca-cert-publisher): see that it runs.",
        ));
    }
    let close = if lack.namespace.is_none() { facts.close_names(lack.kind, &lack.name) } else { Vec::new() };
    let renamed = (!close.is_empty()).then(|| {
        let verb = if close.len() == 1 { "exists" } else { "exist" };
        facts.owner.edit(&format!(
            "{} {} {verb}: if that is what is meant, correct the name",
            lack.kind,
            close.join(", ")
        ))
    });
    finding.remedy(renamed).remedy(creation(&lack, kind, namespace)).remedy(Remedy::advice(format!(
        "Or mark the reference as optional (optional: true), if the program can do without {}.",
        lack.name
    )))
}

/// The remedy that creates it. What lies in another namespace belongs to others, so there is no command for it.
fn creation(lack: &Lack, kind: String, namespace: String) -> Remedy {
    if lack.namespace.is_some() {
        return Remedy::advice(format!("Have it created in namespace {namespace}; the kubelet finds it by itself."));
    }
    let mut create = vec!["create".to_owned(), kind];
    create.extend((lack.kind == "Secret").then(|| "generic".to_owned()));
    create.extend([lack.name.clone(), "-n".to_owned(), namespace]);
    let unknown = ["KEY".to_owned()];
    let keys = if lack.keys_wanted.is_empty() { &unknown[..] } else { &lack.keys_wanted };
    create.extend(keys.iter().map(|key| format!("--from-literal={key}=VALUE")));
    Remedy::change("Create it; the kubelet finds it by itself and goes on:", Command::kubectl(create))
}

/// Keys that the pod needs and that its ConfigMaps or Secrets do not have.
fn missing_keys(facts: &Facts<'_>, kind: &'static str) -> Vec<Finding> {
    facts.lacking_keys(kind).into_iter().map(|lack| missing_key(facts, lack)).collect()
}

fn missing_key(facts: &Facts<'_>, lack: Lack) -> Finding {
    let key = lack.key.clone().unwrap_or_default();
    let needed = needed_by(facts, &lack.needed_by);
    let object = format!("{} {}", lack.kind, lack.name);
    let headline = match lack.standing {
        Standing::InProgress => {
            format!("the key {key} of {object}, which {needed}, was missing at the kubelet's last try and is there now")
        }
        _ => format!("{object} has no key {key}, which {needed}"),
    };
    let kind = lack.kind.to_ascii_lowercase();
    let finding = Finding::new(lack.subject(), headline)
        .standing(lack.standing)
        .because(lack.evidence)
        .remedy(facts.look(["describe", &kind, &lack.name]));
    if lack.standing == Standing::InProgress {
        return finding.remedy(Remedy::advice("Nothing: the kubelet tries again by itself within two minutes."));
    }
    let keys = facts.keys_of(lack.kind, &lack.name).unwrap_or_default();
    let close = closest(&key, keys.iter().map(String::as_str));
    let renamed = (!close.is_empty()).then(|| {
        facts.owner.edit(&format!("{object} has {}: if that is what is meant, correct the key", close.join(", ")))
    });
    let patch = key_patch(lack.kind, &key);
    let add = if facts.is_immutable(lack.kind, &lack.name) {
        Remedy::advice(format!(
            "{object} is immutable: make a new one with the key {key} under another name, and name that in the pod template."
        ))
    } else {
        let patch = facts.kubectl(["patch", &kind, &lack.name, "--type=merge", "-p", &patch]);
        Remedy::change("Add the key; the kubelet finds it by itself and goes on:", patch)
    };
    finding.remedy(renamed).remedy(add)
}

/// `container app reads for its environment`, `volume cfg holds`: completes "which …".
fn needed_by(facts: &Facts<'_>, needed_by: &[By]) -> String {
    let title = |name: &str| facts.container(name).map_or_else(|| format!("container {name}"), |c| c.title());
    let mut parts: Vec<String> = needed_by
        .iter()
        .map(|by| match by {
            By::Environment { container, variable: Some(variable) } => {
                format!("{} needs for {variable}", title(container))
            }
            By::Environment { container, variable: None } => format!("{} needs for its environment", title(container)),
            By::Volume(volume) => format!("volume {volume} needs"),
        })
        .collect();
    parts.dedup();
    let rest = parts.split_off(parts.len().min(2));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more places need", rest.len()) };
    format!("{}{more}", parts.join(" and "))
}
