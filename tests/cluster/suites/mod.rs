//! What the binary must do against a real server.

mod controllers;
mod examples;
mod faults;
mod kubectl;
pub mod read_only;
mod rights;
mod same_as_file;
mod scheduler;

use libtest_mimic::Trial;

/// Every test. Those that need the scheduler or the controllers are left out (as ignored) without them.
pub fn trials(controllers: bool) -> Vec<Trial> {
    let mut trials = Vec::new();
    let suites = [
        scheduler::trials(),
        controllers::trials(),
        rights::trials(),
        faults::trials(),
        kubectl::trials(),
        read_only::trials(),
        examples::trials(),
    ];
    for suite in suites {
        trials.extend(suite.into_iter().map(|trial| trial.with_ignored_flag(!controllers)));
    }
    // Last, as they come one after another.
    trials.extend(same_as_file::trials());
    trials
}

fn test(name: &str, body: fn()) -> Trial {
    Trial::test(name, move || {
        body();
        Ok(())
    })
}

/// The functions as tests of their names, below the module's.
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub fn trials() -> Vec<libtest_mimic::Trial> {
            let module = module_path!().rsplit("::").next().unwrap_or_default();
            vec![$(super::test(&format!("{module}::{}", stringify!($name)), $name)),+]
        }
    };
}
use tests;
