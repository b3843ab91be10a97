//! Everything that a client needs, read and checked: files loaded, the plugin run, headers made.

use std::path::Path;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri, header};

use super::connect::{Connect, ConnectError, DEFAULT_TIMEOUT, one_line};
use super::exec::{self, base64, from_base64};
use super::kubeconfig::{Cluster, Kubeconfig, Surroundings, User};
use super::proxy::{self, Proxy};
use super::resolve::{self, Chosen};

const USER_AGENT: &str = concat!("kubectl-why/", env!("CARGO_PKG_VERSION"));

/// A connection in all details. No `Debug`: it holds credentials.
pub(super) struct Session {
    pub(super) server: Uri,
    /// PEM; with none the system's roots count.
    pub(super) ca: Option<Vec<u8>>,
    pub(super) insecure: bool,
    pub(super) tls_server_name: Option<String>,
    /// Certificate and key, both PEM.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) proxy: Option<Proxy>,
    pub(super) compression: bool,
    /// For each question; none is no limit.
    pub(super) timeout: Option<Duration>,
    pub(super) namespace: String,
    pub(super) context: String,
    pub(super) user_name: String,
}

impl Session {
    /// Settles every detail of the connection; runs a credential plugin if the kubeconfig says so.
    pub(super) async fn open(connect: &Connect, around: &Surroundings) -> Result<Self, ConnectError> {
        let config = Kubeconfig::load(connect, around)?;
        let Chosen { context, user_name, namespace, cluster, user } = resolve::choose(&config, connect, around)?;
        let insecure = cluster.insecure_skip_tls_verify == Some(true);
        let ca = bytes(
            "certificate-authority",
            cluster.certificate_authority_data.as_deref(),
            cluster.certificate_authority.as_deref(),
        )?;
        let server = server(&cluster, ca.is_some() || insecure)?;
        let proxy = proxy::choose(&server, cluster.proxy_url.as_deref(), around)?;
        let certificate =
            bytes("client-certificate", user.client_certificate_data.as_deref(), user.client_certificate.as_deref())?;
        let key = bytes("client-key", user.client_key_data.as_deref(), user.client_key.as_deref())?;
        let mut identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ConnectError::new(format!(
                    "the user \"{}\" has a client-certificate without a client-key",
                    one_line(&user_name, 100)
                )));
            }
            (None, Some(_)) => {
                return Err(ConnectError::new(format!(
                    "the user \"{}\" has a client-key without a client-certificate",
                    one_line(&user_name, 100)
                )));
            }
        };
        let mut authorization = authorization(&user, &user_name)?;
        // As client-go: whoever already has credentials needs no plugin.
        if let (Some(plugin), None, None) = (&user.exec, &identity, &authorization) {
            let credentials = exec::run(plugin, &cluster, ca.as_deref(), !connect.never_interactive).await?;
            authorization = credentials.token.as_deref().map(bearer).transpose()?;
            identity = credentials.certificate.map(|(certificate, key)| (certificate.into_bytes(), key.into_bytes()));
        }
        let mut headers = vec![(header::USER_AGENT, HeaderValue::from_static(USER_AGENT))];
        headers.extend(authorization.map(|value| (header::AUTHORIZATION, value)));
        impersonate(&user, &mut headers)?;
        Ok(Self {
            server,
            ca: ca.filter(|_| !insecure),
            insecure,
            tls_server_name: cluster.tls_server_name.filter(|name| !name.is_empty()),
            identity,
            headers,
            proxy,
            compression: cluster.disable_compression != Some(true),
            timeout: Some(connect.request_timeout.unwrap_or(DEFAULT_TIMEOUT)).filter(|t| !t.is_zero()),
            namespace,
            context,
            user_name,
        })
    }
}

/// The server's URL. Without a scheme kubectl takes https if anything about TLS is configured, else http.
fn server(cluster: &Cluster, has_tls: bool) -> Result<Uri, ConnectError> {
    let text = cluster.server.as_deref().unwrap_or_default().trim();
    let url = if text.contains("://") {
        text.to_owned()
    } else {
        format!("{}://{text}", if has_tls { "https" } else { "http" })
    };
    let uri: Option<Uri> = url.parse().ok().filter(|uri: &Uri| {
        uri.host().is_some_and(|h| !h.is_empty()) && matches!(uri.scheme_str(), Some("http" | "https"))
    });
    uri.ok_or_else(|| {
        ConnectError::new(format!(
            "the server \"{}\" is not a URL such as https://10.0.0.1:6443",
            one_line(text.rsplit('@').next().unwrap_or_default(), 200)
        ))
    })
}

/// A field's data, or else the content of its file.
fn bytes(field: &str, data: Option<&str>, path: Option<&Path>) -> Result<Option<Vec<u8>>, ConnectError> {
    if let Some(data) = data.filter(|d| !d.is_empty()) {
        return from_base64(data)
            .map(Some)
            .ok_or_else(|| ConnectError::new(format!("{field}-data in the kubeconfig is not base64")));
    }
    let Some(path) = path.filter(|p| !p.as_os_str().is_empty()) else { return Ok(None) };
    read(field, path).map(Some)
}

fn read(field: &str, path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path).map_err(|e| {
        let why = if e.kind() == std::io::ErrorKind::NotFound {
            "there is no such file".to_owned()
        } else {
            e.kind().to_string()
        };
        ConnectError::new(format!("cannot read {} ({field}): {why}", path.display()))
    })
}

fn authorization(user: &User, user_name: &str) -> Result<Option<HeaderValue>, ConnectError> {
    let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    let token = match (filled(&user.token), &user.token_file) {
        (Some(token), _) => Some(token),
        (None, Some(path)) => {
            let text = read("tokenFile", path)?;
            Some(String::from_utf8_lossy(&text).trim().to_owned()).filter(|t| !t.is_empty())
        }
        (None, None) => None,
    };
    let basic = filled(&user.username).or(filled(&user.password)).map(|_| {
        let pair = format!(
            "{}:{}",
            user.username.as_deref().unwrap_or_default(),
            user.password.as_deref().unwrap_or_default()
        );
        format!("Basic {}", base64(pair.as_bytes()))
    });
    match (token, basic, &user.auth_provider) {
        (Some(_), Some(_), _) => Err(ConnectError::new(format!(
            "the user \"{}\" has a token and a password; kubectl allows only one: pass --token or correct the kubeconfig",
            one_line(user_name, 100)
        ))),
        (Some(token), None, _) => bearer(&token).map(Some),
        (None, Some(basic), _) => sensitive(&basic, "the password").map(Some),
        // Only what is already there is used: a plugin of that kind that must log in was removed from kubectl.
        (None, None, Some(provider)) => {
            let token = provider
                .config
                .as_ref()
                .and_then(|c| c.get("id-token").or_else(|| c.get("access-token")))
                .filter(|t| !t.is_empty());
            match token {
                Some(token) => bearer(token).map(Some),
                None => Err(ConnectError::new(format!(
                    "the user \"{}\" has auth-provider {}, which is not supported; use a credential plugin (exec) as kubectl does since 1.26",
                    one_line(user_name, 100),
                    one_line(provider.name.as_deref().unwrap_or_default(), 40)
                ))),
            }
        }
        (None, None, None) => Ok(None),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, ConnectError> {
    sensitive(&format!("Bearer {}", token.trim()), "the token")
}

fn sensitive(value: &str, what: &str) -> Result<HeaderValue, ConnectError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| ConnectError::new(format!("{what} holds characters that cannot be sent")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn impersonate(user: &User, headers: &mut Vec<(HeaderName, HeaderValue)>) -> Result<(), ConnectError> {
    let Some(name) = user.as_user.as_deref().filter(|n| !n.is_empty()) else { return Ok(()) };
    let mut add = |header: &str, value: &str| {
        let wrong = |_| {
            ConnectError::new(format!(
                "{} cannot be sent as a header: \"{}\"",
                one_line(header, 60),
                one_line(value, 60)
            ))
        };
        headers.push((
            HeaderName::from_bytes(header.as_bytes()).map_err(|_| wrong(()))?,
            HeaderValue::from_str(value).map_err(|_| wrong(()))?,
        ));
        Ok(())
    };
    add("impersonate-user", name)?;
    if let Some(uid) = user.as_uid.as_deref().filter(|u| !u.is_empty()) {
        add("impersonate-uid", uid)?;
    }
    for group in user.as_groups.iter().flatten() {
        add("impersonate-group", group)?;
    }
    for (key, values) in user.as_user_extra.iter().flatten() {
        for value in values {
            add(&format!("impersonate-extra-{}", header_key(key)), value)?;
        }
    }
    Ok(())
}

/// A key as part of a header's name: what a name may not hold, and the percent sign, is percent-encoded.
fn header_key(key: &str) -> String {
    let mut out = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'!'
            | b'#'
            | b'$'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~' => {
                out.push(char::from(byte).to_ascii_lowercase());
            }
            byte => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}
