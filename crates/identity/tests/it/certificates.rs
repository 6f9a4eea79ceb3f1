//! Certificates that stand for a machine while a connection lasts.

use bedplate_db::Tx;
use bedplate_identity::{
    CertificateInfo, ClientCertificate, IdentityError, Principal, list_certificates, record_certificate,
    revoke_certificate,
};
use bedplate_types::Timestamp;

use crate::{Fixture, fixture};

fn certificate(fingerprint: &str) -> ClientCertificate {
    ClientCertificate {
        principal: Principal::new("serviceaccount:flights/robot"),
        fingerprint: fingerprint.into(),
        not_after: Timestamp::from_micros(10_000_000),
    }
}

fn revoke(fixture: &Fixture, fingerprint: &'static str) -> bool {
    fixture.db.write(move |tx: &mut dyn Tx| revoke_certificate(tx, fingerprint, Timestamp::from_micros(0))).unwrap()
}

#[test]
fn it_counts_while_the_connection_lasts_and_the_certificate_does() {
    let fixture = fixture();
    let admission = fixture.gate.admit(certificate("aa"), [7; 32]);
    let header = admission.authorization();
    let ask = || fixture.gate.authenticate(Some(&header));
    assert_eq!(ask().unwrap().name, "serviceaccount:flights/robot");
    assert!(fixture.gate.afresh().authenticate(Some(&header)).is_ok(), "one that remembers nothing believes the same");
    fixture.clock.forward(10_000_000);
    assert!(matches!(ask(), Err(IdentityError::CertificateExpired { .. })), "the connection outlived it");
    drop(admission);
    assert!(matches!(ask(), Err(IdentityError::Unknown)));
    let guessed = format!("bedplate-connection {}", "00".repeat(32));
    assert!(matches!(fixture.gate.authenticate(Some(&guessed)), Err(IdentityError::Unknown)));
}

#[test]
fn a_revoked_one_is_refused_at_once_here_and_in_less_than_a_second_elsewhere() {
    let fixture = fixture();
    let admission = fixture.gate.admit(certificate("bb"), [7; 32]);
    let header = admission.authorization();
    assert!(fixture.gate.authenticate(Some(&header)).is_ok());
    assert!(revoke(&fixture, "bb") && !revoke(&fixture, "bb"), "a second time there is nothing to end");
    assert!(fixture.gate.authenticate(Some(&header)).is_ok(), "remembered");
    assert!(fixture.gate.afresh().authenticate(Some(&header)).is_err());
    fixture.clock.forward(500_000);
    assert!(matches!(fixture.gate.authenticate(Some(&header)), Err(IdentityError::CertificateRevoked { .. })));
}

#[test]
fn what_was_issued_is_listed_and_revoked_by_its_fingerprint() {
    let fixture = fixture();
    let info = CertificateInfo {
        fingerprint: "cc".into(),
        principal: "device:edge/cam".into(),
        serial: "01".into(),
        issued_at: Timestamp::from_micros(1),
        not_after: Timestamp::from_micros(9),
        revoked: false,
    };
    let issued = info.clone();
    fixture.db.write(move |tx| record_certificate(tx, &issued)).unwrap();
    assert_eq!(fixture.db.read(list_certificates).unwrap(), std::slice::from_ref(&info));
    assert!(revoke(&fixture, "cc"));
    assert_eq!(fixture.db.read(list_certificates).unwrap(), [CertificateInfo { revoked: true, ..info }]);
}
