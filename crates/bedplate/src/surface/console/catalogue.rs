//! The catalogue's page, from the catalogue.

use bedplate_catalogue::{EntryKind, ObjectKind};
use bedplate_console::{Catalogue, CatalogueHit, CatalogueQuery};

use crate::surface::catalogue::{Answer, Hit, UsedBy, Wanted};

const SHOWN: usize = 50;

/// `None`: it asks for a kind that there is not.
pub fn wanted(asked: &CatalogueQuery) -> Option<Wanted> {
    let kind = match asked.kind.as_str() {
        "" => None,
        kind => Some(EntryKind::parse(kind)?),
    };
    let namespace = Some(asked.namespace.clone()).filter(|namespace| !namespace.is_empty());
    Some(Wanted { text: asked.text.clone(), namespace, kind, limit: SHOWN, ..Wanted::default() })
}

pub fn shown(answer: Answer) -> Catalogue {
    Catalogue {
        total: answer.total,
        kinds: answer.kinds.into_iter().map(|(kind, count)| (kind.as_str().to_owned(), count)).collect(),
        hits: answer.results.into_iter().map(hit).collect(),
    }
}

fn hit(hit: Hit) -> CatalogueHit {
    CatalogueHit {
        kind: hit.kind.as_str().to_owned(),
        view: (hit.of == ObjectKind::FeatureView).then(|| hit.object.clone()),
        dataset: (hit.of == ObjectKind::Dataset).then_some(hit.object),
        used_by: hit.used_by.iter().map(told).collect(),
        same_as: hit.same_as,
        namespace: hit.namespace,
        name: hit.name,
        owner: hit.owner,
        description: hit.description,
        classification: hit.classification,
        tags: hit.tags,
        terms: hit.terms,
    }
}

/// `FeatureView wind`
pub fn told(one: &UsedBy) -> String {
    format!("{} {}", one.kind.as_str(), one.name)
}
