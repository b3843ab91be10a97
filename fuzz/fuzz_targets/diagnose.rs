//! The whole way, from a file's bytes to the printed report.
#![no_main]

use kubectl_why::gather::file::from_bytes;
use kubectl_why::render::{Style, json, text};
use kubectl_why::snapshot::{Target, name_of, namespace_of};
use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|data: &[u8]| {
    let Ok(snapshot) = from_bytes("x", data.to_vec()) else { return };
    for kind in ["Pod", "Deployment", "Job"] {
        for object in snapshot.all(kind).iter().take(3) {
            let target = Target { kind, namespace: namespace_of(object).to_owned(), name: name_of(object).to_owned() };
            let reports = kubectl_why::diagnose(&snapshot, &target);
            shared::whole(&reports);
            shared::is_page(&text::text(&reports, Style::default()));
            shared::is_same(&json::to_json(&json::answer(&reports)), &json::to_yaml(&json::answer(&reports)));
        }
    }
});
