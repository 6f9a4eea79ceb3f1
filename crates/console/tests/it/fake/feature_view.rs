//! A feature view made up for tests and for looking at the page.

use bedplate_console::*;
use bedplate_types::{ErrorKind, Problem};

use super::before;

pub fn feature_view(namespace: &str, name: &str, stranger: bool) -> Result<FeatureView, Problem> {
    if (namespace, name) != ("flights", "origin-weather") || stranger {
        let why = "there is no such feature view, or you may not see it";
        return Err(Problem::new(ErrorKind::NotFound, format!("feature view {namespace}/{name}"), why));
    }
    Ok(FeatureView {
        namespace: "flights".into(),
        name: "origin-weather".into(),
        description: "The weather at the airport of departure, as it was last known.".into(),
        owner: "delay-team".into(),
        terms: vec!["weather".into()],
        state: State::Attention,
        version: Some("8c21f09be1d4".into()),
        entity: "origin".into(),
        ttl: Some("3h".into()),
        datasets: vec!["weather".into()],
        online_rows: 26_114,
        newest_online: Some(before(95)),
        newest_source: Some(before(35)),
        expired: false,
        parity: Some(Parity { equal: false, told: "2 of 1200 values of 400 entities differ".into(), at: before(12) }),
        served: Some(Served { rows: 412_377, looked_at: 10_000 }),
        features: features(),
        used_by: vec!["FeatureService late".into(), "TrainingRecipe late".into(), "Endpoint late".into()],
    })
}

fn features() -> Vec<FeatureFacts> {
    let spread = |least: &str, median: &str, greatest: &str, counts: Vec<u64>| {
        let (least, median, mean, greatest) = (least.into(), median.into(), median.into(), greatest.into());
        Shape::Numbers(Spread { least, median, mean, greatest, counts })
    };
    let feature = |name: &str, made_of: &str, description: &str, missing, shape: Option<Shape>| FeatureFacts {
        name: name.into(),
        made_of: made_of.into(),
        description: description.into(),
        terms: Vec::new(),
        served: shape.map(|shape| ColumnProfile { missing, distinct: 174, distinct_estimated: false, shape }),
    };
    let bell = (0..36_i32).map(|n| u64::try_from(900 - (n - 16).pow(2) * 2).unwrap_or_default()).collect();
    let skewed = (0..30_u32).map(|n| 12_000 / (1 + u64::from(n * n))).collect();
    let mut all = vec![
        feature("temp", "last temp", "°C", 0.001, Some(spread("-11.7", "12.8", "38.3", bell))),
        feature("wind_gust", "greatest wind_gust over 3h", "m/s", 0.796, Some(spread("7.2", "12.3", "34.1", skewed))),
        feature("visibility_p05", "0.05 quantile of visib over 6h", "Miles.", 1.0, Some(Shape::Nothing)),
        feature("reporter_calls", "count of phone over 1d", "Not shown to whom the column is masked.", 0.0, None),
    ];
    all[1].terms = vec!["gust".into()];
    all
}
