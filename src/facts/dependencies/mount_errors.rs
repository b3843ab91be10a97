//! What the tools that mount say, and what it means: mount(8) and its helpers, fsck, CSI drivers.

use crate::facts::mounts::MountFailure;

/// What a mount error means, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountError {
    /// Completes "NODE cannot mount VOLUME: …".
    pub means: &'static str,
    /// A whole sentence.
    pub fix: &'static str,
}

const fn error(means: &'static str, fix: &'static str) -> MountError {
    MountError { means, fix }
}

/// What the errors say, in lower case, with their meaning; the first that is contained counts.
static ERRORS: &[(&[&str], MountError)] = &[
    (
        &[
            "unknown filesystem type 'nfs",
            "you might need a /sbin/mount.<type> helper",
            "you might need a /sbin/mount.nfs",
        ],
        error(
            "the node has no mount helper for NFS",
            "Install the NFS client on the node (nfs-common on Debian and Ubuntu, nfs-utils on Red Hat), or use nodes that have it.",
        ),
    ),
    (
        &["unknown filesystem type"],
        error(
            "the node's kernel or its tools do not know the file system",
            "Install the client or kernel module of that file system on the node, or use nodes that have it.",
        ),
    ),
    (
        &["access denied by server", "mount.nfs: operation not permitted", "mount.nfs4: operation not permitted"],
        error(
            "the server refuses the node",
            "Admit the node's address in the export rules of the server; it is the node that mounts, not the pod.",
        ),
    ),
    (
        &["reason given by server"],
        error(
            "the server has no such export",
            "Correct the path, or export it on the server (showmount -e SERVER lists the exports).",
        ),
    ),
    (
        &["failed to resolve server", "could not resolve address"],
        error(
            "the node cannot resolve the server's name",
            "Use an address or a name that the node itself resolves: it does not ask the cluster's DNS, so names of Services do not work here.",
        ),
    ),
    (
        &["rpc.statd is not running"],
        error(
            "the node runs no rpc.statd, which NFS 3 needs for locks",
            "Start rpc-statd on the node, or mount with NFS 4 or nolock.",
        ),
    ),
    (
        &["requested nfs version or transport protocol is not supported", "protocol not supported"],
        error(
            "the server does not offer that version of NFS",
            "Set mountOptions (nfsvers=…) on the PersistentVolume to a version that the server offers.",
        ),
    ),
    (
        &["connection timed out", "mount error(110)", "mount error(115)", "mount error(112)"],
        error(
            "the server does not answer the node",
            "See that the server runs and that no firewall stands between it and the node.",
        ),
    ),
    (
        &["connection refused", "no route to host", "network is unreachable", "mount error(111)", "mount error(113)"],
        error(
            "the node gets no connection to the server",
            "See that the server runs, on that address and port, and that the node's network reaches it.",
        ),
    ),
    (
        &["mount error(13)", "mount error(1)"],
        error("the server refuses the credentials", "Correct user and password in the Secret that the volume names."),
    ),
    (&["mount error(2)"], error("the server has no such share", "Correct the share's name in the volume.")),
    (
        &["stale nfs file handle", "stale file handle"],
        error(
            "the server has replaced what is exported there",
            "Unmount the export on the node and mount it anew; a restart of the node does so too.",
        ),
    ),
    (
        &["'fsck' found errors", "unexpected inconsistency"],
        error(
            "the file system on the disk is damaged, and fsck cannot mend it unasked",
            "Take a snapshot of the disk, then run fsck on it by hand.",
        ),
    ),
    (
        &["wrong fs type", "bad superblock", "unformatted"],
        error(
            "what is on the disk is not the file system that was asked for, or not one that the node's kernel can read",
            "Compare fsType and mountOptions with what is on the disk (blkid on the node) before anything formats it.",
        ),
    ),
    (
        &["already mounted or mount point busy", "device or resource busy", "is already mounted at"],
        error(
            "something else on the node holds the device",
            "Find what holds it on the node: another mount, multipathd, a pod that is ending.",
        ),
    ),
    (
        &[
            "no such device",
            "special device",
            "find device path",
            "device path",
            "failed to get any path for iscsi",
            "no fc disk",
        ],
        error(
            "the disk counts as attached, but the node does not see it",
            "Look at the node's devices (lsblk, dmesg) and at the driver's pod on that node.",
        ),
    ),
    (
        &["applyfsgroup failed", "lchown"],
        error(
            "the kubelet is not allowed to change the owner of the files, which fsGroup asks for",
            "Set fsGroupChangePolicy or leave out fsGroup for this volume: a server with root_squash and a read-only share do not allow it.",
        ),
    ),
    (
        &["no space left on device"],
        error("the node's disk is full", "Free room on the node, or let the pod run on another."),
    ),
    (
        &["read-only file system"],
        error(
            "the node's own disk has become read-only",
            "Look at the node's kernel log for disk errors, and move its pods elsewhere.",
        ),
    ),
    (
        &["an operation with the given volume", "operation already exists"],
        error(
            "an earlier call to the driver has not returned",
            "Look at the log of the driver's pod on that node: its storage does not answer.",
        ),
    ),
    (
        &["deadlineexceeded", "context deadline exceeded"],
        error("the driver does not answer in time", "Look at the log of the driver's pod on that node."),
    ),
    (
        &["failed to mount secrets store objects"],
        error(
            "the secrets store did not hand out what the SecretProviderClass asks for",
            "Correct the SecretProviderClass, or the rights of the pod's identity in the store.",
        ),
    ),
    (
        &["serviceaccounts \""],
        error(
            "the pod's ServiceAccount does not exist any more",
            "Create the ServiceAccount again, or name another one in the pod template.",
        ),
    ),
    (
        &["failed to fetch token"],
        error("the kubelet gets no token for the pod's ServiceAccount", "See whether the node reaches the API server."),
    ),
    (
        &["no volume plugin matched", "failed to get plugin from volumespec"],
        error(
            "the kubelet knows no such kind of volume",
            "Move the data to a CSI volume: glusterfs left Kubernetes in 1.26, cephfs and rbd in 1.31.",
        ),
    ),
    (
        &["there is no resource request for huge pages", "multiple huge page sizes"],
        error(
            "its medium is huge pages, and the containers do not request huge pages of that one size",
            "Request hugepages-SIZE in a container, or set the medium to HugePages-SIZE.",
        ),
    ),
    (
        &["but is specified in volume"],
        error(
            "the claim's volumeMode is not the one by which the container takes it",
            "Use volumeDevices for a Block volume and volumeMounts for a Filesystem volume.",
        ),
    ),
    (
        &["failed to sync"],
        error(
            "the kubelet does not get the ConfigMap or Secret from the API server",
            "See whether the node reaches the API server and is allowed to read the namespace's objects.",
        ),
    ),
    (
        &["clustertrustbundle", "trust bundle"],
        error(
            "no ClusterTrustBundle fits the volume's selector",
            "Create the ClusterTrustBundle, or mark the source as optional.",
        ),
    ),
    (
        &["pod certificate", "podcertificate", "credential bundle"],
        error(
            "the signer has not issued the pod's certificate",
            "Look at the PodCertificateRequest of the pod and at its signer.",
        ),
    ),
];

impl MountFailure<'_> {
    /// What the error means, if it is a known one.
    pub fn meaning(&self) -> Option<MountError> {
        let lower = self.error.to_ascii_lowercase();
        ERRORS.iter().find(|(says, _)| says.iter().any(|s| lower.contains(s))).map(|(_, error)| *error)
    }

    /// The line in which the tool says what is wrong: what follows `Output:`, else the end of the chain of errors.
    pub fn gist(&self) -> &str {
        let said = self.error.split_once("Output: ").map_or(self.error, |(_, output)| output);
        let first = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(self.error);
        first.rsplit_once(" desc = ").map_or(first, |(_, desc)| desc).trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::known_messages::known_messages;
    use crate::rules::testing::Case;
    use serde_json::json;

    /// What a kubelet's message is taken to mean, and its gist.
    fn read(message: &str) -> (Option<&'static str>, String) {
        let pod = Case::container(json!({"state": {"waiting": {"reason": "ContainerCreating"}}}))
            .edit("/spec/nodeName", json!("x"));
        pod.event("FailedMount", "", message).facts(|f| {
            let event = f.events.latest("FailedMount").unwrap();
            let failure = MountFailure::read(event);
            (failure.meaning().map(|m| m.means), failure.gist().to_owned())
        })
    }

    #[test]
    fn the_known_errors_of_mount_tools_have_a_meaning() {
        let without = ["VOL-MOUNT-ANY", "VOL-WAIT-ANY", "VOL-DOWNWARD", "VOL-FSMISMATCH"];
        for (id, causes, example) in known_messages("VOL-") {
            if causes == ["VolumeMountFailed"] && !without.contains(&id.as_str()) {
                assert!(read(&example).0.is_some(), "{id}");
            }
        }
    }

    #[test]
    fn the_gist_is_what_the_tool_said() {
        let message = "MountVolume.SetUp failed for volume \"n\" : mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: access denied by server while mounting a:/b\n  dmesg(1) may have more";
        let (means, gist) = read(message);
        assert_eq!(means, Some("the server refuses the node"));
        assert_eq!(gist, "mount.nfs: access denied by server while mounting a:/b");
        let driver = "MountVolume.SetUp failed for volume \"pvc-1\" : rpc error: code = Internal desc = could not mount: exit status 1";
        assert_eq!(read(driver), (None, "could not mount: exit status 1".to_owned()));
    }
}
