//! Which server, whose credentials, which namespace: the kubeconfig and the flags together, by kubectl's rules.

use std::path::PathBuf;

use super::connect::{Connect, ConnectError, one_line};
use super::kubeconfig::{Cluster, Context, Kubeconfig, Surroundings, User, named};

/// One cluster, one user, one namespace. No `Debug`: it holds credentials.
pub(super) struct Chosen {
    /// The context's name, or nothing.
    pub(super) context: String,
    /// The user's name in the kubeconfig, or nothing.
    pub(super) user_name: String,
    /// Never empty.
    pub(super) namespace: String,
    pub(super) cluster: Cluster,
    pub(super) user: User,
}

/// Chooses as kubectl does.
///
/// # Errors
/// Names that do not exist, nothing to connect to, and credentials that contradict each other.
pub(super) fn choose(config: &Kubeconfig, connect: &Connect, around: &Surroundings) -> Result<Chosen, ConnectError> {
    let mut chosen = if config.is_empty() {
        without_kubeconfig(config, connect, around)?
    } else {
        from_kubeconfig(config, connect)?
    };
    override_cluster(&mut chosen.cluster, connect);
    override_user(&mut chosen.user, connect);
    if chosen.user.as_user.as_deref().unwrap_or_default().is_empty() {
        let rest = chosen.user.as_uid.is_some()
            || chosen.user.as_groups.as_ref().is_some_and(|g| !g.is_empty())
            || chosen.user.as_user_extra.as_ref().is_some_and(|e| !e.is_empty());
        if rest {
            return Err(ConnectError::new(
                "--as-uid, --as-group and --as-user-extra need --as: name the user to impersonate",
            ));
        }
    }
    Ok(chosen)
}

/// The namespace that is used when nothing can be connected to: for completion.
pub(super) fn namespace_of(config: &Kubeconfig, connect: &Connect, around: &Surroundings) -> String {
    let named = connect.namespace.clone().filter(|n| !n.is_empty());
    named.unwrap_or_else(|| {
        let name = connect.context.as_ref().or(config.current_context.as_ref());
        let context = name.and_then(|name| self::named(&config.contexts, name));
        match context.and_then(|c| c.namespace.clone()).filter(|n| !n.is_empty()) {
            Some(namespace) => namespace,
            None if config.is_empty() && in_cluster(around).is_some() => service_account_namespace(around),
            None => "default".to_owned(),
        }
    })
}

fn from_kubeconfig(config: &Kubeconfig, connect: &Connect) -> Result<Chosen, ConnectError> {
    let asked = connect.context.as_deref().filter(|c| !c.is_empty());
    let name = asked.or(config.current_context.as_deref()).unwrap_or_default().to_owned();
    let context = match named(&config.contexts, &name) {
        Some(context) => context.clone(),
        None if name.is_empty() => Context::default(),
        None => {
            return Err(unknown(
                "context",
                &name,
                &config.contexts,
                config,
                if asked.is_some() { "--context" } else { "current-context" },
            ));
        }
    };
    let cluster_name = connect.cluster.clone().filter(|c| !c.is_empty()).or(context.cluster).unwrap_or_default();
    let cluster = match named(&config.clusters, &cluster_name) {
        Some(cluster) => cluster.clone(),
        None if connect.cluster.is_some() => {
            return Err(unknown("cluster", &cluster_name, &config.clusters, config, "--cluster"));
        }
        None => Cluster::default(),
    };
    let user_name = connect.user.clone().filter(|u| !u.is_empty()).or(context.user).unwrap_or_default();
    let user = match named(&config.users, &user_name) {
        Some(user) => user.clone(),
        None if connect.user.is_some() => return Err(unknown("user", &user_name, &config.users, config, "--user")),
        None => User::default(),
    };
    let has_server = connect.server.is_some() || cluster.server.as_ref().is_some_and(|s| !s.is_empty());
    if !has_server {
        return Err(if name.is_empty() && cluster_name.is_empty() {
            let names: Vec<&str> = config.contexts.iter().map(|(name, _)| name.as_str()).collect();
            ConnectError::new(format!(
                "no context is chosen: {} has no current-context; choose one with --context{}",
                files(config),
                known(&names)
            ))
        } else {
            ConnectError::new(format!(
                "the cluster \"{}\" has no server in {}; pass --server, or correct the context \"{}\"",
                one_line(&cluster_name, 100),
                files(config),
                one_line(&name, 100)
            ))
        });
    }
    let namespace = connect
        .namespace
        .clone()
        .filter(|n| !n.is_empty())
        .or(context.namespace.filter(|n| !n.is_empty()))
        .unwrap_or_else(|| "default".to_owned());
    Ok(Chosen { context: name, user_name, namespace, cluster, user })
}

fn without_kubeconfig(config: &Kubeconfig, connect: &Connect, around: &Surroundings) -> Result<Chosen, ConnectError> {
    for (flag, name) in [("--context", &connect.context), ("--cluster", &connect.cluster), ("--user", &connect.user)] {
        if let Some(name) = name.as_ref().filter(|n| !n.is_empty()) {
            return Err(ConnectError::new(format!(
                "{flag} {} is not known: {} has no entries",
                one_line(name, 100),
                files(config)
            )));
        }
    }
    let namespace =
        |fallback: &dyn Fn() -> String| connect.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(fallback);
    match (in_cluster(around), &connect.server) {
        (Some((server, token, ca)), _) => Ok(Chosen {
            context: String::new(),
            user_name: String::new(),
            namespace: namespace(&|| service_account_namespace(around)),
            cluster: Cluster { server: Some(server), certificate_authority: Some(ca), ..Cluster::default() },
            user: User { token_file: Some(token), ..User::default() },
        }),
        (None, Some(_)) => Ok(Chosen {
            context: String::new(),
            user_name: String::new(),
            namespace: namespace(&|| "default".to_owned()),
            cluster: Cluster::default(),
            user: User::default(),
        }),
        (None, None) => Err(ConnectError::new(format!(
            "there is no cluster to ask: {} does not exist or is empty, and this is no pod; set KUBECONFIG, or pass --kubeconfig or --server",
            files(config)
        ))),
    }
}

/// Server, token file and CA file of the pod in which the program runs, if it runs in one.
fn in_cluster(around: &Surroundings) -> Option<(String, PathBuf, PathBuf)> {
    let host = around.text("KUBERNETES_SERVICE_HOST")?;
    let port = around.text("KUBERNETES_SERVICE_PORT")?;
    let token = around.service_account.join("token");
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    token.is_file().then(|| (format!("https://{host}:{port}"), token, around.service_account.join("ca.crt")))
}

fn service_account_namespace(around: &Surroundings) -> String {
    let file = || {
        std::fs::read_to_string(around.service_account.join("namespace"))
            .ok()
            .map(|n| n.trim().to_owned())
            .filter(|n| !n.is_empty())
    };
    around.text("POD_NAMESPACE").or_else(file).unwrap_or_else(|| "default".to_owned())
}

fn override_cluster(cluster: &mut Cluster, connect: &Connect) {
    if let Some(server) = connect.server.clone().filter(|s| !s.is_empty()) {
        cluster.server = Some(server);
        // The name in the kubeconfig belongs to the server in the kubeconfig.
        cluster.tls_server_name = None;
    }
    if let Some(name) = connect.tls_server_name.clone().filter(|n| !n.is_empty()) {
        cluster.tls_server_name = Some(name);
    }
    if let Some(ca) = connect.certificate_authority.clone() {
        cluster.certificate_authority = Some(ca);
        cluster.certificate_authority_data = None;
        cluster.insecure_skip_tls_verify = None;
    }
    if connect.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if connect.disable_compression {
        cluster.disable_compression = Some(true);
    }
}

fn override_user(user: &mut User, connect: &Connect) {
    if let Some(certificate) = connect.client_certificate.clone() {
        user.client_certificate = Some(certificate);
        user.client_certificate_data = None;
    }
    if let Some(key) = connect.client_key.clone() {
        user.client_key = Some(key);
        user.client_key_data = None;
    }
    if connect.username.is_some() || connect.password.is_some() {
        user.username = connect.username.clone().or(user.username.take());
        user.password = connect.password.clone().or(user.password.take());
        user.token = None;
        user.token_file = None;
        user.auth_provider = None;
        user.exec = None;
    }
    if let Some(token) = connect.token.clone().filter(|t| !t.is_empty()) {
        user.token = Some(token);
        user.token_file = None;
        user.username = None;
        user.password = None;
        user.auth_provider = None;
        user.exec = None;
    }
    if let Some(name) = connect.as_user.clone() {
        user.as_user = Some(name);
    }
    if let Some(uid) = connect.as_uid.clone() {
        user.as_uid = Some(uid);
    }
    if !connect.as_groups.is_empty() {
        user.as_groups = Some(connect.as_groups.clone());
    }
    if !connect.as_user_extra.is_empty() {
        let extra = user.as_user_extra.insert(std::collections::BTreeMap::new());
        for pair in &connect.as_user_extra {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            extra.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
}

fn unknown<T>(what: &str, name: &str, list: &[(String, T)], config: &Kubeconfig, from: &str) -> ConnectError {
    let names: Vec<&str> = list.iter().map(|(name, _)| name.as_str()).collect();
    ConnectError::new(format!(
        "the {what} \"{}\" ({from}) is not in {}{}",
        one_line(name, 100),
        files(config),
        known(&names)
    ))
}

fn known(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().filter(|n| !n.is_empty()).take(8).map(|n| one_line(n, 100)).collect();
    match shown.len() {
        0 => String::new(),
        n if n < names.len() => format!("; it knows {} and {} more", shown.join(", "), names.len() - n),
        _ => format!("; it knows {}", shown.join(", ")),
    }
}

fn files(config: &Kubeconfig) -> String {
    let names: Vec<String> = config.files.iter().map(|f| f.display().to_string()).collect();
    if names.is_empty() { "the kubeconfig".to_owned() } else { format!("the kubeconfig {}", names.join(", ")) }
}
