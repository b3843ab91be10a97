//! Nothing is changed, and no Secret's value is read: the server's own audit log says so.

use serde_json::{Value, json};

use super::tests;
use crate::harness::kubeconfig::User;
use crate::harness::kubectl::Kubectl;
use crate::harness::proxy::{Fault, Proxy};
use crate::harness::scene::Scene;
use crate::harness::server::started;

tests![the_audit_log_knows_only_reads, of_a_secret_only_the_metadata_is_asked];

/// The requests that the plugin made, as the server saw them.
fn own(audit: Vec<Value>) -> Vec<Value> {
    let is_own = |entry: &Value| entry["userAgent"].as_str().is_some_and(|agent| agent.starts_with("kubectl-why"));
    audit.into_iter().filter(is_own).collect()
}

fn is_read(entry: &Value) -> bool {
    matches!(entry["verb"].as_str(), Some("get" | "list"))
}

/// One line for each request of any test that was not a read.
pub fn writes_of_the_whole_run() -> Option<String> {
    let mut requests = 0;
    let mut writes = String::new();
    for server in started() {
        for entry in own(server.audit()) {
            requests += 1;
            if !is_read(&entry) {
                writes.push_str(&format!("{} {}\n", entry["verb"], entry["requestURI"]));
            }
        }
    }
    if requests > 0 && writes.is_empty() {
        println!("audit log: {requests} requests of kubectl-why, every one a get or a list\n");
    }
    Some(writes).filter(|w| !w.is_empty())
}

fn the_audit_log_knows_only_reads() {
    let scene = Scene::without_its_secret("audit");
    let config = scene.server.kubeconfig("auditor", &User::token("auditor-token"), Some(&scene.namespace));
    let kubectl = Kubectl::new(scene.server, &config);
    for command in [&["why", "pod/mail"][..], &["why"], &["why", "node/audit-1"], &["__complete", "why", "pod/"]] {
        kubectl.run(command);
    }
    let mut requests = own(scene.server.audit());
    requests.retain(|entry| entry["user"]["username"] == "auditor");
    assert!(requests.len() > 4, "{requests:?}");
    assert!(requests.iter().all(is_read), "{requests:?}");
    let pod = json!("mail");
    assert!(requests.iter().any(|entry| entry["objectRef"]["name"] == pod), "{requests:?}");
}

fn of_a_secret_only_the_metadata_is_asked() {
    let scene = Scene::without_its_secret("metadata");
    let value = "c2VjcmV0LXZhbHVl";
    scene.create(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "smtp"}, "data": {"password": value}}),
    );
    let proxy = Proxy::start(scene.server, |_, _| Fault::None);
    let config = scene.server.kubeconfig_through(proxy.port, &format!("{}-through", scene.namespace), &scene.namespace);
    let saved = scene.server.dir.join("metadata.json");
    let output =
        Kubectl::new(scene.server, &config).why(&["pod/mail", "--save-snapshot", &saved.display().to_string()]);
    assert_eq!(output.status, 0, "{}", output.err);
    let requests = proxy.requests();
    let secrets: Vec<&String> =
        requests.iter().filter(|r| r.lines().next().is_some_and(|l| l.contains("/secrets"))).collect();
    assert!(!secrets.is_empty(), "{requests:?}");
    for request in secrets {
        let accept = request.lines().find(|l| l.to_ascii_lowercase().starts_with("accept:")).unwrap_or_default();
        let every = accept.split_once(':').map_or("", |(_, kinds)| kinds).split(',');
        assert!(
            every.clone().count() > 0 && every.into_iter().all(|kind| kind.contains("as=PartialObjectMetadata")),
            "{request}"
        );
    }
    assert!(!std::fs::read_to_string(&saved).unwrap().contains(value));
    assert!(requests.iter().all(|r| r.starts_with("GET ")), "{requests:?}");
}
