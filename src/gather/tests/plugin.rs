#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::{Folder, nowhere, run};
use crate::gather::session::Session;
use crate::gather::{Connect, ConnectError};

const VERSION: &str = "client.authentication.k8s.io/v1";

fn open(folder: &Folder, script: &str, extra: &str) -> Result<Session, ConnectError> {
    let plugin = folder.write("plugin", &format!("#!/bin/sh\necho run >> \"$(dirname \"$0\")/runs\"\n{script}\n"));
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).expect("an executable");
    let config = format!(
        "current-context: x\nclusters:\n- name: c\n  cluster:\n    server: http://127.0.0.1:1\n    extensions:\n    - {{name: client.authentication.k8s.io/exec, extension: {{audience: me}}}}\n\
         users:\n- name: u\n  user:\n    exec: {{apiVersion: {VERSION}, command: ./plugin, args: [SECRET-ARG], interactiveMode: Never{extra}}}\n\
         contexts:\n- {{name: x, context: {{cluster: c, user: u}}}}\n"
    );
    let connect = Connect { kubeconfig: Some(folder.write("config", &config)), ..Connect::default() };
    run(Session::open(&connect, &nowhere()))
}

fn authorization(session: Session) -> Option<String> {
    session
        .headers
        .iter()
        .find(|(name, _)| name.as_str() == "authorization")
        .and_then(|(_, v)| v.to_str().ok().map(str::to_owned))
}

fn error(script: &str, extra: &str) -> String {
    let text = open(&Folder::new(), script, extra).err().map(|e| e.to_string()).expect("an error");
    assert!(!text.contains("SECRET"), "{text}");
    text
}

#[test]
fn a_plugin_runs_once_and_its_token_is_used() {
    let folder = Folder::new();
    let script = format!(
        "printf '%s' '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"{VERSION}\",\"status\":{{\"token\":\"SECRET\"}}}}'"
    );
    let session = open(&folder, &script, "").expect("a session");
    assert_eq!(authorization(session).as_deref(), Some("Bearer SECRET"));
    assert_eq!(std::fs::read_to_string(folder.0.join("runs")).ok().as_deref(), Some("run\n"));
}

#[test]
fn a_plugin_may_answer_in_yaml_with_a_certificate() {
    let script = format!(
        "printf 'apiVersion: {VERSION}\\nkind: ExecCredential\\nstatus:\\n  clientCertificateData: CERT\\n  clientKeyData: KEY\\n'"
    );
    let session = open(&Folder::new(), &script, "").expect("a session");
    assert_eq!(session.identity, Some((b"CERT".to_vec(), b"KEY".to_vec())));
}

#[test]
fn a_plugin_is_told_about_the_cluster_and_has_its_own_environment() {
    let folder = Folder::new();
    let script = format!(
        "printf '%s' \"$KUBERNETES_EXEC_INFO\" > \"$(dirname \"$0\")/info\"; printf 'apiVersion: {VERSION}\\nstatus: {{token: \"%s\"}}' \"$MINE\""
    );
    let session =
        open(&folder, &script, ", provideClusterInfo: true, env: [{name: MINE, value: abc}]").expect("a session");
    assert_eq!(authorization(session).as_deref(), Some("Bearer abc"));
    let info: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.0.join("info")).expect("the info")).expect("JSON");
    assert_eq!(info.pointer("/spec/cluster/server").and_then(|v| v.as_str()), Some("http://127.0.0.1:1"));
    assert_eq!(info.pointer("/spec/cluster/config/audience").and_then(|v| v.as_str()), Some("me"));
    assert_eq!(info.pointer("/spec/interactive").and_then(|v| v.as_bool()), Some(false));
}

#[test]
fn what_a_failing_plugin_prints_is_not_repeated() {
    assert!(error("echo SECRET; exit 3", "").contains("exit code 3"));
    assert!(error("echo SECRET", "").contains("ExecCredential"));
    assert!(error(&format!("echo '{{\"apiVersion\":\"{VERSION}\",\"status\":{{}}}}'"), "").contains("neither a token"));
    assert!(error("echo '{\"apiVersion\":\"v0\",\"status\":{\"token\":\"SECRET\"}}'", "").contains("v0"));
}

#[test]
fn an_absent_plugin_says_how_to_install_it() {
    let folder = Folder::new();
    let config = format!(
        "current-context: x\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:1\"}}}}]\nusers:\n- name: u\n  user:\n    exec: {{apiVersion: {VERSION}, command: no-such-plugin-x, installHint: Get it from the vault}}\n\
         contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
    );
    let mut connect = Connect { kubeconfig: Some(folder.write("config", &config)), ..Connect::default() };
    let text = run(Session::open(&connect, &nowhere())).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(text.contains("no-such-plugin-x") && text.contains("Get it from the vault"), "{text}");
    connect.token = Some("given".to_owned());
    assert!(run(Session::open(&connect, &nowhere())).is_ok(), "whoever gives a token needs no plugin");
}

#[test]
fn nothing_is_asked_while_completing() {
    let folder = Folder::new();
    let config = format!(
        "current-context: x\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:1\"}}}}]\nusers:\n- name: u\n  user:\n    exec: {{apiVersion: {VERSION}, command: cat, interactiveMode: Always}}\n\
         contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n"
    );
    let connect =
        Connect { kubeconfig: Some(folder.write("config", &config)), never_interactive: true, ..Connect::default() };
    let text = run(Session::open(&connect, &nowhere())).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(text.contains("no terminal"), "{text}");
}
