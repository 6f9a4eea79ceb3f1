//! Statements on their way through a client: nobody but who they were made for can use them, and nobody can change them.

use bedplate_types::{ErrorKind, Problem};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::Caller;

const TAG: usize = 32;

/// What seals tickets and handles of prepared statements.
pub(crate) struct Seal(hmac::Key);

/// A statement that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    principal: String,
    pub namespace: String,
    pub purpose: Option<String>,
    pub engine: Option<String>,
    pub sql: String,
}

impl Seal {
    pub fn new(key: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, b"flight tickets").as_ref()))
    }

    pub fn seal(&self, caller: &Caller, sql: &str) -> Vec<u8> {
        let sealed = Sealed {
            principal: caller.principal.name.clone(),
            namespace: caller.namespace.clone(),
            purpose: caller.purpose.clone(),
            engine: caller.engine.clone(),
            sql: sql.to_owned(),
        };
        // Strings always are JSON.
        let text = serde_json::to_vec(&sealed).unwrap_or_default();
        [hmac::sign(&self.0, &text).as_ref(), &text].concat()
    }

    /// What was sealed for `caller`. That it was says nothing of what they may: ask again.
    pub fn open(&self, caller: &Caller, bytes: &[u8]) -> Result<Sealed, Problem> {
        let wrong = || {
            let why = "it is not one that was made here for you";
            Problem::new(ErrorKind::NotFound, "the ticket", why).with_fix("ask for the statement again")
        };
        let (tag, text) = bytes.split_at_checked(TAG).ok_or_else(wrong)?;
        hmac::verify(&self.0, text, tag).map_err(|_| wrong())?;
        let sealed: Sealed = serde_json::from_slice(text).map_err(|_| wrong())?;
        if sealed.principal == caller.principal.name { Ok(sealed) } else { Err(wrong()) }
    }
}

impl Sealed {
    /// The caller as they were when it was made; who they are and what they may is that of now.
    pub fn caller(&self, now: &Caller) -> Caller {
        let Self { namespace, purpose, engine, .. } = self.clone();
        Caller { principal: now.principal.clone(), namespace, purpose, engine }
    }
}

#[cfg(test)]
mod tests {
    use bedplate_identity::Principal;

    use super::*;

    fn caller(name: &str) -> Caller {
        let (purpose, engine) = (Some("care".into()), Some("local".into()));
        Caller { principal: Principal::new(name), namespace: "flights".into(), purpose, engine }
    }

    #[test]
    fn a_ticket_is_good_for_whom_it_was_made_for_and_as_it_was_made() {
        let seal = Seal::new(&[7; 32]);
        let ticket = seal.seal(&caller("user:ana"), "SELECT 1");
        let opened = seal.open(&caller("user:ana"), &ticket).unwrap();
        let again = opened.caller(&Caller { purpose: None, engine: None, ..caller("user:ana") });
        assert_eq!(opened.sql, "SELECT 1");
        assert_eq!((again.purpose.as_deref(), again.engine.as_deref()), (Some("care"), Some("local")));
        assert!(seal.open(&caller("user:bob"), &ticket).is_err(), "another's");
        assert!(Seal::new(&[8; 32]).open(&caller("user:ana"), &ticket).is_err(), "made elsewhere");
        for place in 0..ticket.len() {
            let mut forged = ticket.clone();
            forged[place] ^= 1;
            assert!(seal.open(&caller("user:ana"), &forged).is_err(), "byte {place}");
        }
        for cut in [&[][..], &ticket[..TAG], &ticket[..ticket.len() - 1]] {
            assert!(seal.open(&caller("user:ana"), cut).is_err());
        }
    }
}
