//! Values of bounded size: a small hostile file can take a hundred times its size in memory, as `{"":0},` repeated
//! does, and YAML aliases can make it a billion times.

use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How much memory the values of a file may still take.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    spent: bool,
}

/// What a list's element takes, given that lists grow by doubling.
const ELEMENT: usize = 2 * size_of::<Value>();
/// What an allocation takes beside its content.
const ALLOCATION: usize = 16;
/// A B-tree node has room for eleven entries and is left half empty when keys arrive in order.
const ENTRIES_PER_NODE: usize = 6;
const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 2 * ALLOCATION;

const MIB: usize = 1024 * 1024;
/// What any file may take, however small.
const BASE: usize = 48 * MIB;
/// How many times its own size a file may take beyond that; objects written without any space take about nine times theirs.
const TIMES: usize = 12;
const MOST: usize = 640 * MIB;

impl Budget {
    /// The budget of a text of that many bytes.
    pub(super) fn for_input(bytes: usize) -> Self {
        Self { left: bytes.saturating_mul(TIMES).saturating_add(BASE).min(MOST), spent: false }
    }

    /// Whether something did not fit.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    fn charge<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.spent = true;
                Err(E::custom("too many values"))
            }
        }
    }
}

/// Reads any value within a budget.
pub(super) struct Bounded<'b> {
    pub(super) budget: &'b mut Budget,
    /// Whether the value is an object's `status`.
    pub(super) status: bool,
}

impl<'b> Bounded<'b> {
    /// For a whole document.
    pub(super) fn document(budget: &'b mut Budget) -> Self {
        Self { budget, status: false }
    }

    fn text<E: Error>(self, text: String) -> Result<Value, E> {
        self.budget.charge(text.len() + ALLOCATION)?;
        Ok(Value::String(text))
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.text(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        self.budget.charge(ALLOCATION)?;
        while let Some(value) = from.next_element_seed(Bounded::document(self.budget))? {
            self.budget.charge(ELEMENT)?;
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut entries = 0_usize;
        while let Some(key) = from.next_key::<String>()? {
            // The images on a node are most of its bulk, and no snapshot keeps them.
            if self.status && key == "images" {
                from.next_value::<IgnoredAny>()?;
                continue;
            }
            if entries.is_multiple_of(ENTRIES_PER_NODE) {
                self.budget.charge(NODE)?;
            }
            entries += 1;
            self.budget.charge(key.len() + ALLOCATION)?;
            let value = from.next_value_seed(Bounded { budget: self.budget, status: key == "status" })?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
