//! Feature views, and the files they are made of.

use bedplate_kinds::{Aggregate, Feature, FeatureViewSource, FeatureViewSpec};
use bedplate_types::Span;

use super::entity::DUMMY;
use super::messages::{self, DataSource, FILE, PUSH, Registry, value_type};
use super::name::{Names, object_name};
use super::{Declared, FileSource, owner};

const KIND: &str = "FeatureView";

pub fn translate(registry: &Registry, declared: &mut Declared) {
    let mut names = Names::default();
    for view in registry.feature_views.iter().filter_map(|view| view.spec.as_ref()) {
        match made(registry, view) {
            Err(why) => declared.refuse(KIND, &view.name, why),
            Ok((source, spec)) => {
                let Some(name) = declared.name(&mut names, KIND, &view.name) else { continue };
                tell_of_the_rest(view, declared);
                keep(source, declared);
                declared.views.push((name, spec));
            }
        }
    }
}

fn made(registry: &Registry, view: &messages::FeatureViewSpec) -> Result<(FileSource, FeatureViewSpec), String> {
    if view.disabled {
        return Err("it is disabled".to_owned());
    }
    if view.feature_transformation.is_some() || !view.source_views.is_empty() {
        return Err("it is made by a transformation, which is not executed here".to_owned());
    }
    let entity = entity(declared_entities(registry), &view.entities)?;
    let batch = view.batch_source.as_ref().ok_or("it has no batch source")?;
    let source = source(registry, batch, view)?;
    let features: Vec<Feature> = view.features.iter().filter(|feature| is_number(feature)).map(feature).collect();
    if features.is_empty() {
        return Err("none of its features is a number".to_owned());
    }
    let spec = FeatureViewSpec {
        owner: source.owner.clone(),
        description: view.description.clone(),
        entity,
        source: FeatureViewSource { datasets: vec![source.name.clone()], sql: query(&source.name, batch) },
        timestamp_column: source.time_column.clone(),
        created_column: Some(batch.created_timestamp_column.clone()).filter(|column| !column.is_empty()),
        ttl: view.ttl.as_ref().and_then(ttl),
        features,
        materialize_until: None,
        terms: Vec::new(),
        push_source: view.stream_source.as_ref().filter(|stream| stream.type_ == PUSH).map(|push| push.name.clone()),
    };
    Ok((source, spec))
}

fn declared_entities(registry: &Registry) -> impl Iterator<Item = &messages::EntitySpec> {
    registry.entities.iter().filter_map(|entity| entity.spec.as_ref())
}

fn entity<'a>(mut known: impl Iterator<Item = &'a messages::EntitySpec>, named: &[String]) -> Result<String, String> {
    match named {
        [one] if one != DUMMY => {
            let entity = known.find(|entity| entity.name == *one).ok_or_else(|| format!("there is no entity {one}"))?;
            object_name(&entity.name).ok_or_else(|| format!("{one:?} cannot be the name of an object"))
        }
        [] | [_] => Err("it is about no entity".to_owned()),
        several => Err(format!("it is about {} entities: one is wanted, with several join keys", several.len())),
    }
}

fn source(registry: &Registry, batch: &DataSource, view: &messages::FeatureViewSpec) -> Result<FileSource, String> {
    let file = batch.file_options.as_ref().filter(|_| batch.type_ == FILE);
    let file = file.ok_or_else(|| format!("its source {} is not a file", batch.name))?;
    let stem = || file.uri.rsplit('/').next().and_then(|name| name.split('.').next()).and_then(object_name);
    let name = object_name(&batch.name).or_else(stem);
    Ok(FileSource {
        name: name.ok_or_else(|| format!("its source {:?} has no name that an object can have", batch.name))?,
        uri: file.uri.clone(),
        owner: owner(registry, if view.owner.is_empty() { &batch.owner } else { &view.owner }, &view.project),
        description: batch.description.clone(),
        time_column: Some(batch.timestamp_field.clone()).filter(|column| !column.is_empty()),
    })
}

/// Columns keep their names, and get those that the source gives them.
fn query(dataset: &str, batch: &DataSource) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut mapped: Vec<_> = batch.field_mapping.iter().filter(|(from, to)| from != to).collect();
    mapped.sort();
    let mapped = mapped.into_iter().map(|(from, to)| format!(", {} as {}", quoted(from), quoted(to)));
    format!("select *{} from {}", mapped.collect::<String>(), quoted(dataset))
}

fn is_number(feature: &messages::FeatureSpec) -> bool {
    use value_type::{BOOL, DOUBLE, FLOAT, INT32, INT64};
    [INT32, INT64, DOUBLE, FLOAT, BOOL].contains(&feature.value_type)
}

fn feature(feature: &messages::FeatureSpec) -> Feature {
    Feature {
        name: feature.name.clone(),
        column: None,
        aggregate: Aggregate::Last,
        window: None,
        quantile: None,
        description: feature.description.clone(),
    }
}

/// Feast's zero is no limit.
fn ttl(told: &messages::Duration) -> Option<Span> {
    let micros = told.seconds.saturating_mul(1_000_000).saturating_add(i64::from(told.nanos) / 1_000);
    (micros > 0).then(|| Span::from_micros(micros))
}

/// Of a view that exists here, what does not.
fn tell_of_the_rest(view: &messages::FeatureViewSpec, declared: &mut Declared) {
    let others: Vec<&str> =
        view.features.iter().filter(|feature| !is_number(feature)).map(|feature| feature.name.as_str()).collect();
    if !others.is_empty() {
        let why = format!("features that are not numbers are not here: {}", others.join(", "));
        declared.refuse(KIND, &view.name, why);
    }
    if let Some(stream) = view.stream_source.as_ref().filter(|stream| stream.type_ != PUSH) {
        declared.refuse(KIND, &view.name, format!("its stream {} is not read here: push rows instead", stream.name));
    }
}

fn keep(source: FileSource, declared: &mut Declared) {
    match declared.sources.iter().find(|known| known.name == source.name) {
        None => declared.sources.push(source),
        Some(known) if known.uri == source.uri => {}
        Some(known) => {
            let why = format!("two files would be the dataset {}: {} is, {} is not", known.name, known.uri, source.uri);
            declared.refuse("Dataset", &source.name, why);
        }
    }
}
