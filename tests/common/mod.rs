//! Recorded failures: `tests/scenarios/NAME/{snapshot,expect}.json`, what `kubectl get` printed, and the reviewed report.

#![allow(dead_code)] // each test binary uses a part of it

pub mod small;
pub mod worlds;

use std::path::{Path, PathBuf};

use kubectl_why::gather::file;
use kubectl_why::render::{Style, json, text};
use kubectl_why::report::Report;
use kubectl_why::resource::Kind;
use kubectl_why::snapshot::{Snapshot, Target};
use serde_json::Value;

/// One recorded failure.
pub struct Scenario {
    pub name: String,
    pub dir: PathBuf,
    pub expect: Value,
    /// The snapshot's file as JSON.
    pub list: Value,
    pub target: Target,
}

/// Every recorded failure, by name.
pub fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|d| d.unwrap().path()).collect();
    dirs.sort();
    dirs.into_iter().map(Scenario::read).collect()
}

impl Scenario {
    fn read(dir: PathBuf) -> Self {
        let json = |file: &str| -> Value {
            let path = dir.join(file);
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
                .unwrap()
        };
        let expect = json("expect.json");
        let (kind, name) = expect["target"].as_str().unwrap().split_once('/').unwrap();
        let namespace = expect["namespace"].as_str().unwrap_or_default();
        let target =
            Target { kind: Kind::typed(kind).unwrap().kind, namespace: namespace.to_owned(), name: name.to_owned() };
        let name = dir.file_name().unwrap().to_string_lossy().into_owned();
        Self { name, list: json("snapshot.json"), target, expect, dir }
    }

    pub fn snapshot(&self) -> Snapshot {
        file::read(&self.dir.join("snapshot.json")).unwrap()
    }

    pub fn reports(&self) -> Vec<Report> {
        kubectl_why::diagnose(&self.snapshot(), &self.target)
    }

    /// The snapshot as it would be after a change to its file.
    pub fn changed(&self, change: impl FnOnce(&mut Value)) -> Snapshot {
        let mut list = self.list.clone();
        change(&mut list);
        from_list(&list)
    }

    pub fn strings(&self, key: &str) -> Vec<String> {
        let list = self.expect.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Why the reports are not what this scenario expects, if they are not.
    pub fn wrong(&self, reports: &[Report]) -> Option<String> {
        let first = reports.first()?;
        let causes: Vec<&str> = first.causes.iter().map(|c| c.rule.reason).collect();
        let notes: Vec<&str> = first.notes.iter().map(|(r, _)| r.as_str()).collect();
        let accepted = self.strings("cause");
        let together = self.strings("causes");
        let or_note = self.expect.get("orNote").is_some();
        if !together.is_empty() {
            let lacking: Vec<_> = together.iter().filter(|r| !causes.contains(&r.as_str())).collect();
            return (!lacking.is_empty()).then(|| format!("causes {causes:?} lack {lacking:?}"));
        }
        if accepted.is_empty() {
            let fine = causes.is_empty() && first.verdict.is_fine();
            return (!fine).then(|| format!("claims {causes:?}, verdict {:?}", first.verdict));
        }
        let right = causes.first().is_some_and(|c| accepted.iter().any(|a| a == c))
            || or_note && notes.iter().any(|n| accepted.iter().any(|a| a == n));
        (!right).then(|| format!("first cause of {causes:?}, want {accepted:?}"))
    }

    /// The facts that the report does not mention although it must.
    pub fn unmentioned(&self, reports: &[Report]) -> Vec<String> {
        let all = format!("{}\n{}", text::text(reports, Style::default()), json::json(reports)).to_lowercase();
        let said = |mention: &String| mention.split('|').any(|alt| all.contains(&alt.to_lowercase()));
        self.strings("mentions").into_iter().filter(|m| !said(m)).collect()
    }
}

/// A snapshot from a file's JSON, without the file.
pub fn from_list(list: &Value) -> Snapshot {
    let mut items = list["items"].as_array().cloned().unwrap_or_default();
    let header = serde_json::from_value(items.remove(0)).unwrap();
    let mut snapshot = Snapshot::new(header);
    items.into_iter().for_each(|item| snapshot.add(item));
    snapshot.settle();
    snapshot
}

/// Fails with every line at once.
#[track_caller]
pub fn all_well(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
