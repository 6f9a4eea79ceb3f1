//! Which versions of a table training sets were made of: while they are there, a model can be made again and looked into.

use std::collections::{BTreeSet, HashMap};

use bedplate_db::Tx;

use crate::walk::{CAUSES, EDGES, edges_at, read};
use crate::{LineageError, Node};

/// Of these versions of a table, which should be all it has, those that a training set was made of. A training set that does
/// not tell which versions its views were read at pins every version a view of it was ever made of.
///
/// # Errors
/// [`LineageError::Db`]; [`LineageError::Node`] when stored text was damaged.
pub fn pinned(tx: &mut dyn Tx, namespace: &str, name: &str, versions: &[i64]) -> Result<BTreeSet<i64>, LineageError> {
    let number: HashMap<Node, i64> =
        versions.iter().map(|version| (Node::table(namespace, name, version), *version)).collect();
    let tables: Vec<Node> = number.keys().cloned().collect();
    let (mut pinned, mut told, mut views) = (BTreeSet::new(), BTreeSet::new(), HashMap::<Node, BTreeSet<i64>>::new());
    for edge in edges_at(tx, (EDGES, CAUSES, "cause"), &tables, &read)? {
        let Some(version) = number.get(&edge.from) else { continue };
        match edge.to {
            set @ Node::Snapshot(_) => {
                pinned.insert(*version);
                told.insert(set);
            }
            view @ Node::View { .. } => {
                views.entry(view).or_default().insert(*version);
            }
            _ => {}
        }
    }
    let of_views: Vec<Node> = views.keys().cloned().collect();
    for edge in edges_at(tx, (EDGES, CAUSES, "cause"), &of_views, &read)? {
        if matches!(edge.to, Node::Snapshot(_)) && !told.contains(&edge.to) {
            pinned.extend(views.get(&edge.from).into_iter().flatten());
        }
    }
    Ok(pinned)
}
