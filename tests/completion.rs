//! `kubectl why <TAB>` in real shells through a real kubectl. What is not installed is left out, and said.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with kubectl-why and kubectl_complete-why, for the PATH.
fn bin() -> PathBuf {
    static ONCE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    ONCE.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("kubectl-why-completion-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let _ = std::fs::remove_file(folder.join("kubectl-why"));
        let _ = std::fs::remove_file(folder.join("kubectl_complete-why"));
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-why"), folder.join("kubectl-why")).unwrap();
        let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/kubectl_complete-why");
        std::os::unix::fs::symlink(shim, folder.join("kubectl_complete-why")).unwrap();
        folder
    })
    .clone()
}

fn installed(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).output().is_ok_and(|o| o.status.success());
    if !found {
        println!("left out: {program} is not installed");
    }
    found
}

/// Runs a script with the plugin on the PATH and no cluster.
fn shell(program: &str, args: &[&str], script: &str) -> String {
    let path = format!("{}:{}", bin().display(), std::env::var("PATH").unwrap_or_default());
    let home = bin();
    let out = Command::new(program)
        .args(args)
        .arg(script)
        .env("PATH", path)
        .env("HOME", &home)
        .env("KUBECONFIG", "/nonexistent")
        .env("TERM", "dumb")
        .output()
        .unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn bash_completes_behind_kubectl() {
    if !installed("kubectl") || !installed("bash") || !Path::new("/usr/share/bash-completion/bash_completion").exists()
    {
        return println!("left out: bash-completion is not installed");
    }
    let script = r#"
source /usr/share/bash-completion/bash_completion
source <(kubectl completion bash)
t() { COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; shift; COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); COMPREPLY=(); COMP_TYPE=9
  __start_kubectl 2>/dev/null; printf '%s => %s\n' "$COMP_LINE" "${COMPREPLY[*]}"; }
t "kubectl why --outp" kubectl why --outp
t "kubectl why --output=j" kubectl why --output = j
t "kubectl why -o y" kubectl why -o y
t "kubectl why explain OOMKilledA" kubectl why explain OOMKilledA
t "kubectl why deplo" kubectl why deplo
"#;
    let out = shell("bash", &["--norc", "-c"], script);
    for line in [
        "kubectl why --outp => --output",
        "kubectl why --output=j => json",
        "kubectl why -o y => yaml",
        "kubectl why explain OOMKilledA => OOMKilledAtStart",
        "kubectl why deplo => deployment/",
    ] {
        assert!(out.lines().any(|l| l.trim_end() == line || l.starts_with(line)), "no «{line}» in:\n{out}");
    }
}

#[test]
fn fish_completes_behind_kubectl() {
    if !installed("kubectl") || !installed("fish") {
        return;
    }
    for (line, wanted) in [
        ("kubectl why --outp", "--output"),
        ("kubectl why -o y", "yaml"),
        ("kubectl why explain OOMKilledA", "OOMKilledAtStart"),
    ] {
        let out =
            shell("fish", &["--no-config", "-c"], &format!("kubectl completion fish | source; complete -C '{line}'"));
        assert!(out.lines().any(|l| l.split('\t').next() == Some(wanted)), "no {wanted} after «{line}»:\n{out}");
    }
}

#[test]
fn zsh_completes_behind_kubectl() {
    if !installed("kubectl") || !installed("zsh") {
        return;
    }
    let script = r#"
zmodload zsh/zpty
zpty z zsh -f -i
send() { zpty -w z "$1"; }
send "PS1=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D"
send "kubectl completion zsh > $HOME/k.zsh; source $HOME/k.zsh; compdef _kubectl kubectl; zstyle ':completion:*' list-prompt ''; LISTMAX=0"
sleep 2
zpty -w -n z $'kubectl why explain OOMKilledA\t'
sleep 3
zpty -w -n z $'\C-u'
zpty -r -t z all 2>/dev/null
while zpty -r -t z more 2>/dev/null; do all+=$more; done
print -r -- "$all"
zpty -d z
"#;
    let out = shell("zsh", &["-f", "-c"], script);
    assert!(out.contains("OOMKilledAtStart"), "zsh offered:\n{out}");
}

#[test]
fn the_static_scripts_are_valid_in_their_shells() {
    for (program, args, file) in [
        ("bash", &["-n"][..], "kubectl-why.bash"),
        ("zsh", &["-n"], "_kubectl-why"),
        ("fish", &["--no-execute"], "kubectl-why.fish"),
    ] {
        if installed(program) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
            let out = Command::new(program).args(args).arg(&path).output().unwrap();
            assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
        }
    }
}

#[test]
fn completion_is_silent_without_a_cluster() {
    let out = Command::new(bin().join("kubectl-why"))
        .args(["__complete", "pod/"])
        .env("KUBECONFIG", "/nonexistent")
        .output()
        .unwrap();
    assert!(out.status.success() && out.stderr.is_empty());
    assert_eq!(String::from_utf8(out.stdout).unwrap(), ":4\n");
}
