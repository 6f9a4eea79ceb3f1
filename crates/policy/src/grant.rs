//! A role given to somebody somewhere.

use std::fmt;

use bedplate_db::{Row, Tx};
use serde::{Deserialize, Serialize};

use crate::PolicyError;

/// What somebody may do in a namespace; each role includes the one below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, also Secrets and the namespace itself.
    Owner,
    /// Reads, writes, predicts, pushes features, reads data.
    Editor,
    /// Reads objects.
    Viewer,
}

impl Role {
    /// The weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `principal` has `role` in `namespace`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// A principal's name, or `group:` and a group's.
    pub principal: String,
    /// `*` for all.
    pub namespace: String,
    pub role: Role,
}

impl Grant {
    pub fn new(principal: impl Into<String>, namespace: impl Into<String>, role: Role) -> Self {
        Self { principal: principal.into(), namespace: namespace.into(), role }
    }
}

/// Writes a grant down; again changes nothing. It counts after [`crate::Policy::reload`].
///
/// # Errors
/// [`PolicyError::Empty`], [`PolicyError::Db`].
pub fn grant(tx: &mut dyn Tx, grant: &Grant) -> Result<(), PolicyError> {
    check(grant)?;
    let sql = "INSERT INTO policy_grants (principal, namespace, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[(&grant.principal).into(), (&grant.namespace).into(), grant.role.as_str().into()])?;
    count_change(tx)
}

pub(crate) fn check(grant: &Grant) -> Result<(), PolicyError> {
    if grant.principal.is_empty() || grant.principal == "group:" {
        return Err(PolicyError::Empty("principal"));
    }
    if grant.namespace.is_empty() {
        return Err(PolicyError::Empty("namespace"));
    }
    Ok(())
}

/// Tells every process that the grants are not what they were.
pub(crate) fn count_change(tx: &mut dyn Tx) -> Result<(), PolicyError> {
    tx.execute("UPDATE policy_version SET version = version + 1 WHERE id = 1", &[])?;
    Ok(())
}

/// How often grants and policies were changed so far, for [`crate::Policy::refresh_to`].
///
/// # Errors
/// [`PolicyError::Db`].
pub fn version(tx: &mut dyn Tx) -> Result<i64, PolicyError> {
    let rows = tx.query("SELECT version FROM policy_version WHERE id = 1", &[])?;
    Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or_default())
}

/// Takes a grant back; false when there was none. It counts after [`crate::Policy::reload`].
///
/// # Errors
/// [`PolicyError::Db`].
pub fn revoke(tx: &mut dyn Tx, grant: &Grant) -> Result<bool, PolicyError> {
    let sql = "DELETE FROM policy_grants WHERE principal = $1 AND namespace = $2 AND role = $3";
    let gone = tx.execute(sql, &[(&grant.principal).into(), (&grant.namespace).into(), grant.role.as_str().into()])?;
    count_change(tx)?;
    Ok(gone == 1)
}

/// All grants, those of bindings included, by namespace, role and principal.
///
/// # Errors
/// [`PolicyError::Role`] when a stored role does not exist, [`PolicyError::Db`].
pub fn list(tx: &mut dyn Tx) -> Result<Vec<Grant>, PolicyError> {
    let sql = "SELECT principal, namespace, role FROM policy_grants
               UNION SELECT principal, namespace, role FROM policy_bound_grants
               ORDER BY namespace, role, principal";
    tx.query(sql, &[])?.iter().map(read).collect()
}

pub(crate) fn read_bound(row: &Row) -> Result<(String, Grant), PolicyError> {
    Ok((row.text(3)?.to_owned(), read(row)?))
}

fn read(row: &Row) -> Result<Grant, PolicyError> {
    let (principal, namespace, role) = (row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(2)?);
    match Role::parse(role) {
        Some(role) => Ok(Grant { principal, namespace, role }),
        None => Err(PolicyError::Role { principal, namespace, role: role.to_owned() }),
    }
}
