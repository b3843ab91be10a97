//! The collected messages of Kubernetes, runtimes and drivers, as test data.

/// Id, accepted root causes and example of each message whose id begins so.
#[cfg(test)]
pub(crate) fn known_messages(prefix: &str) -> Vec<(String, Vec<String>, String)> {
    include_str!("../../tests/data/messages.tsv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let id = fields.next().filter(|id| id.starts_with(prefix))?;
            let (example, causes) = (fields.nth(3)?, fields.next()?);
            let causes = causes.split('|').map(str::to_owned).collect();
            Some((id.to_owned(), causes, example.replace("\\n", "\n").replace("\\\"", "\"")))
        })
        .collect()
}
