//! A request for a certificate (PKCS #10): the key in it, proven to be the asker's.

use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject;

use super::der::Request;

/// A public key whose private half signed the request.
#[derive(Debug)]
pub struct RequestedKey {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

/// 1.2.840.10045.2.1
const EC: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const P256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.101.112
const EDWARDS: [u8; 3] = [0x2b, 0x65, 0x70];
/// 1.2.840.113549.1.1.1
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

impl RequestedKey {
    /// Reads and verifies it. Nothing else that it asks for is looked at.
    pub fn read(pem: &str) -> Result<Self, &'static str> {
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).map_err(|_| "it is not PEM")?;
        let request = Request::of(&der).map_err(|_| "it is not understood")?;
        let (algorithm, verification): (_, &dyn VerificationAlgorithm) = match request.algorithm {
            (oid, Some(curve)) if oid == EC && curve == P256 => (&PKCS_ECDSA_P256_SHA256, &ECDSA_P256_SHA256_ASN1),
            (oid, None) if oid == EDWARDS => (&PKCS_ED25519, &ED25519),
            (oid, None) if oid == RSA => (&PKCS_RSA_SHA256, &RSA_PKCS1_2048_8192_SHA256),
            _ => return Err("its key is neither of P-256, Ed25519 nor RSA"),
        };
        let key = UnparsedPublicKey::new(verification, request.key);
        key.verify(&request.signed, request.signature).map_err(|_| "it is not signed with its own key, and SHA-256")?;
        Ok(Self { bytes: request.key.to_vec(), algorithm })
    }
}

impl PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn request() -> (KeyPair, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let der = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
        (key, der)
    }

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n", STANDARD.encode(der))
    }

    #[test]
    fn the_key_of_a_request_is_taken_if_it_signed_the_request() {
        let (key, der) = request();
        assert_eq!(RequestedKey::read(&pem(&der)).unwrap().der_bytes(), key.public_key_raw());
        let ed = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        RequestedKey::read(&CertificateParams::default().serialize_request(&ed).unwrap().pem().unwrap()).unwrap();
    }

    #[test]
    fn anybody_elses_key_and_nonsense_are_refused() {
        let (key, der) = request();
        let (other, _) = request();
        let place = der.windows(65).position(|part| part == key.public_key_raw()).unwrap();
        let mut stolen = der.clone();
        stolen[place..place + 65].copy_from_slice(other.public_key_raw());
        assert!(RequestedKey::read(&pem(&stolen)).unwrap_err().contains("its own key"));
        // However it is cut or bent, it is refused and nothing panics.
        for cut in 0..der.len() {
            assert!(RequestedKey::read(&pem(&der[..cut])).is_err());
        }
        for place in 0..der.len() {
            let mut bent = der.clone();
            bent[place] ^= 0x55;
            // The name of the signature's algorithm is signed by nobody, and not looked at.
            if let Ok(read) = RequestedKey::read(&pem(&bent)) {
                assert_eq!(read.der_bytes(), key.public_key_raw(), "{place}");
            }
        }
        assert!(RequestedKey::read("x").is_err());
    }
}
