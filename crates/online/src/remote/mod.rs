//! The engine that several processes share: a Redis (7 or newer) or Valkey.
//!
//! | key | what |
//! |---|---|
//! | `bedplate:about` | the layout of all this, and whose rows they are |
//! | `bedplate:view:<view id>` | a hash: `base`, the generation its rows are in, and `rows`, their number; `over`, that of a load that lies over them; `stage` and `staged`, of a load that nobody sees yet; `loaded`, its marker |
//! | `bedplate:rows:<generation>:<entity>` | a sorted set: the entity's rows ([`member`]) |
//! | `bedplate:entities:<generation>` | a list: the entities that have rows in it, each once |
//! | `bedplate:generations` | the last generation there was |
//! | `bedplate:trash` | a list of generations that nobody sees, to be removed |
//!
//! All that changes them is a script (`scripts/`), which nobody sees half of, and on whose order all processes agree. A push
//! goes into the base. A load fills a generation of its own, piece by piece, which `show` makes visible at once: as the base,
//! where there are no rows yet, else over it, so that readers look in both; then its rows are folded into the base, entity by
//! entity. So a load that is cut short was never seen, one that is cut short while it is folded is seen whole, and whoever
//! loads next throws away or folds what there is. Of two loads of one view the one that was begun last counts.
//!
//! Nothing of it is remembered in the process: another may have changed it.

mod address;
mod link;
mod load;
mod member;
mod pool;
mod problem;
mod read;
mod scripts;
mod standing;
mod stored;
mod write;

use std::sync::Arc;

pub use address::RedisAddress;
pub use problem::RedisProblem;
pub use standing::{Keeps, Standing};

use self::pool::Pool;
use crate::OnlineError;

/// How to come to a Redis.
#[derive(Clone, Debug)]
pub struct Connect {
    pub address: RedisAddress,
    /// PEM: who vouches for a server that speaks TLS; the machine's authorities when left out.
    pub ca: Option<Vec<u8>>,
    /// The platform whose rows they are. A Redis that has those of another is refused.
    pub owner: String,
    /// Also one that does not keep all that it acknowledges.
    pub may_lose: bool,
}

#[derive(Clone)]
pub(crate) struct RemoteStore {
    pool: Arc<Pool>,
}

impl RemoteStore {
    pub(crate) fn connect(how: Connect) -> Result<Self, OnlineError> {
        let pool = Pool::new(how)?;
        pool.with(|_| Ok(()))?;
        Ok(Self { pool })
    }

    pub(crate) fn shown(&self) -> &str {
        self.pool.server()
    }

    pub(crate) fn standing(&self) -> Result<Standing, OnlineError> {
        Ok(self.pool.standing()?)
    }
}

impl Connect {
    /// How it stands with the Redis, which nothing is written to.
    ///
    /// # Errors
    /// As [`crate::OnlineStore::connect`], but whose rows it has is not asked.
    pub fn standing(self) -> Result<Standing, OnlineError> {
        Ok(Pool::new(self)?.standing()?)
    }
}
