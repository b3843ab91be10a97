//! What a shell, a loader or the runtime writes into the container's own output when a program cannot be run.
//!
//! runc starts the program only after the container counts as started, so "exec format error" and a missing interpreter
//! reach no message of the kubelet: the exit code is 1 (runc 1.1), 255 (runc 1.2) or 127, and only the log tells.

use super::problem::{Lack, Problem};

/// What a line of output says about a program that could not be run. `code` is the exit code of the process that wrote it.
pub(super) fn read(line: &str, code: i32) -> Option<Problem> {
    let line = line.trim();
    let lower = line.to_ascii_lowercase();
    let (subject, what) = split(line)?;
    let what = what.to_ascii_lowercase();
    if let Some(command) = runtimes_own(line) {
        return match what.trim_matches(['"', '.']) {
            "exec format error" => Some(Problem::ExecFormat { command }),
            "no such file or directory" => Some(Problem::NotFound { command, lacks: Lack::Interpreter }),
            "permission denied" => Some(Problem::NotExecutable { command, directory: false }),
            "is a directory" => Some(Problem::NotExecutable { command, directory: true }),
            _ => None,
        };
    }
    let libraries = ["error while loading shared libraries", "error loading shared library"];
    if code == 127
        && let Some(mark) = libraries.iter().find(|m| lower.contains(**m))
    {
        let rest = lower.find(mark).and_then(|at| line.get(at + mark.len()..)).unwrap_or_default();
        let library = rest.trim_start_matches([':', ' ']).split(':').next().unwrap_or_default().trim().to_owned();
        return Some(Problem::NotFound { command: subject_of_loader(line), lacks: Lack::Library(library) });
    }
    let command = named(subject);
    match what.as_str() {
        "exec format error" if matches!(code, 126 | 127 | 2) => Some(Problem::ExecFormat { command }),
        "not found" | "command not found" | "executable file not found in $path" if code == 127 => {
            let lacks = if command.contains('/') { Lack::File } else { Lack::InPath };
            Some(Problem::NotFound { command, lacks })
        }
        "no such file or directory" | "no such file" | "cannot execute: required file not found" if code == 127 => {
            let interpreter =
                what.contains("required") || lower.contains("bad interpreter") || has_carriage_return(line);
            Some(Problem::NotFound { command, lacks: if interpreter { Lack::Interpreter } else { Lack::File } })
        }
        "permission denied" | "is a directory" if code == 126 => {
            Some(Problem::NotExecutable { command, directory: what == "is a directory" })
        }
        _ => None,
    }
}

/// The command, if it is runc or crun that speaks: `exec /app/server: …`, `exec container process `/app/server`: …`,
/// `standard_init_linux.go:228: exec user process caused: …`.
fn runtimes_own(line: &str) -> Option<String> {
    if line.starts_with("standard_init_linux.go:") {
        return Some(String::new());
    }
    let rest = line.strip_prefix("exec ")?;
    if let Some(crun) = rest.strip_prefix("container process ") {
        return crun.split('`').nth(1).map(str::to_owned);
    }
    let (command, _) = rest.split_once(": ")?;
    (!command.contains(' ') && !command.is_empty()).then(|| command.to_owned())
}

/// A complaint's subject and its end: `sh: exec: line 0: gunicorn` and `not found`.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end_matches(['.', '"']);
    let tini = line.split_once(" failed: ").filter(|(before, _)| before.contains("exec "));
    tini.or_else(|| line.rsplit_once(": "))
}

/// The last word of a complaint's subject without quotes, or what stands in its quotes.
fn named(subject: &str) -> String {
    let subject = subject.strip_suffix(": bad interpreter").unwrap_or(subject);
    let last = subject.rsplit(": ").next().unwrap_or(subject).trim();
    let word = last.split_whitespace().next_back().unwrap_or(last);
    let quotes: &[char] = &['\'', '"', '`', '\u{2018}', '\u{2019}'];
    word.trim_matches(quotes).trim_end_matches("\\r").trim_end_matches("^M").to_owned()
}

/// The program that a loader speaks of: `/app/server: error while …`; musl's names it at the end, in brackets.
fn subject_of_loader(line: &str) -> String {
    match line.rsplit_once("(needed by ") {
        Some((_, by)) => by.trim_end_matches(')').to_owned(),
        None => line.split(": ").next().unwrap_or_default().to_owned(),
    }
}

/// Whether the interpreter's name ends in a carriage return: the script was saved with Windows line ends.
pub(super) fn has_carriage_return(line: &str) -> bool {
    ["\\r'", "\\r\u{2019}", "\\r:", "^M", "\r:"].iter().any(|mark| line.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_log_tells_of_a_wrong_format_whatever_the_exit_code() {
        let lines = [
            "exec /app/server: exec format error",
            "exec container process `/app/server`: Exec format error",
            "exec container process (missing dynamic library?) `/app/server`: Exec format error",
        ];
        for (line, code) in lines.iter().flat_map(|l| [1, 255].map(|c| (l, c))) {
            let problem = read(line, code).unwrap();
            assert_eq!(problem, Problem::ExecFormat { command: "/app/server".to_owned() }, "{line}");
        }
        let old = r#"standard_init_linux.go:228: exec user process caused: exec format error"#;
        assert_eq!(read(old, 1).unwrap(), Problem::ExecFormat { command: String::new() });
    }

    #[test]
    fn shells_loaders_and_init_programs_name_what_they_do_not_find() {
        for (line, command, lacks) in [
            ("sh: exec: line 0: gunicornn: not found", "gunicornn", Lack::InPath),
            ("/bin/sh: 1: foo: not found", "foo", Lack::InPath),
            ("/entrypoint.sh: line 12: /opt/run: not found", "/opt/run", Lack::File),
            ("bash: line 1: foo: command not found", "foo", Lack::InPath),
            ("env: 'node': No such file or directory", "node", Lack::File),
            ("env: can't execute 'node': No such file or directory", "node", Lack::File),
            ("/usr/bin/env: 'bash\\r': No such file or directory", "bash", Lack::Interpreter),
            ("[FATAL tini (7)] exec serve failed: No such file or directory", "serve", Lack::File),
            ("sh: can't open '/app/run.sh': No such file or directory", "/app/run.sh", Lack::File),
            (
                "/app/x: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory",
                "/app/x",
                Lack::Library("libpq.so.5".to_owned()),
            ),
            (
                "Error loading shared library libssl.so.3: No such file or directory (needed by /app/x)",
                "/app/x",
                Lack::Library("libssl.so.3".to_owned()),
            ),
        ] {
            let problem = read(line, 127).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(problem, Problem::NotFound { command: command.to_owned(), lacks }, "{line}");
        }
    }

    #[test]
    fn a_complaint_about_some_other_file_is_no_missing_command() {
        assert_eq!(read("cat: /etc/app.conf: No such file or directory", 1), None);
        assert_eq!(read("open /data/db: permission denied", 1), None);
        assert_eq!(read("GET /x: not found", 2), None);
    }

    #[test]
    fn a_refused_command_is_named() {
        let problem = read("sh: /etc/passwd: Permission denied\n", 126).unwrap();
        assert_eq!(problem, Problem::NotExecutable { command: "/etc/passwd".to_owned(), directory: false });
    }
}
