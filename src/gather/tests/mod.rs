//! Tests of the parts together: kubeconfigs on disk, plugins, and a server on loopback that answers in every bad way.

mod faults;
mod kubeconfig;
mod overview;
mod plugin;
mod proxies;
mod server;
mod tls;
mod waves;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Surroundings;

/// A folder that is removed at the end of a test.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let path = std::env::temp_dir().join(format!(
            "kubectl-why-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file for the test");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// No environment at all.
pub(super) fn nowhere() -> Surroundings {
    Surroundings { var: |_| None, home: None, service_account: PathBuf::from("/nonexistent") }
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
