use bedplate_kinds::ColumnType;
use bedplate_types::Span;

use super::messages::*;
use super::*;

fn field(name: &str, value_type: i32) -> FeatureSpec {
    FeatureSpec { name: name.into(), value_type, description: String::new() }
}

fn file(name: &str, uri: &str) -> DataSource {
    DataSource {
        type_: FILE,
        name: name.into(),
        timestamp_field: "at".into(),
        file_options: Some(FileOptions { uri: uri.into() }),
        ..DataSource::default()
    }
}

fn view(name: &str) -> messages::FeatureViewSpec {
    messages::FeatureViewSpec {
        name: name.into(),
        project: "drivers".into(),
        entities: vec!["driver".into()],
        features: vec![field("trips", value_type::DOUBLE), field("rating", value_type::FLOAT)],
        ttl: Some(Duration { seconds: 86_400, nanos: 0 }),
        batch_source: Some(file("trip_rows", "/data/trips.parquet")),
        entity_columns: vec![field("driver_id", value_type::INT64)],
        ..messages::FeatureViewSpec::default()
    }
}

fn of(views: Vec<messages::FeatureViewSpec>) -> Registry {
    let driver = messages::EntitySpec {
        name: "driver".into(),
        join_key: "driver_id".into(),
        project: "drivers".into(),
        ..messages::EntitySpec::default()
    };
    Registry {
        registry_schema_version: "1".into(),
        entities: vec![messages::Entity { spec: Some(driver) }],
        feature_views: views.into_iter().map(|spec| FeatureView { spec: Some(spec) }).collect(),
        ..Registry::default()
    }
}

#[test]
fn what_is_no_registry_is_told_from_what_is() {
    assert!(read(b"SQLite format 3\0").is_none());
    assert!(read(b"").is_none(), "a message without fields is any message");
    assert!(read(&of(Vec::new()).encode_to_vec()).is_some());
}

#[test]
fn a_view_its_entity_and_its_file_are_declared() {
    let declared = read(&of(vec![view("driver_stats")]).encode_to_vec()).unwrap();
    let (name, entity) = &declared.entities[0];
    assert_eq!((name.as_str(), entity.join_keys[0].name.as_str()), ("driver", "driver_id"));
    assert_eq!(entity.join_keys[0].type_, ColumnType::Int64, "a view says it");
    let (name, spec) = &declared.views[0];
    assert_eq!((name.as_str(), spec.entity.as_str(), spec.owner.as_str()), ("driver-stats", "driver", "drivers"));
    assert_eq!(
        (spec.source.datasets[0].as_str(), spec.source.sql.as_str()),
        ("trip-rows", "select * from \"trip-rows\"")
    );
    assert_eq!((spec.timestamp_column.as_deref(), spec.ttl), (Some("at"), Some(Span::from_micros(86_400_000_000))));
    assert_eq!(declared.sources[0].uri, "/data/trips.parquet");
    assert_eq!(declared.not_here, []);
}

#[test]
fn a_sources_created_column_is_the_views() {
    let mut stats = view("driver_stats");
    let created = |stats: &messages::FeatureViewSpec| {
        let declared = translate(&of(vec![stats.clone()]));
        assert_eq!(declared.not_here, []);
        declared.views[0].1.created_column.clone()
    };
    assert_eq!(created(&stats), None);
    stats.batch_source.as_mut().unwrap().created_timestamp_column = "made".into();
    assert_eq!(created(&stats).as_deref(), Some("made"));
}

/// Why the one view of a registry is not here, or what of it is not.
fn check(change: impl FnOnce(&mut messages::FeatureViewSpec), is_here: bool, words: &str) {
    let mut changed = view("driver_stats");
    change(&mut changed);
    let declared = translate(&of(vec![changed]));
    assert_eq!(declared.views.len(), usize::from(is_here), "{words}: {declared:?}");
    assert!(declared.not_here.iter().any(|one| one.why.contains(words)), "{words}: {:?}", declared.not_here);
}

#[test]
fn what_cannot_exist_here_is_told() {
    check(|view| view.feature_transformation = Some(Something {}), false, "not executed here");
    check(|view| view.disabled = true, false, "disabled");
    check(|view| view.entities.clear(), false, "no entity");
    check(|view| view.entities.push("car".into()), false, "2 entities");
    check(|view| view.entities = vec!["nobody".into()], false, "no entity nobody");
    check(|view| view.batch_source.as_mut().unwrap().type_ = 2, false, "not a file");
    check(|view| view.features = vec![field("name", value_type::STRING)], false, "none of its features is a number");
    check(|view| view.features.push(field("name", value_type::STRING)), true, "not numbers are not here: name");
    check(|view| view.stream_source = Some(DataSource { type_: 3, ..file("kafka", "") }), true, "stream kafka");
    check(|view| view.name = "drivers' stats".into(), false, "cannot be the name");
}

#[test]
fn python_is_told_to_be_not_executed_and_what_selects_it_goes_without() {
    let mut registry = of(vec![view("driver_stats")]);
    let named = |name: &str| Named { spec: Some(NamedSpec { name: name.into() }) };
    registry.on_demand_feature_views = vec![named("by_hand")];
    let projection = |view: &str, feature: &str| Projection {
        feature_view_name: view.into(),
        feature_columns: vec![field(feature, value_type::DOUBLE)],
        ..Projection::default()
    };
    let service = |name: &str, features: Vec<Projection>| FeatureService {
        spec: Some(messages::FeatureServiceSpec { name: name.into(), features, ..Default::default() }),
    };
    registry.feature_services = vec![
        service("both", vec![projection("driver_stats", "rating"), projection("by_hand", "x")]),
        service("none", vec![projection("by_hand", "x")]),
    ];
    let declared = translate(&registry);
    assert_eq!(declared.services.len(), 1);
    assert_eq!(
        (declared.services[0].0.as_str(), &declared.services[0].1.views[0].features),
        ("both", &vec!["rating".to_owned()])
    );
    let told: Vec<_> = declared.not_here.iter().map(|one| (one.name.as_str(), one.why.as_str())).collect();
    assert!(told.contains(&("by_hand", "an on-demand feature view runs Python: it is not executed here")), "{told:?}");
    assert!(told.contains(&("none", "none of its feature views is here")), "{told:?}");
    assert!(told.iter().any(|(name, why)| *name == "both" && why.contains("by_hand")), "{told:?}");
}

#[test]
fn names_that_meet_and_files_that_meet_are_told_apart() {
    let mut other = view("driver-stats");
    other.batch_source = Some(file("trip-rows", "/elsewhere.parquet"));
    let declared = translate(&of(vec![view("driver_stats"), other]));
    assert_eq!(declared.views.len(), 1);
    assert!(declared.not_here[0].why.contains("called driver-stats here already"), "{:?}", declared.not_here);
    let mut other = view("others");
    other.batch_source = Some(file("trip-rows", "/elsewhere.parquet"));
    let declared = translate(&of(vec![view("driver_stats"), other]));
    assert_eq!((declared.views.len(), declared.sources.len()), (2, 1));
    assert!(declared.not_here[0].why.contains("two files"), "{:?}", declared.not_here);
}

#[test]
fn columns_that_the_source_renames_are_there_under_both_names_and_pushes_have_theirs() {
    let mut changed = view("driver_stats");
    changed.stream_source = Some(DataSource { type_: PUSH, name: "trip_pushes".into(), ..DataSource::default() });
    let batch = changed.batch_source.as_mut().unwrap();
    batch.name = "/data/trips.parquet".into();
    batch.field_mapping.insert("n \"x\"".into(), "trips".into());
    let declared = translate(&of(vec![changed]));
    let (_, spec) = &declared.views[0];
    assert_eq!(spec.source.sql, "select *, \"n \"\"x\"\"\" as \"trips\" from \"trips\"");
    assert_eq!(spec.push_source.as_deref(), Some("trip_pushes"));
}
