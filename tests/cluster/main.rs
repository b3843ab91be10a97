//! The binary against a real control plane, through the real kubectl.
//!
//! `KUBECTL_WHY_CLUSTER=1 cargo test --test cluster` runs it; plain `cargo test` says in one line that it does not.

#[path = "../common/mod.rs"]
mod common;
mod harness;
mod suites;

use std::process::ExitCode;

use harness::assets::Assets;
use harness::{server, watchdog};
use libtest_mimic::Arguments;

const HOW: &str = "KUBECTL_WHY_CLUSTER=1 cargo test --test cluster";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if std::env::var_os("KUBECTL_WHY_CLUSTER").is_none_or(|v| v.is_empty()) {
        println!("cluster tests left out; to run them against a real control plane: {HOW}");
        return ExitCode::SUCCESS;
    }
    let assets = match Assets::find() {
        Ok(assets) => assets,
        Err(why) => {
            println!("cluster tests left out: {why}; with Go 1.26 or KUBEBUILDER_ASSETS: {HOW}");
            return ExitCode::SUCCESS;
        }
    };
    let trials = suites::trials(assets.controllers);
    server::use_assets(assets);
    // Most of the time is spent waiting for the cluster.
    arguments.test_threads = arguments.test_threads.or(Some(4));
    let conclusion = libtest_mimic::run(&arguments, trials);
    let writes = suites::read_only::writes_of_the_whole_run();
    watchdog::stop();
    if let Some(writes) = writes {
        println!("kubectl-why changed the cluster:\n{writes}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
