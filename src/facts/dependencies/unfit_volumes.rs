//! Why existing PersistentVolumes do not fit a claim.

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::volumes::Claim;
use crate::facts::{Facts, Quantity};
use crate::snapshot;

/// Why a PersistentVolume does not fit a claim that waits for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The PersistentVolume.
    pub volume: String,
    /// What does not fit, the whole of it.
    pub why: Vec<String>,
    /// Whether it would fit, but is still reserved for a claim that is gone.
    pub released: bool,
}

impl Facts<'_> {
    /// The PersistentVolumes that were read and are not in use, each with what keeps it from the claim; the nearest first.
    pub fn unfit_volumes(&self, claim: &Claim) -> Vec<Unfit> {
        let Some(wanted) = claim.found() else { return Vec::new() };
        let class = wanted.class.as_deref().unwrap_or_default();
        let mut unfit: Vec<Unfit> = self
            .snapshot()
            .all("PersistentVolume")
            .iter()
            .filter(|o| o.pointer("/status/phase").and_then(Value::as_str) != Some("Bound"))
            .filter_map(|object| {
                let spec = core::PersistentVolumeSpec::deserialize(object.get("spec")?).ok()?;
                let mut why = Vec::new();
                let own_class = spec.storage_class_name.as_deref().unwrap_or_default();
                if own_class != class {
                    let name = if own_class.is_empty() { "no class".to_owned() } else { format!("class {own_class}") };
                    why.push(name);
                }
                let room = spec.capacity.as_ref().and_then(|c| Quantity::parse(&c.get("storage")?.0));
                let size = wanted.size().and_then(Quantity::parse);
                if let (Some(room), Some(size)) = (room, size)
                    && room < size
                {
                    why.push(format!("{} are less than {}", room.show("storage"), size.show("storage")));
                }
                let modes = spec.access_modes.as_deref().unwrap_or_default();
                let lacking = |m: &&String| !modes.contains(*m);
                why.extend(wanted.spec.access_modes.iter().flatten().filter(lacking).map(|m| format!("not {m}")));
                let mode = |m: &Option<String>| m.clone().unwrap_or_else(|| "Filesystem".to_owned());
                if mode(&spec.volume_mode) != mode(&wanted.spec.volume_mode) {
                    why.push(format!("volumeMode {}", mode(&spec.volume_mode)));
                }
                let fits = why.is_empty();
                let holder = spec.claim_ref.as_ref();
                let own = holder.is_some_and(|c| {
                    c.name.as_deref() == Some(&claim.name)
                        && c.namespace.as_deref() == Some(&self.target.namespace)
                        && c.uid.is_none()
                });
                let released = holder.is_some() && !own;
                if let Some(holder) = holder.filter(|_| released) {
                    let text = |t: &Option<String>| t.clone().unwrap_or_default();
                    why.push(format!("reserved for claim {}/{}", text(&holder.namespace), text(&holder.name)));
                }
                let volume = snapshot::name_of(object).to_owned();
                (!why.is_empty()).then_some(Unfit { volume, why, released: released && fits })
            })
            .collect();
        unfit.sort_by(|a, b| (a.why.len(), &a.volume).cmp(&(b.why.len(), &b.volume)));
        unfit
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rules::testing::Case;

    #[test]
    fn each_volume_says_what_keeps_it_from_the_claim() {
        let volume = |name: &str, spec: serde_json::Value, phase: &str| json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec, "status": {"phase": phase}});
        let case = Case::pod(
            json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}),
            json!({"phase": "Pending"}),
        )
        .with(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"},
            "spec": {"storageClassName": "", "accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "10Gi"}}}}))
        .with(volume("other", json!({"storageClassName": "slow", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}), "Available"))
        .with(volume("used", json!({"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteMany"]}), "Bound"))
        .with(volume("left", json!({"capacity": {"storage": "20Gi"}, "accessModes": ["ReadWriteMany"], "claimRef": {"name": "old", "namespace": "n"}}), "Released"));
        let unfit = case.facts(|f| f.unfit_volumes(&f.claims()[0]));
        assert_eq!(unfit[0].volume, "left");
        assert!(unfit[0].released);
        assert_eq!(unfit[1].why, ["class slow", "1Gi are less than 10Gi", "not ReadWriteMany"]);
        assert_eq!(unfit.len(), 2);
    }

    #[test]
    fn a_volume_of_just_the_size_fits_and_one_that_is_kept_for_the_claim_is_not_in_the_way() {
        let of = |storage: &str, holder: serde_json::Value| {
            let spec = json!({"containers": [{"name": "app"}], "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]});
            let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n", "uid": "c"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": "Pending"}});
            let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "status": {"phase": "Available"},
                "spec": {"capacity": {"storage": storage}, "accessModes": ["ReadWriteOnce"], "claimRef": holder}});
            Case::pod(spec, json!({})).with(claim).with(volume).facts(|f| {
                let unfit = f.unfit_volumes(&f.claims()[0]);
                unfit.into_iter().map(|u| (u.why.join(", "), u.released)).collect::<Vec<_>>()
            })
        };
        let null = || json!(null);
        assert_eq!(of("10Gi", null()), []);
        assert_eq!(of("9Gi", null()), [("9Gi are less than 10Gi".to_owned(), false)]);
        assert_eq!(of("10Gi", json!({"name": "data", "namespace": "n"})), []);
        for (name, space, uid) in [("other", "n", null()), ("data", "m", null()), ("data", "n", json!("old"))] {
            let found = of("10Gi", json!({"name": name, "namespace": space, "uid": uid}));
            assert_eq!(found, [(format!("reserved for claim {space}/{name}"), true)]);
        }
        let both = of("9Gi", json!({"name": "other", "namespace": "n"}));
        assert_eq!(both, [("9Gi are less than 10Gi, reserved for claim n/other".to_owned(), false)]);
    }
}
