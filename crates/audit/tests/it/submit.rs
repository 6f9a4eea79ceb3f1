//! What is sent to a witness, and what every answer means.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_audit::{
    Answer, COSIGNED, Checkpoint, Next, PublicKey, Standing, Submission, VerifierKey, Witness, append,
    cosigned_checkpoint, hear, published, sign_checkpoint, submission, witnesses,
};
use bedplate_types::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::{Log, ORIGIN, entry, signer};

const URL: &str = "https://witness.example/w1";
const NAME: &str = "witness.example/w1";
const NOW: Timestamp = Timestamp::from_micros(7_000_000);

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn key() -> VerifierKey {
    VerifierKey::of_witness(NAME, PublicKey::from_bytes(&secret().verifying_key().to_bytes()).unwrap())
}

fn cosigned(checkpoint: &Checkpoint) -> String {
    let (body, _) = checkpoint.note.split_once("\n\n").unwrap();
    let signature = secret().sign(format!("cosignature/v1\ntime 5\n{body}\n").as_bytes()).to_bytes();
    let id = u32::from_str_radix(key().to_string().split('+').nth(1).unwrap(), 16).unwrap();
    let raw = [&id.to_be_bytes()[..], &5_u64.to_be_bytes(), &signature].concat();
    format!("\u{2014} {NAME} {}\n", STANDARD.encode(raw))
}

fn said(status: u16, body: &str) -> Answer {
    Answer::Said { status, body: body.to_owned() }
}

fn to_send(log: &Log) -> Option<Submission> {
    log.db.read(|tx| submission(tx, URL)).unwrap()
}

fn heard(log: &Log, sent: &Submission, answer: Answer, keys: &'static [VerifierKey]) -> (Next, Witness) {
    let sent = sent.clone();
    let next = log.db.write(move |tx| hear(tx, URL, &sent, &answer, keys, NOW)).unwrap();
    (next, log.db.read(witnesses).unwrap().remove(0))
}

fn grow(log: &Log, from: u64, to: u64) {
    log.db
        .write(move |tx| {
            (from..to).try_for_each(|index| append(tx, &entry(index)).map(drop))?;
            sign_checkpoint(tx, &signer(), ORIGIN)
        })
        .unwrap();
}

#[test]
fn what_is_cosigned_is_kept_handed_out_and_not_sent_again() {
    let log = Log::new(5, &[5]);
    let sent = to_send(&log).unwrap();
    assert!(sent.old == 0 && sent.body.starts_with("old 0\n\n"), "{}", sent.body);
    let keys: &'static [VerifierKey] = vec![key()].leak();
    let (next, witness) = heard(&log, &sent, said(200, &cosigned(&sent.checkpoint)), keys);
    assert_eq!((next, witness.standing, witness.known, witness.behind), (Next::Done, Standing::Cosigned, 5, 0));
    assert_eq!((witness.name.as_str(), witness.cosigned_at), (NAME, Some(NOW)));
    assert_eq!(to_send(&log), None);
    let public = signer().public_key();
    for path in ["checkpoint", COSIGNED] {
        let note = log.db.read(|tx| published(tx, &public, path)).unwrap().unwrap();
        let checkpoint = Checkpoint::parse(std::str::from_utf8(&note).unwrap()).unwrap();
        assert!(checkpoint.is_signed_by(&public) && checkpoint.cosigned_by(&[key()]).unwrap().len() == 1, "{path}");
    }
    grow(&log, 5, 9);
    assert_eq!(log.db.read(witnesses).unwrap()[0].behind, 4);
    assert_eq!(log.db.read(cosigned_checkpoint).unwrap().unwrap().size, 5, "the newest that is cosigned");
    let sent = to_send(&log).unwrap();
    assert!(sent.old == 5 && sent.body.starts_with("old 5\n") && sent.checkpoint.size == 9, "{}", sent.body);
}

#[test]
fn every_refusal_is_told_as_what_it_is() {
    let log = Log::new(5, &[5]);
    let sent = to_send(&log).unwrap();
    let keys: &'static [VerifierKey] = vec![key()].leak();
    let forged = cosigned(&sent.checkpoint).replace("witness.example/w1 ", "witness.example/w1 A");
    let other = Log::new(4, &[4]);
    let elsewhere = cosigned(&to_send(&other).unwrap().checkpoint);
    for (answer, standing, words) in [
        (said(409, "80\n"), Standing::RolledBack, "with 80 leaves, and here it has 5"),
        (said(409, "0\n"), Standing::Forked, "another log"),
        (said(409, "many\n"), Standing::Refused, "which size"),
        (said(422, ""), Standing::Forked, "another log"),
        (said(403, "no\nmore"), Standing::Refused, "does not trust the key this log is signed with: no"),
        (said(404, ""), Standing::Refused, "does not know the log \"bedplate.example/audit\""),
        (said(400, "bad\u{1b}[31m"), Standing::Refused, "answered 400: bad[31m"),
        (said(503, "later"), Standing::Unreachable, "answered 503: later"),
        (said(429, ""), Standing::Unreachable, "answered 429"),
        (Answer::Nothing { why: "refused".into() }, Standing::Unreachable, "refused"),
        (said(200, ""), Standing::Refused, "malformed"),
        (said(200, &forged), Standing::Refused, ""),
        (said(200, &elsewhere), Standing::Refused, "does not hold"),
        (said(200, &"x".repeat(70_000)), Standing::Refused, "too long"),
    ] {
        let told = format!("{answer:.60?}");
        let (next, witness) = heard(&log, &sent, answer, keys);
        assert_eq!((next, witness.standing), (Next::Later, standing), "{told}");
        assert!(witness.why.contains(words) && witness.behind == 5, "{told}: {}", witness.why);
        assert!(log.db.read(cosigned_checkpoint).unwrap().is_none(), "{told}");
    }
    let last = log.db.read(witnesses).unwrap().remove(0);
    assert!(last.cosigned_at.is_none() && last.asked_at == NOW);
}

#[test]
fn a_witness_that_knows_another_size_is_asked_from_there() {
    let log = Log::new(9, &[4, 9]);
    let sent = to_send(&log).unwrap();
    let (next, witness) = heard(&log, &sent, said(409, "4\n"), &[]);
    assert_eq!((next, witness.known), (Next::Again, 4));
    let again = to_send(&log).unwrap();
    assert!(again.old == 4 && again.body.starts_with("old 4\n"), "{}", again.body);
    let (_, witness) = heard(&log, &again, said(409, "9\n"), &[]);
    assert_eq!(witness.known, 9);
    let same = to_send(&log).unwrap();
    assert!(same.body.starts_with("old 9\n\n"), "a proof between equal sizes is empty: {}", same.body);
    let (_, witness) = heard(&log, &same, said(409, "9\n"), &[]);
    assert_eq!(witness.standing, Standing::Forked, "of the same size, and another");
    assert!(witness.standing.is_evidence());
}

#[test]
fn without_a_key_what_is_no_cosignature_is_not_kept() {
    let log = Log::new(5, &[5]);
    let sent = to_send(&log).unwrap();
    let own = sent.checkpoint.note.split_once("\n\n").unwrap().1.to_owned();
    let (_, witness) = heard(&log, &sent, said(200, &own), &[]);
    assert_eq!(witness.standing, Standing::Refused, "the log's own signature: {}", witness.why);
    let (_, witness) = heard(&log, &sent, said(200, &cosigned(&sent.checkpoint)), &[]);
    assert_eq!((witness.standing, witness.name.as_str()), (Standing::Cosigned, NAME));
    let note = log.db.read(cosigned_checkpoint).unwrap().unwrap();
    assert_eq!(note.cosigned_by(&[key()]).unwrap().len(), 1);
}

#[test]
fn the_same_sql_runs_on_postgresql() {
    let Some(server) = bedplate_testkit::Postgres::shared("the audit log's witnesses on PostgreSQL") else { return };
    let db = bedplate_db::Db::connect(&server.database(), bedplate_audit::MIGRATIONS).unwrap();
    db.write(|tx| {
        (0..5).try_for_each(|index| append(tx, &entry(index)).map(drop))?;
        sign_checkpoint(tx, &signer(), ORIGIN)
    })
    .unwrap();
    let sent = db.read(|tx| submission(tx, URL)).unwrap().unwrap();
    let answer = said(200, &cosigned(&sent.checkpoint));
    for _ in 0..2 {
        let (sent, answer) = (sent.clone(), answer.clone());
        db.write(move |tx| hear(tx, URL, &sent, &answer, &[], NOW)).unwrap();
    }
    assert_eq!(db.read(witnesses).unwrap()[0].standing, Standing::Cosigned);
    assert_eq!(db.read(cosigned_checkpoint).unwrap().unwrap().size, 5);
}
