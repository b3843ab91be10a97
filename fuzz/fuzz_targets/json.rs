//! The report for machines.
#![no_main]

use kubectl_why::render::json;
use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|data: &str| {
    let reports = shared::reports(data);
    shared::is_same(&json::json(&reports), &json::yaml(&reports));
});
