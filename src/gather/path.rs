//! Where the API serves what: paths and queries.

use serde_json::Value;

use crate::resource::Kind;

/// The object with its own kind: items of lists come without, and metadata comes as PartialObjectMetadata.
pub(super) fn named_as(kind: &Kind, mut object: Value) -> Option<Value> {
    let map = object.as_object_mut()?;
    map.get("metadata")?.as_object()?;
    map.insert("apiVersion".to_owned(), kind.api_version().into());
    map.insert("kind".to_owned(), kind.kind.into());
    Some(object)
}

/// The path of a collection.
pub(super) fn base(kind: &Kind, namespace: Option<&str>) -> String {
    let root = if kind.group.is_empty() {
        format!("/api/{}", kind.version)
    } else {
        format!("/apis/{}/{}", kind.group, kind.version)
    };
    match namespace.filter(|n| kind.namespaced && !n.is_empty()) {
        Some(namespace) => format!("{root}/namespaces/{}/{}", encode(namespace), kind.plural),
        None => format!("{root}/{}", kind.plural),
    }
}

pub(super) fn push_query(path: &mut String, pairs: &[(&str, &str)]) {
    let mut mark = '?';
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        path.push(mark);
        path.push_str(key);
        path.push('=');
        path.push_str(&encode(value));
        mark = '&';
    }
}

/// Percent-encodes whatever could end a segment of a path or a value of a query.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
