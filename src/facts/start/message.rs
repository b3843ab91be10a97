//! What the kubelet or the runtime says about a container that it could not create or start.
//!
//! Wordings: kubelet `pkg/kubelet/kuberuntime` (CreateContainerConfigError), runc and crun behind containerd, CRI-O and
//! dockerd. Text is compared without regard to case, because it drifts between versions.

use super::problem::{Lack, Mechanism, Problem, User};

/// Reads a message. `config` says that the kubelet could not even build the container's configuration.
pub(super) fn read(message: &str, config: bool) -> Problem {
    let text = Text::new(message);
    at_limits(&text)
        .or_else(|| in_config(&text))
        .or_else(|| in_mounts(&text))
        .or_else(|| in_command(&text))
        .or_else(|| on_node(&text))
        .unwrap_or(if config { Problem::Config } else { Problem::Other })
}

fn at_limits(text: &Text) -> Option<Problem> {
    let memory =
        ["oom-killed", "memory limit could be too low", "minimum memory limit allowed", "too low; should be at least"];
    let died = [
        "read init-p: connection reset by peer",
        "container init: eof",
        "unexpected eof",
        "child's pid from pipe: eof",
        "cannot start a container that has stopped",
        "read from the init process",
    ];
    let device = [
        "cdi device",
        "nvidia-container-cli",
        "error gathering device information",
        "failed to stat device",
        "failed to find device",
        "is not a valid device",
        "prestartcontainer hook failed",
        "precreatecontainer hook failed",
    ];
    match () {
        () if text.any(&memory) => Some(Problem::Memory),
        () if text.any(&died) => Some(Problem::InitDied),
        () if text.any(&device) => Some(Problem::Device),
        () => None,
    }
}

fn in_config(text: &Text) -> Option<Problem> {
    let missing = text.any(&["configmap \"", "configmaps \"", "secret \"", "secrets \""]) && text.has("\" not found");
    let key = text.has("couldn't find key") && text.any(&[" in configmap ", " in secret "]);
    let not_yet = [
        "failed to sync configmap cache",
        "failed to sync secret cache",
        "not registered",
        "services have not yet been read",
    ];
    let no_command = [
        "no command specified",
        "executable path not specified",
        "invalid empty entrypoint and cmd",
        "args must not be empty",
    ];
    let no_user =
        ["unable to find user", "unable to find group", "unable to setup user", "no users found", "get exec user:"];
    let quoted = |mark: &str| text.between(mark, ")").unwrap_or_default().to_owned();
    match () {
        () if missing || key => Some(Problem::Dependency),
        () if text.any(&not_yet) => Some(Problem::NotYet),
        () if text.has("image will run as root") => Some(Problem::RootForbidden(User::ImageRoot)),
        () if text.has("non-numeric user") => Some(Problem::RootForbidden(User::Named(quoted("non-numeric user (")))),
        () if text.has("breaks non-root policy") => Some(Problem::RootForbidden(User::PodRoot)),
        () if text.has("invalid user id (") => Some(Problem::RootForbidden(User::Other(quoted("invalid user id (")))),
        () if text.has("regarded as root identity") => Some(Problem::RootForbidden(User::Other(quoted(" (")))),
        () if text.any(&no_command) => Some(Problem::NoCommand),
        () if text.any(&no_user) => Some(Problem::Config),
        () => None,
    }
}

fn in_mounts(text: &Text) -> Option<Problem> {
    let why = || text.why().to_owned();
    let target = |t: Option<&str>| Some(Problem::MountTarget { target: rooted(t.unwrap_or_default()), why: why() });
    let dir = |d: Option<&str>| d.map(|d| Problem::WorkingDir { dir: d.to_owned(), why: why() });
    if text.has("chdir to cwd (") {
        return dir(text.between("chdir to cwd (\"", "\""));
    }
    if let Some(d) = text.between("chdir `", "`").or_else(|| text.between("chdir to `", "`")) {
        return dir(Some(d));
    }
    if text.has("working directory is not accessible") {
        return dir(Some(""));
    }
    // runc makes the working directory if it does not exist; its mount errors name the root file system too.
    if text.has("container init") && text.has("mkdir ") && !text.any(&["mounting", "rootfs", "cgroup"]) {
        return dir(text.between("mkdir ", ":"));
    }
    if text.has("mounting \"") && text.has("rootfs") {
        return target(text.after("rootfs").and_then(|rest| between(rest, " at \"", "\"")));
    }
    if let Some(to) = text.after("mount `").and_then(|rest| between(rest, "to `", "`")) {
        return target(Some(to));
    }
    for verb in ["create `", "creating `", "openat2 `", "openat `", "mkdirat `", "mknodat `"] {
        if let Some(to) = text.between(verb, "`") {
            return target(Some(to));
        }
    }
    if text.has("subpath for volumemount") || text.has("subpath directory") {
        return target(None);
    }
    if text.any(&["but it is not a shared mount", "but it is not a shared or slave mount"]) {
        return target(None);
    }
    let node_path = ["failed to mkdir \"", "failed to stat \"", "bind source path does not exist"];
    text.any(&node_path).then_some(Problem::HostPath)
}

fn in_command(text: &Text) -> Option<Problem> {
    let command =
        ["exec: \"", "executable file `", "cannot find `", "exec container process `", "dynamic library?) `", "exec `"]
            .iter()
            .find_map(|mark| text.between(mark, if mark.ends_with('`') { "`" } else { "\"" }))
            .or_else(|| text.between("eaccess ", ":"))
            .unwrap_or_default()
            .to_owned();
    let named = !command.is_empty();
    if text.has("exec format error") {
        return Some(Problem::ExecFormat { command });
    }
    if let Some(mechanism) = mechanism(text) {
        return Some(Problem::SecurityProfile(mechanism));
    }
    let absent = text.any(&["executable file not found", "no such file or directory", "cannot find `", "` not found"]);
    if named && absent {
        let lacks = match () {
            () if text.has("missing dynamic library") => Lack::Interpreter,
            () if command.contains('/') => Lack::File,
            () => Lack::InPath,
        };
        return Some(Problem::NotFound { command, lacks });
    }
    let directory = named && text.has("is a directory");
    let refused = text.has("permission denied") && (named || text.has("open executable")) || text.has("not executable");
    (directory || refused).then_some(Problem::NotExecutable { command, directory })
}

fn mechanism(text: &Text) -> Option<Mechanism> {
    let caps = ["unable to apply caps", "unable to apply bounding set", "unknown capability"];
    let capability = text.has("cap_") && text.any(&["not supported", "not permitted"]);
    match () {
        () if text.has("seccomp") => Some(Mechanism::Seccomp),
        () if text.has("apparmor") => Some(Mechanism::AppArmor),
        () if text.any(&["selinux", "attr/keycreate", "attr/exec"]) => Some(Mechanism::SELinux),
        () if text.any(&caps) || capability => Some(Mechanism::Capabilities),
        () => None,
    }
}

fn on_node(text: &Text) -> Option<Problem> {
    let image = [
        "error unpacking image",
        "failed to prepare snapshot",
        "failed to prepare extraction snapshot",
        "parent snapshot",
        "missing parent \"",
        "layer not known",
        "image is in use",
        "failed to get image from containerd",
        "failed to resolve image",
        "is not present",
    ];
    let sysctl = text.has("open /proc/sys/") || text.has("sysctl ") && text.any(&["namespace", "not allowed"]);
    let runtime = [
        "failed to reserve container name",
        "the container name \"",
        "context deadline exceeded",
        "code = unavailable",
        "ttrpc: closed",
        "dial unix",
    ];
    let sandbox = text.has("sandbox") && text.any(&["not found", "does not exist", "not running", "is closed"]);
    match () {
        () if text.has("no space left on device") => Some(Problem::Disk),
        () if sysctl => Some(Problem::Sysctl),
        () if sandbox => Some(Problem::Sandbox),
        () if text.any(&image) || text.has("snapshot") && text.has("does not exist") => Some(Problem::ImageStore),
        () if text.any(&runtime) => Some(Problem::Runtime),
        () => None,
    }
}

/// crun names mount targets relative to the container's root.
fn rooted(path: &str) -> String {
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// A message in its own case and in lower case. ASCII letters keep their length, so places in one are places in the other.
struct Text {
    own: String,
    lower: String,
}

impl Text {
    /// dockerd escapes the quotes of the message that it quotes.
    fn new(message: &str) -> Self {
        let own = message.replace("\\\"", "\"");
        Self { lower: own.to_ascii_lowercase(), own }
    }

    fn has(&self, words: &str) -> bool {
        self.lower.contains(words)
    }

    fn any(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.has(w))
    }

    fn after(&self, mark: &str) -> Option<&str> {
        self.own.get(self.lower.find(mark)? + mark.len()..)
    }

    fn between(&self, before: &str, after: &str) -> Option<&str> {
        self.after(before)?.split_once(after).map(|(found, _)| found)
    }

    /// The system's own words for a failed call; where it is none of the usual ones, the end of the chain of errors.
    fn why(&self) -> &str {
        const ERRNO: [&str; 13] = [
            "not a directory",
            "is a directory",
            "no such file or directory",
            "read-only file system",
            "permission denied",
            "operation not permitted",
            "invalid argument",
            "no space left on device",
            "stale nfs file handle",
            "device or resource busy",
            "input/output error",
            "transport endpoint is not connected",
            "file exists",
        ];
        if let Some(errno) = ERRNO.iter().find(|errno| self.has(errno)) {
            return errno;
        }
        let text = self.after("cannot be mounted because ").unwrap_or(&self.own).trim().trim_end_matches('"');
        let text = text.strip_suffix(": unknown").unwrap_or(text);
        text.rsplit(": ").next().unwrap_or(text).trim_matches('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::known_messages::known_messages;

    /// The class that the reference table gives each message, as our reasons; a `+` marks one that is quoted by
    /// ContainerStartFailed.
    fn reasons(problem: &Problem) -> &'static [&'static str] {
        match problem {
            Problem::RootForbidden(_) => &["RunAsRootForbidden"],
            Problem::Dependency => &["ConfigMapMissing", "SecretMissing", "ConfigMapKeyMissing", "SecretKeyMissing"],
            Problem::NotYet => &["-"],
            Problem::Config => &["ContainerConfigInvalid"],
            Problem::NoCommand => &["CommandMissing"],
            Problem::NotFound { .. } => &["CommandNotFound"],
            Problem::NotExecutable { .. } => &["CommandNotExecutable"],
            Problem::ExecFormat { .. } => &["ExecFormatError"],
            Problem::WorkingDir { .. } => &["WorkingDirInvalid"],
            Problem::MountTarget { .. } => &["MountTargetInvalid"],
            Problem::SecurityProfile(_) => &["SecurityProfileMissing"],
            Problem::Memory => &["OOMKilledAtStart"],
            Problem::InitDied => &["OOMKilledAtStart", "ContainerStartFailed"],
            Problem::HostPath => &["HostPathMismatch"],
            Problem::Sysctl => &["NodeRejectedSettings"],
            Problem::Sandbox => &["SandboxFailed"],
            Problem::Device => &["+DeviceUnavailable"],
            Problem::Disk => &["+NodeDiskFull"],
            Problem::ImageStore => &["+ImageCorrupt"],
            Problem::Runtime => &["+RuntimeSlow", "+RuntimeDown"],
            Problem::Other => &["ContainerStartFailed", "+ImageVolumeFailed", "+NodeOutOfPIDsOrMemory", "-"],
        }
    }

    #[test]
    fn every_known_wording_falls_into_its_class() {
        let (mut seen, mut wrong) = (0, Vec::new());
        for (id, causes, example) in known_messages("CFG-").into_iter().chain(known_messages("RUN-")) {
            if id.starts_with("RUN-LOG") || id.starts_with("RUN-ENV") || id == "RUN-DEADLINE-POD" {
                continue;
            }
            let problem = read(&example, id.starts_with("CFG-"));
            let fits = causes.iter().any(|c| reasons(&problem).contains(&c.as_str()));
            seen += 1;
            if !fits {
                wrong.push(format!("{id}: {problem:?} is not {causes:?}: {example}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn dockers_escaped_quotes_read_like_runcs_own() {
        let docker = r#"OCI runtime create failed: container_linux.go:349: starting container process caused "exec: \"gunicorn\": executable file not found in $PATH": unknown"#;
        assert_eq!(read(docker, false), Problem::NotFound { command: "gunicorn".to_owned(), lacks: Lack::InPath });
    }

    #[test]
    fn a_mount_names_its_target_and_the_systems_words() {
        let docker = r#"OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: rootfs_linux.go:76: mounting "/var/lib/kubelet/x" to rootfs at "/etc/app.conf" caused: mount through procfd: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?"#;
        let crun = "container create failed: mount `/var/lib/kubelet/x` to `etc/app.conf`: Not a directory";
        for message in [docker, crun] {
            let why = "not a directory".to_owned();
            assert_eq!(read(message, false), Problem::MountTarget { target: "/etc/app.conf".to_owned(), why });
        }
    }
}
