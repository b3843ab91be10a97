//! What `-f` reads and `--save-snapshot` writes, from the recorded scenarios and from what people really have.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use kubectl_why::gather::file::{FileError, Problem, from_bytes, read, write};
use kubectl_why::snapshot::{Lookup, Snapshot};
use serde_json::{Value, json};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("kubectl-why-files-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut all: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("snapshot.json")).collect();
    all.retain(|path| path.exists());
    all.sort();
    assert!(all.len() >= 144);
    all
}

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name).join("snapshot.json")
}

/// The objects of a scenario as kubectl would have printed them, by kind.
fn objects(name: &str, kind: &str) -> Vec<Value> {
    let list: Value = serde_json::from_slice(&fs::read(scenario(name)).unwrap()).unwrap();
    list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind).cloned().collect()
}

fn list(kind: &str, mut items: Vec<Value>) -> String {
    for item in &mut items {
        item.as_object_mut().unwrap().remove("kind");
        item.as_object_mut().unwrap().remove("apiVersion");
    }
    serde_json::to_string_pretty(&json!({"kind": kind, "apiVersion": "v1", "metadata": {}, "items": items})).unwrap()
}

fn parse(text: &str) -> Result<Snapshot, FileError> {
    from_bytes("x.json", text.as_bytes().to_vec())
}

fn pods(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.all("Pod").iter().map(kubectl_why::snapshot::name_of).collect()
}

#[test]
fn every_snapshot_survives_being_written_and_read_again() {
    let folder = Folder::new();
    for path in scenarios() {
        let first = read(&path).unwrap_or_else(|e| panic!("{e}"));
        let copy = folder.0.join("copy.json");
        write(&copy, &first).unwrap();
        assert_eq!(first, read(&copy).unwrap(), "{}", path.display());
        assert!(first.header.taken_at.is_some() && !first.header.target.is_empty(), "{}", path.display());
    }
}

#[test]
fn yaml_says_the_same_as_json() {
    for path in scenarios() {
        let list: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let yaml = serde_saphyr::to_string(&list).unwrap();
        let read_back = from_bytes("x.yaml", yaml.into_bytes()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(read_back, read(&path).unwrap(), "{}", path.display());
    }
}

#[test]
fn a_cluster_info_dump_is_read_with_its_logs() {
    let folder = Folder::new();
    let name = "cfg-cm-env";
    let marker =
        |word: &str, container: &str| format!("==== {word} logs for container {container} of pod {name}/api ====\n");
    folder.put("nodes.json", list("NodeList", objects(name, "Node")));
    folder.put(&format!("{name}/pods.json"), list("PodList", objects(name, "Pod")));
    folder.put(&format!("{name}/events.json"), list("EventList", objects(name, "Event")));
    folder.put(&format!("{name}/services.json"), list("ServiceList", vec![json!({"metadata": {"name": "web"}})]));
    folder.put(&format!("{name}/daemonsets.json"), list("DaemonSetList", Vec::new()));
    let text = [
        marker("START", "app") + "one\ntwo" + &marker("END", "app"),
        marker("START", "side") + "Request log error: pods \"api\" is forbidden: no\n" + &marker("END", "side"),
        marker("START", "init")
            + "Request log error: container \"init\" in pod \"api\" is waiting to start\n"
            + &marker("END", "init"),
    ];
    folder.put(&format!("{name}/api/logs.txt"), text.concat());
    let snapshot = read(&folder.0).unwrap();
    let whole = read(&scenario(name)).unwrap();
    assert_eq!(snapshot.all("Pod").len(), whole.all("Pod").len());
    assert_eq!(snapshot.all("Event").len(), whole.all("Event").len());
    assert_eq!(snapshot.known_nodes(), whole.known_nodes());
    assert_eq!(snapshot.log("api", "app", false).unwrap().text, "one\ntwo");
    assert_eq!(snapshot.log("api", "side", false), None);
    let unanswered = &snapshot.header.unanswered;
    assert!(unanswered.len() == 1 && unanswered[0].is_refusal() && unanswered[0].name == "api");
    assert_eq!(snapshot.nodes(), Lookup::NotAsked, "a dump does not say that it is complete");
}

#[test]
fn a_dump_to_standard_output_is_read_too() {
    let pods = list("PodList", objects("cfg-cm-env", "Pod"));
    let marker = |word: &str| format!("==== {word} logs for container app of pod cfg-cm-env/api ====\n");
    let text = format!("{pods}\n{}boom\n{}", marker("START"), marker("END"));
    let snapshot = parse(&text).unwrap();
    assert_eq!(snapshot.log("api", "app", false).unwrap().text, "boom\n");
}

#[test]
fn logs_of_pods_that_share_a_name_belong_to_nobody() {
    let log = |ns: &str| {
        format!(
            "==== START logs for container a of pod {ns}/db-0 ====\nx\n==== END logs for container a of pod {ns}/db-0 ====\n"
        )
    };
    let pod = json!({"kind": "Pod", "metadata": {"name": "db-0", "namespace": "a"}});
    let snapshot = parse(&format!("{pod}\n{}{}", log("a"), log("b"))).unwrap();
    assert_eq!(snapshot.log("db-0", "a", false), None);
    assert_eq!(snapshot.header.unanswered.len(), 2);
}

#[test]
fn a_folder_of_any_files_is_read() {
    let folder = Folder::new();
    folder.put("a/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n");
    folder.put("b.yml", "# two\n---\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: two}\n...\n---\nkind: Pod\nmetadata: {name: three}\n");
    folder.put("package.json", "{\"name\": \"web\"}");
    folder.put("notes.txt", "{");
    folder.put(".git/x.json", "{");
    assert_eq!(pods(&read(&folder.0).unwrap()), ["one", "three", "two"]);
    folder.put("c/pods.json", "{\"kind\": \"PodList\", \"items\": [");
    let error = read(&folder.0).unwrap_err();
    assert!(error.file.ends_with("pods.json") && matches!(error.problem, Problem::Truncated { .. }), "{error}");
    let empty = Folder::new();
    assert_eq!(read(&empty.0).unwrap_err().problem, Problem::NoFiles);
}

#[test]
fn a_log_that_cannot_be_read_is_a_gap_and_a_link_to_nowhere_is_nothing() {
    let folder = Folder::new();
    folder.put("n/pods.json", r#"{"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}}"#);
    let log = folder.put("n/p/logs.txt", "");
    fs::File::options().write(true).open(&log).unwrap().set_len((64 << 20) + 1).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.0.join("gone.json")).unwrap();
    let snapshot = read(&folder.0).unwrap();
    let gap = &snapshot.header.unanswered[0];
    assert_eq!((gap.resource.as_str(), gap.namespace.as_str(), gap.name.as_str()), ("pods/log", "n", "p"));
    assert!(gap.why.starts_with("logs.txt: more than 64 MiB"), "{}", gap.why);
}

#[test]
fn a_folder_of_too_much_is_refused() {
    let folder = Folder::new();
    let file = folder.put("pods.json", "");
    fs::File::options().write(true).open(file).unwrap().set_len((128 << 20) + 1).unwrap();
    assert_eq!(read(&folder.0).unwrap_err().problem, Problem::TooLarge { most: 128 << 20 });
}

#[test]
fn lists_in_lists_and_values_in_a_row_are_read() {
    let pod = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}).to_string();
    let inner = format!(
        r#"{{"kind": "List", "items": [{}, {{"kind": "PodList", "items": [{{"metadata": {{"name": "b"}}}}]}}]}}"#,
        pod("a")
    );
    let text = format!("{inner}{}\n[{}]\n{}", pod("c"), pod("d"), pod("e"));
    assert_eq!(pods(&parse(&text).unwrap()), ["a", "b", "c", "d", "e"]);
}

#[test]
fn kinds_of_other_groups_are_not_taken_for_kubernetes_own() {
    let error =
        parse(r#"{"apiVersion": "longhorn.io/v1beta2", "kind": "Node", "metadata": {"name": "n"}}"#).unwrap_err();
    assert_eq!(error.problem, Problem::NoObjects { found: "something of kind Node".to_owned() });
    let old =
        parse(r#"{"apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": {"name": "d"}}"#).unwrap();
    assert_eq!(old.all("Deployment").len(), 1);
}

#[test]
fn byte_order_marks_are_no_obstacle() {
    let pod = r#"{"kind": "Pod", "metadata": {"name": "é"}}"#;
    let utf8 = [&[0xef, 0xbb, 0xbf], pod.as_bytes()].concat();
    let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(pod.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(pod.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    for bytes in [utf8, little, big] {
        assert_eq!(pods(&from_bytes("x", bytes).unwrap()), ["é"]);
    }
}

#[test]
fn without_a_header_the_clock_is_the_newest_time_and_nothing_is_known_to_be_absent() {
    let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-01T02:00:00Z", "deletionGracePeriodSeconds": 3600,
        "annotations": {"time": "2030-01-01T00:00:00Z", "expires": "2031-01-01T00:00:00Z"}},
        "status": {"conditions": [{"lastTransitionTime": "2026-01-01T00:30:00Z", "lastProbeTime": null}]}});
    let snapshot = parse(&pod.to_string()).unwrap();
    assert!(snapshot.header.complete.is_empty() && snapshot.header.target.is_empty());
    assert_eq!(snapshot.object("ConfigMap", "n", "x"), Lookup::NotAsked);
    assert_eq!(
        snapshot.header.taken_at.unwrap().to_string(),
        "2026-01-01T01:00:00Z",
        "the deletion was asked for then"
    );
}

#[cfg(unix)]
#[test]
fn a_written_snapshot_is_private_even_where_a_public_file_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let path = folder.put("s.json", "old");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    write(&path, &read(&scenario("cfg-cm-env")).unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing else is left");
    let link = folder.0.join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write(&link, &Snapshot::default()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the file behind a link is written");
    assert_eq!(read(&path).unwrap().taken_at(), Snapshot::default().taken_at());
    let nowhere = write(&folder.0.join("no/where.json"), &Snapshot::default()).unwrap_err();
    assert!(nowhere.to_string().ends_with("cannot be written: there is no such file or folder"), "{nowhere}");
    assert!(write(&folder.0, &Snapshot::default()).is_err());
}
