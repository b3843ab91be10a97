//! What reads single texts: the redactor, spans of time, pull errors, image names, the sanitiser.
#![no_main]

use kubectl_why::facts::{fault_of_pull, time};
use kubectl_why::gather::parse_timeout;
use kubectl_why::redact;
use kubectl_why::render::Safe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let once = redact::text(text);
    assert_eq!(redact::text(&once), once, "redacting twice changes nothing more");
    let log = redact::log(text);
    assert_eq!(redact::log(&log), log);
    let _ = time::go_duration(text);
    let _ = parse_timeout(text);
    let _ = fault_of_pull(text);
    let safe = Safe::line(text);
    assert!(!safe.as_str().contains(char::is_control));
    assert_eq!(Safe::line(safe.as_str()).as_str(), safe.as_str());
});
