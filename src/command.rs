//! Commands to paste: quoted for a POSIX shell, and free of names that kubectl would take for options.

use std::fmt;

/// Options after which kubectl takes the next argument as it is, whatever it looks like.
const WITH_VALUE: [&str; 9] = ["-n", "-c", "-o", "-l", "-L", "-f", "-p", "--field-selector", "--for"];

/// Options that stand alone or have their value behind an equals sign.
const ALONE: [&str; 20] = [
    "-A",
    "--all-namespaces",
    "--docker-password",
    "--docker-server",
    "--docker-username",
    "--field-selector",
    "--force",
    "--from",
    "--grace-period",
    "--limits",
    "--previous",
    "--replicas",
    "--requests",
    "--show-labels",
    "--show-managed-fields",
    "--subresource",
    "--tail",
    "--type",
    "--value",
    "--from-literal",
];

/// Options that choose objects by something else than their names; none of our commands that change something has one.
const SELECTING: [&str; 5] = ["-A", "--all-namespaces", "-l", "-L", "--field-selector"];

/// Verbs that only read, and may therefore select.
const READING: [&str; 3] = ["get", "describe", "events"];

/// The one option that may be there more than once.
const REPEATED: &str = "--from-literal";

/// A command as a list of arguments; quoted for a POSIX shell when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(Vec<String>);

impl Command {
    /// `kubectl` with these arguments.
    pub fn kubectl<S: AsRef<str>>(args: impl IntoIterator<Item = S>) -> Self {
        Self(std::iter::once("kubectl".to_owned()).chain(args.into_iter().map(|a| a.as_ref().to_owned())).collect())
    }

    /// Another program with its arguments.
    pub fn program<S: AsRef<str>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self(argv.into_iter().map(|a| a.as_ref().to_owned()).collect())
    }

    /// The arguments, the program first.
    pub fn argv(&self) -> &[String] {
        &self.0
    }

    /// Why it must not be run: a name in it, which anybody may have chosen, stands where kubectl would read it as an option
    /// or not at all. `kubectl delete pod --all` is not about a pod called `--all`.
    pub fn trap(&self) -> Option<&'static str> {
        let Some((program, mut rest)) = self.0.split_first() else { return Some("it is empty") };
        let reads = rest.first().is_some_and(|verb| READING.contains(&verb.as_str()));
        let mut seen = Vec::new();
        while let Some((arg, after)) = rest.split_first() {
            rest = after;
            if arg.is_empty() {
                return Some("a name in it is empty");
            }
            if program != "kubectl" || !arg.starts_with('-') {
                continue;
            }
            // What follows is another program's; a name that looks like this ends nothing elsewhere.
            if arg == "--" && self.0.get(1).is_some_and(|verb| verb == "exec") && seen.contains(&"-c") {
                return None;
            }
            let name = arg.split_once('=').map_or(arg.as_str(), |(name, _)| name);
            let takes_next = WITH_VALUE.contains(&arg.as_str());
            let known = takes_next || ALONE.contains(&name);
            let selects = SELECTING.contains(&name) && !reads;
            if !known || selects || name != REPEATED && seen.contains(&name) {
                return Some("a name in it would be read as an option");
            }
            seen.push(name);
            if takes_next {
                let Some((value, after)) = rest.split_first() else { return Some("an option in it lacks its value") };
                if Self::knows_option(value) {
                    return Some("a name in it would be read as an option");
                }
                rest = after;
            }
        }
        None
    }

    /// Whether it is an option that names in commands are told from.
    pub fn knows_option(arg: &str) -> bool {
        let name = arg.split_once('=').map_or(arg, |(name, _)| name);
        arg == "--" || WITH_VALUE.contains(&arg) || ALONE.contains(&name)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, arg) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&shell_quoted(arg))?;
        }
        Ok(())
    }
}

/// One argument as a POSIX shell reads it back to exactly the same bytes.
fn shell_quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::Command;

    #[test]
    fn a_name_that_is_an_option_makes_no_command() {
        for name in
            ["--all", "--all=true", "-A", "-n", "--force", "-l", "--field-selector=x", "--kubeconfig=/tmp/x", ""]
        {
            let delete = Command::kubectl(["delete", "pod", name, "-n", "shop", "--grace-period=0", "--force", "-A"]);
            assert!(delete.trap().is_some(), "{name}");
        }
    }

    #[test]
    fn values_of_options_may_look_like_anything() {
        let patch = Command::kubectl(["patch", "pod", "x", "-n", "--all", "--type=json", "-p", "-"]);
        assert_eq!(patch.trap(), None);
        let create = ["create", "configmap", "c", "--from-literal=a=VALUE", "--from-literal=--b=VALUE"];
        assert_eq!(Command::kubectl(create).trap(), None);
        assert!(Command::kubectl(["get", "pod", "-n"]).trap().is_some());
        assert_eq!(Command::kubectl(["exec", "p", "-n", "n", "-c", "app", "--", "sh", "--x", ""]).trap(), None);
        assert!(Command::kubectl(["exec", "--", "-n", "n", "-c", "app", "--", "sh"]).trap().is_some());
        assert!(Command::kubectl(["delete", "pod", "--", "-n", "n"]).trap().is_some());
    }
}
