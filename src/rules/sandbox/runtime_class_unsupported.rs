//! The node does not have the pod's runtime.

use super::{failing, node_name};
use crate::facts::{Facts, SandboxFault};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "RuntimeClassUnsupported",
    stage: Stage::Sandbox,
    summary: "the node's runtime does not know the pod's RuntimeClass handler",
    explains: &["SandboxFailed"],
    check,
    explain: r#"
## Meaning
The pod asks for a RuntimeClass, whose handler (runsc, kata, a Windows or GPU runtime) the container runtime of this node does
not have: it is not installed there, or not in the runtime's configuration.

## Signs
FailedCreatePodSandBox with `no runtime for "HANDLER" is configured`, `failed to find runtime handler`, or `binary not
installed`.

## Fix
Install and configure the handler on the node. If only some nodes have it, say so in the RuntimeClass (`scheduling.nodeSelector`),
so that pods of the class are bound only to those. Or let the pod do without.

## Not this
A RuntimeClass that does not exist keeps the pod from being created: RuntimeClassMissing.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(class) = facts.pod.spec.runtime_class_name.as_deref() else { return Vec::new() };
    failing(facts, SandboxFault::NoHandler, |failure| {
        let node = node_name(facts);
        let headline = if failure.error.contains("lookup RuntimeClass") {
            format!("RuntimeClass {class}, which the pod names, cannot be found by {node}")
        } else {
            let handler = failure.handler().map_or_else(String::new, |handler| format!(" {handler}"));
            format!("{node} has no runtime handler{handler}, which RuntimeClass {class} asks for")
        };
        Finding::new(facts.subject(), headline)
            .because(facts.cite(&["spec", "runtimeClassName"]))
            .because(facts.cite_other("RuntimeClass", class, &["handler"]))
            .remedy(Remedy::look(Command::kubectl(["get", "runtimeclass", class, "-o", "yaml"])))
            .remedy(Remedy::advice(format!(
                "Install the handler on {node} and name it in the runtime's configuration; or let the class's scheduling.nodeSelector lead its pods to nodes that have it."
            )))
            .remedy(facts.owner.edit("Or let the pod do without: remove spec.runtimeClassName"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::failing;
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn class_and_handler_are_named() {
        for error in [
            "rpc error: code = Unknown desc = unable to get OCI runtime for sandbox \"c4\": no runtime for \"runsc\" is configured",
            "rpc error: code = Unknown desc = failed to find runtime handler runsc from runtime list map[crun:0xc0 runc:0xc1]",
        ] {
            let finding = one(failing(error).edit("/spec/runtimeClassName", json!("gvisor")).check(&RULE));
            assert_eq!(finding.headline, "node-1 has no runtime handler runsc, which RuntimeClass gvisor asks for");
        }
    }

    #[test]
    fn a_pod_without_class_does_not_ask_for_a_handler() {
        none(failing("no runtime for \"runc\" is configured").check(&RULE));
    }

    #[test]
    fn another_failure_of_a_pod_with_a_class_is_not_this() {
        none(failing("OCI runtime create failed: oops").edit("/spec/runtimeClassName", json!("gvisor")).check(&RULE));
    }
}
