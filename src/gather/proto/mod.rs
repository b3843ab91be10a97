//! Lists as protobuf: of five thousand nodes JSON is 99 MB and protobuf a quarter of it, and most of that is skipped.
//!
//! Field numbers from k8s.io/api core/v1, k8s.io/apimachinery meta/v1, api/resource and runtime, `generated.proto` of 0.36.1.

mod node;
mod pod;

use jiff::Timestamp;
use kube::core::response;
use prost::Message;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::answer::Sink;

pub(super) use pod::{Listed, Look, PodItems, PodMessage};

/// What the API server puts before a protobuf body: it is a `runtime.Unknown` whose field 2 holds the object.
const MAGIC: &[u8] = b"k8s\0";
const LENGTH_DELIMITED: u64 = 2;
/// A single object is no longer than this; etcd holds none of more than 1.5 MiB.
const ITEM_LIMIT: usize = 8 << 20;

/// What becomes of a list's items.
pub(super) trait Items: Send {
    /// An item, as far as it is decoded.
    type Message: Message + Default;

    /// Forgets everything: the list comes again, after a retry.
    fn clear(&mut self);

    /// The next item.
    fn take(&mut self, item: Self::Message);

    /// The whole list as JSON, from a server that does not offer protobuf.
    fn take_json(&mut self, list: &[u8]) -> Result<(), serde_json::Error>;
}

/// `runtime.Unknown`, the envelope.
#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

/// `meta/v1` Status, which a server that was asked for protobuf gives as such.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, optional, tag = "5")]
    details: Option<StatusDetails>,
}

#[derive(Clone, PartialEq, Message)]
struct StatusDetails {
    #[prost(string, tag = "1")]
    name: String,
}

/// The Status in the body of a refusal, protobuf or JSON. Whatever else answers, a proxy for one, gives none.
pub(super) fn status(body: &[u8]) -> Option<response::Status> {
    let Some(envelope) = body.strip_prefix(MAGIC) else {
        let object: Value = serde_json::from_slice(body).ok()?;
        let is_status = object.get("kind").and_then(Value::as_str) == Some("Status");
        return is_status.then(|| serde_json::from_value(object).unwrap_or_default());
    };
    let unknown = Unknown::decode(envelope).ok()?;
    let Status { message, reason, details } = Status::decode(unknown.raw.as_slice()).ok()?;
    Some(response::Status::failure(&message, &reason).with_details(response::StatusDetails {
        name: details.unwrap_or_default().name,
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }))
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let time = Timestamp::deserialize(from)?;
        Ok(Self { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
    }
}

/// A time. Go's zero time, which stands for none, is the year 1.
fn time(from: Option<Time>) -> Option<Timestamp> {
    from.filter(|t| t.seconds > 0).and_then(|t| Timestamp::new(t.seconds, t.nanos).ok())
}

/// Decodes a list while it comes in, so that never more than one item lies there undecoded.
pub(super) struct ListSink<I> {
    items: I,
    is_protobuf: bool,
    buffer: Vec<u8>,
    /// How much of the buffer is done with.
    used: usize,
    place: Place,
}

/// Where in the answer the buffer begins.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the magic number.
    #[default]
    Start,
    /// In the envelope, before the list.
    Envelope,
    /// In the list, with so many bytes of it to come.
    List(usize),
    /// After it.
    End,
}

impl<I: Items> Sink for ListSink<I> {
    fn begin(&mut self, content_type: &str) {
        self.items.clear();
        self.buffer.clear();
        self.used = 0;
        self.place = Place::Start;
        self.is_protobuf = content_type.starts_with("application/vnd.kubernetes.protobuf");
    }

    fn push(&mut self, piece: &[u8]) -> Result<(), String> {
        self.buffer.extend_from_slice(piece);
        if self.is_protobuf {
            while self.step()? {}
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        Ok(())
    }
}

impl<I: Items> ListSink<I> {
    pub(super) fn new(items: I) -> Self {
        Self { items, is_protobuf: false, buffer: Vec::new(), used: 0, place: Place::Start }
    }

    /// The items, once the whole answer is in.
    pub(super) fn finish(mut self) -> Result<I, String> {
        if !self.is_protobuf {
            self.items.clear();
            self.items.take_json(&self.buffer).map_err(|_| "the answer is no list of such objects".to_owned())?;
            return Ok(self.items);
        }
        match self.place {
            Place::End | Place::List(0) => Ok(self.items),
            _ => Err("the list broke off".to_owned()),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Reads one field; false if more bytes are needed.
    fn step(&mut self) -> Result<bool, String> {
        match self.place {
            Place::Start => {
                let Some(magic) = self.rest().get(..MAGIC.len()) else { return Ok(false) };
                if magic != MAGIC {
                    return Err("the answer is no Kubernetes protobuf".to_owned());
                }
                self.used += MAGIC.len();
                self.place = Place::Envelope;
                Ok(true)
            }
            Place::End | Place::List(0) => {
                self.place = Place::End;
                self.used = self.buffer.len();
                Ok(false)
            }
            Place::Envelope => match head(self.rest())? {
                None => Ok(false),
                Some(Head { field: 2, size, length }) => {
                    self.used += size;
                    self.place = Place::List(length);
                    Ok(true)
                }
                Some(Head { size, length, .. }) => Ok(self.skip(size, length)?.is_some()),
            },
            Place::List(left) => {
                let Some(Head { field, size, length }) = head(self.rest())? else { return Ok(false) };
                if field == 2 {
                    let from = self.used + size;
                    let Some(bytes) = self.buffer.get(from..from.saturating_add(length)) else {
                        return within(length).map(|()| false);
                    };
                    let message =
                        I::Message::decode(bytes).map_err(|_| "an item of the list does not decode".to_owned())?;
                    self.items.take(message);
                    self.used = from + length;
                } else if self.skip(size, length)?.is_none() {
                    return Ok(false);
                }
                let left = left.checked_sub(size + length).ok_or("the list is longer than it says")?;
                self.place = Place::List(left);
                Ok(true)
            }
        }
    }

    fn skip(&mut self, size: usize, length: usize) -> Result<Option<()>, String> {
        within(length)?;
        if self.rest().len() < size + length {
            return Ok(None);
        }
        self.used += size + length;
        Ok(Some(()))
    }
}

fn within(length: usize) -> Result<(), String> {
    if length > ITEM_LIMIT { Err("a part of the list is too long".to_owned()) } else { Ok(()) }
}

/// A length-delimited field's number, the size of its head and its length.
struct Head {
    field: u64,
    size: usize,
    length: usize,
}

/// The next field's head; nothing if it is not all there.
fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some((key, first)) = varint(bytes)? else { return Ok(None) };
    if key & 7 != LENGTH_DELIMITED {
        return Err("the list does not decode".to_owned());
    }
    let Some((length, second)) = varint(bytes.get(first..).unwrap_or_default())? else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| "the list is too long".to_owned())?;
    Ok(Some(Head { field: key >> 3, size: first + second, length }))
}

fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, String> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).unwrap_or(0)).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 10 { Err("the list does not decode".to_owned()) } else { Ok(None) }
}
