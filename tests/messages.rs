//! The messages that Kubernetes, the runtimes and the drivers are known to write, each put where it would stand, lead to
//! the reason that they are known to mean.

mod common;

use common::all_well;
use common::small::told;
use common::worlds::{Message, messages, world};
use kubectl_why::rules;

/// Causes that have no reason of their own, and the nearest that tell them in the message's words.
const NEAREST: &[(&str, &[&str])] = &[
    ("+APIServerBusy", &["CreationForbidden"]),
    ("+AutoscalerAtLimit", &["InsufficientCPU"]),
    ("+CgroupDriverMismatch", &["SandboxFailed"]),
    ("+ClaimDeleting", &["ClaimMissing"]),
    ("+DeviceClassMissing", &["ResourceClaimPending"]),
    ("+DeviceUnavailable", &["ContainerStartFailed"]),
    ("+EphemeralClaimConflict", &["ClaimMissing"]),
    ("+ImageCorrupt", &["ContainerStartFailed", "ImagePullFailed"]),
    ("+ImageFormatUnsupported", &["ImagePullFailed"]),
    ("+ImageIncomplete", &["ImagePullFailed"]),
    ("+ImageNameAmbiguous", &["ImageNameInvalid"]),
    ("+ImageVolumeFailed", &["ContainerStartFailed"]),
    ("+NetworkAttachmentMissing", &["CNIFailed"]),
    ("+NodeCannotReachAPI", &["VolumeMountFailed"]),
    ("+NodeComing", &["InsufficientCPU"]),
    ("+NodeDNSConfigMissing", &["SandboxFailed"]),
    ("+NodeDiskFull", &["ContainerStartFailed", "ImageDiskFull", "SandboxFailed", "VolumeMountFailed"]),
    ("+NodeDiskReadOnly", &["ContainerStartFailed", "SandboxFailed", "VolumeMountFailed"]),
    ("+NodeFeatureMissing", &["NodeRejectedSettings", "SchedulerRefused"]),
    ("+NodeOutOfPIDsOrMemory", &["ContainerStartFailed", "SandboxFailed"]),
    ("+PredecessorStillThere", &["CreationForbidden"]),
    ("+ProbeCannotRun", &["LivenessProbeFailing"]),
    ("+QuotaNotReady", &["CreationForbidden"]),
    ("+RegistryProxyFailed", &["RegistryUnreachable"]),
    ("+ResizeFailed", &["ResizeDeferred"]),
    (
        "+RuntimeDown",
        &["RuntimeUnavailable", "SandboxFailed", "ContainerStartFailed", "ContainerStatusUnknown", "NodeNotReady"],
    ),
    ("+RuntimeSlow", &["RuntimeUnavailable", "ContainerStartFailed"]),
    ("+SchedulerError", &["SchedulerRefused", "ClaimMissing"]),
    ("+SchedulerExtenderFailed", &["SchedulerRefused"]),
    ("+SchedulerPolicyMismatch", &["SchedulerRefused"]),
    ("+ServiceAccountTokenMissing", &["CreationForbidden"]),
    ("+RuntimeClassMissing", &["RuntimeClassMissing", "RuntimeClassUnsupported"]),
    ("+StorageCapacityExhausted", &["NoMatchingVolume"]),
    ("+StorageClassInvalid", &["SchedulerRefused"]),
    ("+UserNamespacesUnsupported", &["SandboxFailed"]),
    ("+VolumeCorrupt", &["VolumeMountFailed"]),
    ("+VolumeExpandFailed", &["VolumeMountFailed"]),
    ("+VolumeOwnershipChangeSlow", &["VolumeMountFailed"]),
];

/// Messages that lead to another reason than the table says, and why that is right.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("SCH-TAINT-120", "InsufficientCPU", "the control plane's taint is meant to stay"),
    (
        "SCH-PLUGIN-ABSENT",
        "InsufficientCPU",
        "the pod has no affinity of its own, and room is the filter that came last",
    ),
    ("SCH-BIND-OTHER", "ResourceClaimPending", "binding failed because of the claim"),
    ("KARP-NOFIT", "SchedulerRefused", "the autoscaler's words are quoted"),
    ("VOL-TOKEN-SA", "VolumeMountFailed", "told where it is met, with the ServiceAccount in words"),
    ("VOL-HUGEPAGES", "VolumeMountFailed", "told where it is met, with what the containers lack in words"),
    ("VOL-MODE", "VolumeMountFailed", "told where it is met, with the mode in words"),
    ("SBX-SYSCTL", "SandboxFailed", "the runtime found what the kubelet let pass; it is quoted"),
    ("SBX-SECCOMP", "SandboxFailed", "the sandbox meets it before any container; it is quoted"),
    (
        "RUN-MNT-STATSRC",
        "ContainerStartFailed",
        "the runtime says so, not the kubelet's check; the node's directory is named",
    ),
    ("RUN-SYSCTL", "ContainerStartFailed", "the runtime refused it, the kubelet did not; it is quoted"),
    ("RUN-SANDBOXGONE", "ContainerStartFailed", "the container cannot start in a sandbox that is gone"),
    ("EVT-GRACE", "GracePeriodOverrun", "the message says no more than that the grace period is over"),
    ("REJ-NODEINFO", "NodeRejected", "the kubelet could not read its node, which can be there"),
];

/// Messages that lead to no reason, and why that is right.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("SCH-NODENAME", "a pod that names its node is not for the scheduler to place"),
    ("SCH-HOSTNAME-120", "a pod that names its node is not for the scheduler to place"),
    ("SCH-CORDON", "without the nodes nothing tells a cordon from a taint that is meant to stay; it is quoted"),
    ("SCH-POD-GONE", "a pod that is being deleted is not bound, which is no failure"),
    ("SBX-NODNS", "the pod starts, with the node's name servers"),
    ("NOD-REBOOT", "what the reboot ended is told of the containers"),
    ("NOD-GC", "no pod is kept from anything until the node is under pressure"),
];

fn accepted(message: &Message) -> Vec<&'static str> {
    if let Some((_, reason, _)) = ELSEWHERE.iter().find(|(id, ..)| *id == message.id) {
        return vec![*reason];
    }
    let nearest = |cause: &'static str| match NEAREST.iter().find(|(c, _)| *c == cause) {
        Some((_, near)) => near.to_vec(),
        None => vec![cause.trim_start_matches('+')],
    };
    message.causes.iter().copied().flat_map(nearest).collect()
}

/// Every row of the list, except those of which it says itself that they name no cause: steps of a start, wrappings of a
/// message that is a row of its own, and what comes after the cause.
#[test]
fn every_known_message_leads_to_the_reason_that_it_means() {
    let mut faults = Vec::new();
    for message in messages().iter().filter(|m| m.causes != ["-"]) {
        let excepted = EXCEPTIONS.iter().any(|(id, _)| *id == message.id);
        let Some(report) = world(message) else {
            faults.push(format!("{}: nobody knows where it would stand", message.id));
            continue;
        };
        let accepted = accepted(message);
        let mut told: Vec<&str> = told(&report);
        told.extend(report.notes.iter().map(|(reason, _)| reason.as_str()));
        let fits = accepted.iter().any(|a| told.contains(a));
        if fits == excepted {
            let what = if excepted { "is no exception any more" } else { "is not told so" };
            faults.push(format!(
                "{} {what}: {:?} as {told:?}, {}: {}",
                message.id, message.causes, report.summary, message.text
            ));
        }
    }
    all_well(faults);
}

#[test]
fn exceptions_and_nearest_reasons_are_of_this_table() {
    let messages = messages();
    let mut faults = Vec::new();
    for (id, why) in EXCEPTIONS {
        if !messages.iter().any(|m| m.id == *id) || why.len() < 10 {
            faults.push(format!("{id} is excepted: {why}"));
        }
    }
    for (id, reason, why) in ELSEWHERE {
        let expected = messages.iter().find(|m| m.id == *id).is_some_and(|m| !m.causes.contains(reason));
        if !expected || rules::named(reason).is_none() || why.len() < 10 {
            faults.push(format!("{id} leads to {reason}: {why}"));
        }
    }
    for (cause, near) in NEAREST {
        let known = messages.iter().any(|m| m.causes.contains(cause));
        if !known || near.is_empty() || near.iter().any(|n| rules::named(n).is_none()) {
            faults.push(format!("{cause} is nearest to {near:?}"));
        }
    }
    all_well(faults);
}
