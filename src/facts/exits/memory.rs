//! Memory: the limit that counts for a container, and what its runtime was told to use.

use crate::facts::{Container, Evidence, Facts, Quantity};

/// A memory limit and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryLimit {
    /// As it is written: `96Mi`.
    pub text: String,
    /// The amount.
    pub amount: Quantity,
    /// Whether it is the limit of the whole pod.
    pub of_pod: bool,
    /// The field.
    pub evidence: Option<Evidence>,
}

/// What has a heap of a configured size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// `-Xmx`, `-XX:MaxHeapSize`, `-XX:MaxRAMPercentage`.
    Jvm,
    /// `--max-old-space-size`.
    Node,
    /// `GOMEMLIMIT`.
    Go,
}

impl Runtime {
    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Jvm => "the JVM",
            Runtime::Node => "Node.js",
            Runtime::Go => "the Go runtime",
        }
    }
}

/// A heap size that a container's runtime was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Heap {
    /// Whose heap.
    pub runtime: Runtime,
    /// As it is written: `-Xmx512m`.
    pub setting: String,
    /// What it allows.
    pub size: HeapSize,
    /// The variable, command or argument.
    pub evidence: Option<Evidence>,
}

/// How large a heap may become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HeapSize {
    /// So many bytes.
    Bytes(Quantity),
    /// So many hundredths of a percent of the memory limit.
    Share(i64),
}

impl HeapSize {
    /// The bytes that it comes to under a limit.
    pub fn under(self, limit: Quantity) -> Quantity {
        match self {
            HeapSize::Bytes(bytes) => bytes,
            HeapSize::Share(share) => Quantity::whole(limit.times(share).units() / 10_000),
        }
    }
}

impl Facts<'_> {
    /// The memory limit at which the kernel kills in that container: the container's own as the kubelet has applied it, or
    /// as it is asked for, or else the whole pod's.
    pub fn memory_limit(&self, container: &Container) -> Option<MemoryLimit> {
        let of = |text: &str, of_pod, evidence| {
            let amount = Quantity::parse(text).filter(|q| !q.is_zero())?;
            Some(MemoryLimit { text: text.to_owned(), amount, of_pod, evidence })
        };
        let applied = container.status.as_ref().and_then(|s| s.resources.as_ref()?.limits.as_ref()?.get("memory"));
        let path = ["resources", "limits", "memory"];
        if let Some(limit) = applied.filter(|q| container.limit("memory").is_none_or(|asked| asked != q.0)) {
            return of(&limit.0, false, self.cite_status(container, &path));
        }
        if let Some(limit) = container.limit("memory") {
            return of(limit, false, self.cite_spec(container, &path));
        }
        let of_pod = self.pod.spec.resources.as_ref().and_then(|r| r.limits.as_ref()?.get("memory"))?;
        of(&of_pod.0, true, self.cite(&["spec", "resources", "limits", "memory"]))
    }

    /// The memory volumes that a container mounts: what lies in them counts against its limit.
    pub fn memory_volumes(&self, container: &Container) -> Vec<&str> {
        let mounted = |name: &str| container.spec.volume_mounts.iter().flatten().any(|m| m.name == name);
        let in_memory = self.pod.spec.volumes.iter().flatten().filter(|v| {
            v.empty_dir.as_ref().is_some_and(|d| d.medium.as_deref() == Some("Memory")) && mounted(&v.name)
        });
        in_memory.map(|v| v.name.as_str()).collect()
    }

    /// The heap sizes that a container's runtimes were given, one for each: where several settings compete, the one that
    /// wins.
    pub fn heaps(&self, container: &Container) -> Vec<Heap> {
        let mut found: Vec<(u8, Heap)> = Vec::new();
        for variable in container.spec.env.iter().flatten() {
            let Some(value) = variable.value.as_deref() else { continue };
            // The launcher reads the first two before its command line and _JAVA_OPTIONS after it; what a start script
            // does with other variables is not known, mostly it puts them onto the command line.
            let rank = match variable.name.as_str() {
                "JAVA_TOOL_OPTIONS" | "JDK_JAVA_OPTIONS" => 0,
                "_JAVA_OPTIONS" => 3,
                _ => 1,
            };
            let cite = || self.cite_spec(container, &["env", &variable.name, "value"]);
            if variable.name == "GOMEMLIMIT" {
                if let Some(bytes) = go_size(value) {
                    let setting = format!("GOMEMLIMIT={value}");
                    found.push((
                        1,
                        Heap { runtime: Runtime::Go, setting, size: HeapSize::Bytes(bytes), evidence: cite() },
                    ));
                }
                continue;
            }
            found.extend(settings([value]).into_iter().map(|s| (rank, s.cited(cite()))));
        }
        for (field, list) in [("command", &container.spec.command), ("args", &container.spec.args)] {
            let words = list.iter().flatten().map(String::as_str);
            let cite = || self.cite_spec(container, &[field]);
            found.extend(settings(words).into_iter().map(|s| (2, s.cited(cite()))));
        }
        found.sort_by_key(|(rank, heap)| (heap.runtime, *rank));
        found.reverse();
        found.dedup_by_key(|(_, heap)| heap.runtime);
        found.into_iter().map(|(_, heap)| heap).collect()
    }
}

impl Heap {
    fn cited(self, evidence: Option<Evidence>) -> Self {
        Self { evidence, ..self }
    }
}

/// The heap settings in words of command lines, those of one runtime in their order.
fn settings<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<Heap> {
    let trim = |w: &'t str| w.trim_matches(|c| "\"'".contains(c));
    let mut words = texts.into_iter().flat_map(str::split_whitespace).map(trim).peekable();
    let mut found: Vec<Heap> = Vec::new();
    while let Some(word) = words.next() {
        let node = ["--max-old-space-size", "--max_old_space_size"].iter().find_map(|f| word.strip_prefix(f));
        let jvm = ["-Xmx", "-XX:MaxHeapSize=", "-mx"].iter().find_map(|f| word.strip_prefix(f));
        let (runtime, size, setting) = if let Some(rest) = node {
            let number = match rest.strip_prefix('=') {
                Some(number) => number,
                None if rest.is_empty() => words.peek().copied().unwrap_or_default(),
                None => continue,
            };
            let size = Quantity::parse(&format!("{number}Mi")).map(HeapSize::Bytes);
            (Runtime::Node, size, format!("--max-old-space-size={number}"))
        } else if let Some(size) = jvm {
            (Runtime::Jvm, jvm_size(size).map(HeapSize::Bytes), word.to_owned())
        } else if let Some(share) = word.strip_prefix("-XX:MaxRAMPercentage=") {
            let hundredths = Quantity::parse(share).map(|q| HeapSize::Share(q.times(100).units()));
            (Runtime::Jvm, hundredths, word.to_owned())
        } else {
            continue;
        };
        if let Some(size) = size {
            // -Xmx counts before MaxRAMPercentage, whatever their order.
            let loses = matches!(size, HeapSize::Share(_))
                && found.last().is_some_and(|h| h.runtime == runtime && matches!(h.size, HeapSize::Bytes(_)));
            if !loses {
                found.push(Heap { runtime, setting, size, evidence: None });
            }
        }
    }
    found
}

/// `512m`, `2G`, `1073741824`.
fn jvm_size(text: &str) -> Option<Quantity> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let suffix = match unit {
        "" => "",
        "k" | "K" => "Ki",
        "m" | "M" => "Mi",
        "g" | "G" => "Gi",
        "t" | "T" => "Ti",
        _ => return None,
    };
    Quantity::parse(&format!("{number}{suffix}"))
}

/// `512MiB`, `1GiB`, `1073741824`; `off` is no limit.
fn go_size(text: &str) -> Option<Quantity> {
    Quantity::parse(text.strip_suffix('B').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::Case;

    fn heaps(container: Value) -> Vec<(String, HeapSize)> {
        let mut container = container;
        container["name"] = "app".into();
        let case = Case::pod(json!({"containers": [container]}), json!({}));
        case.facts(|f| f.heaps(f.container("app").unwrap()).into_iter().map(|h| (h.setting, h.size)).collect())
    }

    fn bytes(text: &str) -> HeapSize {
        HeapSize::Bytes(Quantity::parse(text).unwrap())
    }

    #[test]
    fn every_way_to_size_a_heap_is_read() {
        for (container, setting, size) in [
            (json!({"env": [{"name": "JAVA_OPTS", "value": "-Xms1g -Xmx2G -Dx=y"}]}), "-Xmx2G", bytes("2Gi")),
            (json!({"command": ["java", "-XX:MaxHeapSize=512m", "-jar", "a"]}), "-XX:MaxHeapSize=512m", bytes("512Mi")),
            (
                json!({"args": ["-c", "exec java -XX:MaxRAMPercentage=95.5 -jar a"]}),
                "-XX:MaxRAMPercentage=95.5",
                HeapSize::Share(9550),
            ),
            (
                json!({"env": [{"name": "NODE_OPTIONS", "value": "--max-old-space-size=4096"}]}),
                "--max-old-space-size=4096",
                bytes("4Gi"),
            ),
            (
                json!({"command": ["node", "--max_old_space_size", "512", "a.js"]}),
                "--max-old-space-size=512",
                bytes("512Mi"),
            ),
            (json!({"env": [{"name": "GOMEMLIMIT", "value": "1GiB"}]}), "GOMEMLIMIT=1GiB", bytes("1Gi")),
        ] {
            assert_eq!(heaps(container), [(setting.to_owned(), size)]);
        }
        assert_eq!(heaps(json!({"env": [{"name": "GOMEMLIMIT", "value": "off"}], "args": ["-Xmx", "-Xmxlots"]})), []);
    }

    #[test]
    fn of_competing_settings_the_one_that_wins_counts() {
        let both = json!({"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx4g"}], "command": ["java", "-Xmx64m"]});
        assert_eq!(heaps(both), [("-Xmx64m".to_owned(), bytes("64Mi"))]);
        let last = json!({"env": [{"name": "_JAVA_OPTIONS", "value": "-Xmx4g"}], "command": ["java", "-Xmx64m"]});
        assert_eq!(heaps(last), [("-Xmx4g".to_owned(), bytes("4Gi"))]);
        let twice = json!({"command": ["java", "-Xmx4g", "-Xmx64m", "-XX:MaxRAMPercentage=99"]});
        assert_eq!(heaps(twice), [("-Xmx64m".to_owned(), bytes("64Mi"))]);
    }

    #[test]
    fn the_limit_in_force_counts_and_the_pods_own_if_the_container_has_none() {
        let spec = json!({"containers": [{"name": "app", "resources": {"limits": {"memory": "256Mi"}}}]});
        let status = json!({"containerStatuses": [{"name": "app", "resources": {"limits": {"memory": "128Mi"}}}]});
        let limit =
            |case: Case| case.facts(|f| f.memory_limit(f.container("app").unwrap()).map(|l| (l.text, l.of_pod)));
        assert_eq!(limit(Case::pod(spec.clone(), status)), Some(("128Mi".to_owned(), false)));
        assert_eq!(limit(Case::pod(spec, json!({}))), Some(("256Mi".to_owned(), false)));
        let pod = json!({"containers": [{"name": "app"}], "resources": {"limits": {"memory": "1Gi"}}});
        assert_eq!(limit(Case::pod(pod, json!({}))), Some(("1Gi".to_owned(), true)));
    }

    #[test]
    fn sizes_of_the_jvm_have_a_letter_or_none() {
        for (text, size) in [
            ("1073741824", Some("1Gi")),
            ("512k", Some("512Ki")),
            ("512K", Some("512Ki")),
            ("512m", Some("512Mi")),
            ("2G", Some("2Gi")),
            ("1t", Some("1Ti")),
            ("1T", Some("1Ti")),
            ("512mb", None),
            ("", None),
        ] {
            assert_eq!(jvm_size(text), size.and_then(Quantity::parse), "{text}");
        }
    }

    #[test]
    fn a_launchers_variable_yields_to_that_of_a_start_script() {
        let env = |names: [&str; 2]| {
            let of = |name: &str, size: &str| json!({"name": name, "value": format!("-Xmx{size}")});
            heaps(json!({"env": [of(names[0], "1g"), of(names[1], "2g")]}))
        };
        assert_eq!(env(["JAVA_OPTS", "JAVA_TOOL_OPTIONS"]), [("-Xmx1g".to_owned(), bytes("1Gi"))]);
        assert_eq!(env(["JAVA_OPTS", "JDK_JAVA_OPTIONS"]), [("-Xmx1g".to_owned(), bytes("1Gi"))]);
        assert_eq!(env(["_JAVA_OPTIONS", "JAVA_OPTS"]), [("-Xmx1g".to_owned(), bytes("1Gi"))]);
    }

    #[test]
    fn only_a_size_beats_a_share_and_only_of_the_same_runtime() {
        let both =
            json!({"command": ["sh", "-c", "node --max-old-space-size=512 a.js; java -XX:MaxRAMPercentage=50 b"]});
        assert_eq!(heaps(both).len(), 2);
        let shares = json!({"command": ["java", "-XX:MaxRAMPercentage=50", "-XX:MaxRAMPercentage=60"]});
        assert_eq!(heaps(shares), [("-XX:MaxRAMPercentage=60".to_owned(), HeapSize::Share(6000))]);
        assert_eq!(heaps(json!({"command": ["node", "--max-old-space-size-of-what", "512"]})), []);
    }

    #[test]
    fn a_volume_counts_against_the_limit_if_it_lies_in_memory_and_is_mounted() {
        let volumes = json!([{"name": "shm", "emptyDir": {"medium": "Memory"}}, {"name": "disk", "emptyDir": {}},
            {"name": "other", "emptyDir": {"medium": "Memory"}}]);
        let mounts = json!([{"name": "shm", "mountPath": "/a"}, {"name": "disk", "mountPath": "/b"}]);
        let case =
            Case::pod(json!({"containers": [{"name": "app", "volumeMounts": mounts}], "volumes": volumes}), json!({}));
        case.facts(|f| assert_eq!(f.memory_volumes(f.container("app").unwrap()), ["shm"]));
    }
}
