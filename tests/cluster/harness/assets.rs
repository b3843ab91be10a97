//! Where the control plane's programs are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The directory of etcd, kube-apiserver and kubectl.
pub struct Assets {
    dir: PathBuf,
    /// Whether kube-controller-manager and kube-scheduler are there too: envtest's own archives lack them.
    pub controllers: bool,
}

impl Assets {
    /// Those that `KUBEBUILDER_ASSETS` names, or else the binary that `control-plane/build.sh` makes.
    pub fn find() -> Result<Self, String> {
        let dir = match std::env::var_os("KUBEBUILDER_ASSETS") {
            Some(dir) if !dir.is_empty() => PathBuf::from(dir),
            _ => built()?,
        };
        for name in ["etcd", "kube-apiserver", "kubectl"] {
            if !dir.join(name).exists() {
                return Err(format!("{} is not in {}", name, dir.display()));
            }
        }
        let controllers = ["kube-controller-manager", "kube-scheduler"].iter().all(|name| dir.join(name).exists());
        Ok(Self { dir, controllers })
    }

    /// The path of one of them.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

fn built() -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/control-plane/build.sh");
    let output = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("{} does not run: {e}", script.display()))?;
    if output.status.success() {
        return Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    match output.status.code() {
        Some(3) => Err("there is no go to build the control plane with, and KUBEBUILDER_ASSETS is not set".to_owned()),
        _ => Err("the control plane could not be built".to_owned()),
    }
}
