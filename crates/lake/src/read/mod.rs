//! Reading: what a text or a JSON value is as the type its column was declared with.
//!
//! [`Rows`] gathers rows of declared columns. A value that is not what was declared does not end the reading: its row is
//! kept apart with the reason, for the quarantine table.
//!
//! | declared | in text | in JSON |
//! |---|---|---|
//! | string | as it is, UTF-8 | a string |
//! | int32, int64 | decimal, in range | a number without fraction, in range |
//! | float64 | decimal; `NaN`, `inf`, `-Infinity` are values, `1e999` is none | a number |
//! | boolean | `true` or `false` in any case | `true`, `false` |
//! | timestamp | RFC 3339 with whole microseconds; without a zone only where the source declares one | a string of that |
//!
//! White space around all but strings is dropped.

mod json;
mod rows;
mod text;
mod time;

pub use rows::{Fault, Rows, RowsRead};
pub use time::{BadZone, Zone};

/// A value of a declared type.
#[derive(Clone, Debug, PartialEq)]
enum Value<'a> {
    String(&'a str),
    Int32(i32),
    Int64(i64),
    Float64(f64),
    Boolean(bool),
    /// Microseconds since 1970 in UTC.
    Timestamp(i64),
}

/// How much of a value is shown to people.
const SHOWN: usize = 40;

/// Text for people: quoted, escaped, and cut where it is long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{:?}…", &text[..at]),
        None => format!("{text:?}"),
    }
}
