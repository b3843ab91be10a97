use std::path::Path;
use std::time::Duration;

use super::{Folder, nowhere, run};
use crate::gather::kubeconfig::{Kubeconfig, Surroundings};
use crate::gather::session::Session;
use crate::gather::{Connect, ConnectError};

const ONE: &str = r#"
apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: c1, cluster: {server: "http://10.0.0.1:6443", certificate-authority: ca.pem}}
- {name: c2, cluster: {server: "http://10.0.0.2:6443", tls-server-name: other}}
users:
- {name: u1, user: {token: SECRET-ONE}}
- {name: u2, user: {username: adm, password: SECRET-TWO}}
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: ""}}
- {name: two, context: {cluster: c2, user: u2, namespace: shop}}
- {name: dangling, context: {cluster: gone, user: gone}}
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("ca.pem", "not read for http");
    folder
}

fn connect(folder: &Folder, text: &str) -> Connect {
    Connect { kubeconfig: Some(folder.write("config", text)), ..Connect::default() }
}

fn open(connect: &Connect) -> Result<Session, ConnectError> {
    run(Session::open(connect, &nowhere()))
}

fn header(session: &Session, name: &str) -> Vec<String> {
    session
        .headers
        .iter()
        .filter(|(n, _)| n.as_str() == name)
        .filter_map(|(_, v)| v.to_str().ok().map(str::to_owned))
        .collect()
}

fn error(connect: &Connect) -> String {
    let text = open(connect).err().map(|e| e.to_string()).expect("an error");
    assert!(!text.contains("SECRET") && !text.contains('\u{1b}'), "{text}");
    text
}

#[test]
fn an_empty_namespace_means_default() {
    let folder = folder();
    let session = open(&connect(&folder, ONE)).expect("a session");
    assert_eq!((session.namespace.as_str(), session.context.as_str()), ("default", "one"));
    assert_eq!(header(&session, "authorization"), ["Bearer SECRET-ONE"]);
    assert_eq!(header(&session, "user-agent"), [concat!("kubectl-why/", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(session.timeout, Some(Duration::from_secs(10)));
}

#[test]
fn cluster_and_user_need_no_context() {
    let folder = folder();
    let text = ONE.replace("current-context: one", "");
    let mut asked = connect(&folder, &text);
    assert!(error(&asked).contains("one, two, dangling"));
    asked.cluster = Some("c2".to_owned());
    asked.user = Some("u2".to_owned());
    let session = open(&asked).expect("a session");
    assert_eq!(session.server.to_string(), "http://10.0.0.2:6443/");
    assert!(header(&session, "authorization").iter().all(|h| h.starts_with("Basic ")));
}

#[test]
fn flags_win_over_the_kubeconfig() {
    let folder = folder();
    let mut asked = connect(&folder, ONE);
    asked.context = Some("two".to_owned());
    asked.token = Some("SECRET-THREE".to_owned());
    asked.namespace = Some("x".to_owned());
    asked.request_timeout = Some(Duration::ZERO);
    let session = open(&asked).expect("a session");
    assert_eq!(header(&session, "authorization"), ["Bearer SECRET-THREE"], "the token replaces the password");
    assert_eq!((session.namespace.as_str(), session.timeout), ("x", None));
    assert_eq!(session.tls_server_name.as_deref(), Some("other"));
    asked.server = Some("http://127.0.0.1:1/base".to_owned());
    let session = open(&asked).expect("a session");
    assert_eq!((session.server.path(), session.tls_server_name), ("/base", None), "the name belongs to the old server");
}

#[test]
fn impersonation_is_passed_on() {
    let folder = folder();
    let mut asked = connect(&folder, ONE);
    asked.as_groups = vec!["a".to_owned(), "b".to_owned()];
    assert!(error(&asked).contains("--as"));
    asked.as_user = Some("jane".to_owned());
    asked.as_uid = Some("7".to_owned());
    asked.as_user_extra = vec!["example.com/scope=x".to_owned(), "example.com/scope=y".to_owned()];
    let session = open(&asked).expect("a session");
    assert_eq!(header(&session, "impersonate-user"), ["jane"]);
    assert_eq!(header(&session, "impersonate-group"), ["a", "b"]);
    assert_eq!(header(&session, "impersonate-uid"), ["7"]);
    assert_eq!(header(&session, "impersonate-extra-example.com%2fscope"), ["x", "y"]);
}

#[test]
fn names_that_do_not_exist_are_named_with_those_that_do() {
    let folder = folder();
    let mut asked = connect(&folder, ONE);
    asked.context = Some("tow".to_owned());
    let text = error(&asked);
    assert!(text.contains("\"tow\"") && text.contains("one, two") && text.contains("config"), "{text}");
    asked.context = Some("dangling".to_owned());
    assert!(error(&asked).contains("no server"));
    asked.cluster = Some("c3".to_owned());
    assert!(error(&asked).contains("--cluster"));
}

#[test]
fn a_broken_kubeconfig_is_named_and_never_quoted() {
    let folder = folder();
    for text in [
        "users: [{name: u, user: {token: SECRET",
        "clusters: SECRET",
        "users:\n- user:\n    token: [SECRET]\n",
        "\tSECRET",
        "a: *SECRET",
    ] {
        let text = error(&connect(&folder, text));
        assert!(text.contains("config") && text.contains("cannot read the kubeconfig"), "{text}");
    }
    let missing = Connect { kubeconfig: Some(folder.0.join("missing")), ..Connect::default() };
    assert!(error(&missing).contains("no such file"), "a file that the command line names must exist");
    for (from, to) in [
        ("token: SECRET-ONE", "client-certificate: gone.pem, client-key: gone.key"),
        ("token: SECRET-ONE", "client-key-data: SECRET%"),
        ("http://10.0.0.1:6443", "http://u:SECRET@a b"),
    ] {
        let asked = connect(&folder, &ONE.replace(from, to));
        assert!(!error(&asked).is_empty(), "{to}");
    }
}

#[test]
fn repeated_keys_and_numbers_are_read_as_kubectl_reads_them() {
    let folder = folder();
    let text = ONE.replace("token: SECRET-ONE", "token: x, token: 0123456");
    let session = open(&connect(&folder, &text)).expect("a session");
    assert_eq!(header(&session, "authorization"), ["Bearer 0123456"]);
}

#[test]
fn two_kinds_of_credentials_are_refused_as_by_kubectl() {
    let folder = folder();
    let text = ONE.replace("token: SECRET-ONE", "token: SECRET-ONE, username: u, password: SECRET");
    assert!(error(&connect(&folder, &text)).contains("only one"));
}

#[test]
fn half_a_client_certificate_and_what_no_header_can_hold_are_refused() {
    let folder = folder();
    folder.write("c.pem", "SECRET");
    for (credentials, wanted) in [
        ("client-certificate: c.pem", "the user \"u1\" has a client-certificate without a client-key"),
        ("client-key: c.pem", "the user \"u1\" has a client-key without a client-certificate"),
        ("client-certificate: c.pem, client-key: gone.key", "(client-key): there is no such file"),
        (r#"token: "SECRET\n\x01""#, "the token holds characters that cannot be sent"),
        (r#"token: SECRET, as: "a\x01b""#, "impersonate-user cannot be sent as a header"),
        ("auth-provider: {name: oidc, config: {client-secret: SECRET}}", "auth-provider oidc, which is not supported"),
    ] {
        let said = error(&connect(&folder, &ONE.replace("token: SECRET-ONE", credentials)));
        assert!(said.contains(wanted), "{credentials}: {said}");
    }
    let kept = ONE.replace("token: SECRET-ONE", "auth-provider: {name: oidc, config: {id-token: SECRET-ID}}");
    let session = open(&connect(&folder, &kept)).expect("a session");
    assert_eq!(header(&session, "authorization"), ["Bearer SECRET-ID"], "a token that is there already serves");
}

#[test]
fn a_token_file_is_read_beside_its_kubeconfig() {
    let folder = folder();
    folder.write("tok", "SECRET-FILE\n");
    let session = open(&connect(&folder, &ONE.replace("token: SECRET-ONE", "tokenFile: tok"))).expect("a session");
    assert_eq!(header(&session, "authorization"), ["Bearer SECRET-FILE"]);
    assert!(error(&connect(&folder, &ONE.replace("token: SECRET-ONE", "tokenFile: none"))).contains("tokenFile"));
}

#[test]
fn certificate_flags_replace_data() {
    let folder = folder();
    let text = ONE.replace("certificate-authority: ca.pem", "certificate-authority-data: AAAA");
    let mut asked = connect(&folder, &text);
    assert_eq!(open(&asked).ok().and_then(|s| s.ca), Some(vec![0, 0, 0]));
    asked.certificate_authority = Some(folder.write("new.pem", "NEW"));
    assert_eq!(open(&asked).ok().and_then(|s| s.ca), Some(b"NEW".to_vec()));
    asked.insecure_skip_tls_verify = true;
    let session = open(&asked).expect("a session");
    assert_eq!((session.ca, session.insecure), (None, true));
}

/// Merging reads the real variable only through `Surroundings`, which holds plain functions: the files lie in fixed places.
fn merged(files: &[&Path]) -> Result<Kubeconfig, ConnectError> {
    static FILES: std::sync::Mutex<Vec<std::path::PathBuf>> = std::sync::Mutex::new(Vec::new());
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().expect("the lock");
    *FILES.lock().expect("the files") = files.iter().map(|f| f.to_path_buf()).collect();
    let around = Surroundings {
        var: |name| {
            (name == "KUBECONFIG")
                .then(|| std::env::join_paths(FILES.lock().expect("the files").iter()).expect("paths"))
        },
        home: None,
        service_account: "/nonexistent".into(),
    };
    Kubeconfig::load(&Connect::default(), &around)
}

#[test]
fn several_files_are_merged_and_missing_ones_passed_over() {
    let folder = folder();
    let first =
        folder.write("first", "current-context: \"\"\nclusters:\n- {name: c1, cluster: {server: \"http://first\"}}\n");
    let empty = folder.write("empty", "");
    let second = folder.write("second", ONE);
    let config = merged(&[&folder.0.join("missing"), &first, &empty, &second]).expect("a kubeconfig");
    assert_eq!(config.current_context.as_deref(), Some("one"), "an empty current-context is none");
    let names: Vec<&str> = config.clusters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["c1", "c2"]);
    assert_eq!(
        config.clusters.first().and_then(|(_, c)| c.server.as_deref()),
        Some("http://first"),
        "the first file's entry wins whole"
    );
    assert!(merged(&[&folder.0.join("missing")]).is_ok_and(|c| c.is_empty()));
}

#[test]
fn a_pod_uses_its_service_account_only_if_there_is_no_kubeconfig() {
    let folder = folder();
    folder.write("token", "SECRET-SA");
    folder.write("ca.crt", "CA");
    folder.write("namespace", "team\n");
    let around = |service_account: &Path| Surroundings {
        var: |name| match name {
            "KUBERNETES_SERVICE_HOST" => Some("10.96.0.1".into()),
            "KUBERNETES_SERVICE_PORT" => Some("443".into()),
            _ => None,
        },
        home: None,
        service_account: service_account.to_owned(),
    };
    let session = run(Session::open(&Connect::default(), &around(&folder.0))).expect("a session");
    assert_eq!((session.server.to_string().as_str(), session.namespace.as_str()), ("https://10.96.0.1:443/", "team"));
    assert_eq!(header(&session, "authorization"), ["Bearer SECRET-SA"]);
    let mut wrong = connect(&folder, ONE);
    wrong.context = Some("nope".to_owned());
    let text = run(Session::open(&wrong, &around(&folder.0))).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(text.contains("nope"), "a wrong context is not answered with the pod's own cluster: {text}");
    let text = run(Session::open(&Connect::default(), &nowhere())).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(text.contains("--kubeconfig"), "{text}");
    let bare = Connect { server: Some("127.0.0.1:8080".to_owned()), ..Connect::default() };
    assert_eq!(open(&bare).ok().map(|s| s.server.to_string()), Some("http://127.0.0.1:8080/".to_owned()));
}
