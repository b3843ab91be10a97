//! Input without measure is refused or bounded, in time and in memory, with an error that says so.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::scenarios;
use kubectl_why::gather::file;
use kubectl_why::render::{Style, json, text};
use kubectl_why::snapshot::{Log, Snapshot, Target};
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

/// A file that is removed at the end of a test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(content: &[u8]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("kubectl-why-limits-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs the program on a file with at most that much address space, its own code and stack included.
fn run(file: &Temporary, mebibytes: usize) -> Output {
    let script = format!("ulimit -v {} 2>/dev/null; exec \"$0\" pod/x -n n -f \"$1\"", mebibytes * 1024);
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_kubectl-why"), file.0.to_str().unwrap()]).stdin(Stdio::null());
    command.output().unwrap()
}

#[track_caller]
fn refused(out: &Output, word: &str) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.starts_with("error: ") && said.contains(word) && said.len() < 1000, "{said}");
}

/// Time spent by this thread alone where the system tells: other tests run beside this one.
struct CpuTime(Duration, Instant);

impl CpuTime {
    fn start() -> Self {
        Self(Self::used().unwrap_or_default(), Instant::now())
    }

    fn used() -> Option<Duration> {
        let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }

    fn so_far(&self) -> Duration {
        Self::used().map_or_else(|| self.1.elapsed(), |used| used.saturating_sub(self.0))
    }

    #[track_caller]
    fn within(&self, seconds: u64) {
        assert!(self.so_far() < Duration::from_secs(seconds), "it took {:?}", self.so_far());
    }
}

#[test]
fn a_file_without_end_is_refused() {
    let file = Temporary::new(b"");
    fs::File::options().write(true).open(&file.0).unwrap().set_len(300 * MIB as u64).unwrap();
    let started = CpuTime::start();
    refused(&run(&file, 512), "128 MiB");
    started.within(10);
}

/// Ten aliases to ten aliases, fifteen times over.
fn bomb() -> String {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (before, name) in "abcdefghijklmno".chars().zip("bcdefghijklmnop".chars()) {
        bomb.push_str(&format!("{name}: &{name} [{}*{before}]\n", format!("*{before},").repeat(9)));
    }
    bomb
}

#[test]
fn small_files_that_take_much_memory_are_refused() {
    let values = format!("[{}0]", "{\"\":0},".repeat(3 * MIB / 7));
    refused(&run(&Temporary::new(values.as_bytes()), 300), "");
    let started = CpuTime::start();
    refused(&run(&Temporary::new(bomb().as_bytes()), 300), "");
    assert!(file::from_bytes("x", bomb().into_bytes()).is_err());
    started.within(10);
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let started = CpuTime::start();
    for (open, close) in [("{\"kind\":\"List\",\"items\":[", "]}"), ("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}0{}", open.repeat(10_000), close.repeat(10_000));
        let said = file::from_bytes("x", deep.into_bytes()).unwrap_err().to_string();
        assert!(said.contains("nested"), "{said}");
    }
    for deep in ["- ".repeat(10_000), "? ".repeat(10_000), "[".repeat(10_000), "a: {".repeat(10_000)] {
        assert!(file::from_bytes("x", format!("x: 1\ny:\n {deep}").into_bytes()).is_err());
    }
    started.within(10);
}

fn target() -> Target {
    Target { kind: "Pod", namespace: "n".to_owned(), name: "p".to_owned() }
}

fn crashed() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "app", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 3, "image": "i", "imageID": "",
            "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:10:00Z"}}}]}})
}

/// Log lines of 10 MiB that are the worst for what looks for secrets and for what is telling in them.
#[test]
fn a_log_line_of_10_mebibytes_is_read_in_time() {
    let lines = [
        "x".repeat(10 * MIB),
        "password=".repeat(10 * MIB / 9),
        "password: \"".repeat(10 * MIB / 11),
        "://a:b@".repeat(10 * MIB / 7),
        "eyJhbGciOi.".repeat(10 * MIB / 11),
        "token ".repeat(10 * MIB / 6),
        "a.b-c_".repeat(10 * MIB / 6),
        "\\\"".repeat(5 * MIB),
        "-----BEGIN PRIVATE KEY-----".repeat(10 * MIB / 27),
        "Error: Exception: panic: fatal: ".repeat(10 * MIB / 32),
        "curl -u ".repeat(10 * MIB / 8),
        "é".repeat(5 * MIB),
    ];
    for line in lines {
        let kind: String = line.chars().take(12).collect();
        let started = CpuTime::start();
        let mut snapshot = Snapshot::new(kubectl_why::snapshot::Header {
            namespace: "n".to_owned(),
            logs: vec![Log { pod: "p".to_owned(), container: "app".to_owned(), previous: true, text: line }],
            ..Default::default()
        });
        snapshot.add(crashed());
        let reports = kubectl_why::diagnose(&snapshot, &target());
        let page = text::text(&reports, Style::default());
        assert!(page.len() < MIB, "{kind}: {} bytes", page.len());
        eprintln!("{kind}: {:?}", started.so_far());
        started.within(10);
    }
}

#[test]
fn thousands_of_events_are_told_apart_in_time() {
    let count = if std::env::var_os("LIMITS_FULL").is_some() { 100_000 } else { 10_000 };
    let reasons = ["BackOff", "Failed", "FailedScheduling", "Unhealthy", "FailedMount"];
    let event = |n: usize| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("p.{n}"), "namespace": "n"}, "type": "Warning",
            "reason": reasons[n % 5],
            "message": format!("{}/5 nodes are available: {n} Insufficient cpu, {n} node(s) had untolerated taint {{a: b}}.", n % 5),
            "lastTimestamp": "2026-01-01T00:10:00Z", "count": n,
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "n", "uid": "u"}})
    };
    let mut items: Vec<Value> = (0..count).map(event).collect();
    items.push(crashed());
    let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    drop(items);
    let started = CpuTime::start();
    let snapshot = file::from_bytes("x", text.into_bytes()).unwrap();
    let read = started.so_far();
    let reports = kubectl_why::diagnose(&snapshot, &target());
    let page = text::text(&reports, Style::default());
    eprintln!("{count} events: read in {read:?}, told in {:?}", started.so_far() - read);
    assert!(page.len() < MIB && json::json(&reports).len() < 8 * MIB, "{}", page.len());
    started.within(10);
}

#[test]
fn thousands_of_everything_else_are_bounded_too() {
    let scenario = scenarios().into_iter().find(|s| s.name == "sched-cpu-node-not-ready").unwrap();
    let mut list = scenario.list.clone();
    let items = list["items"].as_array_mut().unwrap();
    for n in 0..2000 {
        for kind in ["Node", "Pod"] {
            let Some(mut copy) = items.iter().find(|i| i["kind"] == kind).cloned() else { continue };
            copy["metadata"]["name"] = format!("copy-{n}").into();
            items.push(copy);
        }
    }
    let started = CpuTime::start();
    let reports = kubectl_why::diagnose(&common::from_list(&list), &scenario.target);
    let page = text::text(&reports, Style::default());
    eprintln!("2000 nodes and pods: {:?}, {} bytes", started.so_far(), page.len());
    assert!(page.len() < MIB);
    started.within(10);
}

#[test]
fn a_pod_of_countless_containers_is_not_read_into_memory() {
    for list in ["containers", "initContainers", "volumes"] {
        let many: Vec<String> = (0..60_000).map(|n| format!("{{\"name\":\"c{n}\"}}")).collect();
        let pod = format!(
            "{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"x\",\"namespace\":\"n\"}},\"spec\":{{\"{list}\":[{}]}}}}",
            many.join(",")
        );
        let out = run(&Temporary::new(pod.as_bytes()), 256);
        let said = String::from_utf8_lossy(&out.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.status.success() && said.contains("larger than any pod's"), "{said}{:?}", out.status);
    }
}
