//! Credential plugins: a command of the kubeconfig that prints a token or a client certificate. It runs once.

use std::io::IsTerminal;
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};

use super::connect::{ConnectError, one_line};
use super::kubeconfig::{Cluster, Exec};

/// What a plugin printed. No `Debug`.
#[derive(Default)]
pub(super) struct Credentials {
    pub(super) token: Option<String>,
    /// Certificate and key, both PEM.
    pub(super) certificate: Option<(String, String)>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExecCredential {
    api_version: Option<String>,
    status: Option<ExecStatus>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExecStatus {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the plugin. Its standard error is the user's; its standard output holds credentials and is never shown.
///
/// # Errors
/// One or two sentences that name the command, never its arguments or output.
pub(super) async fn run(
    exec: &Exec,
    cluster: &Cluster,
    ca: Option<&[u8]>,
    may_ask: bool,
) -> Result<Credentials, ConnectError> {
    let command = exec.command.as_deref().unwrap_or_default();
    let shown = one_line(command, 200);
    let version = exec.api_version.as_deref().unwrap_or_default();
    if command.is_empty() {
        return Err(ConnectError::new("the kubeconfig's credential plugin (users[].user.exec) has no command"));
    }
    if !matches!(version, "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1") {
        return Err(ConnectError::new(format!(
            "the credential plugin {shown} is configured for apiVersion \"{}\"; kubectl knows client.authentication.k8s.io/v1 and v1beta1: update the plugin and the kubeconfig",
            one_line(version, 80)
        )));
    }
    let interactive = match exec.interactive_mode.as_deref() {
        Some("Never") => false,
        Some("Always") if may_ask && std::io::stdin().is_terminal() => true,
        Some("Always") => {
            return Err(ConnectError::new(format!(
                "the credential plugin {shown} must ask you something, and standard input is no terminal: run it in a terminal first"
            )));
        }
        _ => may_ask && std::io::stdin().is_terminal(),
    };
    let mut process = tokio::process::Command::new(command);
    process.args(exec.args.iter().flatten()).stderr(Stdio::inherit()).stdout(Stdio::piped()).kill_on_drop(true);
    process.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    for variable in exec.env.iter().flatten() {
        if let Some(name) = variable.name.as_deref().filter(|n| !n.is_empty() && !n.contains(['=', '\0'])) {
            process.env(name, variable.value.as_deref().unwrap_or_default());
        }
    }
    process.env("KUBERNETES_EXEC_INFO", info(exec, cluster, ca, interactive).to_string());
    let output = process.output().await.map_err(|e| not_run(exec, &shown, &e))?;
    if !output.status.success() {
        let how = output
            .status
            .code()
            .map_or_else(|| "was killed by a signal".to_owned(), |code| format!("ended with exit code {code}"));
        return Err(ConnectError::new(format!(
            "the credential plugin {shown} {how}; what it said stands above. Log in again, or run it by hand"
        )));
    }
    read(&shown, version, &output.stdout)
}

/// What a plugin is told in `KUBERNETES_EXEC_INFO`.
fn info(exec: &Exec, cluster: &Cluster, ca: Option<&[u8]>, interactive: bool) -> Value {
    let mut info =
        json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": {"interactive": interactive}});
    if exec.provide_cluster_info == Some(true) {
        let mut about = json!({"server": cluster.server});
        let config = cluster
            .extensions
            .iter()
            .flatten()
            .find(|e| e.name.as_deref() == Some("client.authentication.k8s.io/exec"));
        let optional = [
            ("tls-server-name", cluster.tls_server_name.clone().map(Value::from)),
            ("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify.filter(|skip| *skip).map(Value::from)),
            ("certificate-authority-data", ca.map(|pem| base64(pem).into())),
            ("proxy-url", cluster.proxy_url.clone().filter(|url| !url.is_empty()).map(Value::from)),
            ("config", config.map(|e| e.extension.clone())),
        ];
        for (key, value) in optional {
            if let (Some(value), Some(map)) = (value, about.as_object_mut()) {
                map.insert(key.to_owned(), value);
            }
        }
        if let Some(Value::Object(spec)) = info.get_mut("spec") {
            spec.insert("cluster".to_owned(), about);
        }
    }
    info
}

fn not_run(exec: &Exec, shown: &str, error: &std::io::Error) -> ConnectError {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "it is not installed or not in PATH".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    };
    let hint = exec.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty());
    let hint = hint.map_or_else(String::new, |hint| {
        format!("\n{}", hint.lines().map(|l| one_line(l, 300)).collect::<Vec<_>>().join("\n"))
    });
    ConnectError::new(format!("cannot run the credential plugin {shown} of the kubeconfig: {why}{hint}"))
}

fn read(shown: &str, version: &str, output: &[u8]) -> Result<Credentials, ConnectError> {
    let parsed: Option<ExecCredential> =
        serde_json::from_slice(output).ok().or_else(|| serde_saphyr::from_slice(output).ok());
    let wrong = |what: &str| {
        ConnectError::new(format!("the credential plugin {shown} printed no usable ExecCredential: {what}"))
    };
    let credential = parsed.ok_or_else(|| wrong("it is neither JSON nor YAML of that kind"))?;
    if credential.api_version.as_deref() != Some(version) {
        let got = one_line(credential.api_version.as_deref().unwrap_or_default(), 80);
        return Err(wrong(&format!("the kubeconfig asks for apiVersion {version}, and the plugin answered \"{got}\"")));
    }
    let status = credential.status.ok_or_else(|| wrong("it has no status"))?;
    let filled = |text: Option<String>| text.filter(|t| !t.is_empty());
    let token = filled(status.token);
    match (filled(status.client_certificate_data), filled(status.client_key_data)) {
        (Some(certificate), Some(key)) => Ok(Credentials { token, certificate: Some((certificate, key)) }),
        (None, None) if token.is_some() => Ok(Credentials { token, certificate: None }),
        (None, None) => Err(wrong("it has neither a token nor a client certificate")),
        _ => Err(wrong("it has only one of client certificate and key")),
    }
}

/// Base64, by the type with which Kubernetes writes it.
pub(super) fn base64(bytes: &[u8]) -> String {
    let value = serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The bytes of base64.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    serde_json::from_value::<k8s_openapi::ByteString>(Value::String(text)).ok().map(|b| b.0)
}
