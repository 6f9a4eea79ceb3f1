//! Feast's registry, read: what of it exists here as entities, feature views, feature services and datasets, and what cannot,
//! with the reason. Nothing of it is executed: the Python in it is not even looked at.
//!
//! Start with [`read`]. It decides over plain values: whose the objects become and where files may lie is for others.

mod entity;
mod messages;
mod name;
mod service;
mod view;

use bedplate_kinds::{EntitySpec, FeatureServiceSpec, FeatureViewSpec};
use prost::Message;

use self::messages::{Named, Registry};
use self::name::Names;

/// What a registry declares, in the order it can be applied in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    pub entities: Vec<(String, EntitySpec)>,
    /// Files that views are made of, each once.
    pub sources: Vec<FileSource>,
    pub views: Vec<(String, FeatureViewSpec)>,
    pub services: Vec<(String, FeatureServiceSpec)>,
    pub not_here: Vec<NotHere>,
}

/// A file of rows, as Feast knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// Of the Dataset.
    pub name: String,
    /// As it was declared: a path, or something else.
    pub uri: String,
    pub owner: String,
    pub description: String,
    pub time_column: Option<String>,
}

/// What the registry says and nothing here does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotHere {
    pub kind: &'static str,
    /// Of the object it would be, or of the thing as Feast calls it.
    pub name: String,
    pub why: String,
}

/// None: the bytes are not a registry of Feast.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Declared> {
    let registry = Registry::decode(bytes).ok().filter(|registry| !registry.registry_schema_version.is_empty())?;
    Some(translate(&registry))
}

fn translate(registry: &Registry) -> Declared {
    let mut declared = Declared::default();
    entity::translate(registry, &mut declared);
    view::translate(registry, &mut declared);
    service::translate(registry, &mut declared);
    let executed = "an on-demand feature view runs Python: it is not executed here";
    let several: [(&[Named], &'static str, &str); 4] = [
        (&registry.on_demand_feature_views, "FeatureView", executed),
        (
            &registry.stream_feature_views,
            "FeatureView",
            "a stream feature view is not executed here: push rows instead",
        ),
        (&registry.label_views, "FeatureView", "label views are not executed here"),
        (&registry.permissions, "Permission", "permissions of Feast are not looked at here: bind roles"),
    ];
    for (named, kind, why) in several {
        for spec in named.iter().filter_map(|one| one.spec.as_ref()) {
            declared.refuse(kind, &spec.name, why);
        }
    }
    declared
}

impl Declared {
    /// How many things there are, those that are not here among them.
    #[must_use]
    pub fn count(&self) -> usize {
        let here = self.entities.len() + self.sources.len() + self.views.len() + self.services.len();
        here + self.not_here.len()
    }

    fn refuse(&mut self, kind: &'static str, name: &str, why: impl Into<String>) {
        self.not_here.push(NotHere { kind, name: name.to_owned(), why: why.into() });
    }

    /// The name of the object, or none, which is told.
    fn name(&mut self, names: &mut Names, kind: &'static str, feast: &str) -> Option<String> {
        match names.take(feast) {
            Ok(name) => Some(name),
            Err(why) => {
                self.refuse(kind, feast, why);
                None
            }
        }
    }
}

/// Who answers for what nobody is named for.
fn owner(registry: &Registry, own: &str, project: &str) -> String {
    let of_project = || {
        let mut specs = registry.projects.iter().filter_map(|one| one.spec.as_ref());
        let found = specs.find(|spec| spec.name == project).map(|spec| spec.owner.clone());
        found.filter(|owner| !owner.is_empty()).unwrap_or_else(|| project.to_owned())
    };
    if own.is_empty() { of_project() } else { own.to_owned() }
}

#[cfg(test)]
mod tests;
