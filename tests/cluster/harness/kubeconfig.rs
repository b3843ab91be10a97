//! Kubeconfig files, as many as there are kinds of user.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::etcd::base64;
use super::pki::Identity;

/// The `user` of a kubeconfig.
pub struct User(pub Value);

impl User {
    pub fn token(token: &str) -> Self {
        Self(json!({"token": token}))
    }

    pub fn certificate(identity: &Identity) -> Self {
        Self(json!({
            "client-certificate-data": base64(identity.certificate.as_bytes()),
            "client-key-data": base64(identity.key.as_bytes()),
        }))
    }

    /// A credential plugin: a program that prints an ExecCredential.
    pub fn plugin(program: &Path) -> Self {
        Self(json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": program,
            "interactiveMode": "Never",
        }}))
    }

    /// The same user in another's name.
    pub fn acting_as(mut self, name: &str, groups: &[&str]) -> Self {
        self.0["as"] = json!(name);
        if !groups.is_empty() {
            self.0["as-groups"] = json!(groups);
        }
        self
    }
}

/// Writes a kubeconfig; JSON is YAML.
pub fn write(dir: &Path, name: &str, url: &str, ca: &str, user: &User, namespace: Option<&str>) -> PathBuf {
    let mut context = json!({"cluster": "test", "user": name});
    if let Some(namespace) = namespace {
        context["namespace"] = json!(namespace);
    }
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": "test", "cluster": {
            "server": url, "certificate-authority-data": base64(ca.as_bytes()),
        }}],
        "users": [{"name": name, "user": user.0}],
        "contexts": [{"name": name, "context": context}],
    });
    let path = dir.join(format!("{name}.kubeconfig"));
    std::fs::write(&path, serde_json::to_vec_pretty(&config).unwrap()).unwrap();
    path
}
