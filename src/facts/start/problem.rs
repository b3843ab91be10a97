//! Why a container could not be created or started, in our words.

/// Why a container could not be created or started, or its program could not be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// `runAsNonRoot`, and the user is root or cannot be told from it.
    RootForbidden(User),
    /// A ConfigMap, a Secret or a key of one is not there.
    Dependency,
    /// The kubelet has not read something yet that it will read without help.
    NotYet,
    /// The configuration cannot be built for another reason.
    Config,
    /// Neither the pod nor the image says what to run.
    NoCommand,
    /// A file that is to be run does not exist; the name is empty if the message does not tell it.
    NotFound {
        /// The file as it was asked for.
        command: String,
        /// What exactly is not there.
        lacks: Lack,
    },
    /// A file that is to be run may not be run.
    NotExecutable {
        /// The file as it was asked for.
        command: String,
        /// Whether it is a directory.
        directory: bool,
    },
    /// The kernel does not know the file's format.
    ExecFormat {
        /// The file as it was asked for.
        command: String,
    },
    /// The working directory cannot be entered or made.
    WorkingDir {
        /// The directory.
        dir: String,
        /// The system's words for why.
        why: String,
    },
    /// A volume cannot be mounted at its place in the container.
    MountTarget {
        /// The path in the container; empty if the message does not tell it.
        target: String,
        /// The system's words for why.
        why: String,
    },
    /// A seccomp, AppArmor, SELinux or capability setting cannot be applied.
    SecurityProfile(Mechanism),
    /// The memory limit does not even let the container start.
    Memory,
    /// The container's first process died without a word, which a tiny memory or process limit does.
    InitDied,
    /// A directory of the node cannot be made or looked at.
    HostPath,
    /// A kernel setting is not allowed or does not exist.
    Sysctl,
    /// The pod's sandbox is gone.
    Sandbox,
    /// A device or its driver is not there.
    Device,
    /// The node has no room left.
    Disk,
    /// The node's copy of the image is damaged or gone.
    ImageStore,
    /// The runtime does not answer, or is still busy with an earlier try.
    Runtime,
    /// Anything else.
    Other,
}

/// Who the container would run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// The image's user is root, and the pod does not name another.
    ImageRoot,
    /// The image names its user, and only a number can be checked.
    Named(String),
    /// The pod itself asks for root.
    PodRoot,
    /// The image's user is a number that cannot be a user, or a Windows administrator.
    Other(String),
}

/// What is not there of something that is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// A file of that path.
    File,
    /// A program of that name in `$PATH`.
    InPath,
    /// The interpreter that its first line names, or its loader.
    Interpreter,
    /// A shared library.
    Library(String),
}

/// What was to confine the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// A filter of system calls.
    Seccomp,
    /// An AppArmor profile.
    AppArmor,
    /// An SELinux label.
    SELinux,
    /// Linux capabilities.
    Capabilities,
}
