//! What a pod's state makes worth asking.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::ask::Question;
use super::read::{self, Container, list, text};
use super::{Wants, get};
use crate::snapshot::{Lookup, name_of, namespace_of};

/// At most so many ConfigMaps, Secrets and claims each.
const REFERENCES: usize = 8;
/// At most so many logs of one pod.
const LOGS: usize = 6;

impl<'a> Wants<'a> {
    pub(super) fn pod(&mut self, pod: &Value) {
        let containers = read::containers(pod);
        let node = text(pod, "/spec/nodeName");
        let has_ended = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        self.controllers(pod);
        if node.is_empty() {
            self.may_be_scheduled(pod);
        } else {
            self.node_of(pod, node);
        }
        if read::is_terminating(pod) {
            self.get("Namespace", "", namespace_of(pod));
        }
        self.logs(pod, &containers);
        if read::is_fine(pod) || has_ended && !read::is_terminating(pod) {
            return;
        }
        let is_mounting = containers.iter().all(Container::is_before_images);
        if is_mounting || read::is_terminating(pod) {
            self.claims(pod, node);
        }
        if node.is_empty() || read::is_terminating(pod) {
            return;
        }
        self.references(pod, &containers, is_mounting);
        if is_mounting {
            self.get("RuntimeClass", "", text(pod, "/spec/runtimeClassName"));
        }
        if containers.iter().any(Container::failed_pull) {
            self.pull_secrets(pod);
        }
    }

    /// The node, and when its kubelet last spoke if that is in doubt.
    fn node_of(&mut self, pod: &Value, node: &str) {
        self.get("Node", "", node);
        let in_doubt = match self.snapshot.node(node) {
            Lookup::Found(node) => !node.is_ready(),
            Lookup::NotFound => true,
            _ => false,
        };
        if in_doubt || read::is_terminating(pod) {
            self.get("Lease", "kube-node-lease", node);
        }
        // The kubelet found no room: who has it?
        if text(pod, "/status/reason").starts_with("OutOf") {
            self.want(Question::PodsOn { node: node.to_owned(), whole: false });
        }
    }

    fn logs(&mut self, pod: &Value, containers: &[Container<'_>]) {
        if self.depth.log_lines == 0 {
            return;
        }
        let mut runs = Vec::new();
        for container in containers {
            let failed = |pointer: &str| {
                container.state(pointer).is_some_and(|t| t.get("exitCode").and_then(Value::as_i64) != Some(0))
            };
            if container.state("/lastState/terminated").is_some() {
                runs.push((container.name, true));
            }
            // An init container that runs holds up the others: what it waits for stands in its log.
            let stays_unready = container.state("/state/running").is_some() && !container.is_ready();
            if failed("/state/terminated") || stays_unready {
                runs.push((container.name, false));
            }
        }
        for (container, previous) in runs.into_iter().take(LOGS) {
            self.want(Question::Log {
                namespace: namespace_of(pod).to_owned(),
                pod: name_of(pod).to_owned(),
                container: container.to_owned(),
                previous,
                lines: self.depth.log_lines,
            });
        }
    }

    /// ConfigMaps and Secrets without which a container cannot be made; of one that has run, they were there.
    fn references(&mut self, pod: &Value, containers: &[Container<'_>], is_mounting: bool) {
        let mut found: BTreeSet<(&'static str, &str)> = BTreeSet::new();
        for container in containers.iter().filter(|c| !c.was_created()) {
            found.extend(read::environment(container.spec));
        }
        if is_mounting {
            found.extend(list(pod, "/spec/volumes").iter().flat_map(read::volume));
            self.get("ServiceAccount", namespace_of(pod), service_account(pod));
        }
        found.retain(|(_, name)| !name.is_empty());
        let said = self.said_about(pod, containers);
        let is_said = |name: &str| said.iter().any(|text| text.contains(name));
        // Every pod has this one in the volume of its token; it is asked for where it is what is missing.
        found.retain(|(_, name)| *name != "kube-root-ca.crt" || is_said(name));
        for kind in ["ConfigMap", "Secret"] {
            let (named, others): (Vec<&str>, Vec<&str>) =
                found.iter().filter(|(k, _)| *k == kind).map(|(_, name)| *name).partition(|name| is_said(name));
            let others: Vec<&str> = others.into_iter().take(REFERENCES.saturating_sub(named.len())).collect();
            named.into_iter().take(REFERENCES).for_each(|name| self.get(kind, namespace_of(pod), name));
            self.extras.extend(others.into_iter().map(|name| get(kind, namespace_of(pod), name)));
        }
        for status in list(pod, "/status/resourceClaimStatuses") {
            self.get("ResourceClaim", namespace_of(pod), text(status, "/resourceClaimName"));
        }
        for claim in list(pod, "/spec/resourceClaims") {
            self.get("ResourceClaim", namespace_of(pod), text(claim, "/resourceClaimName"));
        }
    }

    /// What the kubelet says about what it lacks: in the containers' states and in events.
    fn said_about<'p>(&self, pod: &'p Value, containers: &[Container<'p>]) -> Vec<&'p str>
    where
        'a: 'p,
    {
        let states = containers.iter().filter_map(|c| c.status).map(|s| text(s, "/state/waiting/message"));
        let about = |event: &&Value| text(event, "/involvedObject/name") == name_of(pod);
        let events = self.snapshot.all("Event").iter().filter(about).map(|event| text(event, "/message"));
        states.chain(events).filter(|text| !text.is_empty()).collect()
    }

    /// The pod's own pull secrets, and those that its ServiceAccount adds.
    fn pull_secrets(&mut self, pod: &Value) {
        let namespace = namespace_of(pod);
        let account = service_account(pod);
        self.get("ServiceAccount", namespace, account);
        let own = list(pod, "/spec/imagePullSecrets");
        let added = self
            .snapshot
            .object("ServiceAccount", namespace, account)
            .found()
            .map_or(&[][..], |sa| list(sa, "/imagePullSecrets"));
        for secret in own.iter().chain(added).take(REFERENCES) {
            self.get("Secret", namespace, text(secret, "/name"));
        }
    }

    /// The claims, and what stands behind those that are known by now.
    pub(super) fn claims(&mut self, pod: &Value, node: &str) {
        let namespace = namespace_of(pod).to_owned();
        let claims: BTreeSet<String> = list(pod, "/spec/volumes").iter().filter_map(|v| read::claim(pod, v)).collect();
        let mut has_volume = list(pod, "/spec/volumes").iter().any(|v| v.get("csi").is_some_and(Value::is_object));
        let mut is_bound = false;
        for name in claims.into_iter().take(REFERENCES) {
            self.get("PersistentVolumeClaim", &namespace, &name);
            let Some(claim) = self.snapshot.object("PersistentVolumeClaim", &namespace, &name).found() else {
                continue;
            };
            let volume = text(claim, "/spec/volumeName");
            self.get("PersistentVolume", "", volume);
            has_volume |= !volume.is_empty();
            is_bound |= !volume.is_empty();
            if text(claim, "/status/phase") != "Bound" {
                self.events("PersistentVolumeClaim", &namespace, &name);
                self.list("StorageClass", "", String::new());
                self.static_volumes(claim);
            } else if node.is_empty() {
                self.get("StorageClass", "", text(claim, "/spec/storageClassName"));
            }
        }
        if !node.is_empty() && has_volume {
            self.get("CSINode", "", node);
            if is_bound {
                self.list("VolumeAttachment", "", String::new());
            }
        }
    }

    /// Volumes that someone must have made by hand, where nobody provisions.
    fn static_volumes(&mut self, claim: &Value) {
        let class = claim.pointer("/spec/storageClassName").and_then(Value::as_str);
        let by_hand = match class {
            Some("") => true,
            Some(name) => self
                .snapshot
                .object("StorageClass", "", name)
                .found()
                .is_some_and(|c| text(c, "/provisioner") == "kubernetes.io/no-provisioner"),
            None => false,
        };
        if by_hand {
            self.list("PersistentVolume", "", String::new());
        }
    }
}

/// The ServiceAccount, which is `default` if none is named.
pub(super) fn service_account(pod: &Value) -> &str {
    match text(pod, "/spec/serviceAccountName") {
        "" => "default",
        name => name,
    }
}
