//! kubectl finds the plugin, runs it and completes it.

use serde_json::json;

use super::tests;
use crate::harness::scene::{Scene, deployment, pod};

tests![
    kubectl_lists_the_plugin,
    the_name_alone_is_a_pod,
    every_way_to_name_a_target,
    help_needs_no_cluster,
    kubectls_flags_are_the_plugins,
    exit_status_on_request,
    a_saved_snapshot_gives_the_same_report,
    completion_offers_what_is_there,
    completion_of_a_cluster_that_is_away,
];

fn kubectl_lists_the_plugin() {
    let scene = Scene::new("list");
    let output = scene.kubectl.run(&["plugin", "list"]);
    assert_eq!(output.status, 0, "{}", output.err);
    assert!(output.out.lines().any(|line| line.ends_with("/kubectl-why")), "{}", output.out);
    assert!(!output.err.contains("warning"), "{}", output.err);
}

/// A pod that waits behind a gate: its report never changes.
fn gated(name: &str) -> Scene {
    let scene = Scene::new(name);
    scene.create(&pod("web", json!({"schedulingGates": [{"name": "example.com/quota"}]})));
    scene
}

fn the_name_alone_is_a_pod() {
    let scene = gated("name");
    let output = scene.kubectl.run(&["why", "web"]);
    assert_eq!((output.status, output.err.as_str()), (0, ""));
    assert!(output.out.contains("SchedulingGated"), "{}", output.out);
    assert!(!output.out.contains('\u{1b}'), "colour without a terminal");
}

fn every_way_to_name_a_target() {
    let scene = Scene::new("target");
    let mut gated = deployment("web", &pod("web", json!({"schedulingGates": [{"name": "example.com/quota"}]})));
    gated["spec"]["replicas"] = json!(1);
    scene.create(&gated);
    scene.report("deploy/web", "SchedulingGated");
    for target in
        [&["deployment/web"][..], &["deploy", "web"], &["deployments.apps/web"], &["deployment.v1.apps", "web"]]
    {
        let output = scene.kubectl.why(target);
        assert_eq!(output.status, 0, "{target:?}: {}", output.err);
        assert!(output.out.contains("SchedulingGated"), "{target:?}: {}", output.out);
    }
    let output = scene.kubectl.why(&["gadget/web"]);
    assert_eq!(output.status, 2, "{}", output.err);
}

fn help_needs_no_cluster() {
    let scene = Scene::new("help");
    let output = scene.kubectl.run_with(&["why", "--help"], &[("KUBECONFIG", "/nonexistent")]);
    assert_eq!(output.status, 0, "{}", output.err);
    assert!(output.out.contains("kubectl why"), "{}", output.out);
    let output = scene.kubectl.run_with(&["why", "explain", "OOMKilled"], &[("KUBECONFIG", "/nonexistent")]);
    assert!(output.status == 0 && output.out.contains("OOMKilled"), "{}", output.err);
}

fn kubectls_flags_are_the_plugins() {
    let scene = gated("flags");
    let port = scene.server.port;
    let (server, namespace) =
        (format!("--server=https://127.0.0.1:{port}"), format!("--namespace={}", scene.namespace));
    let authority = format!("--certificate-authority={}", scene.server.dir.join("ca.crt").display());
    let flags = ["why", "pod/web", "-o", "name", &server, &namespace, &authority, "--token=admin-token"];
    let output = scene.kubectl.run_with(&flags, &[("KUBECONFIG", "/nonexistent")]);
    assert_eq!((output.status, output.out.as_str()), (0, "pod/web\n"), "{}", output.err);
    let output = scene.kubectl.run(&["why", "pod/web", "--context=elsewhere"]);
    assert_eq!(output.status, 3);
    assert!(output.err.contains("elsewhere"), "{}", output.err);
}

fn exit_status_on_request() {
    let scene = gated("status");
    assert_eq!(scene.kubectl.run(&["why", "pod/web"]).status, 0);
    assert_eq!(scene.kubectl.run(&["why", "pod/web", "--exit-code"]).status, 1);
    assert_eq!(scene.kubectl.run(&["why", "pod/web", "--no-such-flag"]).status, 2);
}

fn a_saved_snapshot_gives_the_same_report() {
    let scene = Scene::without_its_secret("save");
    let file = scene.server.dir.join("saved.json").display().to_string();
    let live = scene.kubectl.why(&["pod/mail", "--save-snapshot", &file]);
    let file = scene.kubectl.run_with(&["why", "-f", &file, "-o", "json"], &[("KUBECONFIG", "/nonexistent")]);
    assert_eq!(live.report().0, file.report().0, "{}", file.err);
    live.report().must_have_cause("SecretMissing");
}

/// The candidates that kubectl gets.
fn candidates(scene: &Scene, words: &[&str]) -> Vec<String> {
    let output = scene.kubectl.run(&[&["__complete", "why"], words].concat());
    let lines = output.out.lines().filter(|line| !line.starts_with(':'));
    lines.filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

fn completion_offers_what_is_there() {
    let scene = gated("complete");
    let has = |words: &[&str], wanted: &str| {
        let found = candidates(&scene, words);
        assert!(found.iter().any(|c| c == wanted), "{words:?} gives {found:?}");
    };
    has(&["pod/w"], "pod/web");
    has(&["pod", "w"], "web");
    has(&["w"], "web");
    has(&["-n", &scene.namespace[..4]], &scene.namespace);
    has(&["--cont"], "--context");
    assert_eq!(candidates(&scene, &["pod/absent"]), Vec::<String>::new());
}

fn completion_of_a_cluster_that_is_away() {
    let scene = Scene::new("away");
    let config = scene.server.kubeconfig_through(1, &scene.namespace, &scene.namespace);
    let output =
        scene.kubectl.run_with(&["__complete", "why", "pod/w"], &[("KUBECONFIG", &config.display().to_string())]);
    assert_eq!(output.status, 0, "{}", output.err);
    assert!(output.took < std::time::Duration::from_secs(15), "{:?}", output.took);
}
