//! The page of reasons, generated from the rules.

use std::fmt::Write;

use crate::finding::Stage;
use crate::rules;

/// docs/reasons.md: every reason with its page, in the order of a pod's life.
pub fn reasons() -> String {
    let mut page = String::from(
        "# Reasons\n\nGENERATED from the rules by `just generate`. `kubectl why explain REASON` prints the same page.\n\n",
    );
    for stage in Stage::ALL {
        let of_stage: Vec<_> = rules::all().filter(|r| r.stage == stage).collect();
        if !of_stage.is_empty() {
            let names: Vec<String> =
                of_stage.iter().map(|r| format!("[{0}](#{1})", r.reason, r.reason.to_lowercase())).collect();
            let _ = writeln!(page, "- **{}**: {}", stage.name(), names.join(", "));
        }
    }
    for rule in rules::all() {
        let _ = write!(page, "\n## {}\n\n*{}*: {}.\n", rule.reason, rule.stage.name(), rule.summary);
        page.push_str(&rule.explain.trim_end().replace("\n## ", "\n### "));
        page.push('\n');
    }
    page
}
