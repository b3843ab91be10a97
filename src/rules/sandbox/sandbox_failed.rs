//! The sandbox could not be made for another reason.

use super::{failing, look_at_node, node_name};
use crate::facts::{Facts, SandboxFault};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "SandboxFailed",
    stage: Stage::Sandbox,
    summary: "the sandbox cannot be created for another reason, which is quoted",
    explains: &[],
    check,
    explain: r#"
## Meaning
The kubelet could not make the pod's sandbox (its cgroup, namespaces, pause container), and the error has no reason of its own.

## Signs
FailedCreatePodSandBox or FailedCreatePodContainer; the error is quoted in full.

## Fix
Read the error. Most are faults of the node: a full or read-only disk, too many processes, cgroups that kubelet and runtime
drive in different ways, a missing resolv.conf. Some are settings of the pod that the node cannot apply: a sysctl, a host
name that is too long, user namespaces.

## Not this
The network is CNIFailed, the pause image SandboxImagePullFailed, a silent runtime RuntimeUnavailable.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let say = |failure: &crate::facts::SandboxFailure| {
        let node = node_name(facts);
        let error = failure.core().map_or_else(|| "the error is quoted below".to_owned(), str::to_owned);
        Finding::new(facts.subject(), format!("{node} cannot make the pod's sandbox: {error}"))
            .remedy(look_at_node(facts))
            .remedy(Remedy::advice(advice(&failure.error).replace("NODE", node)))
    };
    let mut findings = failing(facts, SandboxFault::Other, say);
    if facts.pod.spec.runtime_class_name.is_none() {
        findings.extend(failing(facts, SandboxFault::NoHandler, say));
    }
    findings
}

/// What the error asks for.
fn advice(error: &str) -> &'static str {
    const CGROUPS: &str =
        "Look at systemd and the cgroups of NODE; a restart of the kubelet or the node clears what is stuck.";
    const KNOWN: &[(&[&str], &str)] = &[
        // There, "no space" is about the number of cgroups that the kernel can hold.
        (&["/sys/fs/cgroup"], CGROUPS),
        (&["no space left", "disk quota"], "Make room on the disk of NODE (bytes and inodes)."),
        (&["read-only file system", "input/output error"], "Check the disk of NODE: it cannot be written to."),
        (
            &["resource temporarily unavailable", "cannot allocate memory", "too many open files", "fork/exec"],
            "NODE is out of processes, memory or open files; find out what uses them.",
        ),
        (&["resolv.conf"], "Create the file on NODE, or correct resolvConf in the kubelet's configuration."),
        (&["cgroupspath"], "Let kubelet and container runtime of NODE use the same cgroup driver."),
        (&["cgroup", "systemd"], CGROUPS),
        (
            &["user namespace", "idmap", "mount_attr_idmap"],
            "Remove hostUsers: false from the pod, or run it where the runtime supports user namespaces.",
        ),
        (
            &["sysctl", "/proc/sys/"],
            "Remove the sysctl from the pod's securityContext, or correct its name: NODE cannot apply it.",
        ),
        (&["seccomp", "apparmor", "selinux"], "Correct the security profile in the pod, or install it on NODE."),
        (&["hostname"], "Shorten the pod's host name, or do without setHostnameAsFQDN."),
    ];
    let error = error.to_ascii_lowercase();
    let known = KNOWN.iter().find(|(signs, _)| signs.iter().any(|sign| error.contains(sign)));
    known
        .map_or("Repair what the quoted error names; the logs of kubelet and runtime on NODE have more.", |(_, say)| {
            say
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{failing, recovered};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn an_unknown_error_is_quoted_and_a_known_one_has_its_advice() {
        let finding =
            one(failing("rpc error: code = Unknown desc = NRI RunPodSandbox failed: injected error").check(&RULE));
        assert_eq!(finding.headline, "node-1 cannot make the pod's sandbox: NRI RunPodSandbox failed: injected error");
        let finding = one(failing("mkdir /var/log/pods/shop_web_3f: read-only file system").check(&RULE));
        assert!(finding.remedies[2].say.contains("cannot be written"), "{:?}", finding.remedies);
        let full = "mkdir /sys/fs/cgroup/memory/kubepods/besteffort/podfa: no space left on device";
        let finding = one(failing(full).check(&RULE));
        assert!(finding.remedies[2].say.contains("cgroups of node-1"), "{:?}", finding.remedies);
    }

    #[test]
    fn a_sandbox_that_was_made_after_all_is_a_note() {
        none(recovered("oops").check(&RULE));
        assert_eq!(recovered("oops").check(&RULE).len(), 1);
    }

    #[test]
    fn what_has_a_reason_of_its_own_is_not_this() {
        none(
            failing("failed to setup network for sandbox \"b8\": plugin type=\"calico\" failed (add): oops")
                .check(&RULE),
        );
        none(failing("rpc error: code = DeadlineExceeded desc = context deadline exceeded").check(&RULE));
    }
}
