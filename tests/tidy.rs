//! The invariants of ARCHITECTURE.md, as far as a machine can see them in the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kubectl_why::finding::{Command, Stage};
use kubectl_why::rules::{self, Rule};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// The text without its test modules, which stand at its end.
fn product(text: &str) -> &str {
    let begins = |at: usize| text[at..].lines().nth(1).is_some_and(|next| next.trim_end().ends_with('{'));
    let end = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| begins(*at));
    &text[..end.unwrap_or(text.len())]
}

/// Lines of the product that hold one of the words, with their place.
fn holding(folders: &[&str], words: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, text) in folders.iter().flat_map(|f| sources(f)) {
        let is_test = path.file_name().is_some_and(|n| n == "testing.rs" || n == "tests.rs");
        for (n, line) in product(&text).lines().enumerate().filter(|_| !is_test) {
            let code = line.split("//").next().unwrap_or(line);
            if words.iter().any(|w| code.contains(w)) {
                lines.push(format!("{}:{}: {}", path.strip_prefix(root()).unwrap().display(), n + 1, line.trim()));
            }
        }
    }
    lines
}

#[track_caller]
fn nowhere(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

const PURE: [&str; 5] = ["src/facts", "src/rules", "src/render", "src/snapshot", "src/rank.rs"];

#[test]
fn the_core_does_no_io_and_reads_no_clock() {
    let words = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::io",
        "tokio",
        "kube::",
        "hyper",
        "SystemTime",
        "Instant",
        "Timestamp::now",
        "Zoned::now",
        // Tables beside the code are part of it; files elsewhere are not in the published package.
        "include_str!(\"..",
        "println!",
        "eprintln!",
        "print!",
    ];
    let folders: Vec<&str> = PURE.iter().copied().filter(|f| !f.ends_with(".rs")).collect();
    nowhere(holding(&folders, &words));
}

#[test]
fn rules_see_facts_and_nothing_else() {
    nowhere(holding(
        &["src/rules"],
        &["crate::snapshot::Snapshot", "crate::gather", "crate::render", "crate::report", "crate::cli", "serde_json"],
    ));
}

#[test]
fn rules_do_not_make_up_evidence() {
    let words = ["Evidence::Field", "Evidence::Event", "Evidence::Absent", "Evidence::Log", "ObjectName {", "Path("];
    nowhere(holding(&["src/rules"], &words));
}

#[test]
fn ranking_and_rendering_know_no_reason_by_name() {
    for (path, text) in sources("src/render")
        .into_iter()
        .chain([(root().join("src/rank.rs"), std::fs::read_to_string(root().join("src/rank.rs")).unwrap())])
    {
        for rule in rules::all() {
            let word = format!("\"{}\"", rule.reason);
            assert!(!product(&text).contains(&word), "{} names {}", path.display(), rule.reason);
        }
    }
}

#[test]
fn nothing_can_write_to_the_cluster() {
    let words = [
        "Method::POST",
        "Method::PUT",
        "Method::PATCH",
        "Method::DELETE",
        ".create(",
        ".delete(",
        ".patch(",
        ".replace_status(",
    ];
    let found = holding(&["src/gather"], &words);
    nowhere(found.into_iter().filter(|l| !l.contains("OpenOptions") && !l.contains(".create(true)")).collect());
}

#[test]
fn no_unsafe_code_no_debris() {
    let words = ["unsafe {", "unsafe fn", "todo!", "unimplemented!", "dbg!", "TODO", "FIXME", "#[ignore"];
    nowhere(holding(&["src"], &words));
}

#[test]
fn a_file_has_one_subject() {
    let long = |(path, text): &(PathBuf, String)| {
        let lines = text.lines().count();
        (lines > 400).then(|| format!("{}: {lines} lines", path.display()))
    };
    nowhere(sources("src").iter().filter_map(long).collect());
}

#[test]
fn every_rule_stands_where_its_name_says() {
    for rule in rules::all() {
        let path = file_of(rule);
        assert!(path.exists(), "{} is not in {}", rule.reason, path.display());
    }
    let files: usize = Stage::ALL
        .iter()
        .map(|s| sources(&format!("src/rules/{}", s.name())))
        .map(|files| files.iter().filter(|(_, text)| text.contains("RULE: Rule")).count())
        .sum();
    assert_eq!(files, rules::all().count(), "a rule file is not in its stage's index");
}

fn file_of(rule: &Rule) -> PathBuf {
    root().join(format!("src/rules/{}/{}.rs", rule.stage.name(), snake(rule.reason)))
}

/// `CNINotReady` is `cni_not_ready`, `OOMKilled` is `oom_killed`, `KilledBySIGKILL` is `killed_by_sigkill`.
fn snake(reason: &str) -> String {
    let letters: Vec<char> = reason.chars().collect();
    let mut out = String::new();
    for (n, c) in letters.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|p| letters.get(p));
        let after = letters.get(n + 1);
        let starts = c.is_uppercase()
            && before
                .is_some_and(|b| b.is_lowercase() || b.is_ascii_digit() || after.is_some_and(|a| a.is_lowercase()));
        if starts {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn every_rule_is_explained_and_has_near_misses() {
    let mut faults = Vec::new();
    for rule in rules::all() {
        for heading in ["## Meaning", "## Signs", "## Fix", "## Not this"] {
            if !rule.explain.contains(heading) {
                faults.push(format!("{} lacks {heading}", rule.reason));
            }
        }
        if rule.summary.ends_with('.') || rule.summary.is_empty() {
            faults.push(format!("{}: summary is empty or ends with a full stop", rule.reason));
        }
        let text = std::fs::read_to_string(file_of(rule)).unwrap_or_default();
        let tests = text.split("mod tests").nth(1).unwrap_or_default();
        if !(tests.contains("one(") || tests.contains("assert"))
            || !(tests.contains("none(") || tests.contains("is_empty()"))
        {
            faults
                .push(format!("{}: its tests lack a case in which it is said or one in which it is not", rule.reason));
        }
    }
    nowhere(faults);
}

#[test]
fn what_a_rule_explains_exists() {
    let known: BTreeSet<&str> = rules::all().map(|r| r.reason).collect();
    let mut faults = Vec::new();
    for rule in rules::all() {
        faults.extend(
            rule.explains
                .iter()
                .filter(|e| !known.contains(*e))
                .map(|e| format!("{} explains {e}, which is no reason", rule.reason)),
        );
        if rule.explains.contains(&rule.reason) {
            faults.push(format!("{} explains itself", rule.reason));
        }
    }
    nowhere(faults);
    assert_eq!(known.len(), rules::all().count(), "two rules have one name");
}

#[test]
fn the_vocabulary_is_complete() {
    let design = std::fs::read_to_string(root().join("tests/data/reasons.tsv")).unwrap();
    let mut faults = Vec::new();
    for line in design.lines().skip(1) {
        let mut columns = line.split('\t');
        let (Some(stage), Some(reason)) = (columns.next(), columns.next()) else { continue };
        match rules::named(reason) {
            Some(rule) if rule.stage.name() == stage => {}
            Some(rule) => faults.push(format!("{reason} is in {}, not in {stage}", rule.stage.name())),
            None => faults.push(format!("{reason} has no rule")),
        }
    }
    nowhere(faults);
}

#[test]
fn commands_have_only_options_that_names_are_told_from() {
    let mut unknown = Vec::new();
    for (path, text) in sources("src/rules").into_iter().chain(sources("src/facts")) {
        for line in
            product(&text).lines().filter(|l| l.contains("kubectl") || l.contains("\"-n\"") || l.contains("\"-c\""))
        {
            for quoted in line.split('"').skip(1).step_by(2).filter(|q| q.starts_with('-') && !q.contains(' ')) {
                if quoted.len() > 1 && !Command::knows_option(quoted) {
                    unknown.push(format!("{}: {quoted} is not known to src/command.rs", path.display()));
                }
            }
        }
    }
    nowhere(unknown);
}

#[test]
fn every_direct_dependency_is_justified() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let (manifest, map) = (read("Cargo.toml"), read("ARCHITECTURE.md"));
    let table = map.split("## Dependencies").nth(1).unwrap();
    let justified: BTreeSet<&str> = table
        .lines()
        .filter_map(|l| l.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .collect();
    let direct = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    for name in direct.lines().filter_map(|l| l.split_once(" = ")).map(|(name, _)| name).filter(|n| !n.starts_with('#'))
    {
        assert!(justified.contains(name), "{name} is not justified in ARCHITECTURE.md");
    }
}
