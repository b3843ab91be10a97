//! Every reader of messages, through the fields and events in which messages come.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod shared;

fuzz_target!(|data: &str| {
    shared::reports(data);
});
