//! A platform in one file, and a home made of it.
//!
//! [`take`] writes the database as of one moment, then the files it tells of: tables, objects, models and runs are only ever
//! added to, so what the database knows is there when it is copied after it; a table's log is copied before its data, so
//! that every file the log names is there; a file of a bucket stays for an hour when its object goes. The online store is copied as of one moment of its own, after the database: a
//! push that was acknowledged before the backup began is in it. [`restore`] believes nothing before all of it was read.

mod restore;
mod take;

pub use restore::restore;
pub use take::{Source, take};

/// What an archive may hold. Not the kubeconfig, which has the administrator's token in it and is made at every start.
const FOLDERS: [&str; 6] = ["lake", "objects", "models", "runs", "buckets", "examples"];
const DATABASE: &str = "bedplate.db";
const ONLINE: &str = "online.copy";
const PRICES: &str = "prices.json";
const KEYS: &str = "keys";
const CREDENTIALS: &str = "credentials";

pub fn tops() -> Vec<&'static str> {
    FOLDERS.into_iter().chain([DATABASE, ONLINE, PRICES, KEYS, CREDENTIALS]).collect()
}
