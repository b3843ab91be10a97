//! The reader of `-f`: any bytes give a snapshot or an error of one line, and what is read can be written and read again.
#![no_main]

use kubectl_why::gather::file::from_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    match from_bytes("x", data.to_vec()) {
        Ok(snapshot) => {
            let saved = snapshot.to_list().to_string();
            let again = from_bytes("x", saved.clone().into_bytes()).expect("what was written");
            assert_eq!(again.to_list().to_string(), saved);
        }
        Err(error) => assert!(error.to_string().len() < 2000),
    }
});
