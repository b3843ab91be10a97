//! Evidence: values together with the place where they were read.
//!
//! Only `facts` builds evidence. A field is cited by looking its path up in the snapshot's object, so a rule cannot
//! state a value that is not there.

use serde_json::Value;

/// What a finding rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// A field of an object.
    Field {
        /// `Pod shop/api`, `Node worker-1`.
        object: ObjectName,
        /// Where in the object.
        path: Path,
        /// What stands there; anything but a string as JSON.
        value: String,
    },
    /// An event about an object.
    Event {
        /// The object that the event is about.
        object: ObjectName,
        /// The event's reason.
        reason: String,
        /// Its message, complete.
        message: String,
        /// How often it was seen.
        count: u32,
        /// When it was last seen, RFC 3339; empty if the event does not say.
        last_seen: String,
    },
    /// A line of a container's log.
    Log {
        /// The container.
        container: String,
        /// Whether it is from the run before the present one.
        previous: bool,
        /// The lines, without values that look like secrets.
        lines: Vec<String>,
    },
    /// An object of which the server said that it does not exist, or a field that an object does not have.
    Absent {
        /// The object that does not exist, or lacks the field.
        object: ObjectName,
        /// The field, if it is a field that is absent.
        path: Option<Path>,
    },
    /// A conclusion from other values.
    Derived {
        /// The conclusion, with the numbers that went into it.
        say: String,
        /// The numbers as a table, if there are several objects.
        table: Option<Table>,
    },
}

/// Rows of numbers under a heading, as `kubectl describe` sets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// An object's name in evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Pod`.
    pub kind: String,
    /// Empty for an object without namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A way into an object: names of fields and keys of list items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field of an object, or a key of a map.
    Key(String),
    /// The item of a list whose field `by` has that value.
    Item {
        /// The list's key field: `name`, `type`.
        by: &'static str,
        /// Its value.
        value: String,
    },
    /// The item of a list at that place.
    Index(usize),
}

/// Fields that identify an item of an API list (`+listMapKey` in the API's types), in the order in which they are tried.
const LIST_KEYS: [&str; 8] = ["name", "type", "key", "mountPath", "containerPort", "conditionType", "devicePath", "ip"];

impl Path {
    /// Follows `steps` into `root`. In a list a step names the item by its key field, or by its place.
    pub(crate) fn resolve<'v>(root: &'v Value, steps: &[&str]) -> Option<(Path, &'v Value)> {
        let mut here = root;
        let mut path = Vec::with_capacity(steps.len());
        for step in steps {
            let (taken, next) = match here {
                Value::Object(map) => (Step::Key((*step).to_owned()), map.get(*step)?),
                Value::Array(items) => item(items, step)?,
                _ => return None,
            };
            path.push(taken);
            here = next;
        }
        Some((Path(path), here))
    }

    /// The place in `root` at which `steps` would lie, for a field that is not there: the way as far as it goes, then keys.
    pub(crate) fn towards(root: &Value, steps: &[&str]) -> Path {
        let reached = (0..steps.len()).rev().find_map(|n| Some((Self::resolve(root, steps.get(..n)?)?.0, n)));
        let (mut path, n) = reached.unwrap_or_else(|| (Path(Vec::new()), 0));
        path.0.extend(steps.iter().skip(n).map(|s| Step::Key((*s).to_owned())));
        path
    }

    /// As people write it: `spec.containers[app].image`.
    pub fn short(&self) -> String {
        self.written(|_, value| format!("[{value}]"))
    }

    /// As kubectl's JSONPath filters are written: `spec.containers[name="app"].image`.
    pub fn exact(&self) -> String {
        self.written(|by, value| format!("[{by}={}]", Value::from(value)))
    }

    fn written(&self, item: impl Fn(&str, &str) -> String) -> String {
        let mut out = String::new();
        for step in &self.0 {
            match step {
                Step::Key(key) if key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(key);
                }
                Step::Key(key) => out.push_str(&format!("[{key}]")),
                Step::Item { by, value } => out.push_str(&item(by, value)),
                Step::Index(n) => out.push_str(&format!("[{n}]")),
            }
        }
        out
    }
}

fn item<'v>(items: &'v [Value], wanted: &str) -> Option<(Step, &'v Value)> {
    let matches = |item: &Value, by: &str| match item.get(by) {
        Some(Value::String(s)) => s == wanted,
        Some(Value::Number(n)) => n.to_string() == wanted,
        _ => false,
    };
    for by in LIST_KEYS {
        if let Some(found) = items.iter().find(|i| matches(i, by)) {
            return Some((Step::Item { by, value: wanted.to_owned() }, found));
        }
    }
    let place = wanted.parse().ok()?;
    items.get(place).map(|found| (Step::Index(place), found))
}

impl ObjectName {
    /// The name of an API object as it stands in the snapshot.
    pub(crate) fn of(object: &Value) -> Self {
        let text = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            api_version: text(object.get("apiVersion")),
            kind: text(object.get("kind")),
            namespace: crate::snapshot::namespace_of(object).to_owned(),
            name: crate::snapshot::name_of(object).to_owned(),
        }
    }

    /// The name of an object that is not in the snapshot.
    pub(crate) fn missing(kind: &str, namespace: &str, name: &str) -> Self {
        let known = crate::resource::Kind::named(kind);
        Self {
            api_version: known.map_or_else(String::new, |k| k.api_version()),
            kind: kind.to_owned(),
            namespace: if known.is_some_and(|k| !k.namespaced) { String::new() } else { namespace.to_owned() },
            name: name.to_owned(),
        }
    }

    /// `v1/Pod shop/api`, as JSON gives it.
    pub fn qualified(&self) -> String {
        let slash = if self.api_version.is_empty() { "" } else { "/" };
        let space = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        format!("{}{slash}{} {space}{}", self.api_version, self.kind, self.name)
    }
}

impl Evidence {
    /// The value at `steps` in an object, or nothing if there is none.
    pub(crate) fn field(object: &Value, steps: &[&str]) -> Option<Evidence> {
        let (path, value) = Path::resolve(object, steps)?;
        Some(Evidence::Field { object: ObjectName::of(object), path, value: plain(value) })
    }

    /// That an object does not have a field.
    pub(crate) fn without_field(object: &Value, steps: &[&str]) -> Option<Evidence> {
        match Path::resolve(object, steps) {
            Some(_) => None,
            None => Some(Evidence::Absent { object: ObjectName::of(object), path: Some(Path::towards(object, steps)) }),
        }
    }

    /// The value of a cited field.
    pub fn value(&self) -> Option<&str> {
        match self {
            Evidence::Field { value, .. } => Some(value),
            _ => None,
        }
    }

    /// A conclusion from values that are cited beside it.
    pub fn derived(say: impl Into<String>) -> Evidence {
        Evidence::Derived { say: say.into(), table: None }
    }

    /// A conclusion with its numbers.
    pub fn table(say: impl Into<String>, columns: &[&str], rows: Vec<Vec<String>>) -> Evidence {
        let columns = columns.iter().map(|c| (*c).to_owned()).collect();
        Evidence::Derived { say: say.into(), table: Some(Table { columns, rows }) }
    }
}

impl IntoIterator for Evidence {
    type Item = Evidence;
    type IntoIter = std::iter::Once<Evidence>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self)
    }
}

/// A value as it is printed: a string bare, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn list_items_are_found_by_key_and_shown_by_key() {
        let pod = json!({"spec": {"containers": [{"name": "app", "image": "a"}], "tolerations": [{"effect": "x"}]}});
        let (path, value) = Path::resolve(&pod, &["spec", "containers", "app", "image"]).unwrap();
        assert_eq!(path.short(), "spec.containers[app].image");
        assert_eq!(path.exact(), "spec.containers[name=\"app\"].image");
        assert_eq!(value, "a");
        let (path, _) = Path::resolve(&pod, &["spec", "tolerations", "0", "effect"]).unwrap();
        assert_eq!(path.short(), "spec.tolerations[0].effect");
    }

    #[test]
    fn an_absent_field_is_shown_below_what_there_is() {
        let pod = json!({"spec": {"containers": [{"name": "app"}]}});
        assert_eq!(
            Path::towards(&pod, &["spec", "containers", "app", "command"]).short(),
            "spec.containers[app].command"
        );
        assert_eq!(Path::towards(&pod, &["status", "phase"]).short(), "status.phase");
    }

    #[test]
    fn a_value_that_is_not_there_cannot_be_cited() {
        assert_eq!(Evidence::field(&json!({"a": 1}), &["b"]), None);
        assert_eq!(Evidence::field(&json!({"a": [1]}), &["a", "7"]), None);
    }
}
