//! The spine: database, identity, policy, prices and keys, opened in that order.

use std::sync::Arc;

use bedplate_audit::Signer;
use bedplate_db::{Db, Migration};
use bedplate_identity::{Authenticator, IdentityError, NewToken, Principal};
use bedplate_ledger::PriceSheet;
use bedplate_policy::Policy;
use bedplate_types::{Clock, ErrorKind, Problem, SystemClock};

use super::{belongs, of};
use crate::home::Home;
use crate::storage::Storage;
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

pub fn open(home: &Home, storage: &Storage, site: Option<&str>) -> Result<Spine, Problem> {
    belongs::check_home(home, storage)?;
    let db = match storage.database() {
        None => Db::open(&home.path("bedplate.db"), &migrations()),
        Some(url) => Db::connect(url.secret(), &migrations()),
    };
    let db = db.map_err(of("the database"))?;
    belongs::check(home, storage, &db)?;
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

pub fn migrations() -> Vec<Migration> {
    [
        bedplate_audit::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_openlineage::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_buckets::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
        bedplate_serving::MIGRATIONS,
        bedplate_statistics::MIGRATIONS,
        bedplate_controllers::MIGRATIONS,
        belongs::MIGRATIONS,
    ]
    .concat()
}

/// The local administrator's token: made on the first start, kept in `credentials`, readable by the owner only.
pub fn admin_token(home: &Home, spine: &Spine) -> Result<String, Problem> {
    let known = match home.known_secret("credentials")? {
        Some(known) => known,
        None => new_admin_token(home, spine)?,
    };
    let text = String::from_utf8(known).map_err(|_| {
        Problem::new(ErrorKind::Corrupt, "credentials", "is not text")
            .with_fix("delete the file; a new token is made at the next start")
    })?;
    let (token, now) = (text.trim().to_owned(), spine.clock.now());
    match spine.db.read(|tx| bedplate_identity::authenticate(tx, &token, now)) {
        Err(IdentityError::Unknown) => {
            let why = "the database does not know the administrator's token in it";
            let fix = "use the database it was made for, or delete the file; a new token is made at the next start";
            Err(Problem::new(ErrorKind::Invalid, home.path("credentials").display().to_string(), why).with_fix(fix))
        }
        // One that was revoked on purpose stops nobody from starting.
        _ => Ok(text),
    }
}

/// Of several replicas that start for the first time at once, one makes the token.
fn new_admin_token(home: &Home, spine: &Spine) -> Result<Vec<u8>, Problem> {
    let now = spine.clock.now();
    let new = NewToken::new(administrator(), "local administrator");
    let random = keys::random()?;
    let issued = spine.db.write(move |tx| bedplate_identity::issue(tx, &new, now, random));
    let issued = issued.map_err(of("the administrator's token"))?.into_bytes();
    let kept = home.new_secret("credentials", issued.clone())?;
    if kept != issued {
        let mine = String::from_utf8_lossy(&issued).into_owned();
        let id = bedplate_identity::token_id(&mine).map_err(of("the administrator's token"))?;
        let ended = spine.db.write(move |tx| bedplate_identity::revoke(tx, &id));
        ended.map_err(of("the administrator's token"))?;
    }
    Ok(kept)
}

pub fn administrator() -> Principal {
    Principal { name: "user:admin".into(), groups: vec!["system:masters".into()] }
}
