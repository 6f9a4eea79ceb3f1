//! What of a provider's word is believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedplate_identity::oidc::{Expected, KeySet, Naming, OidcError, Person, verify};
use bedplate_types::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

struct Provider {
    pair: EcdsaKeyPair,
}

impl Provider {
    fn new() -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &SystemRandom::new())
            .unwrap();
        Self { pair }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let half = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": half(&point[1..33]), "y": half(&point[33..]) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = claims();
        change(&mut claims);
        self.sign(&header(), &claims)
    }
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" })
}

fn claims() -> Value {
    json!({ "iss": "https://id.example", "aud": "bedplate", "sub": "1", "email": "ana@example.org", "email_verified": true,
            "groups": ["data", "ops"], "iat": NOW - 10, "exp": NOW + 300, "nonce": "n" })
}

fn keys(jwk: &Value) -> KeySet {
    KeySet::read(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap()
}

fn naming() -> Naming {
    Naming { username_claim: "email".into(), groups_claim: "groups".into(), admin_group: Some("platform".into()) }
}

fn check(token: &str, keys: &KeySet) -> Result<Person, OidcError> {
    let expected = Expected { issuer: "https://id.example", client_id: "bedplate", nonce: Some("n") };
    verify(token, keys, &expected, &naming(), Timestamp::from_micros(NOW * 1_000_000))
}

#[test]
fn somebody_the_provider_vouches_for_has_a_name_and_groups() {
    let provider = Provider::new();
    let person = check(&provider.token(|_| {}), &keys(&provider.jwk())).unwrap();
    assert_eq!((person.principal.name.as_str(), person.subject.as_str()), ("user:ana@example.org", "1"));
    assert_eq!(person.principal.groups, ["data", "ops"]);
    assert_eq!(person.expires_at, Timestamp::from_micros((NOW + 300) * 1_000_000));
    let whole = json!({ "keys": [{ "kty": "oct", "k": "AA" }, provider.jwk()] });
    let among = KeySet::read(whole.to_string().as_bytes()).unwrap();
    check(&provider.token(|claims| claims["aud"] = json!(["bedplate"])), &among).unwrap();
    let no_kid = provider.sign(&json!({ "alg": "ES256" }), &claims());
    check(&no_kid, &among).unwrap();
}

#[test]
fn signatures_that_prove_nothing_are_refused() {
    let (provider, other) = (Provider::new(), Provider::new());
    let known = keys(&provider.jwk());
    let unsigned = |alg: &str| {
        let header = json!({ "alg": alg, "kid": "k1" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&header), part(&claims()))
    };
    for alg in ["none", "None", "HS256", "ES256K", ""] {
        assert!(matches!(check(&unsigned(alg), &known), Err(OidcError::Algorithm(_))), "{alg}");
    }
    // A shared secret made of the public key: whoever has read it could sign.
    let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, provider.pair.public_key().as_ref());
    let message = unsigned("HS256");
    let tag = ring::hmac::sign(&hmac, message.trim_end_matches('.').as_bytes());
    let forged = format!("{message}{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
    assert!(matches!(check(&forged, &known), Err(OidcError::Algorithm(_))));

    assert_eq!(check(&unsigned("ES256"), &known), Err(OidcError::Signature));
    assert_eq!(check(&other.token(|_| {}), &known), Err(OidcError::Signature));
    let good = provider.token(|_| {});
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut changed = claims();
    changed["groups"] = json!(["platform"]);
    let forged = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(changed.to_string()));
    assert_eq!(check(&forged, &known), Err(OidcError::Signature));
    assert!(check(&format!("{header}.{payload}.{}", signature.replace('A', "B") + "A"), &known).is_err());
    assert!(check(&provider.sign(&json!({ "alg": "RS256", "kid": "k1" }), &claims()), &known).is_err());
}

#[test]
fn a_key_is_used_for_what_it_is_for() {
    let provider = Provider::new();
    let token = provider.token(|_| {});
    for (field, value) in [("kid", "k2"), ("use", "enc"), ("alg", "ES384"), ("crv", "P-384"), ("kty", "OKP")] {
        let mut jwk = provider.jwk();
        jwk[field] = value.into();
        assert_eq!(check(&token, &keys(&jwk)), Err(OidcError::UnknownKey { kid: "k1".into() }), "{field}");
    }
    assert!(matches!(KeySet::read(b"{}"), Err(OidcError::Keys(_))));
    assert!(matches!(
        KeySet::read(json!({ "keys": vec![provider.jwk(); 201] }).to_string().as_bytes()),
        Err(OidcError::Keys(_))
    ));
}

#[test]
fn what_is_not_for_here_and_now_is_refused() {
    let provider = Provider::new();
    let known = keys(&provider.jwk());
    let refused = |change: fn(&mut Value)| check(&provider.token(change), &known).unwrap_err();
    assert!(matches!(refused(|c| c["iss"] = "https://id.example/".into()), OidcError::Issuer { .. }));
    for aud in [json!("other"), json!([]), Value::Null, json!(["other"]), json!(7)] {
        let mut changed = claims();
        changed["aud"] = aud;
        assert_eq!(check(&provider.sign(&header(), &changed), &known), Err(OidcError::Audience));
    }
    assert_eq!(refused(|c| c["aud"] = json!(["bedplate", "other"])), OidcError::AuthorizedParty);
    assert_eq!(refused(|c| c["azp"] = "other".into()), OidcError::AuthorizedParty);
    assert_eq!(refused(|c| c["nonce"] = "m".into()), OidcError::Nonce);
    assert_eq!(refused(|c| drop(c.as_object_mut().unwrap().remove("nonce"))), OidcError::Nonce);
    assert!(matches!(refused(|c| c["exp"] = json!(NOW - 60)), OidcError::Expired(_)));
    assert!(check(&provider.token(|c| c["exp"] = json!(NOW - 59)), &known).is_ok(), "within the skew");
    assert!(matches!(refused(|c| c["iat"] = json!(NOW - 86_401)), OidcError::Expired(_)));
    assert!(matches!(refused(|c| c["iat"] = json!(NOW + 61)), OidcError::NotYet(_)));
    assert!(matches!(refused(|c| c["nbf"] = json!(NOW + 61)), OidcError::NotYet(_)));
    for claim in ["exp", "iat", "sub", "email"] {
        let mut changed = claims();
        changed.as_object_mut().unwrap().remove(claim);
        assert_eq!(check(&provider.sign(&header(), &changed), &known), Err(OidcError::Claim(claim.into())));
    }
    assert!(matches!(refused(|c| c["exp"] = json!("soon")), OidcError::Claim(_)));
    for header in [json!({ "alg": "ES256", "typ": "at+jwt" }), json!({ "alg": "ES256", "crit": ["b64"], "b64": false })]
    {
        assert!(matches!(check(&provider.sign(&header, &claims()), &known), Err(OidcError::Malformed(_))));
    }
    for text in ["", "a", "a.b", "a.b.c", &"x".repeat(40_000)] {
        assert!(matches!(check(text, &known), Err(OidcError::Malformed(_))));
    }
}

#[test]
fn the_platforms_own_names_are_not_the_providers_to_give() {
    let provider = Provider::new();
    let known = keys(&provider.jwk());
    let groups = |said: Value| check(&provider.token(|c| c["groups"] = said), &known).unwrap().principal.groups;
    assert_eq!(groups(json!(["system:masters", "scope:*:*:*", "workloads:flights", "a\nb", "", "data", 7])), ["data"]);
    assert_eq!(groups(json!(["platform"])), ["platform", "system:masters"], "--oidc-admin-group");
    assert_eq!(groups(json!("data")), ["data"]);
    for name in ["admin", "a/b", "system:controllers", "a b"] {
        let mut changed = claims();
        changed["email"] = name.into();
        assert_eq!(check(&provider.sign(&header(), &changed), &known), Err(OidcError::Name(name.into())));
    }
    let unverified = provider.token(|c| c["email_verified"] = false.into());
    assert_eq!(check(&unverified, &known), Err(OidcError::EmailNotVerified));
}
