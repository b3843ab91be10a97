//! What an object that makes pods asks for, and how much of it there is.

use serde_json::Value;

use super::Facts;
use super::cited::Evidence;
use crate::snapshot::{name_of, namespace_of};

/// The numbers of a Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job or CronJob.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Workload {
    /// How many pods there should be at this moment. `None` if the object does not say (a CronJob, a status that is yet to
    /// come).
    pub desired: Option<i64>,
    /// How many pods there are.
    pub existing: i64,
    /// How many of them are ready.
    pub ready: i64,
    /// Whether it has come to its end: a Job that is complete or failed.
    pub finished: bool,
    is_job: bool,
    idle: Option<Idle>,
}

/// Why an object asks for no pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// `spec.replicas` is 0.
    Zero,
    /// `spec.suspend` is true.
    Suspended,
    /// A DaemonSet whose node selector and affinity fit no node.
    NoNode,
    /// A Deployment whose rollout was paused before it made pods.
    Paused,
    /// A Job with `spec.parallelism` 0.
    NoParallelism,
}

impl Workload {
    /// Reads the numbers of one object.
    pub(super) fn read(object: &Value) -> Option<Self> {
        let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
        let is = |pointer: &str| object.pointer(pointer).and_then(Value::as_bool) == Some(true);
        let here = |pointer: &str| number(pointer).unwrap_or(0);
        Some(match object.get("kind").and_then(Value::as_str)? {
            "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" => {
                let desired = number("/spec/replicas").unwrap_or(1);
                let existing = here("/status/replicas");
                let idle = match desired {
                    0 => Some(Idle::Zero),
                    _ if is("/spec/paused") && existing == 0 => Some(Idle::Paused),
                    _ => None,
                };
                let ready = here("/status/readyReplicas");
                Self { desired: Some(desired), existing, ready, idle, ..Self::default() }
            }
            "DaemonSet" => {
                let observed = number("/status/observedGeneration").is_some();
                let desired = number("/status/desiredNumberScheduled").filter(|_| observed);
                Self {
                    desired,
                    existing: here("/status/currentNumberScheduled"),
                    ready: here("/status/numberReady"),
                    idle: (desired == Some(0)).then_some(Idle::NoNode),
                    ..Self::default()
                }
            }
            "Job" => {
                let parallelism = number("/spec/parallelism").unwrap_or(1);
                let succeeded = here("/status/succeeded");
                let left = number("/spec/completions").map_or(parallelism, |all| (all - succeeded).max(0));
                let idle = match parallelism {
                    _ if is("/spec/suspend") => Some(Idle::Suspended),
                    0 => Some(Idle::NoParallelism),
                    _ => None,
                };
                Self {
                    desired: Some(left.min(parallelism)),
                    existing: here("/status/active"),
                    ready: here("/status/ready"),
                    finished: ["Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"]
                        .iter()
                        .any(|c| holds(object, c)),
                    is_job: true,
                    idle,
                }
            }
            "CronJob" => Self { idle: is("/spec/suspend").then_some(Idle::Suspended), ..Self::default() },
            _ => return None,
        })
    }

    /// Why it asks for no pods, if it asks for none.
    pub fn idle(&self) -> Option<Idle> {
        self.idle.filter(|_| !self.finished)
    }

    /// Whether pods that it asks for have not been made.
    pub fn lacks_pods(&self) -> bool {
        !self.finished && self.idle.is_none() && self.desired.is_some_and(|desired| self.existing < desired)
    }

    /// Whether fewer pods are there, or ready, than it asks for. A Job's pods are not meant to become ready.
    pub fn falls_short(&self) -> bool {
        let wanted = self.desired.filter(|_| !self.finished && self.idle.is_none());
        wanted.is_some_and(|wanted| self.lacks_pods() || !self.is_job && self.ready < wanted)
    }

    /// The word for its state: `1/3 ready`, `suspended`.
    pub fn word(&self) -> String {
        match (self.idle(), self.desired) {
            _ if self.finished => "finished".to_owned(),
            (Some(Idle::Suspended), _) => "suspended".to_owned(),
            (Some(Idle::Paused), _) => "paused".to_owned(),
            (_, Some(desired)) => format!("{}/{desired} ready", self.ready),
            (_, None) => String::new(),
        }
    }

    /// The report's line: `3 desired, 1 existing, 1 ready`; empty if the object does not count pods.
    pub fn line(&self) -> String {
        let count = |desired| format!("{desired} desired, {} existing, {} ready", self.existing, self.ready);
        self.desired.map_or_else(String::new, count)
    }
}

impl Facts<'_> {
    /// The numbers of the target, if it is an object that makes pods.
    pub fn workload(&self) -> Option<Workload> {
        Workload::read(self.object()?)
    }

    /// The field of the target that asks for no pods, and what belongs to it.
    pub fn cite_idle(&self, idle: Idle) -> Vec<Evidence> {
        let steps: &[&str] = match idle {
            Idle::Zero => &["spec", "replicas"],
            Idle::Suspended => &["spec", "suspend"],
            Idle::NoNode => &["status", "desiredNumberScheduled"],
            Idle::Paused => &["spec", "paused"],
            Idle::NoParallelism => &["spec", "parallelism"],
        };
        let selector = self.cite(&["spec", "template", "spec", "nodeSelector"]).filter(|_| idle == Idle::NoNode);
        let queue = self.cite(&["metadata", "labels", "kueue.x-k8s.io/queue-name"]).filter(|_| idle == Idle::Suspended);
        [self.cite(steps), selector, queue].into_iter().flatten().collect()
    }
}

impl Facts<'_> {
    /// The names of the namespace's LimitRanges.
    pub fn limit_ranges(&self) -> Vec<String> {
        self.ranges().map(|o| name_of(o).to_owned()).collect()
    }

    /// The bounds that they set, cited.
    pub fn cite_limit_ranges(&self) -> Vec<Evidence> {
        self.ranges().filter_map(|o| Evidence::field(o, &["spec", "limits"])).collect()
    }

    fn ranges(&self) -> impl Iterator<Item = &Value> {
        self.snapshot().all("LimitRange").iter().filter(|o| namespace_of(o) == self.target.namespace)
    }

    /// The Pod Security level that the namespace enforces, cited.
    pub fn cite_pod_security(&self) -> Option<Evidence> {
        let label = ["metadata", "labels", "pod-security.kubernetes.io/enforce"];
        self.cite_other("Namespace", &self.target.namespace, &label)
    }
}

/// Whether a condition is `True`.
pub(super) fn holds(object: &Value, type_: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let is = |c: &&Value, key: &str, wanted: &str| c.get(key).and_then(Value::as_str) == Some(wanted);
    conditions.into_iter().flatten().any(|c| is(&c, "type", type_) && is(&c, "status", "True"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_without_replicas_field_wants_one_pod() {
        let workload = Workload::read(&json!({"kind": "Deployment", "spec": {}, "status": {}})).unwrap();
        assert!(workload.lacks_pods() && workload.idle().is_none());
        assert_eq!(workload.word(), "0/1 ready");
    }

    #[test]
    fn a_job_lacks_only_the_pods_of_the_completions_that_are_left() {
        let job = |active: i64| json!({"kind": "Job", "spec": {"parallelism": 3, "completions": 5}, "status": {"succeeded": 4, "active": active}});
        assert!(Workload::read(&job(0)).unwrap().lacks_pods());
        assert!(!Workload::read(&job(1)).unwrap().lacks_pods());
    }

    #[test]
    fn pods_that_are_not_ready_fall_short_except_those_of_a_job() {
        let set =
            json!({"kind": "StatefulSet", "spec": {"replicas": 3}, "status": {"replicas": 3, "readyReplicas": 2}});
        assert!(Workload::read(&set).unwrap().falls_short());
        let job = json!({"kind": "Job", "spec": {}, "status": {"active": 1, "ready": 0}});
        assert!(!Workload::read(&job).unwrap().falls_short());
    }

    #[test]
    fn a_finished_job_is_not_idle() {
        let job = json!({"kind": "Job", "spec": {"suspend": true},
            "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
        assert_eq!(Workload::read(&job).unwrap().idle(), None);
    }

    fn made(kind: &str, spec: serde_json::Value, status: serde_json::Value) -> Workload {
        Workload::read(&json!({"kind": kind, "spec": spec, "status": status})).unwrap()
    }

    #[test]
    fn a_job_is_finished_or_suspended_or_has_work_left() {
        let job = |spec, status| made("Job", spec, status);
        let finished = job(
            json!({"parallelism": 2, "suspend": true}),
            json!({"conditions": [{"type": "Complete", "status": "True"}]}),
        );
        assert_eq!((finished.word(), finished.idle(), finished.lacks_pods()), ("finished".to_owned(), None, false));
        let suspended = job(json!({"suspend": true}), json!({}));
        assert_eq!((suspended.word(), suspended.lacks_pods()), ("suspended".to_owned(), false));
        let none = job(json!({"parallelism": 0}), json!({}));
        assert_eq!((none.idle(), none.lacks_pods()), (Some(Idle::NoParallelism), false));
        let waiting = job(json!({"parallelism": 2, "completions": 5}), json!({"succeeded": 4, "active": 0}));
        assert_eq!((waiting.desired, waiting.lacks_pods(), waiting.falls_short()), (Some(1), true, true));
        let busy = job(json!({"parallelism": 2}), json!({"active": 2, "ready": 0}));
        assert!(!busy.lacks_pods() && !busy.falls_short(), "its pods need not be ready");
    }

    #[test]
    fn what_asks_for_no_pods_lacks_none_and_its_field_is_cited() {
        use crate::rules::testing::Case;
        let paused = made("Deployment", json!({"replicas": 3, "paused": true}), json!({}));
        assert_eq!((paused.word(), paused.lacks_pods(), paused.falls_short()), ("paused".to_owned(), false, false));
        let cited = |object: serde_json::Value, idle: Idle| {
            Case::of(object).facts(|f| f.cite_idle(idle).iter().map(|e| format!("{e:?}")).collect::<Vec<_>>().join(" "))
        };
        let object = |kind: &str, spec: serde_json::Value| {
            json!({"apiVersion": "apps/v1", "kind": kind, "spec": spec,
                "metadata": {"name": "x", "namespace": "n", "labels": {"kueue.x-k8s.io/queue-name": "team"}}})
        };
        let template = json!({"spec": {"nodeSelector": {"disk": "ssd"}}});
        let job =
            cited(object("Job", json!({"suspend": true, "parallelism": 0, "template": template})), Idle::Suspended);
        assert!(job.contains("team") && !job.contains("ssd"), "{job}");
        let job = cited(object("Job", json!({"parallelism": 0})), Idle::NoParallelism);
        assert!(job.contains("parallelism") && !job.contains("team"), "{job}");
        let mut set = object("DaemonSet", json!({"template": template}));
        set["status"]["desiredNumberScheduled"] = 0.into();
        let set = cited(set, Idle::NoNode);
        assert!(set.contains("ssd") && set.contains("desiredNumberScheduled") && !set.contains("team"), "{set}");
    }

    #[test]
    fn the_namespaces_level_of_pod_security_is_cited() {
        use crate::rules::testing::Case;
        let space = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "n", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
        let said = Case::container(json!({})).with(space).facts(|f| format!("{:?}", f.cite_pod_security()));
        assert!(said.contains("restricted"), "{said}");
    }
}
