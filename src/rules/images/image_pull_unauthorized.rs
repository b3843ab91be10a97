//! The registry refused the pull.

use super::{asks_default_registry, failing, finding, wanted};
use crate::facts::{Evidence, Facts, FailedPull, PullFault, PullSecret};
use crate::finding::{Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "ImagePullUnauthorized",
    stage: Stage::Images,
    summary: "the registry refuses the pull: no or wrong credentials, or no such repository",
    explains: super::SYMPTOMS,
    check,
    explain: r#"
## Meaning
The registry was reached and refused: the node sent no credentials for it, or credentials that are wrong, have expired or
lack the right to this repository. Many registries also refuse what does not exist, so that nobody learns which names there
are.

## Signs
401 or 403, `unauthorized`, `denied`, `insufficient_scope`, `no basic auth credentials` in the kubelet's message. With
`no basic auth credentials` none were sent: no Secret of the pod, and nothing on the node, has credentials for that very
host. The kubelet compares the host as it is written in the image's name, port included.

## Fix
Check the name of the repository first. Then put credentials for the registry's host into a Secret of type
kubernetes.io/dockerconfigjson in the pod's namespace, and name it in imagePullSecrets of the pod or of its ServiceAccount. A
ServiceAccount's Secrets are copied into pods when they are created, so an existing pod must be created anew. Tokens of some
cloud registries are only good for hours; there the node's own identity or a credential provider is the lasting way.

## Not this
If the Secret itself is missing it is PullSecretMissing. A rate limit is RegistryRateLimited, though it often goes away once
credentials are sent.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let secrets = facts.pull_secrets();
    let brought = match &secrets[..] {
        [] => "the pod names no imagePullSecret".to_owned(),
        some => {
            let names: Vec<_> = some.iter().map(|s| s.name).collect();
            format!("the pod's imagePullSecrets ({}) did not help", names.join(", "))
        }
    };
    failing(facts, PullFault::Unauthorized, |pull| {
        finding(facts, pull, format!("{} refuses {}; {brought}", pull.server(), wanted(pull)))
            .because(credentials(facts, &secrets))
            .remedy(remedies(facts, &secrets, pull))
    })
}

/// What is known of the credentials that the pod brings.
fn credentials(facts: &Facts<'_>, secrets: &[PullSecret<'_>]) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if secrets.is_empty() {
        evidence.extend(facts.cite_absence(&["spec", "imagePullSecrets"]));
        let later = facts.account_pull_secrets();
        if !later.is_empty() {
            evidence.extend(facts.cite_other("ServiceAccount", facts.service_account(), &["imagePullSecrets"]));
        }
    }
    for secret in secrets {
        evidence.extend(facts.cite(&["spec", "imagePullSecrets", &secret.index.to_string(), "name"]));
        if secret.has_unusable_type() {
            evidence.extend(facts.cite_other("Secret", secret.name, &["type"]));
        }
        evidence.extend(facts.cite_missing("Secret", secret.name));
    }
    evidence
}

fn remedies(facts: &Facts<'_>, secrets: &[PullSecret<'_>], pull: &FailedPull<'_>) -> Vec<Remedy> {
    let account = facts.service_account();
    let mut remedies: Vec<Remedy> = Vec::new();
    if let Some(odd) = secrets.iter().find(|s| s.has_unusable_type()) {
        remedies.push(Remedy::advice(format!(
            "Secret {} is not of a type that the kubelet uses for pulls; it must be kubernetes.io/dockerconfigjson.",
            odd.name
        )));
    }
    for secret in secrets.iter().filter(|s| s.kind.as_ref().found().is_some()) {
        remedies.push(facts.look(["describe", "secret", secret.name]));
    }
    if secrets.is_empty() && !facts.account_pull_secrets().is_empty() {
        remedies.push(Remedy::advice(format!(
            "ServiceAccount {account} names a pull secret now; pods created before that do not have it. Create the pod anew."
        )));
    }
    if pull.error.contains("token has expired") {
        remedies.push(Remedy::advice(
            "The token in the Secret has expired; those of some registries are good for hours only.",
        ));
    }
    let server = format!("--docker-server={}", pull.image.credentials_server());
    remedies.push(Remedy::change(
        format!("Make a Secret with credentials that {} accepts:", pull.image.registry),
        facts.kubectl([
            "create",
            "secret",
            "docker-registry",
            "NAME",
            &server,
            "--docker-username=USER",
            "--docker-password=PASSWORD",
        ]),
    ));
    remedies.push(facts.owner.edit("Name that Secret in the pod's spec.imagePullSecrets"));
    if asks_default_registry(pull) {
        remedies.push(Remedy::advice(
            "The image names no registry, so docker.io is asked. If it lies elsewhere, begin its name with that registry's host.",
        ));
    }
    remedies
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::backing_off;
    use super::*;
    use crate::rules::testing::{none, one};

    const REFUSED: &str = "failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials";

    #[test]
    fn a_pod_without_pull_secret_is_told_so() {
        let finding = one(backing_off("r.example/team/app:1", REFUSED).check(&RULE));
        assert!(finding.headline.contains("the pod names no imagePullSecret"), "{}", finding.headline);
    }

    #[test]
    fn a_pull_secret_that_does_not_help_is_named() {
        let finding = one(backing_off("r.example/team/app:1", "unexpected status: 401 Unauthorized")
            .edit("/spec/imagePullSecrets", json!([{"name": "regcred"}]))
            .check(&RULE));
        assert!(finding.headline.contains("regcred"), "{}", finding.headline);
    }

    #[test]
    fn a_secret_of_a_type_that_the_kubelet_ignores_is_pointed_out() {
        let finding = one(backing_off("r.example/team/app:1", REFUSED)
            .edit("/spec/imagePullSecrets", json!([{"name": "regcred"}]))
            .with(json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {"name": "regcred", "namespace": "n"}}))
            .check(&RULE));
        assert!(finding.remedies[0].say.contains("not of a type"), "{:?}", finding.remedies);
    }

    #[test]
    fn a_secret_that_the_account_was_given_later_does_not_reach_the_pod() {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "imagePullSecrets": [{"name": "regcred"}],
            "metadata": {"name": "default", "namespace": "n"}});
        let finding = one(backing_off("r.example/team/app:1", REFUSED).with(account).check(&RULE));
        assert!(finding.remedies.iter().any(|r| r.say.contains("Create the pod anew")));
    }

    #[test]
    fn an_unreachable_token_server_is_not_a_refusal() {
        none(backing_off(
            "r.example/team/app:1",
            "failed to authorize: failed to fetch anonymous token: Get \"https://auth.example/token\": dial tcp 10.0.0.1:443: i/o timeout",
        )
        .check(&RULE));
        none(backing_off("r.example/unauthorized/app:401", "manifest unknown").check(&RULE));
    }
}
