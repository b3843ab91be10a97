//! Who asks, and what they may not ask: the report comes with what may be read, and names what may not.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::tests;
use crate::harness::kubeconfig::User;
use crate::harness::kubectl::{Kubectl, Output, Report};
use crate::harness::pki::Pki;
use crate::harness::scene::{Scene, pod};

tests![
    the_administrators_certificate,
    a_viewer_who_may_not_read_secrets_and_nodes,
    a_user_who_may_only_get_pods,
    a_user_who_may_do_nothing,
    a_certificate_that_has_expired,
    an_authority_that_signed_another_server,
    a_token_that_nobody_knows,
    a_credential_plugin,
    impersonation,
    a_context_without_namespace,
    a_pod_that_does_not_exist,
];

/// `kubectl why pod/mail` as that user, in JSON.
fn why(scene: &Scene, name: &str, user: &User) -> Output {
    let config = scene.server.kubeconfig(&format!("{}-{name}", scene.namespace), user, Some(&scene.namespace));
    Kubectl::new(scene.server, &config).why(&["pod/mail"])
}

/// The refusal is one sentence, without debug text and credentials, and there is no report.
#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    assert_eq!(output.status, 3, "{}{}", output.out, output.err);
    assert_eq!(output.out, "");
    assert!(output.err.starts_with("error: ") && output.err.trim().lines().count() == 1, "{}", output.err);
    for word in words {
        assert!(output.err.contains(word), "{word} is not in {}", output.err);
    }
    for never in ["token-", "-token", "Bearer", "Error {", "Some(", "panicked", "BEGIN"] {
        assert!(!output.err.contains(never), "{}", output.err);
    }
}

/// The reasons and headlines, which do not depend on who asks.
fn said(report: &Report) -> Vec<(Value, Value)> {
    let causes = report.0["causes"].as_array();
    causes.into_iter().flatten().map(|c| (c["reason"].clone(), c["headline"].clone())).collect()
}

fn the_administrators_certificate() {
    let scene = Scene::without_its_secret("cert");
    let user = User::certificate(&scene.server.pki.user("alice", "system:masters", 2100));
    let report = why(&scene, "alice", &user).report();
    report.must_have_cause("SecretMissing");
    assert_eq!(report.gaps(), "");
}

fn a_viewer_who_may_not_read_secrets_and_nodes() {
    let scene = Scene::without_its_secret("view");
    let report = why(&scene, "viewer", &User::token("viewer-token")).report();
    report.must_have_cause("SecretMissing");
    assert_eq!(said(&report), said(&why(&scene, "admin", &User::token("admin-token")).report()));
    let gaps = report.gaps();
    assert!(gaps.contains("forbidden") && gaps.contains("secrets") && gaps.contains("nodes"), "{gaps}");
    assert!(!gaps.contains("events"), "{gaps}");
    let text = scene.kubectl.run(&["why", "pod/mail", "--as=viewer"]).out;
    assert!(text.contains("Not checked"), "{text}");
}

fn a_user_who_may_only_get_pods() {
    let scene = Scene::without_its_secret("only");
    let report = why(&scene, "pod-reader", &User::token("pod-reader-token")).report();
    report.must_have_cause("SecretMissing");
    let gaps = report.gaps();
    for resource in ["secrets", "nodes", "events"] {
        assert!(gaps.contains(resource), "{gaps}");
    }
}

fn a_user_who_may_do_nothing() {
    let scene = Scene::without_its_secret("nobody");
    refused(&why(&scene, "nobody", &User::token("nobody-token")), &["pod/mail", "forbidden", "nobody", "get pods"]);
}

fn a_certificate_that_has_expired() {
    let scene = Scene::without_its_secret("expired");
    let user = User::certificate(&scene.server.pki.user("alice", "system:masters", 2021));
    refused(&why(&scene, "alice", &user), &["401", "credentials", "certificate"]);
}

fn an_authority_that_signed_another_server() {
    let scene = Scene::new("authority");
    let config = scene.server.kubeconfig(&scene.namespace, &User::token("admin-token"), None);
    let mut tree: Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    let other = crate::harness::etcd::base64(Pki::new().certificate().as_bytes());
    tree["clusters"][0]["cluster"]["certificate-authority-data"] = json!(other);
    std::fs::write(&config, tree.to_string()).unwrap();
    refused(
        &Kubectl::new(scene.server, &config).why(&["pod/mail"]),
        &["127.0.0.1", "not trusted", "certificate-authority"],
    );
}

fn a_token_that_nobody_knows() {
    let scene = Scene::new("stranger");
    refused(&why(&scene, "stranger", &User::token("a-secret-of-mine")), &["401", "credentials", "stranger"]);
    assert!(!why(&scene, "stranger", &User::token("a-secret-of-mine")).err.contains("a-secret-of-mine"));
}

fn a_credential_plugin() {
    let scene = Scene::without_its_secret("plugin");
    let program = scene.server.dir.join("plugin.sh");
    let runs = scene.server.dir.join("plugin.runs");
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "admin-token"},
    });
    std::fs::write(&program, format!("#!/bin/sh\necho run >> '{}'\necho '{credential}'\n", runs.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let report = why(&scene, "plugin", &User::plugin(&program)).report();
    report.must_have_cause("SecretMissing");
    assert_eq!(report.gaps(), "");
    assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\n", "once for all questions");
}

fn impersonation() {
    let scene = Scene::without_its_secret("as");
    let user = User::token("admin-token").acting_as("viewer", &["system:authenticated"]);
    assert!(why(&scene, "acting", &user).report().gaps().contains("secrets"));
    let output = scene.kubectl.why(&["pod/mail", "--as=nobody"]);
    refused(&output, &["forbidden", "nobody"]);
}

fn a_context_without_namespace() {
    let scene = Scene::new("context");
    let config = scene.server.kubeconfig(&format!("{}-bare", scene.namespace), &User::token("admin-token"), None);
    let kubectl = Kubectl::new(scene.server, &config);
    refused(&kubectl.why(&["pod/mail"]), &["pod/mail does not exist", "namespace default", &scene.namespace]);
}

fn a_pod_that_does_not_exist() {
    let scene = Scene::new("close");
    for name in ["mailer", "mail-2", "unrelated-thing"] {
        scene.create(&pod(name, json!({"schedulerName": "nobody"})));
    }
    let output = scene.kubectl.why(&["pod/mail-1"]);
    refused(&output, &["pod/mail-1 does not exist", &scene.namespace, "there is mail-2"]);
    assert!(!output.err.contains("unrelated-thing"), "{}", output.err);
}
