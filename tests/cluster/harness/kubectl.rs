//! The real kubectl, with the built plugin on its PATH.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::server::Server;
use super::{wait_for, watchdog};

/// No command of a test takes longer.
const LONGEST: Duration = Duration::from_secs(90);

/// What a command did.
pub struct Output {
    pub status: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Output {
    /// The diagnoses of `kubectl why -o json`.
    #[track_caller]
    pub fn reports(&self) -> Vec<Value> {
        let tree: Value = serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("no report: {e}\nstatus {}\n{}\n{}", self.status, self.out, self.err));
        match tree["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![tree],
        }
    }

    /// The diagnosis of `kubectl why -o json`.
    #[track_caller]
    pub fn report(&self) -> Report {
        let mut reports = self.reports();
        assert_eq!(reports.len(), 1, "{}", self.out);
        Report(reports.remove(0))
    }
}

/// A diagnosis as JSON.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    pub fn reasons(&self) -> Vec<&str> {
        let causes = self.0["causes"].as_array();
        causes.into_iter().flatten().filter_map(|c| c["reason"].as_str()).collect()
    }

    pub fn cause(&self, reason: &str) -> Option<&Value> {
        self.0["causes"].as_array()?.iter().find(|c| c["reason"] == reason)
    }

    /// Whether a cause or what hangs under one has that reason.
    pub fn says(&self, reason: &str) -> bool {
        let symptoms = self.0["causes"].as_array().into_iter().flatten().filter_map(|c| c["symptoms"].as_array());
        self.cause(reason).is_some() || symptoms.flatten().any(|s| s.as_str() == Some(reason))
    }

    /// The questions that were not answered, and why, one a line.
    pub fn gaps(&self) -> String {
        let gaps = self.0["gaps"].as_array();
        let line =
            |g: &Value| format!("{}: {}\n", g["question"].as_str().unwrap_or(""), g["why"].as_str().unwrap_or(""));
        gaps.into_iter().flatten().map(line).collect()
    }

    #[track_caller]
    pub fn must_have_cause(&self, reason: &str) -> &Value {
        let found = self.cause(reason);
        found.unwrap_or_else(|| {
            panic!("{:?} lack {reason}\n{}", self.reasons(), serde_json::to_string_pretty(&self.0).unwrap())
        })
    }
}

/// kubectl as one user.
pub struct Kubectl {
    program: PathBuf,
    config: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    pub fn new(server: &Server, config: &Path) -> Self {
        Self { program: server.kubectl.clone(), config: config.to_owned(), home: server.dir.join("home") }
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", programs().display()))
            .env("HOME", &self.home)
            .env("KUBECACHEDIR", self.home.join("cache"))
            .env("KUBECONFIG", &self.config)
            // Where a plugin that measures coverage writes it.
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .envs(environment.iter().copied());
        run(&mut command)
    }

    /// `kubectl why … -o json`.
    pub fn why(&self, arguments: &[&str]) -> Output {
        self.run(&[&["why"], arguments, &["-o", "json"]].concat())
    }
}

/// Runs a command to its end.
fn run(command: &mut Command) -> Output {
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > LONGEST {
            let _ = child.kill();
            panic!("{command:?} still runs after {LONGEST:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = begin.elapsed();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Output { status: status.code().unwrap_or(-1), out: text(out.join().unwrap()), err: text(err.join().unwrap()), took }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    let mut stream = stream.expect("piped");
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// A directory with the plugin and its completion, and nothing else.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let dir = watchdog::scratch().join("bin");
        std::fs::create_dir_all(&dir).unwrap();
        let link = |from: &Path, name: &str| std::os::unix::fs::symlink(from, dir.join(name)).unwrap();
        link(Path::new(env!("CARGO_BIN_EXE_kubectl-why")), "kubectl-why");
        let completion = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/kubectl_complete-why");
        if completion.exists() {
            link(&completion, "kubectl_complete-why");
        }
        dir
    })
}

/// Asks until the report has what a controller needs a moment to bring about.
#[track_caller]
pub fn eventually(kubectl: &Kubectl, target: &str, namespace: &str, reason: &str) -> Report {
    let mut last = String::new();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(45) {
        let output = kubectl.why(&[target, "-n", namespace]);
        if output.status == 0 {
            let found = output.reports().into_iter().map(Report).find(|r| r.cause(reason).is_some());
            if let Some(report) = found {
                return report;
            }
        }
        last = format!("{}{}", output.out, output.err);
        std::thread::sleep(Duration::from_millis(300));
    }
    panic!("{target} never came to {reason}:\n{last}");
}

/// Waits for an event about an object and gives its message.
#[track_caller]
pub fn event(server: &Server, namespace: &str, name: &str, reason: &str) -> String {
    let path =
        format!("/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name%3D{name},reason%3D{reason}");
    wait_for(&format!("{reason} about {name}"), Duration::from_secs(30), || {
        let newest = server.admin.list(&path).pop()?;
        newest["message"].as_str().or_else(|| newest["note"].as_str()).map(str::to_owned)
    })
}
