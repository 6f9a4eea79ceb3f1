//! Entities.

use bedplate_kinds::{ColumnType, EntitySpec, JoinKey};

use super::Declared;
use super::messages::{self, Registry, value_type};
use super::name::Names;

/// What Feast puts where a view is about nothing in particular.
pub const DUMMY: &str = "__dummy";

pub fn translate(registry: &Registry, declared: &mut Declared) {
    let mut names = Names::default();
    for entity in registry.entities.iter().filter_map(|entity| entity.spec.as_ref()) {
        if entity.name == DUMMY {
            continue;
        }
        let Some(type_) = join_key_type(registry, entity) else {
            let why =
                format!("its join key {} is neither a string nor a whole number, or nobody says", entity.join_key);
            declared.refuse("Entity", &entity.name, why);
            continue;
        };
        let join_key = JoinKey { name: entity.join_key.clone(), type_ };
        if let Some(name) = declared.name(&mut names, "Entity", &entity.name) {
            let spec = EntitySpec { description: entity.description.clone(), join_keys: vec![join_key] };
            declared.entities.push((name, spec));
        }
    }
}

/// Said of the entity itself, or by a view that has the column.
fn join_key_type(registry: &Registry, entity: &messages::EntitySpec) -> Option<ColumnType> {
    let views = registry.feature_views.iter().filter_map(|view| view.spec.as_ref());
    let views = views.filter(|view| view.project == entity.project && view.entities.contains(&entity.name));
    let columns = views.flat_map(|view| &view.entity_columns).filter(|column| column.name == entity.join_key);
    let said = [entity.value_type].into_iter().chain(columns.map(|column| column.value_type));
    match said.into_iter().find(|said| *said != value_type::INVALID)? {
        value_type::STRING => Some(ColumnType::String),
        value_type::INT32 => Some(ColumnType::Int32),
        value_type::INT64 => Some(ColumnType::Int64),
        _ => None,
    }
}
