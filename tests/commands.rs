//! Commands to paste: what a shell and kubectl make of them is what was meant, whatever names a cluster holds.

mod common;

use std::process::Command;

use common::{Scenario, all_well, from_list, scenarios};
use kubectl_why::finding::{self, Effect, Remedy};
use kubectl_why::render::{Style, text};
use kubectl_why::report::Report;
use serde_json::{Map, Value};

/// What a name, a label, a finalizer can be in a file, if not in a cluster.
const HOSTILE: [&str; 9] = [
    "$(touch pwned)",
    "';touch pwned;'",
    "`touch pwned`\"\\",
    "a b&c|d>pwned;#*?~!",
    "--all",
    "-n",
    "x\ntouch pwned",
    "\u{1b}[2J",
    "é{a,b}[x]=%s",
];

fn remedies(reports: &[Report]) -> impl Iterator<Item = &Remedy> {
    reports.iter().flat_map(|r| r.causes.iter().flat_map(|c| &c.finding.remedies).chain(&r.look))
}

/// The commands that a report shows.
fn shown(reports: &[Report]) -> Vec<finding::Command> {
    let gaps = reports.iter().flat_map(|r| &r.gaps).filter_map(|g| g.command());
    let all = remedies(reports).filter_map(|r| r.command.clone()).chain(gaps);
    let page = text::text(reports, Style::default());
    let lines: Vec<&str> = page.lines().map(str::trim).collect();
    all.filter(|command| lines.contains(&command.to_string().as_str())).collect()
}

/// Every name, label, finalizer, taint, gate of the snapshot, and what takes its place.
fn renamed(list: &Value, hostile: &str) -> Map<String, Value> {
    let mut names = Map::new();
    let mut take = |value: &Value| {
        if let Some(name) = value.as_str().filter(|n| !n.is_empty()) {
            let n = names.len();
            names.entry(name).or_insert_with(|| format!("{hostile}{n}").into());
        }
    };
    for item in list["items"].as_array().into_iter().flatten().filter(|i| i["kind"] != "Event") {
        take(&item["metadata"]["name"]);
        item["metadata"]["finalizers"].as_array().into_iter().flatten().for_each(&mut take);
        for list in
            ["containers", "initContainers", "ephemeralContainers", "volumes", "schedulingGates", "imagePullSecrets"]
        {
            item["spec"][list].as_array().into_iter().flatten().for_each(|entry| take(&entry["name"]));
        }
        for taint in item["spec"]["taints"].as_array().into_iter().flatten() {
            take(&taint["key"]);
            take(&taint["value"]);
        }
        for (key, value) in item["spec"]["nodeSelector"].as_object().into_iter().flatten() {
            take(&Value::from(key.as_str()));
            take(value);
        }
        for owner in item["metadata"]["ownerReferences"].as_array().into_iter().flatten() {
            take(&owner["name"]);
        }
        for claim in item["spec"]["volumes"].as_array().into_iter().flatten() {
            for pointer in ["/persistentVolumeClaim/claimName", "/configMap/name", "/secret/secretName"] {
                take(claim.pointer(pointer).unwrap_or(&Value::Null));
            }
        }
    }
    names
}

fn replace(value: &mut Value, names: &Map<String, Value>) {
    match value {
        Value::String(text) => {
            if let Some(new) = names.get(text.as_str()) {
                *value = new.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, names)),
        Value::Object(map) => {
            for (key, mut value) in std::mem::take(map) {
                replace(&mut value, names);
                map.insert(names.get(&key).and_then(Value::as_str).unwrap_or(&key).to_owned(), value);
            }
        }
        _ => {}
    }
}

/// The reports about a scenario in which everything that anybody may name bears a hostile name.
fn hostile_reports(scenario: &Scenario, hostile: &str) -> Vec<Report> {
    let names = renamed(&scenario.list, hostile);
    let mut list = scenario.list.clone();
    for item in list["items"].as_array_mut().into_iter().flatten().skip(1) {
        let namespace = item["metadata"]["namespace"].take();
        for part in ["metadata", "spec", "status", "involvedObject"] {
            if !item[part].is_null() {
                replace(&mut item[part], &names);
            }
        }
        if !namespace.is_null() {
            item["metadata"]["namespace"] = namespace;
        }
    }
    let mut target = scenario.target.clone();
    if let Some(name) = names.get(&target.name).and_then(Value::as_str) {
        target.name = name.to_owned();
    }
    kubectl_why::diagnose(&from_list(&list), &target)
}

/// Runs commands in a real shell whose kubectl only says what it was called with.
fn arrived(commands: &[finding::Command]) -> Vec<Vec<String>> {
    let folder = std::env::temp_dir().join(format!("kubectl-why-commands-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut script = "kubectl() { printf '%s\\037' \"$@\"; printf '\\036'; }\n".to_owned();
    for command in commands {
        script.push_str(&format!("{command}\n"));
    }
    let file = folder.join("script");
    std::fs::write(&file, script).unwrap();
    let empty = folder.join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let out = Command::new("sh").arg(&file).current_dir(&empty).output().unwrap();
    let made = std::fs::read_dir(&empty).unwrap().count();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(made, 0, "a command did something else than call kubectl");
    let text = String::from_utf8(out.stdout).unwrap();
    text.split_terminator('\u{1e}').map(|line| line.split_terminator('\u{1f}').map(str::to_owned).collect()).collect()
}

#[test]
fn every_command_reaches_a_shell_as_the_arguments_it_was_made_of() {
    let mut commands = Vec::new();
    let (mut withheld, mut named) = (0, 0);
    for scenario in scenarios() {
        let reports = scenario.reports();
        let all = remedies(&reports).filter(|r| r.command.is_some()).count();
        let printed = shown(&reports);
        assert!(printed.len() >= all, "{}: {all} commands, {} printed", scenario.name, printed.len());
        commands.extend(printed);
        for hostile in HOSTILE {
            let reports = hostile_reports(&scenario, hostile);
            let printed = shown(&reports);
            named += printed.iter().filter(|c| c.argv().iter().any(|a| a.contains(hostile))).count();
            withheld += remedies(&reports).filter(|r| r.command.is_some()).count().saturating_sub(printed.len());
            for command in &printed {
                // Behind an option a name is its value, elsewhere kubectl would take it for one.
                let is_name = |arg: &str| arg.strip_prefix(hostile).is_some_and(|n| n.parse::<u32>().is_ok());
                let taken = command.argv().windows(2).find(|w| {
                    let (before, arg) = (w[0].as_str(), w[1].as_str());
                    hostile.starts_with('-')
                        && is_name(arg)
                        && !["-c", "-n", "-p", "-o", "-l", "-L", "-f"].contains(&before)
                });
                assert!(taken.is_none(), "{}: {command}", scenario.name);
            }
            commands.extend(printed);
        }
    }
    assert!(named > 1000 && withheld > 100, "{named} commands with hostile names, {withheld} withheld");
    let argvs: Vec<Vec<String>> = commands.iter().map(|c| c.argv()[1..].to_vec()).collect();
    assert_eq!(arrived(&commands), argvs);
}

/// Whether the scenario is about a pod that stands alone and has no running container: nothing is lost when it is replaced.
fn runs_nothing(scenario: &Scenario) -> bool {
    let items = scenario.list["items"].as_array().unwrap();
    let pod = items.iter().find(|o| o["kind"] == "Pod" && o["metadata"]["name"] == scenario.target.name.as_str());
    pod.is_some_and(|pod| {
        let lists = ["initContainerStatuses", "containerStatuses"].map(|list| pod["status"][list].as_array());
        let runs = lists.into_iter().flatten().flatten().any(|c| c["state"].get("running").is_some());
        !runs && pod["metadata"].get("ownerReferences").is_none()
    })
}

/// What reads and nothing else; `exec` runs the probe that the kubelet runs every few seconds anyway.
const READING: [&str; 9] = ["get", "describe", "logs", "events", "auth", "explain", "top", "exec", "rollout status"];

#[test]
fn what_changes_something_says_what_and_what_looks_changes_nothing() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        for remedy in remedies(&scenario.reports()) {
            let Some(command) = &remedy.command else { continue };
            let argv = command.argv();
            let verb = [argv[1].clone(), argv[1..].iter().take(2).cloned().collect::<Vec<_>>().join(" ")];
            let reads = verb.iter().any(|v| READING.contains(&v.as_str()));
            match remedy.effect {
                Effect::Look if !reads => wrong.push(format!("{}: looks with {command}", scenario.name)),
                Effect::Change | Effect::LastResort if remedy.say.trim().is_empty() => {
                    wrong.push(format!("{}: does not say what it changes: {command}", scenario.name));
                }
                _ => {}
            }
            let remade = argv.get(1).is_some_and(|verb| verb == "replace") && runs_nothing(&scenario);
            if argv.iter().any(|a| a == "delete" || a == "--force" || a == "replace")
                && remedy.effect != Effect::LastResort
                && !remade
            {
                wrong.push(format!("{}: loses something and is no last resort: {command}", scenario.name));
            }
        }
    }
    all_well(wrong);
}

#[test]
fn no_command_changes_anything_in_another_namespace() {
    for scenario in scenarios() {
        for remedy in remedies(&scenario.reports()).filter(|r| r.effect != Effect::Look) {
            let Some(command) = &remedy.command else { continue };
            let argv = command.argv();
            assert_eq!(argv[0], "kubectl");
            assert!(!argv.iter().any(|a| a == "-A" || a == "--all-namespaces"), "{}: {command}", scenario.name);
            if let Some(place) = argv.iter().position(|a| a == "-n" || a == "--namespace") {
                assert_eq!(argv[place + 1], scenario.target.namespace, "{}: {command}", scenario.name);
            }
        }
    }
}
