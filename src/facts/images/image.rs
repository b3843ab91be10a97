//! Image references: what a name asks for and from whom.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::facts::{Facts, edit_distance};
use crate::snapshot::{name_of, namespace_of};

/// The registry that is meant by a name without one. Source: `github.com/distribution/reference`, `normalize.go`.
const DEFAULT_REGISTRY: &str = "docker.io";

/// An image reference taken apart. Reading never fails: what cannot be told apart is part of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'i> {
    /// As it stands in the spec.
    pub text: &'i str,
    /// The registry's host, with its port.
    pub registry: &'i str,
    /// Whether the reference names the registry; otherwise it is the default one.
    pub names_registry: bool,
    /// The repository within the registry, as it is written.
    pub repository: &'i str,
    /// The tag, if one is written.
    pub tag: Option<&'i str>,
    /// The digest, if one is written.
    pub digest: Option<&'i str>,
}

impl<'i> Image<'i> {
    /// Takes a reference apart.
    pub fn parse(text: &'i str) -> Self {
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        // A colon before the last slash belongs to the registry's port.
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (name, None),
        };
        let host = path.split_once('/').filter(|(host, _)| {
            *host == "localhost" || host.contains(['.', ':']) || host.chars().any(|c| c.is_ascii_uppercase())
        });
        let (registry, repository) = host.unwrap_or((DEFAULT_REGISTRY, path));
        Self { text, registry, names_registry: host.is_some(), repository, tag, digest }
    }

    /// Whether it is one of Docker Hub's official images, which anyone may pull: `nginx`, `docker.io/library/nginx`.
    pub fn is_official(&self) -> bool {
        let name = self.repository.strip_prefix("library/").unwrap_or(self.repository);
        is_docker_hub(self.registry) && !name.contains('/')
    }

    /// Whether a host is this image's registry, or one that serves it: Docker Hub has several names.
    pub fn is_from(&self, host: &str) -> bool {
        host == self.registry || is_docker_hub(host) && is_docker_hub(self.registry)
    }

    /// The name under which credentials for its registry are kept: for Docker Hub a historical one, kubectl's default.
    pub fn credentials_server(&self) -> &'i str {
        if is_docker_hub(self.registry) { "https://index.docker.io/v1/" } else { self.registry }
    }

    /// How far another image's name is from this one; nothing if it is another image altogether. Near are: another tag of
    /// the repository, the same repository elsewhere, a repository of which less than a quarter is written differently.
    fn distance(&self, other: &Image<'_>) -> Option<usize> {
        let elsewhere = other.registry != self.registry;
        let tail = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
        let same = self.repository == other.repository
            || tail(other.repository, self.repository)
            || tail(self.repository, other.repository);
        let differing = edit_distance(self.repository, other.repository);
        let typo = !elsewhere && 4 * differing <= self.repository.len().max(other.repository.len());
        (same || typo).then(|| edit_distance(self.text, other.text))
    }
}

fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io" | "auth.docker.io")
        || host.ends_with(".docker.com")
}

impl Facts<'_> {
    /// Images that containers of this namespace were given and that are near to `image`: four at most, the nearest first.
    pub fn similar_images(&self, image: &Image<'_>) -> Vec<String> {
        let pods = self.snapshot().all("Pod").iter().filter(|p| namespace_of(p) == self.target.namespace);
        let pulled: BTreeSet<&str> = pods.flat_map(pulled_images).filter(|other| *other != image.text).collect();
        let mut near: Vec<_> =
            pulled.into_iter().filter_map(|other| Some((image.distance(&Image::parse(other))?, other))).collect();
        near.sort_unstable();
        near.into_iter().take(4).map(|(_, other)| other.to_owned()).collect()
    }

    /// Another pod whose container got `image` on the pod's own node, so that the node has it.
    pub fn pod_with_image_on_node(&self, image: &str) -> Option<&str> {
        let node = self.pod.node_name()?;
        let on_node = |pod: &&Value| pod.pointer("/spec/nodeName").and_then(Value::as_str) == Some(node);
        let pods = self.snapshot().all("Pod").iter().filter(on_node);
        pods.filter(|pod| pulled_images(pod).any(|i| i == image)).map(name_of).find(|name| *name != self.pod.name)
    }
}

/// The images of a pod's containers that the kubelet reports to have: their status bears the image's id.
fn pulled_images(pod: &Value) -> impl Iterator<Item = &str> {
    let list = |pointer: &str| pod.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &'_ Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let has: BTreeSet<String> = list("/status/containerStatuses")
        .chain(list("/status/initContainerStatuses"))
        .filter(|s| !text(s, "imageID").is_empty())
        .map(|s| text(s, "name"))
        .collect();
    list("/spec/containers")
        .chain(list("/spec/initContainers"))
        .filter(move |c| has.contains(&text(c, "name")))
        .filter_map(|c| c.get("image").and_then(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let parts = |text| {
            let image = Image::parse(text);
            (image.registry, image.repository, image.tag, image.digest)
        };
        assert_eq!(parts("nginx"), ("docker.io", "nginx", None, None));
        assert_eq!(parts("team/app:1"), ("docker.io", "team/app", Some("1"), None));
        assert_eq!(parts("localhost/app"), ("localhost", "app", None, None));
        assert_eq!(parts("10.0.0.1:5000/a/b"), ("10.0.0.1:5000", "a/b", None, None));
        assert_eq!(parts("r.io/a/b:1@sha256:00"), ("r.io", "a/b", Some("1"), Some("sha256:00")));
        assert_eq!(parts(""), ("docker.io", "", None, None));
    }

    #[test]
    fn only_docker_hubs_library_is_official() {
        for (text, official) in
            [("nginx:1", true), ("docker.io/library/nginx", true), ("team/app", false), ("r.io/nginx", false)]
        {
            assert_eq!(Image::parse(text).is_official(), official, "{text}");
        }
    }

    #[test]
    fn near_images_are_typos_tags_and_the_same_repository_elsewhere() {
        let near = |a, b| Image::parse(a).distance(&Image::parse(b)).is_some();
        assert!(near("r.io/team/busyboxx:1", "r.io/team/busybox:1"));
        assert!(near("r.io/team/app:1.8", "r.io/team/app:1.7"));
        assert!(near("shop/api:1", "r.io/shop/api:1"));
        assert!(near("api:1", "r.io/shop/api:1"));
        assert!(!near("r.io/team/app:1", "r.io/team/database:1"));
        assert!(!near("api:1", "r.io/shop/graph-api:1"));
    }
}
