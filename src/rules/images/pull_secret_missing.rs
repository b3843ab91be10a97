//! The Secret with the registry's credentials does not exist.

use crate::facts::{Event, Facts, FailedPull, PullFault, PullSecret};
use crate::finding::{Certainty, Finding, Remedy, Stage, Standing, Subject};
use crate::rules::Rule;
use crate::snapshot::Lookup;

pub(super) const RULE: Rule = Rule {
    reason: "PullSecretMissing",
    stage: Stage::Images,
    summary: "an image pull secret that the pod or its ServiceAccount names does not exist",
    explains: &["ImagePullUnauthorized", "ImagePullFailed"],
    check,
    explain: r#"
## Meaning
The pod names a Secret with credentials for a registry, itself or through its ServiceAccount, and there is no such Secret in
its namespace. The kubelet then pulls without it, and a private registry refuses.

## Signs
`spec.imagePullSecrets` names a Secret that does not exist, and the pull is refused. Since 1.28 the kubelet also reports the
event FailedToRetrieveImagePullSecret.

## Fix
Create the Secret under that name, or correct the name. Secrets are per namespace: one of the same name elsewhere does not
count. The kubelet looks for it again at each try.

## Not this
A pull that fails for another reason (the registry's name does not resolve, the tag does not exist) is not helped by
credentials, and a public image is pulled without them: then a missing pull secret is only worth a note.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pulls = facts.failed_pulls();
    let secrets = facts.pull_secrets();
    let found = secrets.iter().filter_map(|secret| found(facts, secret, &secrets, &pulls));
    found.collect()
}

fn found(
    facts: &Facts<'_>,
    secret: &PullSecret<'_>,
    all: &[PullSecret<'_>],
    pulls: &[FailedPull<'_>],
) -> Option<Finding> {
    let event = facts.events.latest("FailedToRetrieveImagePullSecret").filter(|event| names(event, secret.name));
    let absent = secret.kind.is_absent();
    if !absent && (event.is_none() || matches!(secret.kind, Lookup::Found(_))) {
        return None;
    }
    let suffering = |fault: PullFault| pulls.iter().find(|p| p.fault == fault && p.standing == Standing::Wrong);
    let refused = suffering(PullFault::Unauthorized);
    let unrecorded = suffering(PullFault::Unrecorded);
    if pulls.is_empty() && event.is_none() {
        return None;
    }
    let only_one = all.iter().all(|s| s.kind.is_absent());
    let (standing, certainty) = match (refused, unrecorded) {
        (Some(_), _) if absent && only_one => (Standing::Wrong, Certainty::Certain),
        (Some(_), _) => (Standing::Wrong, Certainty::Likely),
        (None, Some(_)) if absent => (Standing::Wrong, Certainty::Likely),
        _ => (Standing::Past, Certainty::Certain),
    };
    let said = if absent { "does not exist" } else { "cannot be read by the kubelet" };
    let owner =
        if secret.from_account { format!("ServiceAccount {}", facts.service_account()) } else { "the pod".to_owned() };
    let server = refused.or(unrecorded).map_or("REGISTRY", |pull| pull.image.credentials_server());
    let account = facts.service_account();
    Some(
        Finding::new(
            Subject::object("Secret", secret.name),
            format!("Secret {}, which {owner} names for image pulls, {said}", secret.name),
        )
        .standing(standing)
        .certainty(certainty)
        .because(facts.cite(&["spec", "imagePullSecrets", &secret.index.to_string(), "name"]))
        .because(facts.cite_missing("Secret", secret.name))
        .because(event.map(Event::cite))
        .because(refused.into_iter().flat_map(|pull| pull.evidence.clone()))
        .remedy(facts.look(["get", "secrets"]))
        .remedy(facts.close_names("Secret", secret.name).first().map(|near| {
            let say = format!("Secret {near} exists. If it is meant, name it instead of {}", secret.name);
            match secret.from_account {
                true => Remedy::change(format!("{say}:"), facts.kubectl(["edit", "serviceaccount", account])),
                false => facts.owner.edit(&say),
            }
        }))
        .remedy(Remedy::change(
            "Create it; the kubelet then tries again by itself:",
            facts.kubectl([
                "create",
                "secret",
                "docker-registry",
                secret.name,
                &format!("--docker-server={server}"),
                "--docker-username=USER",
                "--docker-password=PASSWORD",
            ]),
        )),
    )
}

/// Whether the kubelet's event lists the Secret: `Unable to retrieve some image pull secrets (a, b); …`.
fn names(event: &Event, secret: &str) -> bool {
    let list = event.message.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(list, _)| list);
    list.split(", ").any(|name| name == secret)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{backing_off, waiting};
    use super::*;
    use crate::rules::testing::{Case, none, one};

    const REFUSED: &str =
        "unexpected status from HEAD request to https://r.example/v2/team/app/manifests/1: 401 Unauthorized";

    fn naming(case: Case) -> Case {
        case.edit("/spec/imagePullSecrets", json!([{"name": "regcred"}]))
    }

    fn secret(name: &str) -> serde_json::Value {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "n"}})
    }

    #[test]
    fn a_refused_pull_whose_secret_does_not_exist() {
        let case = naming(backing_off("r.example/team/app:1", REFUSED)).with(secret("reg-cred")).complete(&["secrets"]);
        let finding = one(case.check(&RULE));
        assert_eq!(finding.certainty, Certainty::Certain);
        assert_eq!(finding.headline, "Secret regcred, which the pod names for image pulls, does not exist");
        assert!(finding.remedies.iter().any(|r| r.say.contains("Secret reg-cred exists")));
    }

    #[test]
    fn a_secret_that_exists_or_could_not_be_looked_for_is_not_missing() {
        none(
            naming(backing_off("r.example/team/app:1", REFUSED))
                .with(secret("regcred"))
                .complete(&["secrets"])
                .check(&RULE),
        );
        none(naming(backing_off("r.example/team/app:1", REFUSED)).refused("secrets").check(&RULE));
    }

    #[test]
    fn where_secrets_may_not_be_read_the_kubelets_word_makes_it_likely() {
        let case = naming(backing_off("r.example/team/app:1", REFUSED)).refused("secrets").event(
            "FailedToRetrieveImagePullSecret",
            "",
            "Unable to retrieve some image pull secrets (other, regcred); attempting to pull the image may not succeed.",
        );
        let finding = one(case.check(&RULE));
        assert_eq!(finding.certainty, Certainty::Likely);
        assert!(!finding.headline.contains("does not exist"), "{}", finding.headline);
    }

    #[test]
    fn a_pull_that_fails_of_something_else_leaves_it_a_note() {
        let error = "dial tcp: lookup r.example on 10.0.0.2:53: no such host";
        let case = naming(backing_off("r.example/team/app:1", error)).complete(&["secrets"]);
        none(case.check(&RULE));
        assert_eq!(case.check(&RULE).len(), 1);
    }

    #[test]
    fn when_the_error_has_expired_a_missing_secret_is_likely() {
        let message = "Back-off pulling image \"r.example/team/app:1\"";
        let case = naming(waiting("r.example/team/app:1", "ImagePullBackOff", message)).complete(&["secrets"]);
        assert_eq!(one(case.check(&RULE)).certainty, Certainty::Likely);
    }
}
