//! What can be told of a statement by its text alone.

use crate::DbError;
use crate::error::shorten;

const CONTROL: [&str; 9] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE"];

/// Refuses what begins or ends a transaction: that is for whoever holds it, and its neighbours may be in it too.
pub(crate) fn refuse_control(sql: &str) -> Result<(), DbError> {
    let text = sql.trim_start();
    let first = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if CONTROL.iter().any(|word| first.eq_ignore_ascii_case(word)) {
        return Err(DbError::Commit { why: format!("{} is not for a closure to say", shorten(sql)) });
    }
    Ok(())
}

/// The highest number of a placeholder `$1`, `$2`, … that stands outside of quotes and comments.
pub(crate) fn placeholders(sql: &str) -> usize {
    let mut rest = sql;
    let mut highest = 0;
    while let Some(at) = rest.find(['$', '\'', '"', '-', '/']) {
        let (sign, tail) = (&rest[at..=at], &rest[at + 1..]);
        rest = match sign {
            "$" => {
                let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
                highest = highest.max(tail[..digits].parse().unwrap_or(0));
                &tail[digits..]
            }
            "-" if tail.starts_with('-') => after(tail, "\n"),
            "/" if tail.starts_with('*') => after(&tail[1..], "*/"),
            "'" | "\"" => after(tail, sign),
            _ => tail,
        };
    }
    highest
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_placeholders_and_nothing_that_looks_like_one() {
        for (sql, expect) in [
            ("SELECT 1", 0),
            ("SELECT $2, $1, $2", 2),
            ("SELECT '$3', $1 -- $9\n, $2 /* $8 */", 2),
            ("SELECT 'it''s $4' || $1, \"$7\"", 1),
            ("SELECT 4 - 2 / $11", 11),
            ("SELECT 'é' || $1 || '", 1),
        ] {
            assert_eq!(placeholders(sql), expect, "{sql}");
        }
    }

    #[test]
    fn knows_who_ends_a_transaction() {
        for bad in ["ROLLBACK", " commit;", "Begin", "SAVEPOINT x", "\n END"] {
            assert!(refuse_control(bad).is_err(), "{bad}");
        }
        for good in ["SELECT 1", "UPDATE endings SET x = 1", "WITH a AS (SELECT 1) SELECT 1", "PRAGMA user_version"] {
            assert!(refuse_control(good).is_ok(), "{good}");
        }
    }
}
