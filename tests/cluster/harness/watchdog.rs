//! Nothing stays behind: a shell that outlives this process ends the servers and removes their files.
//!
//! It reads the servers' process groups from a pipe. The pipe closes when this process ends, in whatever way: at the end of
//! the run, by a panic, by Ctrl-C, by SIGKILL.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r id; do groups="$groups $id"; done
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done
for try in 1 2 3; do rm -rf -- "$1" 2>/dev/null && break; sleep 1; done
"#;

struct Watchdog {
    shell: Mutex<Option<Child>>,
    dir: PathBuf,
}

static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();

fn watchdog() -> &'static Watchdog {
    WATCHDOG.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("kubectl-why-cluster-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(&dir)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Watchdog { shell: Mutex::new(Some(shell)), dir }
    })
}

/// A directory that goes away with this process.
pub fn scratch() -> &'static Path {
    &watchdog().dir
}

/// Starts a program that ends with this process. What it prints goes to a file.
pub fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = File::create(log).unwrap();
    let also = log.try_clone().unwrap();
    let mut shell = watchdog().shell.lock().unwrap();
    let shell = shell.as_mut().expect("the run has ended");
    let child = command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(also).spawn();
    let child = child.unwrap_or_else(|e| panic!("{command:?}: {e}"));
    writeln!(shell.stdin.as_mut().unwrap(), "{}", child.id()).unwrap();
    child
}

/// Ends every program and removes the scratch directory, at the end of the run.
pub fn stop() {
    let Some(watchdog) = WATCHDOG.get() else { return };
    let shell = watchdog.shell.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    if let Some(mut shell) = shell {
        drop(shell.stdin.take());
        let _ = shell.wait();
    }
}
