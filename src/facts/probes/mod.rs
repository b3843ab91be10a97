//! A container's probes: what they ask, how long they allow, and what came back.

mod answer;
mod trouble;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub use answer::Answer;
pub use trouble::ProbeTrouble;

use super::{Container, Event, Facts};

/// What a probe decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Whether the program has started; until then the other two are not asked.
    Startup,
    /// Whether the program is to be killed and started anew.
    Liveness,
    /// Whether the pod gets traffic.
    Readiness,
}

impl ProbeKind {
    /// As in "the liveness probe".
    pub fn word(self) -> &'static str {
        match self {
            ProbeKind::Startup => "startup",
            ProbeKind::Liveness => "liveness",
            ProbeKind::Readiness => "readiness",
        }
    }

    /// The field of the container's spec.
    pub fn field(self) -> &'static str {
        match self {
            ProbeKind::Startup => "startupProbe",
            ProbeKind::Liveness => "livenessProbe",
            ProbeKind::Readiness => "readinessProbe",
        }
    }
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// An HTTP request; any status from 200 to 399 is good.
    Http {
        /// `http` or `https`.
        scheme: String,
        /// Empty for the pod's own address.
        host: String,
        /// Beginning with a slash.
        path: String,
    },
    /// A TCP connection.
    Tcp {
        /// Empty for the pod's own address.
        host: String,
    },
    /// A command in the container; exit code 0 is good.
    Exec(Vec<String>),
    /// gRPC's health protocol.
    Grpc {
        /// Empty for the server as a whole.
        service: String,
    },
}

/// The port that a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbePort {
    /// As it stands in the spec: a number or a name.
    pub written: String,
    /// The number; none if the container declares no port of that name, and then the probe cannot be carried out.
    pub number: Option<i32>,
}

/// One probe of one container, with the API server's defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe<'f> {
    /// What it decides.
    pub kind: ProbeKind,
    /// Whose it is.
    pub container: &'f Container,
    /// What it does.
    pub handler: Handler,
    /// The port that it asks, unless it runs a command.
    pub port: Option<ProbePort>,
    /// Seconds before the first try.
    pub initial_delay: i64,
    /// Seconds between tries.
    pub period: i64,
    /// Seconds that a try has.
    pub timeout: i64,
    /// So many failures in a row count.
    pub threshold: i64,
    /// Its own grace period for the kill that it causes, if it has one.
    pub grace: Option<i64>,
}

impl<'f> Probe<'f> {
    fn read(container: &'f Container, kind: ProbeKind) -> Option<Self> {
        let probe: &core::Probe = match kind {
            ProbeKind::Startup => container.spec.startup_probe.as_ref()?,
            ProbeKind::Liveness => container.spec.liveness_probe.as_ref()?,
            ProbeKind::Readiness => container.spec.readiness_probe.as_ref()?,
        };
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let (handler, port) = if let Some(http) = &probe.http_get {
            let scheme = http.scheme.as_deref().unwrap_or("http").to_ascii_lowercase();
            let path = http.path.clone().filter(|p| !p.is_empty()).unwrap_or_else(|| "/".to_owned());
            (Handler::Http { scheme, host: text(&http.host), path }, Some(ProbePort::read(&http.port, container)))
        } else if let Some(tcp) = &probe.tcp_socket {
            (Handler::Tcp { host: text(&tcp.host) }, Some(ProbePort::read(&tcp.port, container)))
        } else if let Some(grpc) = &probe.grpc {
            let port = ProbePort::read(&IntOrString::Int(grpc.port), container);
            (Handler::Grpc { service: text(&grpc.service) }, Some(port))
        } else {
            (Handler::Exec(probe.exec.as_ref()?.command.clone().unwrap_or_default()), None)
        };
        let seconds = |value: Option<i32>, default: i64, least: i64| value.map_or(default, i64::from).max(least);
        Some(Self {
            kind,
            container,
            handler,
            port,
            initial_delay: seconds(probe.initial_delay_seconds, 0, 0),
            period: seconds(probe.period_seconds, 10, 1),
            timeout: seconds(probe.timeout_seconds, 1, 1),
            threshold: seconds(probe.failure_threshold, 3, 1),
            grace: probe.termination_grace_period_seconds.filter(|_| kind != ProbeKind::Readiness),
        })
    }

    /// Seconds from the container's start until the last failure that is allowed: the initial delay, then a period for each
    /// try.
    pub fn budget(&self) -> i64 {
        self.initial_delay.saturating_add(self.period.saturating_mul(self.threshold))
    }

    /// How the budget comes about: `5s + 3 x 10s = 35s`.
    pub fn budget_sum(&self) -> String {
        let tries = format!("{} x {}s", self.threshold, self.period);
        match self.initial_delay {
            0 => format!("{tries} = {}s", self.budget()),
            delay => format!("{delay}s + {tries} = {}s", self.budget()),
        }
    }

    /// What it asks: `GET http://:8080/live`, `TCP :8080`, `exec cat /tmp/healthy`, `gRPC :50051`. No host stands for the
    /// pod's own address, as in `kubectl describe`.
    pub fn target(&self) -> String {
        let port = self.port.as_ref().map_or_else(String::new, ProbePort::shown);
        match &self.handler {
            Handler::Http { scheme, host, path } => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                format!("GET {scheme}://{host}:{port}{slash}{path}")
            }
            Handler::Tcp { host } => format!("TCP {host}:{port}"),
            Handler::Exec(command) => format!("exec {}", super::start::short(command)),
            Handler::Grpc { service } if service.is_empty() => format!("gRPC :{port}"),
            Handler::Grpc { service } => format!("gRPC :{port}, service {service}"),
        }
    }

    /// As the subject of a sentence: `the liveness probe of container app (TCP :8080)`.
    pub fn title(&self) -> String {
        format!("the {} probe of {} ({})", self.kind.word(), self.container.title(), self.target())
    }

    /// Whether it asks the pod itself and not some other host.
    pub fn asks_the_pod(&self) -> bool {
        match &self.handler {
            Handler::Http { host, .. } | Handler::Tcp { host } => host.is_empty(),
            Handler::Grpc { .. } => true,
            Handler::Exec(_) => false,
        }
    }

    /// Seconds that a container has lasted if this probe failed at every try from its start and the kubelet then killed it:
    /// from the least to the most. The first try falls within one period after the initial delay. `forced` says that the
    /// grace period was waited out.
    pub fn killed_after(&self, pod_grace: i64, forced: bool) -> (i64, i64) {
        let grace = self.grace.unwrap_or(pod_grace);
        let first = self.budget().saturating_sub(self.period);
        let least = if forced { first.saturating_add(grace) } else { first };
        (least.saturating_sub(1), self.budget().saturating_add(self.timeout + 5).saturating_add(grace))
    }
}

impl ProbePort {
    /// A name is looked up among the container's own ports, and only there; failing that the kubelet takes it for a number.
    /// Source: `pkg/probe/util.go`, `ResolveContainerPort`.
    fn read(port: &IntOrString, container: &Container) -> Self {
        match port {
            IntOrString::Int(number) => Self { written: number.to_string(), number: Some(*number) },
            IntOrString::String(name) => {
                let own = container.spec.ports.iter().flatten().find(|p| p.name.as_ref() == Some(name));
                let number = own.map(|p| p.container_port).or_else(|| name.parse().ok());
                Self { written: name.clone(), number }
            }
        }
    }

    /// `8080`, or `web (8080)` for a name.
    pub fn shown(&self) -> String {
        match self.number {
            Some(number) if number.to_string() != self.written => format!("{} ({number})", self.written),
            _ => self.written.clone(),
        }
    }
}

/// How the port that a probe asks does not fit the ports that are declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortMismatch {
    /// The container declares no port of that name; perhaps another does.
    NoSuchName {
        /// That container, as in a sentence, and its port.
        elsewhere: Option<(String, i32)>,
    },
    /// No container of the pod declares that number, and this one declares others.
    Undeclared {
        /// The ports that it declares.
        declared: Vec<String>,
    },
}

impl Facts<'_> {
    /// How a probe's port does not fit the declared ones. Containers of a pod share their address, so a port that another
    /// one declares can be asked too.
    pub fn port_mismatch(&self, probe: &Probe<'_>) -> Option<PortMismatch> {
        let port = probe.port.as_ref().filter(|_| probe.asks_the_pod())?;
        let declared = || self.main_containers().flat_map(|c| c.spec.ports.iter().flatten().map(move |p| (c, p)));
        let Some(number) = port.number else {
            let elsewhere = declared().find(|(_, p)| p.name.as_ref() == Some(&port.written));
            let elsewhere = elsewhere.map(|(c, p)| (c.title(), p.container_port));
            return Some(PortMismatch::NoSuchName { elsewhere });
        };
        let own: Vec<String> = declared()
            .filter(|(c, p)| c.name == probe.container.name && p.protocol.as_deref().unwrap_or("TCP") == "TCP")
            .map(|(_, p)| p.container_port.to_string())
            .collect();
        let undeclared = declared().all(|(_, p)| p.container_port != number);
        (undeclared && !own.is_empty()).then_some(PortMismatch::Undeclared { declared: own })
    }

    /// A container's probes: startup, liveness, readiness.
    pub fn probes<'c>(&self, container: &'c Container) -> Vec<Probe<'c>> {
        let kinds = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness];
        kinds.into_iter().filter_map(|kind| Probe::read(container, kind)).collect()
    }

    /// The probe of that kind.
    pub fn probe<'c>(&self, container: &'c Container, kind: ProbeKind) -> Option<Probe<'c>> {
        Probe::read(container, kind)
    }

    /// The latest event that says that this probe failed or could not be carried out.
    pub fn unhealthy(&self, probe: &Probe<'_>) -> Option<&Event> {
        self.events.with(&["Unhealthy"]).find(|e| {
            let mut words = e.message.split_whitespace();
            let kind = words.next().is_some_and(|w| w.eq_ignore_ascii_case(probe.kind.word()));
            kind && words.next() == Some("probe") && self.is_about(e, probe.container, probe.kind)
        })
    }

    /// The latest event that says that the kubelet killed the container because this probe failed.
    pub fn probe_kill(&self, probe: &Probe<'_>) -> Option<&Event> {
        let words = format!("failed {} probe", probe.kind.word());
        self.events.with(&["Killing"]).find(|e| {
            let message = e.message.to_ascii_lowercase();
            message.contains(&words) && self.is_about(e, probe.container, probe.kind)
        })
    }

    /// Whether an event is about that container; if it does not say about which, the only one with such a probe is meant.
    fn is_about(&self, event: &Event, container: &Container, kind: ProbeKind) -> bool {
        match &event.container {
            Some(name) => *name == container.name,
            None => self.main_containers().filter(|c| Probe::read(c, kind).is_some()).count() == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::facts::{Facts, ProbeKind};
    use crate::rules::testing::Case;

    fn with_probe<T>(probe: Value, read: impl Fn(&super::Probe<'_>) -> T) -> T {
        Case::container(json!({}))
            .edit("/spec/containers/0/ports", json!([{"name": "web", "containerPort": 8081}]))
            .edit("/spec/containers/0/livenessProbe", probe)
            .facts(|f: &Facts<'_>| read(&f.probe(&f.containers[0], ProbeKind::Liveness).unwrap()))
    }

    #[test]
    fn targets_read_as_in_kubectl_describe() {
        for (probe, target) in [
            (json!({"httpGet": {"path": "/live", "port": 8080, "scheme": "HTTPS"}}), "GET https://:8080/live"),
            (json!({"httpGet": {"port": "web", "host": "10.0.0.1"}}), "GET http://10.0.0.1:web (8081)/"),
            (json!({"tcpSocket": {"port": "nope"}}), "TCP :nope"),
            (json!({"exec": {"command": ["cat", "/tmp/x"]}}), "exec cat /tmp/x"),
            (json!({"grpc": {"port": 50051, "service": "db"}}), "gRPC :50051, service db"),
        ] {
            assert_eq!(with_probe(probe, |p| p.target()), target);
        }
    }

    #[test]
    fn the_budget_is_the_delay_and_a_period_for_each_try() {
        let probe = json!({"tcpSocket": {"port": 1}, "initialDelaySeconds": 5, "failureThreshold": 4});
        assert_eq!(with_probe(probe, |p| p.budget_sum()), "5s + 4 x 10s = 45s");
    }

    #[test]
    fn a_container_lasts_from_the_first_try_to_the_last_and_its_grace_period() {
        let probe = json!({"tcpSocket": {"port": 1}});
        assert_eq!(with_probe(probe.clone(), |p| p.killed_after(30, false)), (19, 66));
        assert_eq!(with_probe(probe, |p| p.killed_after(30, true)), (49, 66));
        let own = json!({"tcpSocket": {"port": 1}, "terminationGracePeriodSeconds": 5, "timeoutSeconds": 3});
        assert_eq!(with_probe(own, |p| p.killed_after(30, true)), (24, 43));
    }

    #[test]
    fn a_probe_of_readiness_has_no_grace_period_of_its_own() {
        let probe = json!({"tcpSocket": {"port": 1}, "terminationGracePeriodSeconds": 5});
        assert_eq!(with_probe(probe.clone(), |p| p.grace), Some(5));
        Case::container(json!({})).edit("/spec/containers/0/readinessProbe", probe).facts(|f| {
            assert_eq!(f.probe(&f.containers[0], ProbeKind::Readiness).unwrap().grace, None);
        });
    }

    #[test]
    fn ports_are_compared_only_with_those_that_the_container_declares_for_tcp() {
        let mismatch = |ports: Value, others: Value, probe: Value| {
            Case::pod(
                json!({"containers": [{"name": "app", "ports": ports, "livenessProbe": probe},
                    {"name": "other", "ports": others}]}),
                json!({}),
            )
            .facts(|f| f.port_mismatch(&f.probe(&f.containers[0], ProbeKind::Liveness).unwrap()))
        };
        let declared = |ports: &[&str]| {
            Some(super::PortMismatch::Undeclared { declared: ports.iter().map(|p| (*p).to_owned()).collect() })
        };
        let ask = |port: i32| json!({"tcpSocket": {"port": port}});
        let web = || json!([{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]);
        assert_eq!(mismatch(web(), json!([]), ask(81)), declared(&["80"]));
        assert_eq!(mismatch(web(), json!([]), ask(80)), None);
        assert_eq!(mismatch(web(), json!([{"containerPort": 81}]), ask(81)), None, "a pod has one address");
        assert_eq!(mismatch(json!([]), web(), ask(81)), None, "it declares none");
        assert_eq!(mismatch(web(), json!([]), json!({"tcpSocket": {"port": 81, "host": "10.0.0.1"}})), None);
        assert_eq!(mismatch(web(), json!([]), json!({"exec": {"command": ["x"]}})), None);
    }

    #[test]
    fn an_event_is_of_the_probe_that_it_names_and_of_the_container() {
        let spec = |second: Value| {
            json!({"containers": [
                {"name": "app", "livenessProbe": {"tcpSocket": {"port": 1}}},
                {"name": "other", "livenessProbe": second}]})
        };
        let told = |second: Value, reason: &str, container: &str, message: &str| {
            Case::pod(spec(second), json!({})).event(reason, container, message).facts(|f| {
                let probe = f.probe(&f.containers[0], ProbeKind::Liveness).unwrap();
                (f.unhealthy(&probe).is_some(), f.probe_kill(&probe).is_some())
            })
        };
        let both = || json!({"tcpSocket": {"port": 2}});
        assert_eq!(told(both(), "Unhealthy", "app", "Liveness probe failed: x"), (true, false));
        assert_eq!(told(both(), "Unhealthy", "app", "Readiness probe failed: x"), (false, false));
        assert_eq!(told(both(), "Unhealthy", "app", "Liveness check failed: x"), (false, false));
        assert_eq!(told(both(), "Unhealthy", "other", "Liveness probe failed: x"), (false, false));
        assert_eq!(told(both(), "Unhealthy", "", "Liveness probe failed: x"), (false, false), "it can be either's");
        assert_eq!(told(Value::Null, "Unhealthy", "", "Liveness probe failed: x"), (true, false), "only one has it");
        assert_eq!(
            told(both(), "Killing", "app", "Container app failed liveness probe, will be restarted"),
            (false, true)
        );
        assert_eq!(told(both(), "Killing", "other", "Container other failed liveness probe"), (false, false));
        assert_eq!(told(both(), "Killing", "app", "Stopping container app"), (false, false));
    }
}
