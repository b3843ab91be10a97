//! Starting a control plane and making namespaces in it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::assets::Assets;
use super::kubeconfig::{self, User};
use super::pki::{Files, Pki};
use super::{wait_for, watchdog};

const AUDIT: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
 "rules": [{"level": "Metadata"}]}"#;

/// Users with a token: the token is the name and `-token`.
const USERS: &str = r#"admin-token,admin,1,"system:masters"
kcm-token,system:kube-controller-manager,2
scheduler-token,system:kube-scheduler,3
viewer-token,viewer,4
pod-reader-token,pod-reader,5
nobody-token,nobody,6
auditor-token,auditor,7,"system:masters"
"#;

/// A control plane that runs.
pub struct Server {
    pub port: u16,
    pub etcd: u16,
    pub dir: PathBuf,
    pub pki: Pki,
    /// The administrator.
    pub admin: Api,
    pub kubectl: PathBuf,
    namespaces: AtomicUsize,
    /// Whether service accounts are made, pods scheduled, quota counted.
    controllers: bool,
}

static ASSETS: OnceLock<Assets> = OnceLock::new();

/// Says where the programs are, before anything is started.
pub fn use_assets(assets: Assets) {
    let _ = ASSETS.set(assets);
}

static CONTROLLED: OnceLock<Server> = OnceLock::new();
static STILL: OnceLock<Server> = OnceLock::new();

/// The server with the scheduler and the controllers, which all tests share.
pub fn controlled() -> &'static Server {
    CONTROLLED.get_or_init(|| Server::start("controlled", ASSETS.get().expect("assets"), true))
}

/// A server on which nothing acts on its own: objects stay as they are written.
pub fn still() -> &'static Server {
    STILL.get_or_init(|| Server::start("still", ASSETS.get().expect("assets"), false))
}

/// The servers that were needed so far.
pub fn started() -> impl Iterator<Item = &'static Server> {
    [CONTROLLED.get(), STILL.get()].into_iter().flatten()
}

impl Server {
    fn start(name: &str, assets: &Assets, controllers: bool) -> Self {
        let mut problem = String::new();
        // A port that was free a moment ago can be taken by now.
        for attempt in 0..3 {
            let dir = watchdog::scratch().join(format!("{name}-{attempt}"));
            std::fs::create_dir_all(&dir).unwrap();
            match Self::start_in(dir, assets, controllers) {
                Ok(server) => return server,
                Err(e) => problem = e,
            }
        }
        panic!("the control plane does not start: {problem}");
    }

    fn start_in(dir: PathBuf, assets: &Assets, controllers: bool) -> Result<Self, String> {
        let pki = Pki::new();
        let files = pki.write(&dir);
        std::fs::write(dir.join("tokens.csv"), USERS).unwrap();
        std::fs::write(dir.join("audit.json"), AUDIT).unwrap();
        let [port, etcd] = free_ports();
        let mut programs = [
            Program::start(assets, &dir, "etcd", &etcd_arguments(&dir, etcd)),
            Program::start(assets, &dir, "kube-apiserver", &apiserver_arguments(&dir, &files, port, etcd)),
        ];
        let admin = Api::new(port, "admin-token", pki.certificate_der());
        wait_until_ready(&admin, &mut programs)?;
        let kubectl = assets.program("kubectl");
        let server = Self { port, etcd, dir, pki, admin, kubectl, namespaces: AtomicUsize::new(0), controllers };
        if controllers {
            server.start_controllers(assets, &files);
            server.grant();
        }
        Ok(server)
    }

    fn start_controllers(&self, assets: &Assets, files: &Files) {
        let config = |user: &str| self.kubeconfig(user, &User::token(&format!("{user}-token")), None);
        Program::start(
            assets,
            &self.dir,
            "kube-controller-manager",
            &controller_arguments(&self.dir, files, &config("kcm")),
        );
        let scheduler = config("scheduler").display().to_string();
        let arguments = ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"]
            .map(|flag| format!("{flag}={scheduler}"))
            .into_iter()
            .chain(["--secure-port=0".to_owned(), "--leader-elect=false".to_owned()])
            .collect::<Vec<_>>();
        Program::start(assets, &self.dir, "kube-scheduler", &arguments);
        self.wait_for_account("default");
    }

    /// What the users with tokens may do.
    fn grant(&self) {
        let rbac = "rbac.authorization.k8s.io";
        self.admin.create(&json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": "pods-only"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        }));
        for (user, role) in [("viewer", "view"), ("pod-reader", "pods-only")] {
            self.admin.create(&json!({
                "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": user},
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": rbac, "kind": "User", "name": user}],
            }));
        }
    }

    /// A namespace of its own for a test.
    #[track_caller]
    pub fn namespace(&self, name: &str, labels: Value) -> String {
        let name = format!("{name}-{}", self.namespaces.fetch_add(1, Ordering::Relaxed));
        self.admin
            .create(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}));
        if self.controllers {
            self.wait_for_account(&name);
        }
        name
    }

    /// No pod can be created before the namespace's service account is there.
    fn wait_for_account(&self, namespace: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        wait_for("the default service account", Duration::from_secs(60), || self.admin.get(&path));
    }

    /// The same for another port of this machine, behind which the server is.
    pub fn kubeconfig_through(&self, port: u16, name: &str, namespace: &str) -> PathBuf {
        let url = format!("https://127.0.0.1:{port}");
        let user = User::token("admin-token");
        kubeconfig::write(&self.dir, name, &url, &self.pki.certificate(), &user, Some(namespace))
    }

    /// A kubeconfig of its own name; the context's namespace is left out if there is none.
    pub fn kubeconfig(&self, name: &str, user: &User, namespace: Option<&str>) -> PathBuf {
        let url = format!("https://127.0.0.1:{}", self.port);
        kubeconfig::write(&self.dir, name, &url, &self.pki.certificate(), user, namespace)
    }

    /// The audit log: one JSON object a line.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.join("audit.log")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    fn start(assets: &Assets, dir: &Path, name: &'static str, arguments: &[String]) -> Self {
        let log = dir.join(format!("{name}.log"));
        let mut command = Command::new(assets.program(name));
        command.args(arguments).current_dir(dir).env("HOME", dir);
        let child = watchdog::spawn(&mut command, &log);
        Self { name, child, log }
    }

    /// The end of its log, if it has ended.
    fn failure(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        Some(format!("{} ended ({status}):\n{}", self.name, lines[lines.len().saturating_sub(15)..].join("\n")))
    }
}

fn wait_until_ready(admin: &Api, programs: &mut [Program]) -> Result<(), String> {
    wait_for("/readyz", Duration::from_secs(180), || {
        if let Some(failure) = programs.iter_mut().find_map(Program::failure) {
            return Some(Err(failure));
        }
        let answer = admin.send("GET", "/readyz", "Authorization: Bearer admin-token\r\n", &[]);
        answer.is_ok_and(|a| a.status == 200).then_some(Ok(()))
    })
}

/// Ports that nothing listens on.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.each_ref().map(|l| l.local_addr().unwrap().port())
}

fn etcd_arguments(dir: &Path, port: u16) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}");
    vec![
        "--name=test".to_owned(),
        format!("--data-dir={}", dir.join("etcd").display()),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
        "--initial-advertise-peer-urls=http://127.0.0.1:0".to_owned(),
        "--initial-cluster=test=http://127.0.0.1:0".to_owned(),
    ]
}

fn apiserver_arguments(dir: &Path, files: &Files, port: u16, etcd: u16) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // Loopback as an address of its own needs an endpoint reconciler that does nothing.
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", files.server.display()),
        format!("--tls-private-key-file={}", files.server_key.display()),
        format!("--client-ca-file={}", files.ca.display()),
        format!("--token-auth-file={}", dir.join("tokens.csv").display()),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", files.accounts.display()),
        format!("--service-account-signing-key-file={}", files.accounts_key.display()),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        format!("--audit-policy-file={}", dir.join("audit.json").display()),
        format!("--audit-log-path={}", dir.join("audit.log").display()),
        "--audit-log-mode=blocking-strict".to_owned(),
    ]
}

fn controller_arguments(dir: &Path, files: &Files, config: &Path) -> Vec<String> {
    let config = config.display();
    vec![
        format!("--kubeconfig={config}"),
        format!("--authentication-kubeconfig={config}"),
        format!("--authorization-kubeconfig={config}"),
        "--secure-port=0".to_owned(),
        "--leader-elect=false".to_owned(),
        "--controllers=*".to_owned(),
        "--use-service-account-credentials=true".to_owned(),
        format!("--service-account-private-key-file={}", files.accounts_key.display()),
        format!("--root-ca-file={}", files.ca.display()),
        format!("--cluster-signing-cert-file={}", files.ca.display()),
        format!("--cluster-signing-key-file={}", files.ca_key.display()),
        // With the default rate it takes seconds until a namespace has its service account.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
        // There is no kubelet to renew a lease: a node stays as its status says.
        "--node-monitor-grace-period=87600h".to_owned(),
        "--node-startup-grace-period=87600h".to_owned(),
        // Otherwise it makes a directory below /usr.
        format!("--flex-volume-plugin-dir={}", dir.join("flexvolume").display()),
    ]
}
