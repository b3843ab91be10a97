//! The pod itself: its spec and status as the API's types, and what follows from them at once.

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use super::time::seconds_between;

/// The pod that a diagnosis is about. All of it is default if there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// Labels, owner references, finalizers, deletion.
    pub meta: ObjectMeta,
    /// What was asked for.
    pub spec: core::PodSpec,
    /// What the kubelet and the scheduler say.
    pub status: core::PodStatus,
    /// The parts of it that could not be read: of a type that the API does not have, or larger than any pod's.
    pub unreadable: Vec<&'static str>,
}

impl Pod {
    /// Reads a pod; a part that does not fit the API's types is left out and named in `unreadable`.
    pub(super) fn read(object: &Value) -> Self {
        let mut unreadable = Vec::new();
        let meta: ObjectMeta = part(object, "metadata", &mut unreadable);
        let spec = part(object, "spec", &mut unreadable);
        let status = part(object, "status", &mut unreadable);
        Self {
            name: crate::snapshot::name_of(object).to_owned(),
            namespace: crate::snapshot::namespace_of(object).to_owned(),
            uid: crate::snapshot::uid_of(object).to_owned(),
            meta,
            spec,
            status,
            unreadable,
        }
    }

    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub fn phase(&self) -> &str {
        self.status.phase.as_deref().unwrap_or_default()
    }

    /// Whether it has ended and will not run again.
    pub fn is_terminal(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// The kubelet's or a controller's word for why the whole pod ended: `Evicted`, `NodeLost`, `DeadlineExceeded`.
    pub fn reason(&self) -> &str {
        self.status.reason.as_deref().unwrap_or_default()
    }

    /// The sentence that belongs to [`Pod::reason`].
    pub fn message(&self) -> &str {
        self.status.message.as_deref().unwrap_or_default()
    }

    /// The node that the pod is bound to.
    pub fn node_name(&self) -> Option<&str> {
        self.spec.node_name.as_deref().filter(|n| !n.is_empty())
    }

    /// A condition.
    pub fn condition(&self, type_: &str) -> Option<&core::PodCondition> {
        self.status.conditions.iter().flatten().find(|c| c.type_ == type_)
    }

    /// Whether a condition is there and `True`.
    pub fn is_true(&self, type_: &str) -> bool {
        self.condition(type_).is_some_and(|c| c.status == "True")
    }

    /// When it was created.
    pub fn created(&self) -> Option<Timestamp> {
        self.meta.creation_timestamp.as_ref().map(|t| t.0)
    }

    /// When its grace period ends or ended: the API server sets `deletionTimestamp` to the request's time plus the grace
    /// period. Source: apiserver `registry/rest/delete.go`, `BeforeDelete`.
    pub fn grace_ends(&self) -> Option<Timestamp> {
        self.meta.deletion_timestamp.as_ref().map(|t| t.0)
    }

    /// The grace period of its deletion, in seconds.
    pub fn grace_seconds(&self) -> i64 {
        self.meta.deletion_grace_period_seconds.or(self.spec.termination_grace_period_seconds).unwrap_or(30)
    }

    /// When its deletion was asked for.
    pub fn deletion_asked(&self) -> Option<Timestamp> {
        let ends = self.grace_ends()?;
        let second = ends.as_second().checked_sub(self.grace_seconds())?;
        Timestamp::from_second(second).ok()
    }

    /// The earliest moment at which its deletion can have begun. A kubelet that has stopped the containers sets the grace
    /// period to 0 (`pkg/kubelet/status/status_manager.go`), and with it goes the record of when the deletion was asked for.
    pub fn deletion_began(&self) -> Option<Timestamp> {
        let grace = match self.meta.deletion_grace_period_seconds {
            Some(0) => self.spec.termination_grace_period_seconds.unwrap_or(30),
            _ => self.grace_seconds(),
        };
        Timestamp::from_second(self.grace_ends()?.as_second().checked_sub(grace)?).ok()
    }

    /// Whether its deletion was asked for.
    pub fn is_deleting(&self) -> bool {
        self.meta.deletion_timestamp.is_some()
    }

    /// Seconds since it was created.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        self.created().map(|t| seconds_between(t, now))
    }

    /// The pod's restart policy; `Always` unless it says otherwise.
    pub fn restart_policy(&self) -> &str {
        self.spec.restart_policy.as_deref().unwrap_or("Always")
    }
}

/// The most entries of a list of a pod, its containers for one, that are read. A container takes 14 bytes in a file and a
/// hundred times that in memory; what the API server accepts as one request leaves room for few thousands.
const MOST_ENTRIES: usize = 5_000;

fn part<T: Default + for<'de> Deserialize<'de>>(
    object: &Value,
    key: &'static str,
    unreadable: &mut Vec<&'static str>,
) -> T {
    let Some(value) = object.get(key).filter(|v| !v.is_null()) else { return T::default() };
    let lists = value.as_object().into_iter().flat_map(|fields| fields.values()).filter_map(Value::as_array);
    let read = if lists.map(Vec::len).all(|n| n <= MOST_ENTRIES) { T::deserialize(value).ok() } else { None };
    read.unwrap_or_else(|| {
        unreadable.push(key);
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rules::testing::Case;

    #[test]
    fn a_kubelet_that_has_stopped_the_containers_takes_the_grace_period_away() {
        let began = |grace: i64| {
            Case::pod(json!({"terminationGracePeriodSeconds": 60}), json!({}))
                .edit("/metadata/deletionTimestamp", json!("2026-01-01T12:00:00Z"))
                .edit("/metadata/deletionGracePeriodSeconds", json!(grace))
                .facts(|f| {
                    (f.pod.deletion_began().map(|t| t.to_string()), f.pod.deletion_asked().map(|t| t.to_string()))
                })
        };
        let (minute, whole) = (Some("2026-01-01T11:59:00Z".to_owned()), Some("2026-01-01T12:00:00Z".to_owned()));
        assert_eq!(began(0), (minute, whole));
        let twenty = Some("2026-01-01T11:59:40Z".to_owned());
        assert_eq!(began(20), (twenty.clone(), twenty));
    }

    #[test]
    fn a_pod_is_restarted_always_unless_it_says_otherwise() {
        let policy = |spec| Case::pod(spec, json!({})).facts(|f| f.pod.restart_policy().to_owned());
        assert_eq!(policy(json!({})), "Always");
        assert_eq!(policy(json!({"restartPolicy": "Never"})), "Never");
    }
}
