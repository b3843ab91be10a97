//! How containers ended: each end with what is to be said about it, whatever the rule.

use serde_json::Value;

use crate::facts::time::human;
use crate::facts::{Container, Ending, Event, Evidence, Exit, Facts};
use crate::finding::{Command, Remedy, Standing};

/// The end of a container's run that matters for the pod now.
#[derive(Debug, Clone, Copy)]
pub struct End<'f> {
    /// The container.
    pub container: &'f Container,
    /// The end.
    pub exit: &'f Exit,
    /// How it stands to the present.
    pub standing: Standing,
    /// What kind of end it is.
    pub ending: Ending,
}

impl End<'_> {
    /// `container app ends with exit code 1, 40s after its start`, as far as it is known.
    pub fn told(&self) -> String {
        format!("{} {} with exit code {}{}", self.container.title(), self.ends(), self.exit.code, self.when())
    }

    /// `ends`, if it does so again and again; else `ended`.
    pub fn ends(&self) -> &'static str {
        let over = self.standing != Standing::Wrong || self.container.restarts() == 0;
        if over { "ended" } else { "ends" }
    }

    /// `, 40s after its start`: how long the run lasted.
    pub fn when(&self) -> String {
        match self.exit.lasted() {
            Some(0) => ", within a second of its start".to_owned(),
            Some(seconds) => format!(", {} after its start", human(seconds)),
            None => String::new(),
        }
    }
}

impl Facts<'_> {
    /// The ends that matter now, of all containers but ephemeral ones.
    pub fn ends(&self) -> impl Iterator<Item = End<'_>> {
        self.main_containers().filter_map(|container| {
            let (exit, standing) = container.exit()?;
            Some(End { container, exit, standing, ending: self.ending(container, exit) })
        })
    }

    /// What the status says about an end: its code, its reason, and how often the container was restarted.
    pub fn cite_end(&self, end: &End<'_>) -> Vec<Evidence> {
        let restarts =
            if end.container.restarts() > 0 { self.cite_status(end.container, &["restartCount"]) } else { None };
        let own = [
            self.cite_exit(end.container, end.exit, "exitCode"),
            self.cite_exit(end.container, end.exit, "reason"),
            restarts,
        ];
        own.into_iter().flatten().collect()
    }

    /// The program's last words in that run as evidence; empty if there are none.
    pub fn cite_last_words(&self, end: &End<'_>) -> Vec<Evidence> {
        self.last_words(end.container, end.exit).map(|w| w.cite()).unwrap_or_default()
    }

    /// The latest event by which the kubelet announced that it stops that container, and whether it belongs to the run that
    /// ended so. An earlier one counts as well: of events that come again and again the recorder drops the later ones.
    /// Source: client-go `tools/record/events_cache.go`, `EventSourceObjectSpamFilter`.
    pub fn killing(&self, end: &End<'_>) -> Option<(&Event, bool)> {
        let same = |event: &&Event| event.container.as_deref().is_none_or(|name| name == end.container.name);
        let event = self.events.with(&["Killing"]).find(same)?;
        Some((event, event.seen_since(end.exit.started)))
    }

    /// The command that shows the pod's node with its events.
    pub fn look_at_node(&self) -> Option<Remedy> {
        Some(Remedy::look(Command::kubectl(["describe", "node", self.pod.node_name()?])))
    }

    /// Where the container's own command or arguments say `exit CODE`.
    pub fn cite_own_exit(&self, end: &End<'_>) -> Option<Evidence> {
        let wanted = format!("exit {}", end.exit.code);
        let says = |list: &Option<Vec<String>>| {
            list.as_ref().and_then(|l| {
                l.iter().position(|text| {
                    text.match_indices(&wanted).any(|(at, _)| {
                        !text.get(at + wanted.len()..).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()))
                    })
                })
            })
        };
        let spec = &end.container.spec;
        [("command", says(&spec.command)), ("args", says(&spec.args))]
            .into_iter()
            .find_map(|(field, at)| self.cite_spec(end.container, &[field, &at?.to_string()]))
    }

    /// The Job that made the pod, or that is the target, as it stands in the snapshot.
    pub fn job(&self) -> Option<Job<'_>> {
        let via = self.owner.via.as_ref().filter(|(kind, _)| kind == "Job").map(|(_, name)| name);
        let name = via.or((self.owner.kind == "Job").then_some(&self.owner.name))?;
        let object = self.lookup("Job", name).found()?;
        Some(Job { name, object })
    }
}

/// A Job.
#[derive(Debug, Clone, Copy)]
pub struct Job<'f> {
    /// Its name.
    pub name: &'f str,
    object: &'f Value,
}

impl Job<'_> {
    /// The condition that says that it has failed, or is about to: its type, reason and message.
    pub fn failure(&self) -> Option<(&str, &str, &str)> {
        let conditions = self.object.pointer("/status/conditions")?.as_array()?;
        ["Failed", "FailureTarget"].into_iter().find_map(|type_| {
            let is = |c: &&Value| field(c, "type") == type_ && field(c, "status") == "True";
            let condition = conditions.iter().find(is)?;
            Some((type_, field(condition, "reason"), field(condition, "message")))
        })
    }

    /// A whole number in it: `/spec/backoffLimit`.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.object.pointer(pointer)?.as_i64()
    }
}

fn field<'v>(object: &'v Value, key: &str) -> &'v str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::Case;

    #[test]
    fn a_command_that_exits_by_itself_is_cited_for_its_own_code_only() {
        let cited = |code: i32, script: &str| {
            Case::container(json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": code, "reason": "Error"}}}))
            .edit("/spec/containers/0/command", json!(["sh", "-c", script]))
            .facts(|f| {
                let (exit, standing) = f.containers[0].exit().unwrap();
                let end = End { container: &f.containers[0], exit, standing, ending: f.ending(&f.containers[0], exit) };
                f.cite_own_exit(&end).is_some()
            })
        };
        assert!(cited(3, "sleep 1; exit 3") && cited(3, "exit 3; x") && cited(3, "exit 30; exit 3"));
        assert!(!cited(3, "sleep 1; exit 30") && !cited(3, "exit 13"));
    }

    #[test]
    fn a_job_has_failed_if_its_condition_says_so_and_holds() {
        let of = |conditions: serde_json::Value| {
            let object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n"},
                "spec": {"backoffLimit": 2}, "status": {"conditions": conditions}});
            Case::of(object).facts(|f| {
                let job = f.job().unwrap();
                (
                    job.name.to_owned(),
                    job.failure().map(|(type_, reason, _)| format!("{type_} {reason}")),
                    job.number("/spec/backoffLimit"),
                )
            })
        };
        let condition =
            |type_: &str, status: &str| json!({"type": type_, "status": status, "reason": "R", "message": "m"});
        let none = ("j".to_owned(), None, Some(2));
        assert_eq!(of(json!([condition("Failed", "False")])), none);
        assert_eq!(of(json!([condition("Complete", "True")])), none);
        assert_eq!(
            of(json!([condition("FailureTarget", "True"), condition("Failed", "True")])).1.as_deref(),
            Some("Failed R")
        );
        assert_eq!(of(json!([condition("FailureTarget", "True")])).1.as_deref(), Some("FailureTarget R"));
        assert!(Case::container(json!({})).facts(|f| f.job().is_none()));
    }

    #[test]
    fn a_pods_job_is_found_whoever_made_the_job() {
        let refs = |kind: &str, name: &str| json!([{"apiVersion": "batch/v1", "kind": kind, "name": name, "uid": name, "controller": true}]);
        let job = |owner: serde_json::Value| {
            json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "j", "namespace": "n", "uid": "j", "ownerReferences": owner}})
        };
        let found = |owner: serde_json::Value| {
            let pod = Case::container(json!({})).edit("/metadata/ownerReferences", refs("Job", "j"));
            pod.with(job(owner)).facts(|f| f.job().map(|job| job.name.to_owned()))
        };
        assert_eq!(found(json!([])).as_deref(), Some("j"));
        assert_eq!(found(refs("CronJob", "c")).as_deref(), Some("j"));
    }
}
