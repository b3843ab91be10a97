//! Whose finalizers hold a pod, what each waits for, and what it costs to take one away by force.

use serde_json::{Value, json};

use super::Facts;
use super::cited::Evidence;
use crate::finding::Command;

/// A finalizer of the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finalizer {
    /// The finalizer as written.
    pub name: String,
    /// Its place in `metadata.finalizers`.
    pub place: usize,
    /// Who set it, as `metadata.managedFields` has it.
    pub manager: Option<String>,
    /// What is known about finalizers of that name.
    pub known: Option<&'static Known>,
}

/// What is known about a finalizer.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// The name; a `*` stands for anything.
    pattern: &'static str,
    /// Who sets it and takes it away.
    pub owner: &'static str,
    /// What it waits for.
    pub waits: &'static str,
    /// How it is released in good order.
    pub release: &'static str,
    /// What is lost if it is patched away.
    pub cost: &'static str,
}

const fn known(
    pattern: &'static str,
    owner: &'static str,
    waits: &'static str,
    release: &'static str,
    cost: &'static str,
) -> Known {
    Known { pattern, owner, waits, release, cost }
}

/// Finalizers that are seen on pods. More exact patterns stand before wider ones.
static KNOWN: &[Known] = &[
    known(
        "foregroundDeletion",
        "the garbage collector of kube-controller-manager",
        "objects that the pod owns are gone",
        "Delete what the pod owns, and see that kube-controller-manager runs and every APIService is available.",
        "dependents that stay behind until the collector finds them",
    ),
    known(
        "orphan",
        "the garbage collector of kube-controller-manager",
        "it has taken the owner references off the pod's dependents",
        "See that kube-controller-manager runs.",
        "the dependents, which the collector then deletes",
    ),
    known(
        "batch.kubernetes.io/job-tracking",
        "the Job controller of kube-controller-manager",
        "the pod's result is counted in its Job",
        "See that the Job exists, that kube-controller-manager runs, and that no webhook refuses changes of the pod.",
        "the count: the Job can run the work again",
    ),
    known(
        "juicefs.com/finalizer",
        "the JuiceFS CSI driver",
        "the mount is cleanly undone",
        "See that the JuiceFS node pod runs on that node.",
        "writes that are not flushed; pods that use the mount lose it",
    ),
    known(
        "kueue.x-k8s.io/managed",
        "Kueue",
        "the pod's group ends, or a replacement is there",
        "Delete the Workload or the whole group, and see that the Kueue controller runs.",
        "Kueue's count of the group and its quota",
    ),
    known(
        "scheduler.slinky.slurm.net/finalizer",
        "Slinky's slurm-bridge",
        "the Slurm job behind the pod ends",
        "See that slurm-bridge runs and end the Slurm job.",
        "the nodes that the Slurm job goes on holding",
    ),
    known(
        "workflows.argoproj.io/status",
        "the Argo Workflows controller",
        "the pod's end is recorded in its Workflow",
        "See that the workflow controller runs and manages this namespace.",
        "the step's result: it counts as failed",
    ),
    known(
        "argocd.argoproj.io/hook-finalizer",
        "the Argo CD application controller",
        "the sync that the hook belongs to ends",
        "Let the sync operation end, or terminate it.",
        "the hook's result",
    ),
    known(
        "flyte.org/finalizer-*",
        "Flyte's propeller",
        "the outcome is recorded",
        "See that flytepropeller runs, or abort the execution in Flyte.",
        "the task's outcome: it can be retried",
    ),
    known(
        "prow.x-k8s.io/gcsk8sreporter",
        "Prow's crier",
        "the pod's description is uploaded",
        "See crier's log and its access to the bucket.",
        "the uploaded description of the pod",
    ),
    known(
        "actions.summerwind.dev/runner-pod",
        "actions-runner-controller",
        "the runner is unregistered at GitHub",
        "See the controller's log and its GitHub credentials.",
        "a runner that stays registered, and a job that is cut off",
    ),
    known(
        "actions.summerwind.dev/linked-resources",
        "actions-runner-controller",
        "the pods and Secrets that the runner made are deleted",
        "Delete them, if the controller has no right to.",
        "what the runner made stays behind",
    ),
    known(
        "gitpod.io/finalizer",
        "the Gitpod workspace manager",
        "the workspace's content is backed up",
        "See that ws-manager, and ws-daemon on that node, run.",
        "content of the workspace that is not backed up",
    ),
    known(
        "multicluster.admiralty.io/*",
        "Admiralty",
        "the delegate pod in the other cluster is deleted",
        "See that the other cluster can be reached.",
        "a delegate pod that runs on",
    ),
    known(
        "mysql.oracle.com/membership",
        "the MySQL operator",
        "the instance has left its replication group",
        "See that the operator runs and reaches another member.",
        "the group's quorum: a dead member stays in it",
    ),
    known(
        "dbserver.database.arangodb.com/drain",
        "the ArangoDB operator",
        "the shards have moved off this server",
        "See that the operator runs and another server has room.",
        "shards that have no replica",
    ),
    known(
        "agent.database.arangodb.com/agency-serving",
        "the ArangoDB operator",
        "enough other agents serve",
        "See that the operator runs and another agent gets ready.",
        "the agency's quorum",
    ),
    known(
        "database.arangodb.com/graceful-shutdown",
        "the ArangoDB operator",
        "the member has shut down cleanly",
        "See that the operator runs.",
        "a clean stop: recovery takes longer",
    ),
    known(
        "*.database.arangodb.com/*",
        "the ArangoDB operator",
        "a step for this member is done",
        "See that the operator runs.",
        "what that step protects",
    ),
    known(
        "multigres.com/pool-pod-protection",
        "the Multigres operator",
        "the pod's topology entry is removed",
        "See that the operator runs.",
        "a stale topology entry",
    ),
    known(
        "kopf.zalando.org/*",
        "an operator written with Kopf",
        "its handler for the deletion is done",
        "Find that operator and see that it runs.",
        "the handler's clean-up",
    ),
    known(
        "metacontroller.io/*",
        "Metacontroller",
        "its finalize hook answers that it is done",
        "See that the hook's service answers.",
        "the hook's clean-up",
    ),
    known(
        "finalizers.gatekeeper.sh/sync",
        "OPA Gatekeeper before 3.1",
        "nobody: no present release takes it away",
        "None but taking it away.",
        "nothing",
    ),
    known(
        "wrangler.cattle.io/*",
        "a controller of Rancher, Harvester or Fleet; the last part is its name",
        "its handler for the removal is done",
        "See that this controller runs.",
        "the handler's clean-up",
    ),
    known(
        "kubernetes.crossplane.io/referred-by-object-*",
        "Crossplane's Kubernetes provider",
        "the Object that refers to the pod is deleted",
        "Delete that Object first.",
        "the Object's reference",
    ),
    known(
        "chaos-mesh/*",
        "Chaos Mesh",
        "the injected fault is taken back",
        "See that chaos-controller-manager and chaos-daemon run.",
        "a fault that stays active",
    ),
    known(
        "velero.io/*",
        "Velero",
        "a data mover or a backup of the volume ends",
        "See that velero and its node agent run.",
        "the backup that is running",
    ),
    known(
        "apps.kruise.io/*",
        "OpenKruise",
        "its clean-up for the pod is done",
        "See that kruise-manager runs.",
        "that clean-up",
    ),
    known(
        "grove.io/*",
        "NVIDIA Grove",
        "what belongs to the pod is deleted first",
        "See that the Grove operator runs.",
        "resources that stay behind",
    ),
];

impl Known {
    fn fits(&self, name: &str) -> bool {
        match self.pattern.split_once('*') {
            None => name == self.pattern,
            Some((start, "")) => name.starts_with(start),
            Some((start, end)) => {
                let end = end.trim_end_matches('*');
                name.starts_with(start) && name.get(start.len()..).is_some_and(|rest| rest.contains(end))
            }
        }
    }
}

impl Finalizer {
    /// `the Job controller …`, or who set it, or who may be asked for by the name.
    pub fn whose(&self) -> String {
        match (&self.known, &self.manager) {
            (Some(known), _) => known.owner.to_owned(),
            (None, Some(manager)) => format!("the controller behind {manager}, which set it"),
            (None, None) => match self.name.split_once('/') {
                Some((group, _)) => format!("the controller of {group}"),
                None => "the controller that set it".to_owned(),
            },
        }
    }
}

impl Facts<'_> {
    /// The pod's finalizers in their order.
    pub fn finalizers(&self) -> Vec<Finalizer> {
        let names = self.pod.meta.finalizers.iter().flatten().enumerate();
        names
            .map(|(place, name)| Finalizer {
                name: name.clone(),
                place,
                manager: self.finalizer_manager(name).map(|(_, manager)| manager),
                known: KNOWN.iter().find(|k| k.fits(name)),
            })
            .collect()
    }

    /// The entry of `metadata.managedFields` that owns a finalizer, and its manager.
    fn finalizer_manager(&self, name: &str) -> Option<(usize, String)> {
        let entries = self.object()?.pointer("/metadata/managedFields")?.as_array()?;
        let key = format!("v:{}", Value::from(name));
        let owns = |entry: &Value| entry.pointer("/fieldsV1/f:metadata/f:finalizers")?.get(&key).map(|_| ());
        let (place, entry) = entries.iter().enumerate().find(|(_, entry)| owns(entry).is_some())?;
        Some((place, entry.get("manager")?.as_str()?.to_owned()))
    }

    /// A finalizer, cited, with who set it.
    pub fn cite_finalizer(&self, finalizer: &Finalizer) -> Vec<Evidence> {
        let place = finalizer.place.to_string();
        let manager = self
            .finalizer_manager(&finalizer.name)
            .and_then(|(entry, _)| self.cite(&["metadata", "managedFields", &entry.to_string(), "manager"]));
        [self.cite(&["metadata", "finalizers", &place]), manager].into_iter().flatten().collect()
    }

    /// The patch that takes away this one finalizer, and fails if another has moved into its place meanwhile.
    pub fn remove_finalizer(&self, finalizer: &Finalizer) -> Command {
        let path = format!("/metadata/finalizers/{}", finalizer.place);
        let patch = json!([
            {"op": "test", "path": path, "value": finalizer.name},
            {"op": "remove", "path": path},
        ]);
        self.kubectl(["patch", "pod", &self.pod.name, "--type=json", "-p", &patch.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Case;

    #[test]
    fn patterns_fit_whole_names_and_families() {
        let who = |name: &str| KNOWN.iter().find(|k| k.fits(name)).map(|k| k.owner);
        assert_eq!(who("kueue.x-k8s.io/managed"), Some("Kueue"));
        assert_eq!(who("chaos-mesh/records"), Some("Chaos Mesh"));
        assert_eq!(who("pod.database.arangodb.com/delay"), Some("the ArangoDB operator"));
        assert_eq!(who("example.com/orphan"), None);
    }

    #[test]
    fn the_manager_of_a_finalizer_is_named() {
        let case = Case::pod(json!({"containers": []}), json!({}))
            .edit("/metadata/finalizers", json!(["a.example/x", "b.example/y"]))
            .edit("/metadata/managedFields", json!([{"manager": "backup-operator", "operation": "Update",
                "time": "2026-01-01T11:00:00Z", "fieldsV1": {"f:metadata": {"f:finalizers": {"v:\"b.example/y\"": {}}}}}]));
        let found = case.facts(|f| f.finalizers());
        assert_eq!(found[1].manager.as_deref(), Some("backup-operator"));
        assert_eq!(found[0].whose(), "the controller of a.example");
        let command = case.facts(|f| f.remove_finalizer(&found[1])).to_string();
        assert!(command.contains(r#""path":"/metadata/finalizers/1","value":"b.example/y""#), "{command}");
    }
}
