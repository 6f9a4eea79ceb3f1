//! Where the next certificate comes from: files that change, or the platform's own authority at half life.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bedplate_types::{Clock, ErrorKind, Problem, Span, Timestamp};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio_util::sync::CancellationToken;

use super::authority::{Authority, Wanted};
use super::certificate::{self, Pair};
use super::current::Current;
use crate::home::unusable;

/// How often it is looked whether there is something newer.
const EVERY: Duration = Duration::from_secs(1);
/// No certificate with its chain, and no key, is longer.
const LONGEST_FILE: u64 = 1 << 20;

pub enum Source {
    Files(Reading),
    Authority(Issuing),
}

pub async fn keep(mut source: Source, current: Arc<Current>, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! { _ = tick.tick() => {}, () = cancel.cancelled() => return }
        let newer = match &mut source {
            Source::Files(files) => files.newer(clock.now()),
            Source::Authority(issuing) => issuing.due(current.life(), clock.now()),
        };
        match newer {
            None => {}
            Some(Ok(pair)) => {
                tracing::info!(until = %pair.not_after, "a new certificate is in use");
                current.replace(pair);
            }
            Some(Err(problem)) => {
                tracing::error!(%problem, "the new certificate cannot be used; the old one stays");
            }
        }
    }
}

/// A certificate and a key in files that somebody else renews.
pub struct Reading {
    certificate: PathBuf,
    key: PathBuf,
    /// What was last read into use or refused.
    known: Option<Content>,
    /// What was there at the last look: it is used when it is still there at the next, for the two files are not replaced at once.
    seen: Option<Content>,
}

type Content = (Vec<u8>, Vec<u8>);

impl Reading {
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key, known: None, seen: None }
    }

    pub fn read(&mut self, now: Timestamp) -> Result<Pair, Problem> {
        let content = self.content()?;
        self.known = Some(content.clone());
        self.take(&content, now)
    }

    /// What is there now, if it is new and has come to rest.
    fn newer(&mut self, now: Timestamp) -> Option<Result<Pair, Problem>> {
        // A file that is away for a moment is being replaced.
        let content = self.content().ok()?;
        let (is_known, rests) = (self.known.as_ref() == Some(&content), self.seen.as_ref() == Some(&content));
        self.seen = Some(content.clone());
        if is_known || !rests {
            return None;
        }
        self.known = Some(content.clone());
        Some(self.take(&content, now))
    }

    fn take(&self, (certificate, key): &Content, now: Timestamp) -> Result<Pair, Problem> {
        let what = format!("{} with {}", self.certificate.display(), self.key.display());
        certificate::pair(&what, certificate, key, now)
    }

    fn content(&self) -> Result<Content, Problem> {
        Ok((read(&self.certificate)?, read(&self.key)?))
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Problem> {
    let of = |error: std::io::Error| unusable(path, &error);
    if std::fs::metadata(path).map_err(of)?.len() > LONGEST_FILE {
        let why = "is longer than 1 MiB: no certificate and no key is";
        return Err(Problem::new(ErrorKind::TooLarge, path.display().to_string(), why).with_fix("give it a PEM file"));
    }
    std::fs::read(path).map_err(of)
}

/// The platform's own authority, asked for these names.
pub struct Issuing {
    pub authority: Arc<Authority>,
    pub names: Vec<String>,
    pub lasts: Span,
}

impl Issuing {
    pub fn issue(&self, now: Timestamp) -> Result<Pair, Problem> {
        let (issued, key) = self.authority.issue_with_key(&Wanted::Server(self.names.clone()), now, self.lasts)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| Problem::new(ErrorKind::Internal, "a new key", error.to_string()))?;
        certificate::made(issued.der, key)
    }

    fn due(&self, life: (Timestamp, Timestamp), now: Timestamp) -> Option<Result<Pair, Problem>> {
        is_half_over(life, self.lasts, now).then(|| self.issue(now))
    }
}

/// A certificate counts from its last moment backwards: it begins a little before it was issued.
pub fn is_half_over((_, until): (Timestamp, Timestamp), lasts: Span, now: Timestamp) -> bool {
    until.micros_since(now) <= lasts.micros() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_certificate_is_renewed_at_half_its_life_and_not_before() {
        let (life, lasts) = ((at(-300), at(1_000)), Span::from_micros(1_000));
        assert!(!is_half_over(life, lasts, at(499)));
        assert!(is_half_over(life, lasts, at(500)) && is_half_over(life, lasts, at(2_000)));
    }

    #[test]
    fn files_are_taken_when_they_have_come_to_rest_and_a_broken_pair_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("crt"), folder.path().join("key"));
        let now = at(1_800_000_000_000_000);
        let home = crate::home::Home::open(&folder.path().join("home")).unwrap();
        let authority = Authority::open(&home, now).unwrap();
        let new =
            || authority.issue_with_key(&Wanted::Server(vec!["localhost".into()]), now, Span::from_micros(60_000_000));
        let [one, two] = [new().unwrap(), new().unwrap()];
        std::fs::write(&certificate, &one.0.pem).unwrap();
        std::fs::write(&key, &one.1).unwrap();
        let mut files = Reading::new(certificate.clone(), key.clone());
        files.read(now).unwrap();
        assert!(files.newer(now).is_none(), "nothing changed");

        std::fs::write(&certificate, &two.0.pem).unwrap();
        assert!(files.newer(now).is_none(), "the key may be on its way");
        let broken = files.newer(now).unwrap().err().unwrap();
        assert!(broken.why.contains("Mismatch") && !broken.to_string().contains("PRIVATE"), "{broken}");
        assert!(files.newer(now).is_none(), "once is enough");

        std::fs::write(&key, &two.1).unwrap();
        assert!(files.newer(now).is_none());
        files.newer(now).unwrap().unwrap();

        let late = at(now.micros() + 60_000_000);
        files.known = None;
        assert!(files.newer(late).unwrap().err().unwrap().why.contains("expired"));
        std::fs::remove_file(&key).unwrap();
        assert!(files.newer(now).is_none(), "a file that is away is no reason");
    }
}
