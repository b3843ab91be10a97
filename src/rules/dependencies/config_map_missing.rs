//! A ConfigMap that the pod needs does not exist.

use crate::facts::Facts;
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ConfigMapMissing",
    stage: Stage::Dependencies,
    summary: "a ConfigMap that the pod mounts or reads for its environment does not exist",
    explains: super::LEFT_WITHOUT,
    check,
    explain: r#"
## Meaning
The pod names a ConfigMap, for a volume or for the environment of a container, that is not in its namespace. A volume holds
up every container of the pod; an environment only its container, which stays in `CreateContainerConfigError`.

## Signs
`state.waiting.message` says `configmap "…" not found`, or a FailedMount event does. Without either: the reference in the pod,
the server's word that the ConfigMap does not exist, and a container that has not started.

## Fix
Create the ConfigMap in the namespace of the pod, or correct the name in the pod template. Nothing has to be restarted: the
kubelet looks again by itself. ConfigMaps are not shared between namespaces.

## Not this
A reference that is marked `optional: true`. A ConfigMap that was deleted after the container had started. "object … not
registered" in a FailedMount event: that is the kubelet after a restart, not a missing object.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    super::missing_objects(facts, "ConfigMap")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::lacks::ROOT_CA;
    use crate::finding::Standing;
    use crate::rules::testing::{Case, none, one};

    fn env(state: Value) -> Case {
        Case::container(json!({"state": state}))
            .edit("/spec/nodeName", json!("node-1"))
            .edit("/spec/containers/0/envFrom", json!([{"configMapRef": {"name": "web"}}]))
    }

    fn refused() -> Value {
        json!({"waiting": {"reason": "CreateContainerConfigError", "message": "configmap \"web\" not found"}})
    }

    fn volume(source: Value) -> Case {
        env(json!({"waiting": {"reason": "ContainerCreating"}}))
            .edit("/spec/containers/0/envFrom", json!([]))
            .edit("/spec/volumes", json!([{"name": "cfg", "configMap": source}]))
    }

    #[test]
    fn the_kubelets_word_is_enough() {
        let finding = one(env(refused()).refused("configmaps").check(&RULE));
        assert_eq!(finding.headline, "ConfigMap web, which container app needs for its environment, does not exist");
        assert_eq!(finding.subject.container.as_deref(), Some("app"));
    }

    #[test]
    fn without_its_word_the_absence_is_enough() {
        let finding = one(volume(json!({"name": "web"})).complete(&["configmaps"]).check(&RULE));
        assert_eq!(finding.headline, "ConfigMap web, which volume cfg needs, does not exist");
    }

    #[test]
    fn what_was_not_looked_up_is_not_missing() {
        none(volume(json!({"name": "web"})).check(&RULE));
        none(volume(json!({"name": "web"})).refused("configmaps").check(&RULE));
    }

    #[test]
    fn an_optional_one_may_be_missing() {
        assert!(volume(json!({"name": "web", "optional": true})).complete(&["configmaps"]).check(&RULE).is_empty());
    }

    #[test]
    fn a_running_container_has_read_it_already() {
        let case = env(json!({"running": {"startedAt": "2026-01-01T11:00:00Z"}})).complete(&["configmaps"]);
        assert_eq!(case.check(&RULE).remove(0).standing, Standing::Past);
    }

    #[test]
    fn a_kubelet_that_has_just_restarted_misses_nothing() {
        let message = "MountVolume.SetUp failed for volume \"cfg\" : object \"n\"/\"web\" not registered";
        none(volume(json!({"name": "web"})).event("FailedMount", "", message).check(&RULE));
    }

    #[test]
    fn one_that_has_come_meanwhile_is_no_longer_wrong() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "n"}});
        assert_eq!(one(env(refused()).with(map).check(&RULE)).standing, Standing::InProgress);
    }

    #[test]
    fn the_root_certificate_is_not_asked_of_people() {
        assert!(volume(json!({"name": ROOT_CA})).complete(&["configmaps"]).check(&RULE).is_empty());
    }

    #[test]
    fn an_init_container_is_named() {
        let case = Case::pod(
            json!({"nodeName": "x", "containers": [{"name": "app"}], "initContainers": [{"name": "prep", "envFrom": [{"configMapRef": {"name": "web"}}]}]}),
            json!({"phase": "Pending", "initContainerStatuses": [{"name": "prep", "state": refused()}]}),
        );
        assert!(one(case.check(&RULE)).headline.contains("init container prep"));
    }

    #[test]
    fn a_close_name_is_offered() {
        let map =
            |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}});
        let case = volume(json!({"name": "web-config"})).complete(&["configmaps"]);
        let remedies = |case: Case| format!("{:?}", one(case.check(&RULE)).remedies);
        let one_close = remedies(case.with(map("webconfig")));
        assert!(one_close.contains("ConfigMap webconfig exists: if that is what is meant"), "{one_close}");
        let none_close = remedies(volume(json!({"name": "web-config"})).complete(&["configmaps"]).with(map("other")));
        assert!(!none_close.contains("if that is what is meant"), "{none_close}");
    }
}
