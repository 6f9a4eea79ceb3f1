//! The few parts of certificates (RFC 5280 section 4.1) and of requests for them (RFC 2986) that are looked at here.

use std::net::IpAddr;

use bedplate_types::Timestamp;
use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, UtcTime};
use der::{Decode, Encode, Error, ErrorKind, Reader, SliceReader, Tag, Tagged};

/// What a certificate says.
pub struct Parts<'a> {
    pub issuer: AnyRef<'a>,
    pub subject: AnyRef<'a>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub names: Vec<Name>,
    /// It is one that vouches for others.
    pub is_authority: bool,
}

/// A subject's alternative name; the other kinds are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Dns(String),
    Uri(String),
    Address(IpAddr),
}

/// What a request says of its key.
pub struct Request<'a> {
    /// What was signed with the key.
    pub signed: Vec<u8>,
    pub signature: &'a [u8],
    /// The key's algorithm: its object identifier, and the curve's where there is one.
    pub algorithm: (&'a [u8], Option<&'a [u8]>),
    pub key: &'a [u8],
}

/// 2.5.29.17
const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11];

/// 2.5.29.19
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];

impl<'a> Parts<'a> {
    pub fn of(der: &'a [u8]) -> Result<Self, Error> {
        let whole = children(AnyRef::from_der(der)?)?;
        let mut fields = children(nth(&whole, 0)?)?;
        // A version is written down unless it is the first.
        if fields.first().is_some_and(|field| is_context(field, 0)) {
            fields.remove(0);
        }
        let validity = children(nth(&fields, 3)?)?;
        Ok(Self {
            issuer: nth(&fields, 2)?,
            subject: nth(&fields, 4)?,
            not_before: moment(nth(&validity, 0)?)?,
            not_after: moment(nth(&validity, 1)?)?,
            names: names(&fields)?,
            is_authority: is_authority(&fields)?,
        })
    }
}

impl<'a> Request<'a> {
    pub fn of(der: &'a [u8]) -> Result<Self, Error> {
        let whole = children(AnyRef::from_der(der)?)?;
        let info = nth(&whole, 0)?;
        let key = children(nth(&children(info)?, 2)?)?;
        let algorithm = children(nth(&key, 0)?)?;
        let curve = algorithm.get(1).filter(|field| field.tag() == Tag::ObjectIdentifier);
        Ok(Self {
            signed: info.to_der()?,
            signature: bits(nth(&whole, 2)?)?,
            algorithm: (nth(&algorithm, 0)?.value(), curve.map(|field| field.value())),
            key: bits(nth(&key, 1)?)?,
        })
    }
}

/// What the extension of this object identifier holds, if the certificate has it.
fn extension<'a>(fields: &[AnyRef<'a>], wanted: &[u8]) -> Result<Option<AnyRef<'a>>, Error> {
    let Some(extensions) = fields.iter().find(|field| is_context(field, 3)) else { return Ok(None) };
    for extension in children(nth(&children(*extensions)?, 0)?)? {
        let parts = children(extension)?;
        if nth(&parts, 0)?.value() == wanted {
            return parts.last().map(|value| AnyRef::from_der(value.value())).transpose();
        }
    }
    Ok(None)
}

fn names(fields: &[AnyRef<'_>]) -> Result<Vec<Name>, Error> {
    let Some(names) = extension(fields, &ALTERNATIVE_NAMES)? else { return Ok(Vec::new()) };
    children(names)?.iter().filter_map(|name| named(name).transpose()).collect()
}

fn is_authority(fields: &[AnyRef<'_>]) -> Result<bool, Error> {
    let Some(constraints) = extension(fields, &BASIC_CONSTRAINTS)? else { return Ok(false) };
    Ok(children(constraints)?.first().is_some_and(|first| first.tag() == Tag::Boolean && first.value() != [0]))
}

fn named(name: &AnyRef<'_>) -> Result<Option<Name>, Error> {
    let text = || std::str::from_utf8(name.value()).map(ToOwned::to_owned).map_err(|_| wrong());
    Ok(match name.tag() {
        Tag::ContextSpecific { number, .. } if number.value() == 2 => Some(Name::Dns(text()?)),
        Tag::ContextSpecific { number, .. } if number.value() == 6 => Some(Name::Uri(text()?)),
        Tag::ContextSpecific { number, .. } if number.value() == 7 => Some(Name::Address(address(name.value())?)),
        _ => None,
    })
}

fn address(octets: &[u8]) -> Result<IpAddr, Error> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).map_err(|_| wrong())
}

fn moment(time: AnyRef<'_>) -> Result<Timestamp, Error> {
    let since = match time.tag() {
        Tag::UtcTime => time.decode_as::<UtcTime>()?.to_unix_duration(),
        _ => time.decode_as::<GeneralizedTime>()?.to_unix_duration(),
    };
    i64::try_from(since.as_micros()).map(Timestamp::from_micros).map_err(|_| wrong())
}

fn bits(field: AnyRef<'_>) -> Result<&[u8], Error> {
    field.decode_as::<BitStringRef<'_>>()?.as_bytes().ok_or_else(wrong)
}

fn children(of: AnyRef<'_>) -> Result<Vec<AnyRef<'_>>, Error> {
    let mut reader = SliceReader::new(of.value())?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(AnyRef::decode(&mut reader)?);
    }
    Ok(found)
}

fn nth<'a>(fields: &[AnyRef<'a>], place: usize) -> Result<AnyRef<'a>, Error> {
    fields.get(place).copied().ok_or_else(wrong)
}

fn is_context(field: &AnyRef<'_>, wanted: u32) -> bool {
    matches!(field.tag(), Tag::ContextSpecific { number, .. } if number.value() == wanted)
}

fn wrong() -> Error {
    ErrorKind::Failed.into()
}
