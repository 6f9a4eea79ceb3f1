//! The grants of one RoleBinding, which come and go with it.

use bedplate_db::Tx;

use crate::grant::{check, count_change, read_bound};
use crate::{Grant, PolicyError};

/// Every grant of a binding, with the binding's name.
///
/// # Errors
/// [`PolicyError::Role`] when a stored role does not exist, [`PolicyError::Db`].
pub fn bound(tx: &mut dyn Tx) -> Result<Vec<(String, Grant)>, PolicyError> {
    let sql =
        "SELECT principal, namespace, role, binding FROM policy_bound_grants ORDER BY namespace, binding, principal";
    tx.query(sql, &[])?.iter().map(read_bound).collect()
}

/// Makes `grants` the only ones of `namespace`'s binding called `binding`; none: the binding is gone. It counts after
/// [`crate::Policy::refresh`].
///
/// # Errors
/// [`PolicyError::Empty`], [`PolicyError::Elsewhere`] for a grant outside of `namespace`, [`PolicyError::Db`].
pub fn bind(tx: &mut dyn Tx, namespace: &str, binding: &str, grants: &[Grant]) -> Result<(), PolicyError> {
    tx.execute(
        "DELETE FROM policy_bound_grants WHERE namespace = $1 AND binding = $2",
        &[namespace.into(), binding.into()],
    )?;
    for grant in grants {
        check(grant)?;
        if grant.namespace != namespace {
            return Err(PolicyError::Elsewhere {
                binding: format!("{namespace}/{binding}"),
                namespace: grant.namespace.clone(),
            });
        }
        tx.execute(
            "INSERT INTO policy_bound_grants (namespace, binding, principal, role) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            &[namespace.into(), binding.into(), (&grant.principal).into(), grant.role.as_str().into()],
        )?;
    }
    count_change(tx)
}
