//! Files that are generated from the code are what the code generates now. `just generate` writes them anew.

mod common;

use std::path::Path;

use kubectl_why::cli::complete::{Shell, script};
use kubectl_why::render::{Style, json, text};

#[track_caller]
fn fresh(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == text, "{path} is stale: run `just generate`");
}

#[test]
fn completion_scripts_are_fresh() {
    for (shell, file) in Shell::FILES {
        fresh(&format!("completions/{file}"), &script(shell));
    }
}

#[test]
fn the_page_of_reasons_is_fresh() {
    fresh("docs/reasons.md", &kubectl_why::manual::reasons());
}

#[test]
fn the_manual_page_is_fresh() {
    let mut page = Vec::new();
    let command = kubectl_why::cli::command().version(env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command).title("KUBECTL-WHY").render(&mut page).unwrap();
    fresh("docs/kubectl-why.1", &String::from_utf8(page).unwrap());
}

#[test]
fn the_schema_of_the_diagnosis_is_fresh() {
    let schema = schemars::schema_for!(json::Answer);
    fresh("docs/diagnosis.schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
}

#[test]
fn the_picture_in_the_readme_is_fresh() {
    let scenario = common::scenarios().into_iter().find(|s| s.name == "oom-jvm").unwrap();
    let command = "$ kubectl why pod/jvm -n oom-jvm\n";
    let report = text::text(&scenario.reports(), Style { colour: true, ..Style::default() });
    fresh("docs/report.svg", &anstyle_svg::Term::new().render_svg(&format!("{command}{report}")));
}
