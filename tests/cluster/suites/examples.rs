//! The manifests in `examples/`: what a control plane alone can provoke is provoked and found; the rest, for which it takes a
//! kubelet, is accepted by the server.

use std::path::{Path, PathBuf};

use kubectl_why::finding::Stage;
use kubectl_why::rules;
use libtest_mimic::Trial;
use serde_json::json;

use crate::harness::kubectl::eventually;
use crate::harness::scene::{Scene, node};

/// Found in a pod that has waited for half a minute, whatever nodes there are.
const SLOW: [&str; 2] = ["ResourceClaimPending", "SchedulerAbsent"];

pub fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    let trial = |path: PathBuf| {
        let reason = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(format!("examples::{reason}"), move || {
            check(&reason, &path);
            Ok(())
        })
    };
    paths.into_iter().map(trial).collect()
}

fn check(reason: &str, path: &Path) {
    let file = path.display().to_string();
    let rule = rules::named(reason).unwrap_or_else(|| panic!("{reason} is no reason"));
    let text = std::fs::read_to_string(path).unwrap();
    let command = text.lines().find_map(|line| line.strip_prefix("#   kubectl why ")).expect("the command");
    let words: Vec<&str> = command.split(' ').collect();
    let needs_a_kubelet = !matches!(rule.stage, Stage::Creation | Stage::Scheduling);
    // A dry run makes no RuntimeClass for the pod after it.
    if needs_a_kubelet && !text.contains("kind: RuntimeClass") {
        let scene = Scene::new("dry");
        let output = scene.kubectl.run(&["apply", "--dry-run=server", "-f", &file]);
        assert_eq!(output.status, 0, "{}", output.err);
        return;
    }
    let scene = match reason {
        _ if SLOW.contains(&reason) => Scene::new("example"),
        _ if needs_a_kubelet => Scene::with_nodes("example", &[]),
        _ => Scene::with_nodes("example", &[node("example-1", json!({}))]),
    };
    let namespace = words.iter().position(|w| *w == "-n").map_or(scene.namespace.as_str(), |at| words[at + 1]);
    let output = scene.kubectl.run(&["apply", "-f", &file]);
    let found = std::panic::catch_unwind(|| {
        assert_eq!(output.status, 0, "{}", output.err);
        if !needs_a_kubelet {
            eventually(&scene.kubectl, words[0], namespace, reason);
        }
    });
    scene.kubectl.run(&["delete", "--wait=false", "--ignore-not-found", "-f", &file]);
    if let Err(why) = found {
        std::panic::resume_unwind(why);
    }
}
