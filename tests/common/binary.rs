//! The built binary, without any cluster.

use std::io::Write;
use std::process::{Child, Command, Stdio};

/// Starts it with these arguments and this standard input.
pub fn start(args: &[&str], input: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-why"))
        .args(args)
        .env("KUBECONFIG", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child
}
