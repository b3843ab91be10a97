//! What stands behind a volume: an NFS export, a path on the node, a disk of a CSI driver, through its claim or without.

use serde_json::Value;

use crate::facts::Facts;
use crate::facts::cited::Evidence;
use crate::facts::volumes::Claim;

/// What stands behind one of the pod's volumes.
#[derive(Debug, Clone)]
pub struct Source {
    /// The volume in words: `volume n (NFS 127.0.0.1:/exports/media)`.
    pub title: String,
    /// The claim between, if there is one.
    pub claim: Option<Claim>,
    /// The fields that say so.
    pub evidence: Vec<Evidence>,
}

/// The parts of a volume source that say where the data is, each with what stands before it.
type Parts = &'static [(&'static str, &'static str)];

/// Kinds of volume source: the field's name, the kind in words, and its parts.
const SOURCES: [(&str, &str, Parts); 9] = [
    ("nfs", "NFS", &[("server", " "), ("path", ":")]),
    ("hostPath", "hostPath", &[("path", " ")]),
    ("local", "local disk", &[("path", " ")]),
    ("csi", "CSI driver", &[("driver", " "), ("volumeHandle", ", volume ")]),
    ("iscsi", "iSCSI", &[("targetPortal", " "), ("iqn", " ")]),
    ("azureFile", "Azure file share", &[("shareName", " ")]),
    ("awsElasticBlockStore", "EBS", &[("volumeID", " ")]),
    ("gcePersistentDisk", "GCE disk", &[("pdName", " ")]),
    ("rbd", "RBD image", &[("image", " ")]),
];

impl Facts<'_> {
    /// What stands behind a volume that is called by the pod's name for it or by that of its PersistentVolume.
    pub fn source_of(&self, volume: &str) -> Source {
        let claim = self.claim_of(volume);
        let own = self.volume(volume).map_or(volume, |v| v.name.as_str());
        let behind = claim.as_ref().and_then(|c| c.volume_name());
        let persistent = behind.and_then(|pv| self.lookup("PersistentVolume", pv).found());
        let inline =
            self.object().and_then(|pod| pod.pointer("/spec/volumes")?.as_array()?.iter().find(|v| named(v, own)));
        let spec = persistent.and_then(|pv| pv.get("spec")).or(inline);
        let described = spec.and_then(|spec| {
            SOURCES.iter().find_map(|(field, kind, parts)| {
                let source = spec.get(*field)?;
                let text = |(part, before): &(&str, &str)| Some(format!("{before}{}", source.get(*part)?.as_str()?));
                Some((*field, format!("{kind}{}", parts.iter().filter_map(text).collect::<String>()), *parts))
            })
        });
        let mut words: Vec<String> = claim.iter().map(|c| format!("claim {}", c.name)).collect();
        words.extend(behind.map(|pv| format!("PersistentVolume {pv}")));
        let mut evidence = Vec::new();
        if let Some(claim) = &claim {
            evidence.extend(self.cite_claim_name(claim));
            evidence.extend(self.cite_claim(claim, &["spec", "volumeName"]));
        }
        if let Some((field, kind, parts)) = described {
            words.push(kind);
            evidence.extend(parts.iter().filter_map(|(part, _)| match (persistent, behind) {
                (Some(_), Some(pv)) => self.cite_other("PersistentVolume", pv, &["spec", field, part]),
                _ => self.cite(&["spec", "volumes", own, field, part]),
            }));
        }
        let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
        Source { title: format!("volume {own}{words}"), claim, evidence }
    }
}

fn named(volume: &Value, name: &str) -> bool {
    volume.get("name").and_then(Value::as_str) == Some(name)
}
