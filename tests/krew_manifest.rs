//! krew-manifest.yaml obeys the rules that krew and its index check, as it stands and as the release bot renders it; and an
//! archive of the built binary installs the way krew installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn template() -> String {
    std::fs::read_to_string(root().join("krew-manifest.yaml")).unwrap()
}

fn manifest(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// What the bot's Go template engine makes of it: comments vanish, the two actions that are used are carried out.
fn rendered(tag: &str) -> String {
    let mut text = template();
    while let Some(start) = text.find("{{/*") {
        let end = text[start..].find("*/}}").unwrap() + start + 4;
        text.replace_range(start..end, "");
    }
    let text =
        text.replace("{{\"\\n  \"}}", "\n  ").replace("{{\"\\n    \"}}", "\n    ").replace("{{ .TagName }}", tag);
    let mut out = String::new();
    for line in text.lines() {
        match line.split_once("{{addURIAndSha \"") {
            Some((before, rest)) => {
                let url = rest.split('"').next().unwrap();
                out.push_str(&format!("{before}uri: {url}\n    sha256: {}\n", "a".repeat(64)));
            }
            None => out.push_str(&format!("{line}\n")),
        }
    }
    assert!(!out.contains("{{"), "{out}");
    out
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is missing in {value}"))
}

/// Rules of krew's `validation.go` and of the index's own check.
fn check(manifest: &Value, version: &str) {
    assert_eq!(text(manifest, "/apiVersion"), "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(text(manifest, "/kind"), "Plugin");
    let name = text(manifest, "/metadata/name");
    assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    assert_eq!(text(manifest, "/spec/version"), version);
    let short = text(manifest, "/spec/shortDescription");
    assert!(!short.is_empty() && short.len() <= 50 && !short.contains('\n') && !short.ends_with('.'), "{short}");
    assert!(text(manifest, "/spec/description").lines().all(|l| l.len() <= 80));
    assert!(text(manifest, "/spec/homepage").starts_with("https://"));
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    let mut seen = Vec::new();
    for platform in platforms {
        let selector = platform["selector"]["matchLabels"].as_object().unwrap();
        assert!(selector.keys().all(|k| k == "os" || k == "arch"));
        let pair = (text(platform, "/selector/matchLabels/os"), text(platform, "/selector/matchLabels/arch"));
        assert!(["linux", "darwin", "windows"].contains(&pair.0) && ["amd64", "arm64"].contains(&pair.1), "{pair:?}");
        assert!(!seen.contains(&pair), "two platforms match {pair:?}");
        seen.push(pair);
        let sha = text(platform, "/sha256");
        assert!(sha.len() == 64 && sha.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)));
        let uri = text(platform, "/uri");
        assert!(uri.starts_with("https://") && uri.contains(&format!("/{version}/")), "{uri}");
        let bin = text(platform, "/bin");
        assert_eq!(bin.ends_with(".exe"), pair.0 == "windows");
        assert_eq!(uri.ends_with(".zip"), pair.0 == "windows");
    }
    assert_eq!(seen.len(), 5, "every platform of the release");
}

#[test]
fn it_installs_as_it_stands() {
    check(&manifest(&template()), concat!("v", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_release_bot_renders_it() {
    check(&manifest(&rendered("v9.8.7")), "v9.8.7");
}

#[test]
fn every_platform_is_built_by_the_release() {
    let workflow = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    for platform in manifest(&template())["spec"]["platforms"].as_array().unwrap() {
        let uri = text(platform, "/uri");
        let file = uri.rsplit('/').next().unwrap();
        let target = file.trim_start_matches("kubectl-why-").trim_end_matches(".tar.gz").trim_end_matches(".zip");
        assert!(workflow.contains(target), "the release does not build {target}");
    }
}

#[test]
fn an_archive_of_the_binary_installs_as_krew_does_it() {
    let work = std::env::temp_dir().join(format!("kubectl-why-krew-{}", std::process::id()));
    let (stage, store, bin) = (work.join("stage"), work.join("store/why/v0.1.0"), work.join("bin"));
    for folder in [&stage, &store, &bin] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::copy(env!("CARGO_BIN_EXE_kubectl-why"), stage.join("kubectl-why")).unwrap();
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "completions/kubectl_complete-why"] {
        std::fs::copy(root().join(file), stage.join(Path::new(file).file_name().unwrap())).unwrap();
    }
    let archive = work.join("kubectl-why.tar.gz");
    run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&stage).arg("."));

    // krew takes only folders and regular files, refuses paths that leave the archive, and wants a licence.
    let listing = run(Command::new("tar").arg("-tvzf").arg(&archive));
    assert!(listing.lines().all(|l| l.starts_with('-') || l.starts_with('d')), "{listing}");
    assert!(!listing.contains(".."));
    assert!(listing.to_lowercase().contains("license"));
    run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&store));

    let link: PathBuf = bin.join("kubectl-why");
    #[cfg(unix)]
    std::os::unix::fs::symlink(store.join("kubectl-why"), &link).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(store.join("kubectl-why"), &link).unwrap();
    assert!(run(Command::new(&link).arg("--version")).contains(env!("CARGO_PKG_VERSION")));

    // The caveat's link completes.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("kubectl-why", bin.join("kubectl_complete-why")).unwrap();
        let answer = run(Command::new(bin.join("kubectl_complete-why")).args(["-o", "js"]));
        assert!(answer.starts_with("json\t") && answer.trim_end().ends_with(":36"), "{answer}");
    }
    std::fs::remove_dir_all(&work).unwrap();
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}
