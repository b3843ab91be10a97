//! `kubectl why explain`: the manual page of a reason or of an exit code.

use crate::facts::exit::explain_code;
use crate::rules;

/// The page of a reason or of an exit code; the list of all without one.
///
/// # Errors
/// A sentence with close names, if there is no such reason.
pub fn page(word: Option<&str>) -> Result<String, String> {
    let Some(word) = word else { return Ok(list()) };
    if let Ok(code) = word.parse() {
        return Ok(explain_code(code));
    }
    match rules::named(word) {
        Some(rule) => Ok(format!("{}: {}\n{}", rule.reason, rule.summary, rule.explain)),
        None => {
            let lower = word.to_lowercase();
            let names: Vec<(String, &str)> = rules::all().map(|r| (r.reason.to_lowercase(), r.reason)).collect();
            let close = crate::facts::closest(&lower, names.iter().map(|(l, _)| l.as_str()));
            let close: Vec<&str> =
                close.iter().filter_map(|c| names.iter().find(|(l, _)| l == c)).map(|(_, name)| *name).collect();
            let hint = if close.is_empty() { "kubectl why explain lists them".to_owned() } else { close.join(", ") };
            Err(format!("no reason or exit code is called \"{word}\"; {hint}"))
        }
    }
}

fn list() -> String {
    rules::all().map(|r| format!("{:13} {:30} {}\n", r.stage.name(), r.reason, r.summary)).collect()
}
