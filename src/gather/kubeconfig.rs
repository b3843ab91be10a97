//! The kubeconfig: which files, and how several become one. As client-go's loading rules: of two entries with the same
//! name the first file's is used whole, and the first current context that is not empty is the current one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::connect::{Connect, ConnectError};

/// Where the connection looks besides the command line: the environment, so that tests need not change the real one.
pub struct Surroundings {
    /// A variable of the environment.
    pub var: fn(&str) -> Option<OsString>,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// Where a pod finds its ServiceAccount's token.
    pub service_account: PathBuf,
}

impl Surroundings {
    /// The process' own.
    pub fn real() -> Self {
        Self {
            var: |name| std::env::var_os(name),
            home: std::env::home_dir(),
            service_account: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
        }
    }

    /// A variable as text, if it is set and not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.var)(name).and_then(|v| v.into_string().ok()).filter(|v| !v.is_empty())
    }
}

/// A kubeconfig, or several merged. No `Debug`: it holds credentials.
#[derive(Clone, Default)]
pub struct Kubeconfig {
    /// Clusters in the files' order.
    pub clusters: Vec<(String, Cluster)>,
    /// Users in the files' order.
    pub users: Vec<(String, User)>,
    /// Contexts in the files' order.
    pub contexts: Vec<(String, Context)>,
    /// The context that is used when none is asked for.
    pub current_context: Option<String>,
    /// The files that were looked for, for messages.
    pub files: Vec<PathBuf>,
}

/// `clusters[].cluster`
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Cluster {
    pub(super) server: Option<String>,
    pub(super) tls_server_name: Option<String>,
    pub(super) insecure_skip_tls_verify: Option<bool>,
    pub(super) certificate_authority: Option<PathBuf>,
    pub(super) certificate_authority_data: Option<String>,
    pub(super) proxy_url: Option<String>,
    pub(super) disable_compression: Option<bool>,
    pub(super) extensions: Option<Vec<Extension>>,
}

/// `clusters[].cluster.extensions[]`
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Extension {
    pub(super) name: Option<String>,
    pub(super) extension: Value,
}

/// `users[].user`
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct User {
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) client_certificate_data: Option<String>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) client_key_data: Option<String>,
    pub(super) token: Option<String>,
    #[serde(rename = "tokenFile")]
    pub(super) token_file: Option<PathBuf>,
    #[serde(rename = "as")]
    pub(super) as_user: Option<String>,
    pub(super) as_uid: Option<String>,
    pub(super) as_groups: Option<Vec<String>>,
    pub(super) as_user_extra: Option<BTreeMap<String, Vec<String>>>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) auth_provider: Option<AuthProvider>,
    pub(super) exec: Option<Exec>,
}

/// `users[].user.auth-provider`
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthProvider {
    pub(super) name: Option<String>,
    pub(super) config: Option<BTreeMap<String, String>>,
}

/// `users[].user.exec`
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Exec {
    pub(super) api_version: Option<String>,
    pub(super) command: Option<String>,
    pub(super) args: Option<Vec<String>>,
    pub(super) env: Option<Vec<Variable>>,
    pub(super) install_hint: Option<String>,
    pub(super) provide_cluster_info: Option<bool>,
    pub(super) interactive_mode: Option<String>,
}

/// `users[].user.exec.env[]`
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Variable {
    pub(super) name: Option<String>,
    pub(super) value: Option<String>,
}

/// `contexts[].context`
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Context {
    pub(super) cluster: Option<String>,
    pub(super) user: Option<String>,
    pub(super) namespace: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct File {
    clusters: Option<Vec<NamedCluster>>,
    users: Option<Vec<NamedUser>>,
    contexts: Option<Vec<NamedContext>>,
    current_context: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedCluster {
    name: Option<String>,
    cluster: Option<Cluster>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedUser {
    name: Option<String>,
    user: Option<User>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedContext {
    name: Option<String>,
    context: Option<Context>,
}

impl Kubeconfig {
    /// Reads what kubectl would read: `--kubeconfig`, else the files of `$KUBECONFIG`, else `~/.kube/config`. Files that
    /// do not exist are passed over unless the command line names them.
    ///
    /// # Errors
    /// A file that cannot be read or is no kubeconfig; its lines are never quoted.
    pub fn load(connect: &Connect, around: &Surroundings) -> Result<Self, ConnectError> {
        if let Some(path) = &connect.kubeconfig {
            let text = std::fs::read(path).map_err(|e| unreadable(path, &e))?;
            return Self::read(path, &text);
        }
        let files: Vec<PathBuf> = match (around.var)("KUBECONFIG").filter(|v| !v.is_empty()) {
            Some(list) => std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect(),
            None => around.home.iter().map(|home| home.join(".kube").join("config")).collect(),
        };
        let mut merged = Self::default();
        for path in files {
            match std::fs::read(&path) {
                Ok(text) => merged.merge(&path, &text)?,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(unreadable(&path, &e)),
            }
            merged.files.push(path);
        }
        Ok(merged)
    }

    /// Reads one file's content; `path` is what errors call it, and what paths in it are relative to.
    ///
    /// # Errors
    /// As [`Kubeconfig::load`].
    pub fn read(path: &Path, text: &[u8]) -> Result<Self, ConnectError> {
        let mut read = Self { files: vec![path.to_owned()], ..Self::default() };
        read.merge(path, text)?;
        Ok(read)
    }

    /// Whether it says nothing at all: then, and only then, a pod's own ServiceAccount is used.
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty() && self.users.is_empty() && self.contexts.is_empty()
    }

    fn merge(&mut self, path: &Path, text: &[u8]) -> Result<(), ConnectError> {
        let file = parse(path, text)?;
        let base = path.parent().unwrap_or(Path::new(""));
        for entry in file.clusters.unwrap_or_default() {
            let mut cluster = entry.cluster.unwrap_or_default();
            resolve(base, &mut cluster.certificate_authority);
            insert(&mut self.clusters, entry.name, cluster);
        }
        for entry in file.users.unwrap_or_default() {
            let mut user = entry.user.unwrap_or_default();
            for path in [&mut user.client_certificate, &mut user.client_key, &mut user.token_file] {
                resolve(base, path);
            }
            if let Some(command) = user.exec.as_mut().and_then(|exec| exec.command.as_mut()) {
                // A command with a separator is a path beside the kubeconfig; one without is looked up in PATH.
                if Path::new(command).is_relative() && command.contains(['/', std::path::MAIN_SEPARATOR]) {
                    *command = base.join(&*command).to_string_lossy().into_owned();
                }
            }
            insert(&mut self.users, entry.name, user);
        }
        for entry in file.contexts.unwrap_or_default() {
            insert(&mut self.contexts, entry.name, entry.context.unwrap_or_default());
        }
        if self.current_context.is_none() {
            self.current_context = file.current_context.filter(|c| !c.is_empty());
        }
        Ok(())
    }
}

/// The first entry of a name wins.
fn insert<T>(list: &mut Vec<(String, T)>, name: Option<String>, value: T) {
    let name = name.unwrap_or_default();
    if !list.iter().any(|(known, _)| *known == name) {
        list.push((name, value));
    }
}

/// The entry of a name.
pub(super) fn named<'a, T>(list: &'a [(String, T)], name: &str) -> Option<&'a T> {
    list.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn resolve(base: &Path, path: &mut Option<PathBuf>) {
    *path = path.take().filter(|p| !p.as_os_str().is_empty()).map(|p| if p.is_relative() { base.join(p) } else { p });
}

fn parse(path: &Path, text: &[u8]) -> Result<File, ConnectError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(File::default());
    }
    // kubectl takes the last of two equal keys, and reads numbers where texts are expected.
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    let parsed: Result<Option<File>, _> = serde_saphyr::from_slice_with_options(text, options);
    match parsed {
        Ok(file) => Ok(file.unwrap_or_default()),
        // Only the place: the parser's own words can quote a value, and values here are credentials.
        Err(e) => {
            let place =
                e.location().map_or_else(String::new, |l| format!(" at line {}, column {}", l.line(), l.column()));
            Err(ConnectError::new(format!(
                "cannot read the kubeconfig {}: it is not valid YAML{place}, or a field there has the wrong type",
                path.display()
            )))
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ConnectError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    };
    ConnectError::new(format!("cannot read the kubeconfig {}: {why}", path.display()))
}
