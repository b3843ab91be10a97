//! The reader of kubeconfigs: any bytes give a kubeconfig or an error that quotes nothing of them.
#![no_main]

use std::path::Path;

use kubectl_why::gather::Kubeconfig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Err(error) = Kubeconfig::read(Path::new("config"), data) {
        let text = error.to_string();
        let fixed = text.replace(|c: char| c.is_ascii_digit(), "");
        assert!(fixed.starts_with("cannot read the kubeconfig config: it is not valid YAML"), "{text}");
        assert!(text.len() < 200, "{text}");
    }
});
