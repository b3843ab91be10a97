//! The image's name is none.

use super::{failing, finding, set_image};
use crate::facts::{Facts, PullFault};
use crate::finding::{Finding, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImageNameInvalid",
    stage: Stage::Images,
    summary: "the image reference cannot be parsed, or does not say which image it means",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The image's name breaks the rules for references, so nothing is asked of any registry. With CRI-O also: a name without a
registry stands for images of several registries, and the node is told not to guess.

## Signs
The container waits with InvalidImageName; the message ends in what is wrong, for example `invalid reference format:
repository name must be lowercase`. Usual slips: capitals in the repository, `http://` before the registry, two colons, an
empty tag, a space or line end, a template's placeholder that was never filled in. With CRI-O `short name mode is enforcing`
or `short-name … did not resolve`.

## Fix
Correct the name: REGISTRY/REPOSITORY:TAG, the repository in lower case, the registry written out.

## Not this
A well-formed name of an image that does not exist is ImageNotFound.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    failing(facts, PullFault::NameInvalid, |pull| {
        let ambiguous = pull.error.to_ascii_lowercase().contains("short");
        let wrong = match slip(pull.image.text) {
            _ if ambiguous => "names no registry, and the node does not guess one".to_owned(),
            Some(slip) => format!("cannot be parsed: {slip}"),
            None => "cannot be parsed".to_owned(),
        };
        finding(facts, pull, format!("the image name {:?} of {} {wrong}", pull.image.text, pull.container.title()))
            .remedy(set_image(facts, pull, "Name the image as REGISTRY/REPOSITORY:TAG:", "IMAGE"))
    })
}

/// The slip that is seen at once; the runtime's own words stand in the evidence.
fn slip(name: &str) -> Option<&'static str> {
    let repository = name.split('@').next().unwrap_or(name);
    let path = repository.split_once('/').map_or(repository, |(_, path)| path);
    let path = path.rsplit_once(':').map_or(path, |(path, _)| path);
    if name.is_empty() {
        Some("it is empty")
    } else if name.contains(char::is_whitespace) {
        Some("it has white space in it")
    } else if name.contains("://") {
        Some("it begins with a scheme, which images have not")
    } else if ["{{", "${", "$(", "<"].iter().any(|mark| name.contains(mark)) {
        Some("a placeholder in it was not filled in")
    } else if name.ends_with([':', '/', '@']) {
        Some("something is missing at its end")
    } else if path.chars().any(|c| c.is_ascii_uppercase()) {
        Some("its repository has capitals in it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{backing_off, waiting};
    use super::*;
    use crate::rules::testing::{none, one};

    #[test]
    fn the_slip_is_pointed_out() {
        for (name, slip) in [
            ("r.example/Shop/API:1", "capitals"),
            ("https://r.example/app", "scheme"),
            ("r.example/app:${TAG}", "placeholder"),
            ("nginx:", "missing at its end"),
            ("nginx :1", "white space"),
            ("r.example/a::1", "cannot be parsed"),
        ] {
            let message = format!(
                "Failed to apply default image tag {name:?}: couldn't parse image name: invalid reference format"
            );
            let finding = one(waiting(name, "InvalidImageName", &message).check(&RULE));
            assert!(finding.headline.contains(slip), "{}", finding.headline);
        }
    }

    #[test]
    fn a_short_name_that_the_node_does_not_resolve_is_one() {
        let message = "rpc error: code = Unknown desc = short name mode is enforcing, but image name busybox:latest returns ambiguous list";
        let finding = one(waiting("busybox", "ImageInspectError", message).check(&RULE));
        assert!(finding.headline.contains("names no registry"), "{}", finding.headline);
    }

    #[test]
    fn a_well_formed_name_of_nothing_is_not_this() {
        none(backing_off("r.example/app:1", "manifest unknown").check(&RULE));
    }
}
