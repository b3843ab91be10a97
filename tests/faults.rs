//! Every question of a run, failing in every way: the report is made from what is there, names what is missing, and claims
//! nothing from it. Only the target itself is needed.

mod common;
#[path = "common/server.rs"]
mod server;

use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::{Scenario, all_well, scenarios};
use kubectl_why::finding::Certainty;
use kubectl_why::gather::{Client, Connect, Fatal, Options, Surroundings, gather};
use kubectl_why::render::{Style, text};
use kubectl_why::report::Report;
use server::{FAULTS, Fault, serve};

/// Recorded failures whose runs ask different questions.
const RUNS: [&str; 6] = [
    "cfg-cm-env",
    "img-pullsecret-missing",
    "sched-cpu-node-not-ready",
    "vol-csi-missing",
    "term-finalizer",
    "oom-limit",
];

struct Run {
    /// Path and query of every question, the target's own first.
    asked: Vec<String>,
    reports: Result<Vec<Report>, Fatal>,
}

/// Gathers and diagnoses a recorded failure with the clock of its recording.
fn run(scenario: &Scenario, failing: Option<(String, Fault)>) -> Run {
    let slow = failing.as_ref().is_some_and(|(_, fault)| matches!(fault, Fault::Hang | Fault::Endless));
    let url =
        serve(scenario.list.clone(), move |path| failing.as_ref().filter(|(p, _)| p == path).map(|(_, fault)| *fault));
    let connect = Connect {
        server: Some(url),
        token: Some("hunter2-token".to_owned()),
        request_timeout: Some(Duration::from_millis(if slow { 700 } else { 8000 })),
        ..Connect::default()
    };
    let nowhere = Surroundings { var: |_| None, home: None, service_account: "/nonexistent".into() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect_from(&connect, &nowhere).await.unwrap();
        let gathered = gather(&client, &scenario.target, &Options::default()).await;
        let own = format!("/{}", scenario.target.name);
        let mut asked: Vec<String> = client.records().into_iter().map(|r| r.path).collect();
        asked.sort_by_key(|path| !path.ends_with(&own));
        asked.dedup();
        let reports = gathered.map(|mut snapshot| {
            snapshot.header.taken_at = serde_json::from_value(scenario.list["items"][0]["takenAt"].clone()).unwrap();
            kubectl_why::diagnose(&snapshot, &scenario.target)
        });
        Run { asked, reports }
    })
}

fn causes(reports: &[Report]) -> Vec<&'static str> {
    reports.iter().flat_map(|r| &r.causes).map(|c| c.rule.reason).collect()
}

/// What is wrong with a run in which one question failed.
fn fault_of(scenario: &Scenario, whole: &Run, path: &str, fault: Fault) -> Option<String> {
    let place = format!("{}: {path} fails with {fault:?}", scenario.name);
    let run = run(scenario, Some((path.to_owned(), fault)));
    let is_target = whole.asked.first().is_some_and(|first| first == path);
    let reports = match run.reports {
        Err(fatal) if is_target => {
            let said = fatal.to_string();
            let clean = !said.contains("hunter2") && !said.contains(['\u{1b}', '\n']) && said.len() < 1000;
            return (!clean).then(|| format!("{place}: {said}"));
        }
        Err(fatal) => return Some(format!("{place}: no report: {fatal}")),
        Ok(_) if is_target => return Some(format!("{place}: a report without its target")),
        Ok(reports) => reports,
    };
    let before = whole.reports.as_ref().map(|r| causes(r)).unwrap_or_default();
    let mut accepted: Vec<String> = before.iter().map(|c| (*c).to_owned()).collect();
    for key in ["cause", "causes", "withoutEvents"] {
        accepted.extend(scenario.strings(key));
    }
    // What the cluster's own words make possible may be said; what is not there proves nothing.
    let sure = reports.iter().flat_map(|r| &r.causes).filter(|c| c.finding.certainty != Certainty::Possible);
    if let Some(claim) = sure.map(|c| c.rule.reason).find(|c| !accepted.iter().any(|a| a == c)) {
        return Some(format!("{place}: claims {claim}, otherwise {before:?}"));
    }
    let page = text::text(&reports, Style::default());
    let same = whole.reports.as_ref().is_ok_and(|r| text::text(r, Style::default()) == page);
    let named = reports.iter().any(|r| !r.gaps.is_empty());
    // To a log there is no wrong answer.
    let any_text = path.contains("/log?") && matches!(fault, Fault::Garbage | Fault::Nonsense);
    (!same && !named && !any_text).then(|| format!("{place}: the report differs and does not say why\n{page}"))
}

#[test]
fn any_question_may_fail_in_any_way() {
    let mut work = Vec::new();
    let chosen: Vec<Scenario> = scenarios().into_iter().filter(|s| RUNS.contains(&s.name.as_str())).collect();
    assert_eq!(chosen.len(), RUNS.len());
    let whole: Vec<Run> = chosen.iter().map(|scenario| run(scenario, None)).collect();
    for (scenario, whole) in chosen.iter().zip(&whole) {
        let reports = whole.reports.as_ref().unwrap_or_else(|e| panic!("{}: {e}", scenario.name));
        assert_eq!(causes(reports), causes(&scenario.reports()), "{} from a server", scenario.name);
        work.extend(whole.asked.iter().flat_map(|path| FAULTS.map(|fault| (scenario, whole, path.clone(), fault))));
    }
    assert!(work.len() > 300, "{} faults", work.len());
    let (work, faults) = (Mutex::new(work), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((scenario, whole, path, fault)) = { work.lock().unwrap().pop() } {
                    let wrong = fault_of(scenario, whole, &path, fault);
                    faults.lock().unwrap().extend(wrong);
                }
            });
        }
    });
    all_well(faults.into_inner().unwrap());
}

/// Where a program that measures coverage writes it: all that is left of the environment.
fn coverage() -> Option<(&'static str, std::ffi::OsString)> {
    Some(("LLVM_PROFILE_FILE", std::env::var_os("LLVM_PROFILE_FILE")?))
}

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-why"));
    command.args(args).env_clear().envs(coverage()).env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn scenario(name: &str) -> Scenario {
    scenarios().into_iter().find(|s| s.name == name).unwrap()
}

fn asked_of(url: &str, scenario: &Scenario) -> Output {
    let target = format!("pod/{}", scenario.target.name);
    program(&[&target, "-n", &scenario.target.namespace, "-s", url, "--request-timeout", "5s"]).output().unwrap()
}

#[test]
fn the_exit_status_is_3_only_if_the_target_cannot_be_read() {
    let scenario = scenario("cfg-cm-env");
    let own = format!("/pods/{}", scenario.target.name);
    for fault in
        [Fault::Closed, Fault::Status(401), Fault::Status(403), Fault::Status(500), Fault::Garbage, Fault::Truncated]
    {
        let (end, others) = (own.clone(), own.clone());
        let out = asked_of(&serve(scenario.list.clone(), move |path| path.ends_with(&end).then_some(fault)), &scenario);
        assert_eq!(out.status.code(), Some(3), "{fault:?}");
        assert!(out.stdout.is_empty() && out.stderr.starts_with(b"error: "), "{fault:?} {out:?}");
        let out =
            asked_of(&serve(scenario.list.clone(), move |path| (!path.ends_with(&others)).then_some(fault)), &scenario);
        assert_eq!(out.status.code(), Some(0), "{fault:?} {out:?}");
        assert!(String::from_utf8_lossy(&out.stdout).contains("Not checked:"), "{fault:?} {out:?}");
    }
    let out = asked_of("http://127.0.0.1:1", &scenario);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("connection refused"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_at_once_and_leaves_the_terminal_alone() {
    use std::os::unix::process::ExitStatusExt;
    let url = serve(serde_json::json!({"items": []}), |_| Some(Fault::Hang));
    let mut child = program(&["pod/x", "-n", "a", "-s", &url, "--request-timeout", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(600));
    let started = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(status.signal() == Some(2) || status.code() == Some(130), "{status:?}");
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_it_silently_with_the_usual_status() {
    let file = scenario("sched-cpu-node-not-ready").dir.join("snapshot.json");
    for (flags, code) in [("", "0"), ("-o json", "0"), ("--exit-code", "1"), ("-o yaml --exit-code", "1")] {
        let out = Command::new("sh")
            .args([
                "-c",
                &format!("exec 3>&2; {{ sleep 0.3; \"$0\" -f \"$1\" {flags}; echo \"status $?\" >&3; }} | true"),
            ])
            .args([env!("CARGO_BIN_EXE_kubectl-why"), file.to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stderr), format!("status {code}\n"), "{flags}");
    }
}
