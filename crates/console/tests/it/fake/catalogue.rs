//! A catalogue and a dataset made up for tests and for looking at the pages.

use bedplate_console::*;
use bedplate_types::{ErrorKind, Problem};

use super::before;

pub fn catalogue(asked: &CatalogueQuery) -> Catalogue {
    if asked.text == "nothing" {
        return Catalogue::default();
    }
    let hit = |kind: &str, name: &str, dataset: Option<&str>, owner: &str, description: &str| CatalogueHit {
        kind: kind.into(),
        namespace: "flights".into(),
        name: name.into(),
        dataset: dataset.map(str::to_owned),
        view: name.split_once(':').map(|(view, _)| view.to_owned()),
        owner: owner.into(),
        description: description.into(),
        classification: dataset.map(|_| "internal".to_owned()),
        tags: Vec::new(),
        terms: Vec::new(),
        used_by: Vec::new(),
        same_as: Vec::new(),
    };
    let mut hits = vec![
        hit("Dataset", "weather", Some("weather"), "meteorology", "Hourly weather at the three airports of New York."),
        hit("GlossaryTerm", "gust", None, "meteorology", "The highest wind of an hour; what a pilot feels as a blow."),
        hit("Column", "weather.wind_gust", Some("weather"), "meteorology", "m/s, the highest of the hour."),
        hit("Feature", "origin-weather:wind_gust", None, "delay-team", "The last gust known before departure."),
        hit("Column", "bookings.email", Some("bookings"), "sales", "Where the ticket was sent."),
        hit("Model", "late", None, "delay-team", "Will this flight arrive more than 15 minutes late?"),
    ];
    hits[0].tags = vec!["licence:CC0".into(), "residency:us".into()];
    hits[0].used_by = vec!["FeatureView origin-weather".into(), "FeatureService late".into(), "Endpoint late".into()];
    hits[2].terms = vec!["gust".into()];
    hits[3].same_as = vec!["airport-weather:gust".into()];
    hits[4].tags = vec!["pii:email".into()];
    hits[4].classification = Some("confidential".into());
    let kinds = [("Dataset", 1), ("GlossaryTerm", 1), ("Feature", 1), ("Model", 1), ("Column", 14)];
    Catalogue { total: 18, kinds: kinds.map(|(kind, count)| (kind.to_owned(), count)).into(), hits }
}

pub fn dataset(namespace: &str, name: &str, stranger: bool) -> Result<Dataset, Problem> {
    if (namespace, name) != ("flights", "weather") || stranger {
        let why = "there is no such dataset, or you may not see it";
        return Err(Problem::new(ErrorKind::NotFound, format!("dataset {namespace}/{name}"), why));
    }
    Ok(Dataset {
        namespace: "flights".into(),
        name: "weather".into(),
        description: "Hourly weather at the three airports of New York.".into(),
        owner: "meteorology".into(),
        classification: "internal".into(),
        tags: vec!["licence:CC0".into()],
        terms: vec!["weather".into()],
        state: State::Attention,
        rows: 26_114,
        quarantined: 1,
        version: Some(3),
        profiled: Some((3, before(12))),
        columns: columns(),
        ingests: ingests(),
        used_by: vec!["FeatureView origin-weather".into(), "FeatureService late".into(), "Endpoint late".into()],
    })
}

fn columns() -> Vec<ColumnFacts> {
    let column = |name: &str, type_: &str, description: &str, missing, distinct, shape| ColumnFacts {
        name: name.into(),
        type_: type_.into(),
        description: description.into(),
        mask: None,
        classification: None,
        tags: Vec::new(),
        terms: Vec::new(),
        suggestions: Vec::new(),
        profile: Some(ColumnProfile { missing, distinct, distinct_estimated: distinct > 4_096, shape }),
    };
    let spread = |least: &str, median: &str, mean: &str, greatest: &str, counts: Vec<u64>| {
        Shape::Numbers(Spread {
            least: least.into(),
            median: median.into(),
            mean: mean.into(),
            greatest: greatest.into(),
            counts,
        })
    };
    let bell = (0..36_i32).map(|n| u64::try_from(900 - (n - 16).pow(2) * 2).unwrap_or_default()).collect();
    let skewed = (0..30_u32).map(|n| 12_000 / (1 + u64::from(n * n))).collect();
    let texts = |all: &[(&str, u64)]| Shape::Texts(all.iter().map(|(text, n)| ((*text).to_owned(), *n)).collect());
    let mut all = vec![
        column("origin", "string", "IATA code.", 0.0, 3, texts(&[("EWR", 8_705), ("LGA", 8_706), ("JFK", 8_703)])),
        column(
            "time_hour",
            "timestamp",
            "The hour it tells of.",
            0.0,
            8_706,
            spread("2013-01-01", "2013-07-01", "2013-07-02", "2013-12-30", vec![700; 38]),
        ),
        column("temp", "float64", "°C", 0.000_04, 174, spread("-11.7", "12.8", "12.9", "38.3", bell)),
        column(
            "wind_gust",
            "float64",
            "m/s, the highest of the hour; missing when there was none to speak of.",
            0.796,
            36,
            spread("7.2", "12.3", "13.1", "34.1", skewed),
        ),
        column("reporter", "string", "Who wrote it down.", 0.1, 26_012, texts(&[])),
        column("phone", "string", "", 0.02, 9_100, Shape::Hidden),
        column("manual", "boolean", "Read by a person.", 0.0, 2, Shape::Booleans(212, 25_902)),
        column("remark", "string", "", 1.0, 0, Shape::Nothing),
    ];
    all[3].terms = vec!["gust".into()];
    all[4].suggestions = vec!["e-mail, 98 % of 1,000 values".into()];
    all[5].mask = Some("hash".into());
    all[5].tags = vec!["pii:phone".into()];
    all[5].classification = Some("confidential".into());
    all
}

fn ingests() -> Vec<IngestRow> {
    let ingest = |at, version, rows, unmet: &[&str]| IngestRow {
        at: before(at),
        version,
        rows,
        quarantined: u64::from(version.is_some()),
        expectations: 6,
        unmet: unmet.iter().map(|one| (*one).to_owned()).collect(),
    };
    vec![
        ingest(14, Some(3), 26_114, &["plausible-wind: 1 of 26,115 rows is not between 0 and 150"]),
        ingest(300, None, 0, &["enough: 3 rows, expected at least 20000"]),
        ingest(1_500, Some(2), 26_110, &[]),
    ]
}
