//! The report for machines.
#![no_main]

use kubectl_why::render::json;
use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|data: &str| {
    let reports = shared::reports(data);
    shared::is_same(&json::to_json(&json::answer(&reports)), &json::to_yaml(&json::answer(&reports)));
});
