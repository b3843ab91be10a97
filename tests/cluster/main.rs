//! The binary against a real control plane, through the real kubectl.
//!
//! `KUBECTL_WHY_CLUSTER=1 cargo test --test cluster` runs it; plain `cargo test` says in one line that it does not.

#[cfg(unix)]
#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
mod harness;
#[cfg(unix)]
mod suites;

#[cfg(not(unix))]
fn main() {
    println!("cluster tests left out: they run on Linux and macOS only");
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    use harness::assets::Assets;
    use harness::{server, watchdog};

    const HOW: &str = "KUBECTL_WHY_CLUSTER=1 cargo test --test cluster";

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
    let mut arguments = libtest_mimic::Arguments::from_args();
    // Most of the time is spent waiting for the cluster.
    arguments.test_threads = arguments.test_threads.or(Some(4));
    let trials = suites::trials(assets.controllers);
    server::use_assets(assets);
    let conclusion = libtest_mimic::run(&arguments, trials);
    let writes = suites::read_only::writes_of_the_whole_run();
    watchdog::stop();
    if let Some(writes) = writes {
        println!("kubectl-why changed the cluster:\n{writes}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
