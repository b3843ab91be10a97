//! A Kubernetes control plane on loopback, and the means to fill it and to ask it through kubectl.

pub mod api;
pub mod assets;
pub mod etcd;
pub mod kubeconfig;
pub mod kubectl;
pub mod kubelet;
pub mod pki;
pub mod proxy;
pub mod scene;
pub mod server;
pub mod watchdog;

use std::time::{Duration, Instant};

/// Waits until something is there, and fails with what it is if that takes too long.
#[track_caller]
pub fn wait_for<T>(what: &str, longest: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < longest, "waited {longest:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
