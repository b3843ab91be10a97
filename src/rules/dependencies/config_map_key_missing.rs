//! A ConfigMap lacks a key that the pod needs.

use crate::facts::Facts;
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ConfigMapKeyMissing",
    stage: Stage::Dependencies,
    summary: "the ConfigMap lacks a key that the pod needs",
    explains: super::LEFT_WITHOUT,
    check,
    explain: r#"
## Meaning
The ConfigMap exists, but not with a key that the pod asks for by name: in `env[].valueFrom.configMapKeyRef`, or in the `items`
of a volume.

## Signs
`state.waiting.message` says `couldn't find key … in ConfigMap …`, or a FailedMount event says `references non-existent config
key`. Without either: the reference and the keys of the ConfigMap.

## Fix
Add the key or correct it in the pod template. Keys are case-sensitive: `DB_HOST` is not `db_host`. The kubelet looks again by
itself.

## Not this
`envFrom` and a volume without `items` take the keys that are there and miss none; then it is the program itself that misses one.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    super::missing_keys(facts, "ConfigMap")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case(key: &str) -> Case {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "n"}, "data": {"DB_HOST": "x", "PORT": "y"}});
        Case::container(json!({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": format!("couldn't find key {key} in ConfigMap n/web")}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/containers/0/env", json!([{"name": "HOST", "valueFrom": {"configMapKeyRef": {"name": "web", "key": key}}}]))
            .with(map)
    }

    #[test]
    fn the_key_and_what_is_there_instead_are_named() {
        let finding = one(case("db_host").check(&RULE));
        assert_eq!(finding.headline, "ConfigMap web has no key db_host, which container app needs for HOST");
        assert!(format!("{:?}", finding.remedies).contains("has DB_HOST"));
        assert!(format!("{:?}", finding.evidence).contains("DB_HOST, PORT"));
    }

    #[test]
    fn without_the_kubelets_word_the_keys_tell() {
        let silent = case("db_host").edit("/status/containerStatuses/0/state/waiting/message", json!(""));
        assert_eq!(
            one(silent.check(&RULE)).headline,
            "ConfigMap web has no key db_host, which container app needs for HOST"
        );
    }

    #[test]
    fn a_key_that_is_there_is_not_missing() {
        let other = case("PORT").edit("/status/containerStatuses/0/state/waiting/message", json!("runAsNonRoot"));
        none(other.check(&RULE));
    }

    #[test]
    fn a_volume_takes_only_the_items_it_names() {
        let volume = |source| {
            case("PORT")
                .edit("/status/containerStatuses/0/state/waiting", json!({"reason": "ContainerCreating"}))
                .edit("/spec/containers/0/env", json!([]))
                .edit("/spec/volumes", json!([{"name": "cfg", "configMap": source}]))
        };
        let finding = one(volume(json!({"name": "web", "items": [{"key": "nginx.conf", "path": "x"}]})).check(&RULE));
        assert_eq!(finding.headline, "ConfigMap web has no key nginx.conf, which volume cfg needs");
        none(volume(json!({"name": "web"})).check(&RULE));
        none(
            volume(json!({"name": "web", "optional": true, "items": [{"key": "nginx.conf", "path": "x"}]}))
                .check(&RULE),
        );
    }

    #[test]
    fn a_key_that_has_come_meanwhile_is_no_longer_wrong() {
        let message =
            "MountVolume.SetUp failed for volume \"cfg\" : configmap references non-existent config key: PORT";
        let volume = json!([{"name": "cfg", "configMap": {"name": "web", "items": [{"key": "PORT", "path": "x"}]}}]);
        let finding = one(case("PORT")
            .edit("/status/containerStatuses/0/state/waiting", json!({"reason": "ContainerCreating"}))
            .edit("/spec/containers/0/env", json!([]))
            .edit("/spec/volumes", volume)
            .event("FailedMount", "", message)
            .check(&RULE));
        assert_eq!(finding.standing, crate::finding::Standing::InProgress);
        assert_eq!(
            finding.headline,
            "the key PORT of ConfigMap web, which volume cfg needs, was missing at the kubelet's last try and is there now"
        );
    }
}
