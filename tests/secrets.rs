//! Secrets planted wherever people put them do not come out: not in a saved snapshot, not in a report, not in an error.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::from_list;
use kubectl_why::render::{Style, json, text};
use serde_json::{Value, json};

/// Every planted secret holds this.
const MARK: &str = "hUnt3r";

/// A folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("kubectl-why-secrets-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where a program that measures coverage writes it: all that is left of the environment.
fn coverage() -> Option<(&'static str, std::ffi::OsString)> {
    Some(("LLVM_PROFILE_FILE", std::env::var_os("LLVM_PROFILE_FILE")?))
}

fn program(args: &[&str], home: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-why"));
    command.args(args).env_clear().envs(coverage()).env("HOME", home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command.output().unwrap()
}

fn shown(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

#[track_caller]
fn keeps_quiet(said: &str) {
    let at = said.find(MARK).map(|at| said.split_at(said.floor_char_boundary(at.saturating_sub(120))).1);
    assert!(at.is_none(), "{}", at.unwrap_or_default().chars().take(300).collect::<String>());
}

/// A container whose variables, arguments, probes and hooks hold secrets.
fn container(name: &str) -> Value {
    json!({"name": name, "image": "registry.example/app:1",
        "command": ["sh", "-c", format!("mysql -uroot -p{MARK}1 && curl -u admin:{MARK}2 https://api.example")],
        "args": ["--password", format!("{MARK}3"), format!("--api-token={MARK}4"), format!("--dsn=postgres://u:{MARK}5@db/x"),
            "--client-secret", format!("{MARK}6")],
        "env": [
            {"name": "DB_PASSWORD", "value": format!("{MARK}7")},
            {"name": "DATABASE_URL", "value": format!("postgresql://app:{MARK}8@db.example:5432/app?sslmode=require")},
            {"name": "JAVA_TOOL_OPTIONS", "value": format!("-Xmx1g -Djavax.net.ssl.keyStorePassword={MARK}9")},
            {"name": "SETTINGS", "value": format!("{{\"apiKey\": \"{MARK}10\", \"port\": 80}}")},
            {"name": "AWS_SECRET_ACCESS_KEY", "value": format!("{MARK}11")},
            {"name": "MONGO", "value": format!("mongodb+srv://svc:{MARK}12@cluster0.example.net/db")},
            {"name": "AZURE", "value": format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={MARK}13==;EndpointSuffix=x")},
        ],
        "livenessProbe": {"httpGet": {"port": 80, "path": format!("/health?token={MARK}14"),
            "httpHeaders": [{"name": "Authorization", "value": format!("Bearer {MARK}15")}, {"name": "X-Api-Key", "value": format!("{MARK}16")}]}},
        "lifecycle": {"preStop": {"exec": {"command": ["curl", "-H", format!("Authorization: Bearer {MARK}17"), "https://x"]}}}})
}

/// A snapshot's file with secrets in it.
fn planted() -> Value {
    let applied =
        json!({"data": {"password": format!("{MARK}20")}, "stringData": {"p": format!("{MARK}21")}}).to_string();
    let annotations = json!({
        "kubectl.kubernetes.io/last-applied-configuration": applied,
        "example.com/db-password": format!("{MARK}22"),
        "example.com/config": json!({"token": format!("{MARK}23"), "nested": [{"secret": format!("{MARK}24")}]}).to_string(),
        "example.com/url": format!("https://bot:{MARK}25@hooks.example/x"),
    });
    let managed = json!([{"manager": "kubectl", "operation": "Apply", "time": "2026-01-01T00:00:00Z",
        "fieldsV1": {"f:data": {format!("f:{MARK}26"): {}}}}]);
    let metadata = |name: &str| {
        json!({"name": name, "namespace": "shop", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": annotations, "managedFields": managed})
    };
    let terminated = json!({"exitCode": 1, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:05Z",
        "message": format!("login failed: password={MARK}30 for postgres://x:{MARK}31@db")});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "kubectl-why/v1", "kind": "Snapshot", "takenAt": "2026-01-01T01:00:00Z", "target": "pod/api", "namespace": "shop",
            "complete": ["secrets", "configmaps"],
            "logs": [{"pod": "api", "container": "app", "previous": true, "text": format!(
                "starting\nconnecting to amqp://svc:{MARK}40@mq:5672/\nAuthorization: Bearer {MARK}41abcdefgh\n\
                DB_PASSWORD={MARK}42\n{{\"level\":\"error\",\"client_secret\":\"{MARK}43\"}}\n\
                -----BEGIN RSA PRIVATE KEY-----\n{MARK}44\n-----END RSA PRIVATE KEY-----\nfatal: cannot log in\n")}]},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata("api"),
            "spec": {"containers": [container("app")], "initContainers": [container("init")]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 7, "ready": false,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
                "lastState": {"terminated": terminated}}]}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata("credentials"), "type": "Opaque",
            "data": {"password": format!("{MARK}50")}, "stringData": {"x": format!("{MARK}51")}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("settings"),
            "data": {"app.ini": format!("{MARK}52")}, "binaryData": {"b": format!("{MARK}53")}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("api"),
            "spec": {"template": {"metadata": {"annotations": {"x/secret": format!("{MARK}54")}}, "spec": {"containers": [container("app")]}}}},
        {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "api.1", "namespace": "shop"}, "type": "Warning", "reason": "Unhealthy",
            "message": format!("Readiness probe failed: curl https://u:{MARK}60@x/?access_token={MARK}61"),
            "involvedObject": {"kind": "Pod", "name": "api", "namespace": "shop", "uid": "u"}},
    ]})
}

#[test]
fn a_saved_snapshot_and_its_report_hold_none_of_the_planted_secrets() {
    let folder = Folder::new();
    let file = folder.put("in.json", &planted().to_string());
    for format in ["text", "json", "yaml"] {
        let saved = folder.0.join(format!("{format}.json"));
        let out = program(
            &["-f", file.to_str().unwrap(), "-o", format, "--save-snapshot", saved.to_str().unwrap()],
            &folder.0,
        );
        assert_eq!(out.status.code(), Some(0), "{}", shown(&out));
        keeps_quiet(&shown(&out));
        let written = fs::read_to_string(&saved).unwrap();
        keeps_quiet(&written);
        for kept in [
            "cannot log in",
            "\"settings\"",
            "app.ini",
            "DB_PASSWORD",
            "db.example:5432",
            "-Xmx1g",
            "registry.example/app:1",
        ] {
            assert!(written.contains(kept), "{kept} is of use and no secret");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn the_library_keeps_them_out_as_well() {
    let snapshot = from_list(&planted());
    keeps_quiet(&snapshot.to_list().to_string());
    keeps_quiet(&format!("{snapshot:?}"));
    let target = kubectl_why::snapshot::Target { kind: "Pod", namespace: "shop".to_owned(), name: "api".to_owned() };
    let reports = kubectl_why::diagnose(&snapshot, &target);
    keeps_quiet(&text::text(&reports, Style::default()));
    keeps_quiet(&json::json(&reports));
}

#[test]
fn errors_about_a_file_do_not_quote_it() {
    let folder = Folder::new();
    let texts = [
        format!("password: {MARK}\n  bad: [indent"),
        format!("{{\"password\": \"{MARK}\", }}"),
        format!("{{\"kind\": \"{MARK}\""),
        format!("kind: Pod\nmetadata: {{name: x, annotations: *{MARK}}}\n"),
        MARK.to_string(),
        format!("kind: Secret\nkind: Secret\ndata: !!int {MARK}\n"),
        format!("{{\"apiVersion\": \"kubectl-why/v1\", \"kind\": \"Snapshot\", \"takenAt\": \"{MARK}\"}}"),
        format!("{{\"apiVersion\": \"kubectl-why/v1\", \"kind\": \"Snapshot\", \"logs\": \"{MARK}\"}}"),
    ];
    for text in texts {
        let file = folder.put("x", &text);
        let out = program(&["pod/x", "-f", file.to_str().unwrap()], &folder.0);
        assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
        keeps_quiet(&shown(&out));
    }
}

fn kubeconfig(user: &str, cluster: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
        clusters:\n- name: k\n  cluster:\n    server: https://127.0.0.1:1\n{cluster}users:\n- name: u\n  user:\n{user}"
    )
}

#[test]
fn errors_about_a_kubeconfig_do_not_quote_it() {
    let folder = Folder::new();
    let pem = |what: &str| format!("-----BEGIN {what}-----\\n{MARK}\\n-----END {what}-----\\n");
    let files = [
        kubeconfig(&format!("    token: {MARK}\n   bad: indent\n"), ""),
        kubeconfig(&format!("    token: [{MARK}]\n"), ""),
        kubeconfig(&format!("    token: \"{MARK}\\u0001\"\n"), ""),
        kubeconfig(&format!("    token: {MARK}\n    username: {MARK}\n    password: {MARK}\n"), ""),
        kubeconfig(&format!("    client-certificate-data: {MARK}!\n    client-key-data: {MARK}!\n"), ""),
        kubeconfig(&format!("    client-certificate-data: {MARK}AA\n    client-key-data: {MARK}AA\n"), ""),
        kubeconfig(&format!("    auth-provider: {{name: oidc, config: {{client-secret: {MARK}}}}}\n"), ""),
        kubeconfig(&format!("    tokenFile: /nonexistent\n    password: {MARK}\n"), ""),
        kubeconfig("    token: x\n", &format!("    certificate-authority-data: {MARK}!\n")),
        kubeconfig("    token: x\n", &format!("    proxy-url: http://u:{MARK}@[bad\n")),
        kubeconfig("    token: x\n", &format!("    proxy-url: ftp://u:{MARK}@proxy:1\n")),
        kubeconfig("    token: x\n", &format!("    proxy-url: http://u:{MARK}@127.0.0.1:1\n")),
        kubeconfig("    token: x\n", "").replace("https://127", &format!("https://u:{MARK}@127")),
        kubeconfig("    token: x\n", "").replace("https://127", &format!("ht tps://u:{MARK}@127")),
        kubeconfig(&format!("    token: &a {MARK}\n    token: *b\n"), ""),
        format!("{MARK}: [\n"),
        pem("PRIVATE KEY"),
    ];
    for (n, text) in files.iter().enumerate() {
        let file = folder.put(&format!("config-{n}"), text);
        let out = program(&["pod/x", "-v", "--kubeconfig", file.to_str().unwrap()], &folder.0);
        assert_eq!(out.status.code(), Some(3), "{n}: {}", shown(&out));
        keeps_quiet(&shown(&out));
        assert!(out.stderr.windows(7).any(|w| w == b"error: "), "{n}: {}", shown(&out));
    }
}

#[cfg(unix)]
#[test]
fn what_a_credential_plugin_prints_is_not_repeated() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let credential = format!(
        r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"{MARK}"}}}}"#
    );
    let scripts = [
        format!("echo {MARK}; exit 3"),
        format!("echo '{credential}'; exit 1"),
        format!("echo {MARK}"),
        format!("echo 'token: [{MARK}'"),
        format!("echo '{}'", credential.replace("/v1", "/v9")),
        format!("printf '%s' '{credential}' | head -c 100"),
        format!("kill -9 $$ # {MARK}"),
        format!("echo '{}'", credential.replace("\"token\"", "\"clientKeyData\"")),
        format!("echo '{credential}'"),
    ];
    for (n, script) in scripts.iter().enumerate() {
        let plugin = folder.put("plugin", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&plugin, fs::Permissions::from_mode(0o700)).unwrap();
        let exec = format!(
            "    exec: {{apiVersion: client.authentication.k8s.io/v1, command: {}, interactiveMode: Never, args: [--secret, {MARK}], env: [{{name: A, value: {MARK}}}]}}\n",
            plugin.display()
        );
        let file = folder.put("config", &kubeconfig(&exec, ""));
        let out = program(&["pod/x", "-v", "--kubeconfig", file.to_str().unwrap()], &folder.0);
        assert_eq!(out.status.code(), Some(3), "{n}: {}", shown(&out));
        keeps_quiet(&shown(&out));
    }
}
