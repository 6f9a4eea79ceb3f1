//! Kubernetes' protobuf encoding, read for the few messages kubectl sends in it (typed clients prefer it since 1.32).
//!
//! The envelope is `k8s\0` and a `runtime.Unknown` message; field numbers are those of the `generated.proto` files of
//! k8s.io/api and k8s.io/apimachinery. A message is read by a table, a field outside the table is passed over.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_types::Timestamp;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::meta;

const MAGIC: &[u8] = b"k8s\0";

type Fields = &'static [(u64, &'static str, Type)];

#[derive(Clone, Copy)]
enum Type {
    Text,
    Texts,
    /// Bytes, shown as base64.
    Bytes,
    Bool,
    Int,
    /// Seconds and nanoseconds, shown in RFC 3339 with six decimals.
    MicroTime,
    Message(Fields),
    Messages(Fields),
    TextMap,
    BytesMap,
}

const TYPE_META: Fields = &[(1, "apiVersion", Type::Text), (2, "kind", Type::Text)];
const UNKNOWN: Fields = &[(1, "typeMeta", Type::Message(TYPE_META)), (2, "raw", Type::Bytes)];
const OWNER: Fields = &[
    (1, "kind", Type::Text),
    (3, "name", Type::Text),
    (4, "uid", Type::Text),
    (5, "apiVersion", Type::Text),
    (6, "controller", Type::Bool),
    (7, "blockOwnerDeletion", Type::Bool),
];
const METADATA: Fields = &[
    (1, "name", Type::Text),
    (2, "generateName", Type::Text),
    (3, "namespace", Type::Text),
    (5, "uid", Type::Text),
    (6, "resourceVersion", Type::Text),
    (11, "labels", Type::TextMap),
    (12, "annotations", Type::TextMap),
    (13, "ownerReferences", Type::Messages(OWNER)),
    (14, "finalizers", Type::Texts),
];
const NAMESPACE: Fields = &[(1, "metadata", Type::Message(METADATA))];
const CONFIG_MAP: Fields = &[
    (1, "metadata", Type::Message(METADATA)),
    (2, "data", Type::TextMap),
    (3, "binaryData", Type::BytesMap),
    (4, "immutable", Type::Bool),
];
const SECRET: Fields = &[
    (1, "metadata", Type::Message(METADATA)),
    (2, "data", Type::BytesMap),
    (3, "type", Type::Text),
    (4, "stringData", Type::TextMap),
    (5, "immutable", Type::Bool),
];
const PRECONDITIONS: Fields = &[(1, "uid", Type::Text), (2, "resourceVersion", Type::Text)];
const DELETE_OPTIONS: Fields = &[
    (1, "gracePeriodSeconds", Type::Int),
    (2, "preconditions", Type::Message(PRECONDITIONS)),
    (3, "orphanDependents", Type::Bool),
    (4, "propagationPolicy", Type::Text),
    (5, "dryRun", Type::Texts),
];
const RESOURCE_ATTRIBUTES: Fields = &[
    (1, "namespace", Type::Text),
    (2, "verb", Type::Text),
    (3, "group", Type::Text),
    (4, "version", Type::Text),
    (5, "resource", Type::Text),
    (6, "subresource", Type::Text),
    (7, "name", Type::Text),
];
const NON_RESOURCE_ATTRIBUTES: Fields = &[(1, "path", Type::Text), (2, "verb", Type::Text)];
const REVIEW_SPEC: Fields = &[
    (1, "resourceAttributes", Type::Message(RESOURCE_ATTRIBUTES)),
    (2, "nonResourceAttributes", Type::Message(NON_RESOURCE_ATTRIBUTES)),
];
const ACCESS_REVIEW: Fields = &[(1, "metadata", Type::Message(METADATA)), (2, "spec", Type::Message(REVIEW_SPEC))];

const RULES_REVIEW_SPEC: Fields = &[(1, "namespace", Type::Text)];
const RULES_REVIEW: Fields = &[(1, "metadata", Type::Message(METADATA)), (2, "spec", Type::Message(RULES_REVIEW_SPEC))];
const SELF_REVIEW: Fields = &[(1, "metadata", Type::Message(METADATA))];
const LEASE_SPEC: Fields = &[
    (1, "holderIdentity", Type::Text),
    (2, "leaseDurationSeconds", Type::Int),
    (3, "acquireTime", Type::MicroTime),
    (4, "renewTime", Type::MicroTime),
    (5, "leaseTransitions", Type::Int),
    (6, "strategy", Type::Text),
    (7, "preferredHolder", Type::Text),
];
const LEASE: Fields = &[(1, "metadata", Type::Message(METADATA)), (2, "spec", Type::Message(LEASE_SPEC))];

/// The object in the envelope, as the JSON it stands for.
pub fn object(bytes: &[u8]) -> Result<Value, ApiError> {
    let envelope = bytes.strip_prefix(MAGIC).ok_or_else(malformed)?;
    let envelope = message(envelope, UNKNOWN)?;
    let raw = STANDARD.decode(envelope["raw"].as_str().unwrap_or_default()).map_err(|_| malformed())?;
    let kind = envelope["typeMeta"]["kind"].as_str().unwrap_or_default();
    let fields = fields_of(kind).ok_or_else(|| {
        ApiError::BadRequest(format!("protobuf is not understood for {kind:?} here; send application/json"))
    })?;
    let mut object = message(&raw, fields)?;
    object["apiVersion"] = envelope["typeMeta"]["apiVersion"].clone();
    object["kind"] = kind.into();
    Ok(object)
}

fn fields_of(kind: &str) -> Option<Fields> {
    match kind {
        "Namespace" => Some(NAMESPACE),
        "ConfigMap" => Some(CONFIG_MAP),
        "Secret" => Some(SECRET),
        "DeleteOptions" => Some(DELETE_OPTIONS),
        "SelfSubjectAccessReview" => Some(ACCESS_REVIEW),
        "SelfSubjectRulesReview" => Some(RULES_REVIEW),
        "SelfSubjectReview" => Some(SELF_REVIEW),
        "Lease" => Some(LEASE),
        _ => None,
    }
}

fn malformed() -> ApiError {
    ApiError::BadRequest("the request body is not Kubernetes protobuf".to_owned())
}

fn message(mut bytes: &[u8], fields: Fields) -> Result<Value, ApiError> {
    let mut object = Map::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let (number, raw) = (tag >> 3, field(&mut bytes, tag & 7)?);
        if let Some((_, name, type_)) = fields.iter().find(|(known, ..)| *known == number) {
            put(&mut object, name, *type_, &raw)?;
        }
    }
    Ok(Value::Object(object))
}

/// A field on the wire.
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn field<'a>(bytes: &mut &'a [u8], wire: u64) -> Result<Raw<'a>, ApiError> {
    match wire {
        0 => varint(bytes).map(Raw::Number),
        1 => take(bytes, 8).map(Raw::Bytes),
        2 => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| malformed())?;
            take(bytes, length).map(Raw::Bytes)
        }
        5 => take(bytes, 4).map(Raw::Bytes),
        _ => Err(malformed()),
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], ApiError> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or_else(malformed)?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, ApiError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(malformed())
}

fn put(object: &mut Map<String, Value>, name: &str, type_: Type, raw: &Raw<'_>) -> Result<(), ApiError> {
    let value = match (type_, raw) {
        (Type::Bool, Raw::Number(n)) => (*n != 0).into(),
        (Type::Int, Raw::Number(n)) => (*n).into(),
        (Type::Text, Raw::Bytes(bytes)) => text(bytes)?,
        (Type::Bytes, Raw::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Type::MicroTime, Raw::Bytes(bytes)) => micro_time(bytes)?,
        (Type::Message(fields), Raw::Bytes(bytes)) => message(bytes, fields)?,
        (Type::Texts, Raw::Bytes(bytes)) => return push(object, name, text(bytes)?),
        (Type::Messages(fields), Raw::Bytes(bytes)) => return push(object, name, message(bytes, fields)?),
        (Type::TextMap, Raw::Bytes(bytes)) => return pair(object, name, bytes, TEXT_PAIR),
        (Type::BytesMap, Raw::Bytes(bytes)) => return pair(object, name, bytes, BYTES_PAIR),
        _ => return Err(malformed()),
    };
    // What is empty on the wire is absent in the object.
    if value != "" {
        object.insert(name.to_owned(), value);
    }
    Ok(())
}

const TIME: Fields = &[(1, "seconds", Type::Int), (2, "nanos", Type::Int)];

fn micro_time(bytes: &[u8]) -> Result<Value, ApiError> {
    let time = message(bytes, TIME)?;
    let micros = time["nanos"].as_i64().unwrap_or(0) / 1_000;
    let second = time["seconds"].as_i64().unwrap_or(0).checked_mul(1_000_000).ok_or_else(malformed)?;
    let second = meta::seconds(Timestamp::from_micros(second));
    Ok(format!("{}.{micros:06}Z", second.trim_end_matches('Z')).into())
}

const TEXT_PAIR: Fields = &[(1, "key", Type::Text), (2, "value", Type::Text)];
const BYTES_PAIR: Fields = &[(1, "key", Type::Text), (2, "value", Type::Bytes)];

fn pair(object: &mut Map<String, Value>, name: &str, bytes: &[u8], fields: Fields) -> Result<(), ApiError> {
    let pair = message(bytes, fields)?;
    let key = pair["key"].as_str().unwrap_or_default().to_owned();
    let value = pair.get("value").cloned().unwrap_or_else(|| "".into());
    let map = object.entry(name.to_owned()).or_insert_with(|| json!({}));
    map[key] = value;
    Ok(())
}

fn push(object: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), ApiError> {
    let list = object.entry(name.to_owned()).or_insert_with(|| json!([]));
    list.as_array_mut().ok_or_else(malformed)?.push(value);
    Ok(())
}

fn text(bytes: &[u8]) -> Result<Value, ApiError> {
    std::str::from_utf8(bytes).map(Value::from).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
        let type_meta = [bytes_field(1, b"v1"), bytes_field(2, kind.as_bytes())].concat();
        [MAGIC, &bytes_field(1, &type_meta), &bytes_field(2, raw)].concat()
    }

    #[test]
    fn a_secret_is_read() {
        let metadata = bytes_field(1, &bytes_field(1, b"s"));
        let data = bytes_field(2, &[bytes_field(1, b"k"), bytes_field(2, b"hi")].concat());
        let object = object(&envelope("Secret", &[metadata, data].concat())).unwrap();
        assert_eq!(
            object,
            json!({"metadata": {"name": "s"}, "data": {"k": "aGk="}, "apiVersion": "v1", "kind": "Secret"})
        );
    }

    #[test]
    fn a_lease_keeps_its_microseconds() {
        let time = bytes_field(4, &[8, 1, 16, 0xd8, 0x8c, 0x0f]);
        let spec = bytes_field(2, &[bytes_field(1, b"me"), vec![16, 15], time].concat());
        let object = object(&envelope("Lease", &spec)).unwrap();
        let renewed = "1970-01-01T00:00:01.000247Z";
        assert_eq!(object["spec"], json!({"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": renewed}));
    }

    #[test]
    fn broken_bytes_are_refused() {
        for bytes in [&b""[..], b"k8s\0\xff\xff", &envelope("Pod", b""), &envelope("Secret", b"\x0a\x7f")] {
            assert!(object(bytes).is_err());
        }
    }
}
