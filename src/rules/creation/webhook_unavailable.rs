//! An admission webhook could not be called.

use super::refused;
use crate::facts::{Denial, Facts, Refusal};
use crate::finding::{Command, Finding, Remedy, Stage};
use crate::rules::Rule;

pub(super) const RULE: Rule = Rule {
    reason: "WebhookUnavailable",
    stage: Stage::Creation,
    summary: "an admission webhook that must agree cannot be called",
    explains: &[],
    check,
    explain: r#"
## Meaning
Before it makes a pod the API server calls a webhook whose `failurePolicy` is `Fail`. The call came to nothing, so no pod is
made. Nothing is wrong with the pod.

## Signs
The owner's event FailedCreate, or its condition ReplicaFailure, says `failed calling webhook`, then what came of the call:
no endpoints, service not found, connection refused, a timeout, a certificate that is not trusted.

## Fix
Bring the webhook's own pods back. With `no endpoints` look at the pods behind its Service; with `not found` its
configuration has outlived it; with `x509` its CA bundle is stale; with a timeout the control plane cannot reach the pod
network or the webhook is overloaded.

## Not this
A webhook that answers and says no is WebhookDenied.
"#,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let headline = |denial: &Denial| match denial {
        Denial::Uncallable { webhook, why, .. } if webhook.is_empty() => {
            Some(format!("a webhook gives no usable answer: {why}"))
        }
        Denial::Uncallable { webhook, why, .. } => {
            Some(format!("webhook {webhook} must agree and cannot be called: {why}"))
        }
        _ => None,
    };
    refused(facts, headline).into_iter().map(|(refusal, finding)| complete(&refusal, finding)).collect()
}

fn complete(refusal: &Refusal, finding: Finding) -> Finding {
    let Denial::Uncallable { service, .. } = &refusal.denial else { return finding };
    let kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
    let back = match service {
        Some(service) => format!("Bring the pods behind Service {service} back; pods are made again at once."),
        None => "Bring the webhook back; pods are made again at once.".to_owned(),
    };
    finding.remedy(Remedy::look(Command::kubectl(["get", kinds]))).remedy(Remedy::advice(back)).remedy(Remedy::last_resort(
        "If the webhook is gone for good, delete its configuration, which gives up the check that it made for the whole cluster:",
        Command::kubectl(["delete", "validatingwebhookconfiguration", "CONFIGURATION"]),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::creation::tests_support::{answered, outlived};
    use crate::rules::testing::{none, one};

    const DOWN: &str = "Internal error occurred: failed calling webhook \"v.kyverno.svc\": failed to call webhook: Post \
        \"https://k.kyverno.svc:443/v?timeout=10s\": no endpoints available for service \"kyverno-svc\"";

    #[test]
    fn webhook_service_and_what_came_of_the_call_are_told() {
        let finding = one(answered(DOWN).check(&RULE));
        assert!(finding.headline.starts_with("webhook v.kyverno.svc must agree"), "{}", finding.headline);
        assert!(finding.remedies.iter().any(|r| r.say.contains("kyverno-svc")));
    }

    #[test]
    fn a_webhook_that_said_no_was_called() {
        none(answered("admission webhook \"v.kyverno.svc\" denied the request: no").check(&RULE));
        none(outlived(DOWN).check(&RULE));
    }
}
