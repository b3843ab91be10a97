//! An in-place change of resources that is asked for and has not been carried out.

use k8s_openapi::api::core::v1::PodCondition;

use super::phrase::{after, word};
use super::time::seconds_between;
use super::{Container, Evidence, Facts, Quantity};
use crate::finding::Remedy;

/// A pending resize.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resize {
    reason: String,
    /// The kubelet's sentence; empty if there is none.
    pub message: String,
    /// Seconds since it is pending, if that is known.
    pub age: Option<i64>,
}

/// Where the kubelet says that a resize is pending, and where that carrying one out fails.
const CONDITIONS: [&str; 2] = ["PodResizePending", "PodResizeInProgress"];

impl Resize {
    /// Whether it can never be carried out on this node: the kubelet says so, or more is asked for than the node has.
    pub fn is_infeasible(&self) -> bool {
        let number = |marker: &str| after(&self.message, marker).and_then(|rest| Quantity::parse(word(rest)));
        let larger = number("requested: ").zip(number("capacity: ")).is_some_and(|(asked, there)| asked > there);
        self.reason == "Infeasible" || larger
    }

    /// Whether the kubelet has begun to carry it out and cannot.
    pub fn is_failing(&self) -> bool {
        self.reason == "Error"
    }
}

impl Facts<'_> {
    /// The resize that is pending or fails: the conditions PodResizePending and PodResizeInProgress (since 1.33), or
    /// `status.resize` before.
    pub fn resize(&self) -> Option<Resize> {
        let conditions = CONDITIONS.iter().filter_map(|kind| self.pod.condition(kind)).filter(|c| c.status == "True");
        let waits = |c: &&PodCondition| c.type_ == CONDITIONS[0] || c.reason.as_deref() == Some("Error");
        if let Some(pending) = conditions.into_iter().find(waits) {
            return Some(Resize {
                reason: pending.reason.clone().unwrap_or_default(),
                message: pending.message.clone().unwrap_or_default(),
                age: pending.last_transition_time.as_ref().map(|t| seconds_between(t.0, self.now)),
            });
        }
        let old = self.object()?.pointer("/status/resize")?.as_str()?;
        let pending = matches!(old, "Infeasible" | "Deferred");
        pending.then(|| Resize { reason: old.to_owned(), message: String::new(), age: None })
    }

    /// The remedy that gives the pod's template the resources that the first resized container asks for.
    pub fn remake_resized(&self, say: &str) -> Remedy {
        let asked = |c: &Container| {
            let wanted = c.spec.resources.as_ref()?.requests.clone().filter(|r| !r.is_empty())?;
            let has = c.status.as_ref()?.allocated_resources.clone().unwrap_or_default();
            let listed: Vec<String> = wanted.iter().map(|(name, amount)| format!("{name}={}", amount.0)).collect();
            (wanted != has).then(|| (c.name.clone(), format!("--requests={}", listed.join(","))))
        };
        match self.main_containers().find_map(asked) {
            Some((name, requests)) => self.owner.set(say, "resources", &["-c", &name, &requests]),
            None => self.owner.edit(say),
        }
    }

    /// What says so, and what the containers were asked to have.
    pub fn cite_resize(&self) -> Vec<Evidence> {
        let asked = self.main_containers().filter_map(|c| self.cite_spec(c, &["resources", "requests"]));
        let has = self.main_containers().filter_map(|c| self.cite_status(c, &["allocatedResources"]));
        let conditions = CONDITIONS.iter().flat_map(|kind| self.cite_whole_condition(kind));
        let said = conditions.chain(self.cite(&["status", "resize"]));
        said.chain(asked).chain(has).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_sentence_is_sorted_by_its_numbers() {
        let rows = include_str!("../../tests/data/messages.tsv").lines().filter(|l| l.starts_with("RSZ-"));
        for row in rows.filter(|l| l.contains("Infeasible") && !l.starts_with("RSZ-EVENT")) {
            let columns: Vec<&str> = row.split('\t').collect();
            let reason = if columns[2].contains("Deferred") { "Deferred" } else { "Infeasible" };
            let resize = Resize { reason: reason.to_owned(), message: columns[4].to_owned(), age: None };
            assert!(resize.is_infeasible(), "{row}");
        }
    }

    #[test]
    fn what_is_as_large_as_the_node_can_be_given() {
        let of = |requested: &str| {
            let message =
                format!("Node didn't have enough resource: cpu, requested: {requested}, used: 0, capacity: 4000");
            Resize { reason: "Deferred".to_owned(), message, age: None }.is_infeasible()
        };
        assert!(of("4001") && !of("4000") && !of("100"));
    }

    #[test]
    fn the_remedy_asks_for_what_the_resized_container_is_to_have() {
        use crate::rules::testing::Case;
        use serde_json::json;
        let of = |first: serde_json::Value, allocated: &str| {
            let spec = json!({"containers": [{"name": "side", "resources": {"requests": first}},
                {"name": "app", "resources": {"requests": {"cpu": "2"}}}]});
            let status = json!({"containerStatuses": [{"name": "side", "allocatedResources": {"cpu": "1"}},
                {"name": "app", "allocatedResources": {"cpu": allocated}}]});
            Case::pod(spec, status)
                .edit("/metadata/ownerReferences", json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "s", "uid": "s", "controller": true}]))
                .facts(|f| (format!("{:?}", f.remake_resized("Do it:")), f.cite_resize().len()))
        };
        let (remedy, cited) = of(json!({"cpu": "1"}), "1");
        assert!(remedy.contains("\"app\"") && remedy.contains("--requests=cpu=2"), "{remedy}");
        assert_eq!(cited, 4);
        assert!(of(json!({}), "1").0.contains("--requests=cpu=2"), "who asks for nothing is not resized");
        assert!(!of(json!({"cpu": "1"}), "2").0.contains("--requests"), "each has what it asks for");
    }
}
