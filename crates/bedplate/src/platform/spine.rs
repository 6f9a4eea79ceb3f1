//! The spine: database, identity, policy, prices and keys, opened in that order.

use std::sync::Arc;

use bedplate_audit::Signer;
use bedplate_db::{Db, Migration};
use bedplate_identity::{Authenticator, NewToken, Principal};
use bedplate_ledger::PriceSheet;
use bedplate_policy::Policy;
use bedplate_types::{Clock, ErrorKind, Problem, SystemClock};

use super::of;
use crate::home::Home;
use crate::{keys, prices};

/// What everything else is built on.
pub struct Spine {
    pub db: Db,
    pub authenticator: Authenticator,
    pub policy: Policy,
    pub clock: Arc<dyn Clock>,
    /// What the first PriceSheet is made of.
    pub prices: PriceSheet,
    pub signer: Arc<Signer>,
}

pub fn open(home: &Home, site: Option<&str>) -> Result<Spine, Problem> {
    let db = Db::open(&home.path("bedplate.db"), &migrations()).map_err(of("the database"))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Spine {
        authenticator: Authenticator::new(db.clone(), clock.clone()),
        policy: Policy::load(db.clone()).map_err(of("the policies"))?.at_site(site),
        prices: prices::load(home)?,
        signer: Arc::new(Signer::from_seed(keys::audit_seed(home)?)),
        db,
        clock,
    })
}

fn migrations() -> Vec<Migration> {
    [
        bedplate_audit::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_openlineage::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
        bedplate_serving::MIGRATIONS,
    ]
    .concat()
}

/// The local administrator's token: made on the first start, kept in `credentials`, readable by the owner only.
pub fn admin_token(home: &Home, spine: &Spine) -> Result<String, Problem> {
    let (db, now) = (spine.db.clone(), spine.clock.now());
    let bytes = home.secret("credentials", || {
        let new = NewToken::new(administrator(), "local administrator");
        let random = keys::random()?;
        let issued = db.write(move |tx| bedplate_identity::issue(tx, &new, now, random));
        issued.map(String::into_bytes).map_err(of("the administrator's token"))
    })?;
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(ErrorKind::Corrupt, "credentials", "is not text")
            .with_fix("delete the file; a new token is made at the next start")
    })
}

pub fn administrator() -> Principal {
    Principal { name: "user:admin".into(), groups: vec!["system:masters".into()] }
}
