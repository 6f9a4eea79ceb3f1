//! The platform's own certificate authority: a key and a self-signed certificate in the home's `keys/`.

use std::net::IpAddr;
use std::time::Duration;

use bedplate_types::{ErrorKind, Problem, Span, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::home::{Home, write_private};
use crate::keys;

const KEPT: &str = "keys/authority.pem";
/// Its certificate alone, for whoever is to verify with it.
const PUBLISHED: &str = "keys/ca.crt";
const DAY_MICROS: i64 = 86_400 * 1_000_000;
const LASTS: Span = Span::from_micros(3_650 * DAY_MICROS);
/// A client's clock may be behind ours by so much.
const SKEW_MICROS: i64 = 5 * 60 * 1_000_000;

/// Issues certificates for servers and for clients.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// What a certificate is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// For a server under these DNS names and addresses.
    Server(Vec<String>),
    /// For a client (or a server) that is this URI: an X.509-SVID.
    Workload(String),
}

/// A new certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    pub der: CertificateDer<'static>,
    pub pem: String,
    pub serial: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

impl Authority {
    /// That of the home, made the first time.
    pub fn open(home: &Home, now: Timestamp) -> Result<Self, Problem> {
        let bytes = home.secret(KEPT, || new_authority(now).map(String::into_bytes))?;
        let damaged = |why: String| {
            let fix =
                "put back the file from a backup; without one, delete it: every certificate it issued is void then";
            Problem::new(ErrorKind::Corrupt, KEPT, why).with_fix(fix)
        };
        let text = String::from_utf8(bytes).map_err(|_| damaged("is not text".into()))?;
        let certificate = CertificateDer::from_pem_slice(text.as_bytes())
            .map_err(|error| damaged(format!("its certificate: {error}")))?;
        let key = KeyPair::from_pem(&text).map_err(|error| damaged(format!("its key: {error}")))?;
        let issuer = Issuer::new(authority_params(&key), key);
        let pem = pem_of(&certificate);
        write_private(&home.path(PUBLISHED), pem.as_bytes())?;
        Ok(Self { issuer, certificate, pem })
    }

    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a key that is not shown.
    pub fn issue(
        &self,
        wanted: &Wanted,
        key: &impl PublicKeyData,
        now: Timestamp,
        lasts: Span,
    ) -> Result<Issued, Problem> {
        let serial = serial()?;
        let (not_before, not_after) = (shifted(now, -SKEW_MICROS), shifted(now, lasts.micros()));
        let mut params = wanted.params()?;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = date_time_ymd(1970, 1, 1) + since_1970(not_before);
        params.not_after = date_time_ymd(1970, 1, 1) + since_1970(not_after);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let signed = params.signed_by(key, &self.issuer).map_err(|error| failed(&error))?;
        Ok(Issued { pem: signed.pem(), der: signed.der().clone(), serial: hex::encode(serial), not_before, not_after })
    }

    /// The same with a new key; gives its PEM too.
    pub fn issue_with_key(&self, wanted: &Wanted, now: Timestamp, lasts: Span) -> Result<(Issued, String), Problem> {
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        Ok((self.issue(wanted, &key, now, lasts)?, key.serialize_pem()))
    }
}

impl Wanted {
    fn params(&self) -> Result<CertificateParams, Problem> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        match self {
            Self::Server(names) => {
                let name = names.first().map_or("bedplate", String::as_str);
                params.distinguished_name.push(DnType::CommonName, name);
                params.subject_alt_names = names.iter().map(|name| server_name(name)).collect::<Result<_, _>>()?;
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }
            Self::Workload(uri) => {
                params.distinguished_name.push(DnType::OrganizationName, "bedplate");
                let uri = uri.clone().try_into().map_err(|error| failed(&error))?;
                params.subject_alt_names = vec![SanType::URI(uri)];
                params.extended_key_usages =
                    vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
            }
        }
        Ok(params)
    }
}

fn server_name(name: &str) -> Result<SanType, Problem> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let wrong = |why: &str| {
        Problem::new(ErrorKind::Invalid, format!("--tls-name {name}"), why).with_fix("--tls-name bedplate.example.org")
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let plain = name.strip_prefix("*.").unwrap_or(name);
    if name.len() > 253 || !plain.split('.').all(label) {
        return Err(wrong("it is neither a DNS name nor an address"));
    }
    let text = name.to_owned().try_into().map_err(|_| wrong("it is not plain ASCII"))?;
    Ok(SanType::DnsName(text))
}

fn new_authority(now: Timestamp) -> Result<String, Problem> {
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let mut params = authority_params(&key);
    params.serial_number = Some(SerialNumber::from_slice(&serial()?));
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(shifted(now, -SKEW_MICROS));
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(shifted(now, LASTS.micros()));
    let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// What every certificate of the authority with this key says of it. Its name is made of the key: two platforms' authorities
/// must not look like one, for a client would pick the wrong one of them.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let id = hex::encode(&Sha256::digest(key.public_key_raw())[..8]);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("bedplate authority {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Positive and without a leading zero, as RFC 5280 wants it.
fn serial() -> Result<[u8; 16], Problem> {
    let mut serial = keys::random::<16>()?;
    serial[0] = (serial[0] & 0x3f) | 0x40;
    Ok(serial)
}

fn shifted(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(micros))
}

/// To the second, as certificates know it.
fn since_1970(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.micros().div_euclid(1_000_000)).unwrap_or_default())
}

pub fn pem_of(der: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn failed(error: &rcgen::Error) -> Problem {
    Problem::new(ErrorKind::Internal, "a new certificate", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_made_once_and_a_damaged_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let first = Authority::open(&home, now).unwrap();
        let again = Authority::open(&home, now).unwrap();
        assert_eq!(first.certificate(), again.certificate());
        assert_eq!(std::fs::read_to_string(home.path(PUBLISHED)).unwrap(), first.certificate_pem());
        assert!(!first.certificate_pem().contains("PRIVATE"));
        std::fs::write(home.path(KEPT), "-----BEGIN").unwrap();
        assert_eq!(Authority::open(&home, now).err().unwrap().kind, ErrorKind::Corrupt);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["a b", "", "a..b", "ü", &"x".repeat(64)] {
            assert!(server_name(name).is_err(), "{name}");
        }
        for name in ["bedplate.default.svc", "*.example.org", "10.0.0.1", "::1"] {
            server_name(name).unwrap();
        }
    }
}
