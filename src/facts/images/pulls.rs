//! Image pulls of the pod: those that fail, with what was really said, and those that run.

use jiff::Timestamp;
use serde_json::Value;

use crate::facts::Facts;
use crate::facts::cited::Evidence;
use crate::facts::containers::{Container, State};
use crate::facts::events::Event;
use crate::facts::image::Image;
use crate::facts::pull_fault::{PullFault, classify, is_mirror_request, server};
use crate::finding::Standing;
use crate::snapshot::Lookup;

/// The kubelet's words for a container whose image it does not have. Source: `pkg/kubelet/images/types.go` and
/// `k8s.io/cri-api/pkg/errors/errors.go`.
const PULL_WORDS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Whether a container that waits for that reason waits for its image. A few paths of the kubelet put the whole error where
/// the word belongs.
pub(in crate::facts) fn is_pull_word(reason: &str) -> bool {
    PULL_WORDS.contains(&reason) || is_pull_error(reason)
}

fn is_pull_error(reason: &str) -> bool {
    reason.contains(' ') && reason.to_ascii_lowercase().contains("pull")
}

/// A container that waits for an image which cannot be had.
#[derive(Debug, Clone)]
pub struct FailedPull<'f> {
    /// The container.
    pub container: &'f Container,
    /// The image: the container's own, or that of a volume.
    pub image: Image<'f>,
    /// What the error comes to.
    pub fault: PullFault,
    /// The complete error; empty if it is no longer recorded.
    pub error: &'f str,
    /// How it stands to the present.
    pub standing: Standing,
    /// What says so.
    pub evidence: Vec<Evidence>,
}

impl FailedPull<'_> {
    /// The host that the error is about; if it names none, the image's registry.
    pub fn server(&self) -> &str {
        server(self.error).unwrap_or(self.image.registry)
    }

    /// Whether what failed is not the registry itself but a mirror that is asked in its place.
    pub fn is_at_mirror(&self) -> bool {
        is_mirror_request(self.error) && !self.image.is_from(self.server())
    }
}

/// A pull that has begun and of which neither success nor failure is reported.
#[derive(Debug, Clone)]
pub struct RunningPull<'f> {
    /// The container that waits for it.
    pub container: &'f Container,
    /// The image.
    pub image: &'f str,
    /// When it began.
    pub since: Timestamp,
    /// The event that says so.
    pub event: &'f Event,
}

/// A Secret that the pod names for its pulls.
#[derive(Debug, Clone)]
pub struct PullSecret<'f> {
    /// The Secret's name.
    pub name: &'f str,
    /// Its place in the pod's list.
    pub index: usize,
    /// Whether it exists; its type, as far as it was read.
    pub kind: Lookup<Option<&'f str>>,
    /// Whether the pod has it from its ServiceAccount. Source: apiserver `plugin/pkg/admission/serviceaccount`, which
    /// copies the account's list into pods that have none.
    pub from_account: bool,
}

impl PullSecret<'_> {
    /// Whether it exists and is of a type that the kubelet passes over. Source: `pkg/credentialprovider/secrets/secrets.go`.
    pub fn has_unusable_type(&self) -> bool {
        let usable = ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"];
        matches!(self.kind, Lookup::Found(Some(kind)) if !usable.contains(&kind))
    }
}

impl Facts<'_> {
    /// The containers that wait for an image which cannot be had.
    pub fn failed_pulls(&self) -> Vec<FailedPull<'_>> {
        self.main_containers().filter_map(|c| self.failed_pull(c)).collect()
    }

    fn failed_pull<'f>(&'f self, container: &'f Container) -> Option<FailedPull<'f>> {
        let State::Waiting { reason, message } = &container.state else { return None };
        if !is_pull_word(reason) {
            return None;
        }
        let is_error = is_pull_error(reason);
        let (inner, own) = if is_error { ("", reason.as_str()) } else { split_back_off(message) };
        let image = self.wanted_image(container, message);
        let event = if own.is_empty() { self.pull_error_event(container, image) } else { None };
        let error = if own.is_empty() { event.map(error_of).unwrap_or_default() } else { own };
        let word = if inner.is_empty() { reason } else { inner };
        let fault = self.pull_fault(word, error, image);
        let field = if own.is_empty() || is_error { "reason" } else { "message" };
        let evidence = self.cite_status(container, &["state", "waiting", field]).into_iter();
        let over = self.pod.is_deleting() || self.pod.is_terminal();
        Some(FailedPull {
            container,
            image: Image::parse(image),
            fault,
            error,
            standing: if over { Standing::Past } else { Standing::Wrong },
            evidence: evidence.chain(event.map(Event::cite)).collect(),
        })
    }

    fn pull_fault(&self, word: &str, error: &str, image: &str) -> PullFault {
        let told = if error.is_empty() { PullFault::Unrecorded } else { classify(error) };
        match word {
            "InvalidImageName" => PullFault::NameInvalid,
            // The kubelet uses the same words for an image that is there, but that the pod has no credentials for.
            // Source: `pkg/kubelet/images/image_manager.go`, feature KubeletEnsureSecretPulledImages.
            "ErrImageNeverPull" if self.pod_with_image_on_node(image).is_some() => PullFault::Unverified,
            "ErrImageNeverPull" => PullFault::NeverPull,
            "SignatureValidationFailed" => PullFault::Unverified,
            "ImageInspectError" if matches!(told, PullFault::NameInvalid | PullFault::RuntimeDown) => told,
            "ImageInspectError" => PullFault::Uninspectable,
            "RegistryUnavailable" if matches!(told, PullFault::Unrecorded | PullFault::Other) => PullFault::Unreachable,
            _ if told != PullFault::Unauthorized => told,
            // Docker Hub refuses alike what is private and what does not exist, and its official images are all public.
            _ => {
                let asked = Image::parse(image);
                let hides =
                    error.contains("does not exist") || error.contains("requested access to the resource is denied");
                let hub = server(error).is_none_or(|host| asked.is_from(host));
                if asked.is_official() && hides && hub { PullFault::NotFound } else { told }
            }
        }
    }

    /// The image that a container waits for: its own, or that of an image volume if the kubelet names it.
    fn wanted_image<'f>(&'f self, container: &'f Container, message: &str) -> &'f str {
        let volumes = self.pod.spec.volumes.iter().flatten();
        let mut images = volumes.filter_map(|v| v.image.as_ref()?.reference.as_deref());
        let named = images.find(|image| message.contains(&format!("\"{image}\"")));
        named.unwrap_or_else(|| container.spec.image.as_deref().unwrap_or_default())
    }

    /// The latest event in which the kubelet says why it has no image for the container.
    fn pull_error_event<'f>(&'f self, container: &Container, image: &str) -> Option<&'f Event> {
        self.events.with(&["Failed", "InspectFailed", "ErrImageNeverPull"]).find(|event| {
            is_about(event, container, image) && !event.message.starts_with("Error: ") && !error_of(event).is_empty()
        })
    }

    fn latest_for<'f>(&'f self, container: &Container, image: &str, reasons: &'f [&'f str]) -> Option<&'f Event> {
        self.events.with(reasons).find(|event| is_about(event, container, image))
    }

    /// The pulls that run: begun, and followed by nothing.
    pub fn running_pulls(&self) -> Vec<RunningPull<'_>> {
        let node_lost = self.node().found().is_some_and(|node| node.is_lost());
        if node_lost || self.pod.is_deleting() || self.pod.is_terminal() {
            return Vec::new();
        }
        self.main_containers().filter_map(|c| self.running_pull(c)).collect()
    }

    fn running_pull<'f>(&'f self, container: &'f Container) -> Option<RunningPull<'f>> {
        if !container.state.is_unmade() {
            return None;
        }
        let image = container.spec.image.as_deref()?;
        let begun = self.latest_for(container, image, &["Pulling"])?;
        let next = self.latest_for(container, image, &["Pulled", "Failed", "BackOff", "Created", "Started"]);
        let over = next.is_some_and(|e| e.seen_since(begun.last));
        Some(RunningPull { container, image, since: begun.last.filter(|_| !over)?, event: begun })
    }

    /// The Secrets that the pod names for its pulls.
    pub fn pull_secrets(&self) -> Vec<PullSecret<'_>> {
        let account = self.account_pull_secrets();
        let named = self.pod.spec.image_pull_secrets.iter().flatten().enumerate();
        named
            .filter(|(_, reference)| !reference.name.is_empty())
            .map(|(index, reference)| PullSecret {
                name: &reference.name,
                index,
                kind: self.lookup("Secret", &reference.name).map(|s| s.get("type").and_then(Value::as_str)),
                from_account: account.contains(&reference.name.as_str()),
            })
            .collect()
    }

    /// The pod's ServiceAccount.
    pub fn service_account(&self) -> &str {
        self.pod.spec.service_account_name.as_deref().filter(|n| !n.is_empty()).unwrap_or("default")
    }

    /// The pull secrets that the pod's ServiceAccount names now, as far as it was read.
    pub fn account_pull_secrets(&self) -> Vec<&str> {
        let account = self.lookup("ServiceAccount", self.service_account()).found();
        let list = account.and_then(|a| a.get("imagePullSecrets")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|s| s.get("name").and_then(Value::as_str)).collect()
    }
}

/// The word and the error that the kubelet's message bears after `Back-off pulling image "IMAGE"`, since 1.32: `: WORD:
/// ERROR`. Any other message is the error itself.
fn split_back_off(message: &str) -> (&str, &str) {
    let Some(rest) = message.strip_prefix("Back-off pulling image \"") else { return ("", message) };
    let Some((_, rest)) = rest.split_once('"') else { return ("", "") };
    let rest = rest.strip_prefix(": ").unwrap_or_default();
    match rest.split_once(": ") {
        Some((word, error)) if PULL_WORDS.contains(&word) => (word, error),
        _ => ("", rest),
    }
}

/// The error in an event's message: what follows `Failed to pull image "IMAGE": `, or the whole.
fn error_of(event: &Event) -> &str {
    match event.message.strip_prefix("Failed to pull image \"") {
        Some(rest) => rest.split_once("\": ").map_or("", |(_, error)| error),
        None => &event.message,
    }
}

/// Whether an event is about a container and this image. Kubelets of all versions name the container in the event's field
/// path; an event without one is about every container of the image that it names.
fn is_about(event: &Event, container: &Container, image: &str) -> bool {
    let message = event.message.as_str();
    let quoted = message.split_once("image \"").and_then(|(_, rest)| rest.split('"').next());
    let other_image = quoted.is_some_and(|quoted| !quoted.is_empty() && quoted != image);
    match &event.container {
        Some(name) => *name == container.name && !other_image,
        None => quoted == Some(image),
    }
}

#[cfg(test)]
mod tests;
