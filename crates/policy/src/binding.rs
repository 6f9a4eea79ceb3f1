//! The grants of one RoleBinding, which come and go with it.

use bedplate_db::Tx;

use crate::grant::{check, count_change};
use crate::{Grant, PolicyError};

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
