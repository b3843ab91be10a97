//! The pod's sandbox: whether it is there, and what keeps the kubelet from making it.

use super::Facts;
use super::cited::Evidence;
use super::containers::State;
use super::events::Event;
use crate::finding::Standing;
use crate::snapshot::Node;

/// Why a sandbox cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxFault {
    /// The node has no working network plugin.
    NetworkNotReady,
    /// The network plugin failed.
    Network,
    /// The network plugin has no address left.
    NoAddress,
    /// The runtime does not know the handler of the pod's RuntimeClass.
    NoHandler,
    /// The pause image cannot be pulled.
    PauseImage,
    /// The container runtime does not answer.
    RuntimeDown,
    /// Something else, which the error says.
    Other,
}

use SandboxFault as Fault;

/// One thing that keeps the sandbox from being made, or did.
#[derive(Debug, Clone)]
pub struct SandboxFailure {
    /// What the error comes to.
    pub fault: Fault,
    /// The complete error.
    pub error: String,
    /// How it stands to the present: once the sandbox is there, warnings about it are old.
    pub standing: Standing,
    /// What says so: the node's condition, the event.
    pub evidence: Vec<Evidence>,
}

impl SandboxFailure {
    /// The network plugin that the error names.
    pub fn plugin(&self) -> Option<&str> {
        const KNOWN: [&str; 9] =
            ["calico", "flannel", "cilium", "weave", "antrea", "kube-router", "multus", "ovn", "terway"];
        ["plugin type=\"", "plugin type=\\\"", "failed to find plugin \""]
            .iter()
            .find_map(|before| quoted_after(&self.error, before))
            .or_else(|| KNOWN.into_iter().find(|name| self.error.to_ascii_lowercase().contains(name)))
    }

    /// The runtime handler that the error names.
    pub fn handler(&self) -> Option<&str> {
        let word = |before| {
            let (_, after) = self.error.split_once(before)?;
            after.split([' ', ':', ',']).next().filter(|word| !word.is_empty())
        };
        quoted_after(&self.error, "no runtime for \"")
            .or_else(|| word("runtime handler "))
            .or_else(|| quoted_after(&self.error, "runtime \""))
            .map(|handler| handler.trim_matches(['"', '\\']))
    }

    /// The image that could not be pulled.
    pub fn image(&self) -> Option<&str> {
        let source = || {
            let (_, after) = self.error.split_once("initializing source docker://")?;
            after.split(": ").next()
        };
        ["sandbox image \"", "pulling image \"", "pull image \""]
            .iter()
            .find_map(|before| quoted_after(&self.error, before))
            .or_else(source)
    }

    /// What is left of the error when the runtime's wrapping is taken off, if it is short enough for a sentence.
    pub fn core(&self) -> Option<&str> {
        let core = self.error.rsplit_once("failed (add): ").map_or(self.error.as_str(), |(_, core)| core);
        let core = core.rsplit_once("desc = ").map_or(core, |(_, core)| core);
        let core = core
            .split_once("network for sandbox \"")
            .map_or(core, |(_, rest)| rest.split_once("\": ").map_or(core, |(_, core)| core));
        (core.chars().count() <= 120).then_some(core.trim())
    }
}

fn quoted_after<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(before)?;
    after.split(['"', '\\']).next().filter(|word| !word.is_empty())
}

/// Events in which the kubelet says that there is no sandbox.
const SANDBOX_EVENTS: [&str; 6] = [
    "FailedCreatePodSandBox",
    "NetworkNotReady",
    "FailedCreatePodContainer",
    "FailedPodSandBoxStatus",
    "FailedSync",
    "Failed",
];

/// The beginnings of the messages that are about the sandbox where the reason is used for other things too: the pod's
/// directories on the node are made before its sandbox.
const ABOUT_SANDBOX: [(&str, &str); 2] =
    [("FailedSync", "error determining status: "), ("Failed", "error making pod data directories: ")];

/// What the error in front of the kubelet's or runtime's own words is taken off.
const WRAPPINGS: [&str; 4] = [
    "Failed to create pod sandbox: ",
    "network is not ready: ",
    "Unable to get pod sandbox status: ",
    "error determining status: ",
];

impl Facts<'_> {
    /// What keeps the pod's sandbox from being made, or did before it was made. Nothing for a pod that is deleted or over.
    pub fn sandbox_failures(&self) -> Vec<SandboxFailure> {
        if self.pod.is_deleting() || self.pod.is_terminal() {
            return Vec::new();
        }
        let is_about = |e: &&Event| {
            let begins = ABOUT_SANDBOX.iter().find(|(reason, _)| *reason == e.reason);
            begins.is_none_or(|(_, beginning)| e.message.starts_with(beginning))
        };
        let event = self.events.with(&SANDBOX_EVENTS).find(is_about);
        let mut failures: Vec<SandboxFailure> = Vec::new();
        if self.sandbox_is_up(event) != Some(true) {
            failures.extend(self.node().found().and_then(|node| self.node_failure(node)));
        }
        let Some(event) = event else { return failures };
        let error = WRAPPINGS.iter().find_map(|w| event.message.strip_prefix(w)).unwrap_or(&event.message);
        let fault = if event.reason == "NetworkNotReady" { Fault::NetworkNotReady } else { classify(error) };
        match failures.iter_mut().find(|f| f.fault == fault) {
            Some(same) => same.evidence.push(event.cite()),
            None => failures.push(SandboxFailure {
                fault,
                error: error.to_owned(),
                standing: self.sandbox_standing(event),
                evidence: vec![event.cite()],
            }),
        }
        failures
    }

    fn sandbox_standing(&self, event: &Event) -> Standing {
        // The kubelet repeats the warning at every try; a node that has become ready since is past it.
        let ready_since =
            self.node().found().filter(|n| n.is_ready()).and_then(|n| n.condition("Ready")?.last_transition_time);
        let healed =
            event.reason == "NetworkNotReady" && ready_since.is_some_and(|since| event.last.is_some_and(|t| t < since));
        if healed || self.sandbox_is_up(Some(event)) == Some(true) { Standing::Past } else { Standing::Wrong }
    }

    /// The status of the condition that says whether the sandbox is there. The kubelet sets it since 1.25 (PodHasNetwork), by
    /// default since 1.29 (PodReadyToStartContainers).
    pub fn sandbox_condition(&self) -> Option<&str> {
        let condition = ["PodReadyToStartContainers", "PodHasNetwork"].into_iter().find_map(|c| self.pod.condition(c));
        condition.map(|c| c.status.as_str())
    }

    /// Whether the sandbox is there: by its condition, and before kubelets set that, by what the containers do. `None` if
    /// nothing tells.
    pub fn sandbox_is_up(&self, failure: Option<&Event>) -> Option<bool> {
        let said = self.sandbox_condition().map(|status| status == "True");
        let since = failure.and_then(|e| e.last);
        let went_on = |events: &[&'static str]| {
            since.is_some() && self.events.iter().any(|e| events.contains(&e.reason.as_str()) && e.seen_since(since))
        };
        let lives = self.main_containers().any(|c| match &c.state {
            State::Running { .. } => true,
            State::Ended(exit) => since.is_some() && exit.started >= since,
            waiting => said.is_none() && !waiting.is_unmade(),
        });
        if lives || said.is_none() && went_on(&["Pulling", "Pulled", "Created", "Started"]) { Some(true) } else { said }
    }

    /// What the node says of itself that keeps every new sandbox from being made.
    fn node_failure(&self, node: &Node) -> Option<SandboxFailure> {
        let ready = node.condition("Ready").filter(|c| c.status == "False")?;
        let message = ready.message.to_ascii_lowercase();
        let has = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
        let fault = if has(NOT_READY) && self.pod.spec.host_network != Some(true) {
            Fault::NetworkNotReady
        } else if has(&["container runtime is down", "pleg is not healthy", "container runtime not ready", "dial unix"])
        {
            Fault::RuntimeDown
        } else {
            return None;
        };
        let evidence = self.cite_node(node, &["status", "conditions", "Ready", "message"]).into_iter().collect();
        Some(SandboxFailure { fault, error: ready.message.clone(), standing: Standing::Wrong, evidence })
    }
}

const NOT_READY: &[&str] = &[
    "cni plugin not initialized",
    "no cni configuration file",
    "cni config uninitialized",
    "no network config found",
    "no networks found in",
    "network plugin is not ready",
    "network plugin not ready",
    "networkpluginnotready",
    "runtime network not ready",
];

/// Signs that the network plugin was at work. A plugin talks to servers and sockets of its own, so these come first.
const NETWORK: &[&str] = &[
    "network for sandbox",
    "pod network sandbox",
    "network for pod",
    "networkplugin",
    "failed (add)",
    "plugin type=",
    "netplugin failed",
    "failed to find plugin",
    "to cni network",
];

const NO_ADDRESS: &[&str] = &[
    "no ip addresses available",
    "no ip address",
    "no ips available",
    "no available ip",
    "no available addresses",
    "no free ip",
    "no free addresses",
    "no more ip",
    "no more free",
    "no addresses available",
    "no ipconfig",
    "not enough ips",
    "range is full",
    "pool exhausted",
    "pool is exhausted",
    "pool is full",
    "ranges are exhausted",
    "failed to request ipv4 addresses",
    "failed to request ipv6 addresses",
    "no configured calico pools",
    "failed to assign an ip address to container",
    "allocateipconfigfailed",
    "failed to allocate address",
    "failed to allocate pool",
    "insufficientfreeaddresses",
    "insufficient ip",
    "insufficient free addresses",
    "could not find an available",
    "out of ip",
];

const NO_HANDLER: &[&str] =
    &["no runtime for", "failed to find runtime handler", "lookup runtimeclass", "binary not installed"];

/// What the runtime says when it pulls; for a sandbox it pulls nothing but the pause image.
const PAUSE_IMAGE: &[&str] =
    &["sandbox image", "failed pulling image", "pinging container registry", "initializing source", "reading manifest"];

const RUNTIME_DOWN: &[&str] = &[
    "dial unix",
    "code = unavailable",
    "cannot connect to the docker daemon",
    "deadlineexceeded",
    "context deadline exceeded",
    "failed to reserve sandbox name",
    "name is reserved",
    "requests that are timing out",
];

fn classify(error: &str) -> Fault {
    let text = error.to_ascii_lowercase();
    let has = |needles: &[&str]| needles.iter().any(|n| text.contains(n));
    if has(NOT_READY) {
        Fault::NetworkNotReady
    } else if has(NETWORK) {
        if has(NO_ADDRESS) { Fault::NoAddress } else { Fault::Network }
    } else if has(NO_HANDLER) || has(&["containerd-shim-"]) && has(&["executable file not found"]) {
        Fault::NoHandler
    } else if has(PAUSE_IMAGE) {
        Fault::PauseImage
    } else if has(RUNTIME_DOWN) {
        Fault::RuntimeDown
    } else {
        Fault::Other
    }
}

#[cfg(test)]
mod tests;
