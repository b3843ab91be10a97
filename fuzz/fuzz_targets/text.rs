//! The page for people.
#![no_main]

use kubectl_why::render::{Style, text};
use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|data: &str| {
    let width = 40 + data.len() % 100;
    shared::is_page(&text::text(&shared::reports(data), Style { width, ..Style::default() }));
});
