//! Every ConfigMap and Secret that the pod refers to, down to the key.

use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

use crate::facts::cited::Evidence;
use crate::facts::{Container, Facts, Role};

/// One place at which the pod refers to a ConfigMap or Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// The object's name.
    pub name: String,
    /// The key; nothing if the whole object is meant.
    pub key: Option<String>,
    /// Whether the pod starts without it too.
    pub optional: bool,
    /// Who needs it.
    pub by: By,
    /// Where the name, or the key, stands in the pod.
    steps: Vec<String>,
}

/// Who refers to a ConfigMap or Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A container's environment; with the variable, if it is one.
    Environment {
        /// The container.
        container: String,
        /// The variable.
        variable: Option<String>,
    },
    /// A volume, without which no container starts.
    Volume(String),
}

/// The merge patch that adds a key to a ConfigMap or Secret, its value left open.
pub fn key_patch(kind: &str, key: &str) -> String {
    let field = if kind == "Secret" { "stringData" } else { "data" };
    serde_json::json!({field: {key: "VALUE"}}).to_string()
}

impl Facts<'_> {
    /// Every place at which the pod refers to a ConfigMap or Secret, except for pulling images.
    pub fn references(&self) -> Vec<Reference> {
        let mut all = Vec::new();
        for container in self.main_containers() {
            of_container(container, &mut all);
        }
        for volume in self.pod.spec.volumes.iter().flatten() {
            of_volume(volume, &mut all);
        }
        all
    }

    /// The reference in the pod's spec, cited.
    pub fn cite_reference(&self, reference: &Reference) -> Option<Evidence> {
        self.cite(&reference.steps.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The keys of a ConfigMap or Secret; nothing if they are not known, as for a Secret of which only metadata was read.
    pub fn keys_of(&self, kind: &str, name: &str) -> Option<Vec<String>> {
        let object = self.lookup(kind, name).found()?;
        let maps = || ["data", "binaryData", "stringData"].iter().filter_map(|f| object.get(*f)?.as_object());
        (kind == "ConfigMap" || maps().next().is_some()).then(|| maps().flat_map(|m| m.keys().cloned()).collect())
    }

    /// Whether a ConfigMap or Secret cannot be changed any more.
    pub fn is_immutable(&self, kind: &str, name: &str) -> bool {
        self.lookup(kind, name).found().and_then(|o| o.get("immutable")).and_then(Value::as_bool) == Some(true)
    }
}

fn of_container(container: &Container, all: &mut Vec<Reference>) {
    let list = if container.role == Role::App { "containers" } else { "initContainers" };
    let mut add =
        |kind, name: &str, key: Option<&str>, optional: Option<bool>, variable: Option<&str>, steps: &[&str]| {
            let by = By::Environment { container: container.name.clone(), variable: variable.map(str::to_owned) };
            let steps = ["spec", list, &container.name].iter().chain(steps).map(|s| (*s).to_owned()).collect();
            let key = key.map(str::to_owned);
            all.push(Reference { kind, name: name.to_owned(), key, optional: optional == Some(true), by, steps });
        };
    for variable in container.spec.env.iter().flatten() {
        let Some(from) = &variable.value_from else { continue };
        let name = variable.name.as_str();
        let config_map = from.config_map_key_ref.as_ref();
        let secret = from.secret_key_ref.as_ref();
        let of_keys = [
            config_map.map(|r| ("ConfigMap", "configMapKeyRef", &r.name, &r.key, r.optional)),
            secret.map(|r| ("Secret", "secretKeyRef", &r.name, &r.key, r.optional)),
        ];
        for (kind, field, object, key, optional) in of_keys.into_iter().flatten() {
            let place = ["env", name, "valueFrom", field];
            add(kind, object, Some(key), optional, Some(name), &[&place[..], &["key"]].concat());
            add(kind, object, None, optional, Some(name), &[&place[..], &["name"]].concat());
        }
    }
    for (place, from) in container.spec.env_from.iter().flatten().enumerate() {
        let place = place.to_string();
        if let Some(r) = &from.config_map_ref {
            add("ConfigMap", &r.name, None, r.optional, None, &["envFrom", &place, "configMapRef", "name"]);
        }
        if let Some(r) = &from.secret_ref {
            add("Secret", &r.name, None, r.optional, None, &["envFrom", &place, "secretRef", "name"]);
        }
    }
}

fn of_volume(volume: &core::Volume, all: &mut Vec<Reference>) {
    let by = By::Volume(volume.name.clone());
    let mut add =
        |kind, name: &str, items: Option<&[core::KeyToPath]>, optional: Option<bool>, steps: &[&str], field: &str| {
            let at = |more: &[&str]| {
                ["spec", "volumes", &volume.name]
                    .iter()
                    .chain(steps)
                    .chain(more)
                    .map(|s| (*s).to_owned())
                    .collect::<Vec<_>>()
            };
            let (name, optional) = (name.to_owned(), optional == Some(true));
            let whole = Reference { kind, name, key: None, optional, by: by.clone(), steps: at(&[field]) };
            for item in items.unwrap_or_default() {
                let steps = at(&["items", &item.key, "key"]);
                all.push(Reference { key: Some(item.key.clone()), steps, ..whole.clone() });
            }
            all.push(whole);
        };
    if let Some(s) = &volume.config_map {
        add("ConfigMap", &s.name, s.items.as_deref(), s.optional, &["configMap"], "name");
    }
    if let Some(s) = &volume.secret {
        add(
            "Secret",
            s.secret_name.as_deref().unwrap_or_default(),
            s.items.as_deref(),
            s.optional,
            &["secret"],
            "secretName",
        );
    }
    for (place, source) in volume.projected.iter().flat_map(|p| p.sources.iter().flatten()).enumerate() {
        let place = place.to_string();
        if let Some(s) = &source.config_map {
            add(
                "ConfigMap",
                &s.name,
                s.items.as_deref(),
                s.optional,
                &["projected", "sources", &place, "configMap"],
                "name",
            );
        }
        if let Some(s) = &source.secret {
            add("Secret", &s.name, s.items.as_deref(), s.optional, &["projected", "sources", &place, "secret"], "name");
        }
    }
    if let Some(r) = volume.csi.as_ref().and_then(|c| c.node_publish_secret_ref.as_ref()) {
        add("Secret", &r.name, None, None, &["csi", "nodePublishSecretRef"], "name");
    }
    if let Some(s) = &volume.azure_file {
        add("Secret", &s.secret_name, None, None, &["azureFile"], "secretName");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rules::testing::Case;

    #[test]
    fn the_keys_of_a_secret_are_known_only_if_it_was_read_whole() {
        let keys = |object: serde_json::Value| {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            Case::container(json!({})).with(object).facts(|f| (f.keys_of(&kind, "x"), f.is_immutable(&kind, "x")))
        };
        let named = || json!({"name": "x", "namespace": "n"});
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named(), "immutable": true});
        assert_eq!(keys(map), (Some(vec![]), true));
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": named()});
        assert_eq!(keys(secret), (None, false));
        let whole =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": named(), "data": {"a": ""}, "immutable": false});
        assert_eq!(keys(whole), (Some(vec!["a".to_owned()]), false));
    }

    #[test]
    fn every_place_that_names_a_secret_is_known() {
        let spec = json!({"containers": [{"name": "app"}], "volumes": [
            {"name": "a", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "one"}}},
            {"name": "b", "azureFile": {"secretName": "two", "shareName": "s"}}]});
        Case::pod(spec, json!({})).facts(|f| {
            let named: Vec<String> =
                f.references().into_iter().filter(|r| r.kind == "Secret").map(|r| r.name).collect();
            assert_eq!(named, ["one", "two"]);
        });
    }
}
