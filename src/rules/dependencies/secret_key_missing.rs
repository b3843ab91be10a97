//! A Secret lacks a key that the pod needs.

use crate::facts::Facts;
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SecretKeyMissing",
    stage: Stage::Dependencies,
    summary: "the Secret lacks a key that the pod needs",
    explains: super::LEFT_WITHOUT,
    check,
    explain: r#"
## Meaning
The Secret exists, but not with a key that the pod asks for by name: in `env[].valueFrom.secretKeyRef`, or in the `items` of a
volume.

## Signs
`state.waiting.message` says `couldn't find key … in Secret …`, or a FailedMount event says `references non-existent secret key`.
The keys of a Secret are otherwise not known, since only its metadata is read.

## Fix
Add the key or correct it in the pod template. `kubectl describe secret` lists the keys without their values. The kubelet looks
again by itself.

## Not this
`envFrom` and a volume without `items` take the keys that are there and miss none.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    super::missing_keys(facts, "Secret")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, none, one};

    fn case() -> Case {
        Case::container(json!({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": "couldn't find key password in Secret n/db"}}}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/containers/0/env", json!([{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]))
    }

    fn secret() -> serde_json::Value {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "n"}})
    }

    #[test]
    fn the_kubelet_names_it() {
        let finding = one(case().with(secret()).check(&RULE));
        assert_eq!(finding.headline, "Secret db has no key password, which container app needs for PW");
    }

    #[test]
    fn a_secret_known_by_its_metadata_lacks_nothing() {
        let silent = case().edit("/status/containerStatuses/0/state/waiting/message", json!(""));
        none(silent.with(secret()).check(&RULE));
    }

    #[test]
    fn a_missing_secret_is_another_reason() {
        let missing =
            case().edit("/status/containerStatuses/0/state/waiting/message", json!("secret \"db\" not found"));
        none(missing.complete(&["secrets"]).check(&RULE));
    }
}
