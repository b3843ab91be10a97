//! The manifests in `examples/` are named after the reasons that they provoke.

use std::path::Path;

use kubectl_why::rules;

#[test]
fn every_example_bears_the_name_of_its_reason_and_says_how_to_ask() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        if rules::named(&name).is_none_or(|rule| rule.reason != name) {
            faults.push(format!("{name} is no reason"));
        }
        if !text.starts_with(&format!("# {name}: ")) || !text.contains("\n#   kubectl why ") {
            faults.push(format!("{name}.yaml does not say what it does and how to ask"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
