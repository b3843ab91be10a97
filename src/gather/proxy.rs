//! Which proxy leads to the server, by the rules of Go's net/http, on which kubectl stands.

use std::net::IpAddr;

use http::Uri;

use super::connect::{ConnectError, one_line};
use super::kubeconfig::Surroundings;

/// A proxy and how to sign in to it. No `Debug`: it holds credentials.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Scheme, host and port, without user.
    pub(super) uri: Uri,
    /// User and password.
    pub(super) user: Option<(String, String)>,
}

/// The proxy for a server. The kubeconfig's `proxy-url` holds for every host; the environment's proxies yield to NO_PROXY.
///
/// # Errors
/// A proxy that is no URL or of a kind that kubectl does not know either.
pub(super) fn choose(
    server: &Uri,
    proxy_url: Option<&str>,
    around: &Surroundings,
) -> Result<Option<Proxy>, ConnectError> {
    if let Some(url) = proxy_url.filter(|url| !url.is_empty()) {
        return parse(url, "proxy-url of the kubeconfig").map(Some);
    }
    let variables = if server.scheme_str() == Some("https") {
        ["HTTPS_PROXY", "https_proxy"]
    } else {
        ["HTTP_PROXY", "http_proxy"]
    };
    let Some((name, url)) = variables.iter().find_map(|name| around.text(name).map(|url| (*name, url))) else {
        return Ok(None);
    };
    let host = host_of(server);
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    let exempt = around.text("NO_PROXY").or_else(|| around.text("no_proxy")).unwrap_or_default();
    if is_loopback(&host) || is_exempt(&host, port, &exempt) {
        return Ok(None);
    }
    parse(&url, name).map(Some)
}

/// The host without the brackets of an IPv6 address, in lower case.
pub(super) fn host_of(uri: &Uri) -> String {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a NO_PROXY list names the host: `*`, addresses, networks, names with their subdomains, `.only.subdomains`, each with
/// or without a port.
fn is_exempt(host: &str, port: u16, list: &str) -> bool {
    let ip = host.parse::<IpAddr>().ok();
    list.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return matches!((ip, network.parse::<IpAddr>(), bits.parse::<u32>()), (Some(ip), Ok(network), Ok(bits)) if contains(network, bits, ip));
        }
        let (name, only) = split_port(&entry);
        if only.is_some_and(|only| only != port) {
            return false;
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return ip == Some(address);
        }
        let name = name.strip_prefix('*').unwrap_or(name);
        match name.strip_prefix('.') {
            Some(_) => host.ends_with(name),
            None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|e| e.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, port.parse().ok()),
        _ => (entry, None),
    }
}

fn contains(network: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(network) & mask == u32::from(ip) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(network) & mask == u128::from(ip) & mask
        }
        _ => false,
    }
}

fn parse(url: &str, from: &str) -> Result<Proxy, ConnectError> {
    // A URL that does not parse is not shown: it can hold a password.
    let wrong = |what: &str| ConnectError::new(format!("cannot use the proxy in {from}: {what}"));
    let url = if url.contains("://") { url.trim().to_owned() } else { format!("http://{}", url.trim()) };
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", &url));
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https" | "socks5" | "socks5h") {
        return Err(wrong(&format!("the scheme {} is none of http, https, socks5, socks5h", one_line(&scheme, 20))));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, address) = authority.rsplit_once('@').map_or((None, authority), |(user, address)| (Some(user), address));
    let uri: Uri = format!("{scheme}://{address}").parse().map_err(|_| wrong("it is not a URL"))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(wrong("it has no host"));
    }
    let user = user.map(|user| {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        (percent_decoded(name), percent_decoded(password))
    });
    Ok(Proxy { uri, user })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let ahead: Vec<u8> = rest.clone().take(2).collect();
        let code = std::str::from_utf8(&ahead)
            .ok()
            .filter(|hex| hex.len() == 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) if byte == b'%' => {
                bytes.push(code);
                rest.nth(1);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        for (host, list, exempt) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("fd00::1", "fd00::/8", true),
            ("api.example.com", "example.com,", true),
            ("example.com", "example.com", true),
            ("example.com", ".example.com", false),
            ("api.example.com", ".example.com", true),
            ("api.example.com", "*.example.com", true),
            ("badexample.com", "example.com", false),
            ("10.1.2.3", "*", true),
            ("10.1.2.3", "10.1.2.3:6443", true),
            ("10.1.2.3", "10.1.2.3:443", false),
            ("10.1.2.3", "localhost, 10.1.2.3", true),
            ("fd00::1", "[fd00::1]:6443", true),
            ("10.1.2.3", "", false),
            ("10.1.2.3", "10.0.0.0/99,/,:,[", false),
        ] {
            assert_eq!(is_exempt(host, 6443, list), exempt, "{host} in {list:?}");
        }
    }

    #[test]
    fn proxies_need_no_scheme_and_keep_their_password_out_of_errors() {
        let proxy = parse("user:p%40ss@proxy:3128", "HTTPS_PROXY").ok();
        assert_eq!(proxy.as_ref().map(|p| p.uri.to_string()), Some("http://proxy:3128/".to_owned()));
        assert_eq!(proxy.and_then(|p| p.user), Some(("user".to_owned(), "p@ss".to_owned())));
        for url in ["ftp://u:hunter2@h", "http://u:hunter2@", "http://u:hunter2@h h"] {
            let text = parse(url, "HTTPS_PROXY").err().map(|e| e.to_string()).unwrap_or_default();
            assert!(text.contains("HTTPS_PROXY") && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn the_kubeconfigs_proxy_ignores_no_proxy() {
        let around = Surroundings {
            var: |name| (name == "NO_PROXY").then(|| "*".into()),
            home: None,
            service_account: "/nonexistent".into(),
        };
        let server: Uri = "https://10.0.0.1:6443".parse().unwrap_or_default();
        assert!(choose(&server, Some("socks5://p:1080"), &around).is_ok_and(|p| p.is_some()));
    }

    #[test]
    fn the_environments_proxy_yields_to_no_proxy_and_never_stands_before_this_machine() {
        let around = Surroundings {
            var: |name| match name {
                "HTTPS_PROXY" => Some("p:1".into()),
                "NO_PROXY" => Some("10.0.0.0/8,".into()),
                _ => None,
            },
            home: None,
            service_account: "/nonexistent".into(),
        };
        let used = |url: &str| {
            url.parse::<Uri>().ok().and_then(|server| choose(&server, None, &around).ok()).flatten().is_some()
        };
        assert!(used("https://192.168.0.1:6443"));
        assert!(!used("https://10.0.0.1:6443"));
        assert!(!used("https://127.0.0.1:6443"));
        assert!(!used("http://192.168.0.1:6443"), "HTTPS_PROXY is for https alone");
    }
}
