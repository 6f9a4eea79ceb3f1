//! What everything cost: usage events, priced once by the sheet of their own time, in double entry.
//!
//! Start with [`record`]: an event is kept, and a [`Transaction`] is posted for it that takes from the cost centre
//! (`centre:<namespace>/<team>`) what it gives to the provider of the resource (`provider:<resource>`). What a transaction
//! posts sums to zero for each currency, or it is refused. The entry names the [`PriceSheet`] and its generation. An event
//! that no sheet prices is kept and told as unpriced; [`price_backlog`] posts it once there is a sheet for its time.
//! Nothing that was posted is ever changed: [`reverse`] posts the opposite.
//!
//! The same event again changes nothing; an event of the same id that says something else is refused by name.
//! [`statement`] and [`total`] add up daily balances which are kept in the transaction of every entry, so that every
//! grouping agrees to the last millionth; [`in_cents`] rounds such figures so that they still add up. [`verify`] counts all
//! of it again from the postings.
//!
//! The ledger does not know what a resource is, who measures it, or who may see it; it takes names and amounts.

mod account;
mod backlog;
mod balance;
mod cents;
mod day;
mod error;
mod event;
mod migrations;
mod price;
mod report;
mod reversal;
mod sheet;
mod spent;
mod transaction;
mod verify;

pub use account::Account;
pub use backlog::{Unpriced, price_backlog, unpriced};
pub use cents::in_cents;
pub use error::LedgerError;
pub use event::{Recorded, UsageEvent, find, record};
pub use migrations::MIGRATIONS;
pub use price::{PriceSheet, cost};
pub use report::{Dimension, Line, Query, Statement, month_to_date, statement, total};
pub use reversal::reverse;
pub use sheet::{put_sheet, remove_sheet, sheet_at, sheets};
pub use spent::spent;
pub use transaction::{Entry, Posting, Transaction, entry};
pub use verify::{Verified, verify};
