//! Changes to a snapshot's file that no cluster would make, chosen by numbers so that a failing case can be cut down.

use proptest::prelude::*;
use serde_json::{Value, json};

/// One change: what is done, to which value, and with what.
#[derive(Debug, Clone)]
pub struct Mutation {
    what: u8,
    place: u32,
    salt: u32,
}

/// Up to a dozen changes.
pub fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let one = (0_u8..KINDS, any::<u32>(), any::<u32>()).prop_map(|(what, place, salt)| Mutation { what, place, salt });
    proptest::collection::vec(one, 1..12)
}

const KINDS: u8 = 16;

/// Text that moves terminals, ends quotes, looks like options, or breaks parsers.
pub const HOSTILE: [&str; 36] = [
    "",
    " ",
    "-",
    "--all",
    "--namespace=kube-system",
    "-n",
    "$(touch pwned)",
    "`touch pwned`",
    "a'b\"c",
    "';touch pwned;'",
    "a b",
    "x\nkubectl delete namespace kube-system",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31m\u{90}q\u{9c}",
    "\u{202e}gnp.exe\u{2066}",
    "a\u{200b}b\u{feff}\u{2028}c\u{e0041}",
    "\r\u{8}\u{7f}",
    "\0",
    "é日本語🦀",
    "../../../etc/passwd",
    "{{}}{}[]()<>%s%n\\",
    "[name=\"x\"].y",
    "NaN",
    "-9223372036854775808",
    "99999999999999999999999999999999999999999999",
    "1e999999999",
    "-1.5Ei",
    "1E-30",
    ".",
    "back-off 99999999999999999999h restarting failed container",
    "0/0 nodes are available: , , {: }. preemption: 0/0",
    "9999-12-31T23:59:59Z",
    "-009999-01-02T01:59:59Z",
    "2026-13-45T99:99:99Z",
    "null",
    "---\n...\n- &a [*a]",
];

const TIMES: [&str; 6] = [
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-30T22:00:00.999999999Z",
    "-009999-01-03T00:00:00Z",
    "2026-02-28T23:59:60Z",
    "2100-01-01T00:00:00+23:59",
];

/// Applies a change to a file's List. The header stays a header: its kind is not what is tested here.
pub fn apply(list: &mut Value, mutation: &Mutation) {
    let salt = mutation.salt as usize;
    match mutation.what {
        0 => at(list, mutation.place, |v| matches!(v, Value::Object(_) | Value::Array(_)), |v| drop_one(v, salt)),
        1 | 2 => at(list, mutation.place, |_| true, |v| *v = other_type(salt)),
        3 | 4 => at(list, mutation.place, Value::is_string, |v| *v = HOSTILE[salt % HOSTILE.len()].into()),
        5 => at(list, mutation.place, Value::is_string, |v| {
            let text = HOSTILE[salt % HOSTILE.len()];
            *v = text.repeat(50_000 / text.len().max(1)).into();
        }),
        6 => at(list, mutation.place, Value::is_string, |v| *v = spliced(v.as_str().unwrap_or_default(), salt).into()),
        7 => at(list, mutation.place, Value::is_array, |v| shuffle(v, salt)),
        8 => at(list, mutation.place, Value::is_array, |v| repeat(v, salt)),
        9 => {
            // An earlier change may have made the header something else than an object.
            if let Some(header) = list["items"][0].as_object_mut() {
                header.insert("takenAt".to_owned(), TIMES[salt % TIMES.len()].into());
            }
        }
        10 => at(list, mutation.place, is_time, |v| *v = TIMES[salt % TIMES.len()].into()),
        11 => at(list, mutation.place, Value::is_number, |v| {
            *v = [json!(i64::MIN), json!(i64::MAX), json!(-1), json!(256), json!(u64::MAX), json!(1e308), json!(0.5)]
                [salt % 7]
                .clone();
        }),
        12 => {
            let mut texts = Vec::new();
            gather_texts(list, &mut texts);
            let text = texts.get(salt % texts.len().max(1)).cloned().unwrap_or_default();
            at(list, mutation.place, Value::is_string, |v| *v = text.into());
        }
        13 => at(list, mutation.place, Value::is_string, |v| {
            let kept: String = v
                .as_str()
                .unwrap_or_default()
                .chars()
                .take(salt % (v.as_str().unwrap_or_default().len() + 1))
                .collect();
            *v = kept.into();
        }),
        14 => many_events(list, salt),
        _ => hostile_keys(list, mutation.place, salt),
    }
}

/// The values below the List's items that satisfy `wanted`, in the order of the text; does `change` to one of them.
fn at(list: &mut Value, place: u32, wanted: fn(&Value) -> bool, change: impl FnOnce(&mut Value)) {
    let count = list["items"].as_array().map_or(0, |items| items.iter().map(|i| matching(i, wanted)).sum());
    if count == 0 {
        return;
    }
    let mut left = place as usize % count;
    if let Some(found) = list["items"].as_array_mut().and_then(|l| l.iter_mut().find_map(|i| nth(i, wanted, &mut left)))
    {
        change(found);
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn matching(value: &Value, wanted: fn(&Value) -> bool) -> usize {
    usize::from(wanted(value)) + children(value).into_iter().map(|v| matching(v, wanted)).sum::<usize>()
}

fn nth<'v>(value: &'v mut Value, wanted: fn(&Value) -> bool, left: &mut usize) -> Option<&'v mut Value> {
    if wanted(value) {
        if *left == 0 {
            return Some(value);
        }
        *left -= 1;
    }
    match value {
        Value::Array(list) => list.iter_mut().find_map(|v| nth(v, wanted, left)),
        Value::Object(map) => map.values_mut().find_map(|v| nth(v, wanted, left)),
        _ => None,
    }
}

fn drop_one(value: &mut Value, salt: usize) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            list.remove(salt % list.len());
        }
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(salt % map.len()).cloned().unwrap_or_default();
            map.remove(&key);
        }
        _ => {}
    }
}

fn other_type(salt: usize) -> Value {
    let choices = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(1.5),
        json!("x"),
        json!([]),
        json!({}),
        json!([null, 1, "x", {}]),
        json!({"name": 1, "": null}),
        json!([[[[]]]]),
    ];
    choices[salt % choices.len()].clone()
}

fn spliced(text: &str, salt: usize) -> String {
    let hostile = HOSTILE[salt % HOSTILE.len()];
    let cut = text.floor_char_boundary(salt / HOSTILE.len() % (text.len() + 1));
    let (before, after) = text.split_at(cut);
    format!("{before}{hostile}{after}")
}

fn shuffle(value: &mut Value, salt: usize) {
    let Some(list) = value.as_array_mut().filter(|l| l.len() > 1) else { return };
    let turn = salt % list.len();
    list.rotate_left(turn);
    list.swap(0, (salt / 7) % turn.max(1));
}

fn repeat(value: &mut Value, salt: usize) {
    let Some(list) = value.as_array_mut().filter(|l| !l.is_empty()) else { return };
    let times = (2 + salt % 20).min(1 + 400 / list.len());
    *list = std::iter::repeat_n(list.clone(), times).flatten().collect();
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|t| t.len() >= 20 && t.ends_with('Z') && t.as_bytes().get(10) == Some(&b'T'))
}

fn gather_texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        other => children(other).into_iter().for_each(|v| gather_texts(v, into)),
    }
}

/// An event many times over, each with its own name, and every fifth with its own message.
fn many_events(list: &mut Value, salt: usize) {
    let Some(items) = list["items"].as_array_mut() else { return };
    let events: Vec<Value> = items.iter().filter(|i| i["kind"] == "Event").cloned().collect();
    let Some(event) = events.get(salt % events.len().max(1)) else { return };
    for n in 0..1000 {
        let mut copy = event.clone();
        if let Some(metadata) = copy["metadata"].as_object_mut() {
            metadata.insert("name".to_owned(), format!("copy-{n}").into());
        }
        if let (0, Some(message)) = (n % 5, copy["message"].as_str()) {
            copy["message"] = format!("{message} {n}").into();
        }
        items.push(copy);
    }
}

/// A map's first key becomes hostile: labels, node selectors and annotations are keyed by anybody.
fn hostile_keys(list: &mut Value, place: u32, salt: usize) {
    at(
        list,
        place,
        |v| v.as_object().is_some_and(|m| !m.is_empty() && m.values().all(Value::is_string)),
        |v| {
            if let Some(map) = v.as_object_mut() {
                let key = map.keys().nth(salt / HOSTILE.len() % map.len()).cloned().unwrap_or_default();
                let value = map.remove(&key).unwrap_or_default();
                map.insert(HOSTILE[salt % HOSTILE.len()].to_owned(), value);
            }
        },
    );
}
