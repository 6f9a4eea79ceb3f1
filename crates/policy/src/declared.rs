//! The texts of Policy objects, which come and go with them.

use bedplate_db::Tx;

use crate::grant::count_change;
use crate::{PolicyError, Source};

/// Makes the text the one of its object. It counts after [`crate::Policy::refresh`]; the caller has looked for its
/// [`Source::flaws`].
///
/// # Errors
/// [`PolicyError::Source`] when it cannot be read, [`PolicyError::Db`].
pub fn declare(tx: &mut dyn Tx, source: &Source) -> Result<(), PolicyError> {
    source.rules().map_err(|flaws| PolicyError::Source {
        policy: source.full_name(),
        why: flaws.first().map(ToString::to_string).unwrap_or_default(),
    })?;
    tx.execute(
        "INSERT INTO policy_texts (namespace, name, cedar) VALUES ($1, $2, $3)
         ON CONFLICT (namespace, name) DO UPDATE SET cedar = excluded.cedar",
        &[(&source.namespace).into(), (&source.name).into(), (&source.cedar).into()],
    )?;
    count_change(tx)
}

/// Takes the text of an object back. It ceases to count after [`crate::Policy::refresh`].
///
/// # Errors
/// [`PolicyError::Db`].
pub fn retract(tx: &mut dyn Tx, namespace: &str, name: &str) -> Result<(), PolicyError> {
    tx.execute("DELETE FROM policy_texts WHERE namespace = $1 AND name = $2", &[namespace.into(), name.into()])?;
    count_change(tx)
}

/// All of them, by namespace and name.
pub(crate) fn sources(tx: &mut dyn Tx) -> Result<Vec<Source>, PolicyError> {
    let rows = tx.query("SELECT namespace, name, cedar FROM policy_texts ORDER BY namespace, name", &[])?;
    let read = |row: &bedplate_db::Row| {
        let [namespace, name, cedar] = [row.text(0)?, row.text(1)?, row.text(2)?].map(str::to_owned);
        Ok(Source { namespace, name, cedar })
    };
    rows.iter().map(read).collect()
}
