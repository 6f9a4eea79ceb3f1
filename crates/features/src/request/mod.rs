//! Features made from the request alone: numbers, categories, and parts of a local time.
//!
//! The encoder is fitted once on the training window and stored with the model, so that offline and online a category
//! has the same number. Time zones come from the bundled database, never from the machine's.

mod local_time;
mod vocabulary;

use std::collections::BTreeMap;

use arrow::array::{Float64Array, RecordBatch};
use bedplate_kinds::{RequestFeature, Transform};
use serde::{Deserialize, Serialize};

use crate::FeatureError;
use crate::moment::moments_or_text;
use crate::number::{number_at, number_column};
use local_time::LocalTime;

/// Turns requests (offline: label rows) into numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestEncoder {
    pub features: Vec<RequestFeature>,
    /// For each feature that is a category, the strings of the training window, sorted.
    pub vocabularies: BTreeMap<String, Vec<String>>,
}

impl RequestEncoder {
    /// Learns the vocabularies from the rows of the training window.
    ///
    /// # Errors
    /// When a category's column is missing or is not text, whole numbers or booleans, or a time zone is unknown.
    pub fn fit(features: &[RequestFeature], training: &[RecordBatch]) -> Result<Self, FeatureError> {
        let mut vocabularies = BTreeMap::new();
        for feature in features {
            LocalTime::of(feature)?;
            if feature.transform == Transform::Category {
                vocabularies.insert(feature.name.clone(), vocabulary::learn(&feature.column, training)?);
            }
        }
        Ok(Self { features: features.to_vec(), vocabularies })
    }

    /// One array per feature in order, as long as `batch`; a null, a NaN or an unknown category is null.
    ///
    /// # Errors
    /// When a column is missing or cannot be read as its transform needs it.
    pub fn encode(&self, batch: &RecordBatch) -> Result<Vec<Float64Array>, FeatureError> {
        self.features.iter().map(|feature| self.encode_one(feature, batch)).collect()
    }

    fn encode_one(&self, feature: &RequestFeature, batch: &RecordBatch) -> Result<Float64Array, FeatureError> {
        match feature.transform {
            Transform::Number => {
                let column = number_column(REQUEST, batch, &feature.column)?;
                Ok((0..column.len()).map(|row| number_at(&column, row)).collect())
            }
            Transform::Category => vocabulary::encode(self.vocabulary(feature)?, &feature.column, batch),
            part => {
                let times = moments_or_text(REQUEST, batch, &feature.column)?;
                Ok(LocalTime::of(feature)?.parts(part, &times))
            }
        }
    }

    fn vocabulary(&self, feature: &RequestFeature) -> Result<&[String], FeatureError> {
        let missing = || FeatureError::NoVocabulary { feature: feature.name.clone() };
        self.vocabularies.get(&feature.name).map(Vec::as_slice).ok_or_else(missing)
    }
}

/// What the batch is called in errors.
const REQUEST: &str = "the request";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
    use serde_json::json;

    use super::*;

    fn features() -> Vec<RequestFeature> {
        serde_json::from_value(json!([
            {"name": "carrier_code", "column": "carrier", "transform": "category"},
            {"name": "distance", "column": "distance"},
            {"name": "minute", "column": "at", "transform": "minuteOfDay", "timezone": "America/New_York"},
            {"name": "weekday", "column": "at", "transform": "dayOfWeek", "timezone": "America/New_York"},
            {"name": "month", "column": "at", "transform": "month", "timezone": "America/New_York"},
            {"name": "day", "column": "at", "transform": "dayOfYear", "timezone": "America/New_York"},
            {"name": "utc_minute", "column": "at", "transform": "minuteOfDay"},
        ]))
        .unwrap()
    }

    fn batch(carriers: &[Option<&str>], distances: &[Option<i64>], times: &[Option<&str>]) -> RecordBatch {
        let micros = |text: &Option<&str>| text.map(|text| text.parse::<bedplate_types::Timestamp>().unwrap().micros());
        let times: TimestampMicrosecondArray = times.iter().map(micros).collect();
        let columns: [(&str, ArrayRef); 3] = [
            ("carrier", Arc::new(StringArray::from(carriers.to_vec()))),
            ("distance", Arc::new(Int64Array::from(distances.to_vec()))),
            ("at", Arc::new(times)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn encoded(encoder: &RequestEncoder, batch: &RecordBatch) -> Vec<Vec<Option<f64>>> {
        encoder.encode(batch).unwrap().iter().map(|column| column.iter().collect()).collect()
    }

    #[test]
    fn encodes_every_transform_across_daylight_saving() {
        let training = batch(&[Some("UA"), Some("AA"), None], &[Some(1); 3], &[None; 3]);
        let encoder = RequestEncoder::fit(&features(), &[training]).unwrap();
        // The night clocks go forward in New York: 06:59Z is 01:59, one minute later it is 03:00.
        let times = [Some("2013-03-10T06:59:00Z"), Some("2013-03-10T07:00:00Z"), None, Some("2013-01-01T04:59:59Z")];
        let asked = batch(&[Some("UA"), Some("ZZ"), None, Some("AA")], &[Some(9), None, Some(0), Some(2)], &times);
        let some = |values: [f64; 4]| values.map(|value| (value >= 0.0).then_some(value)).to_vec();
        let wanted = vec![
            some([1.0, -1.0, -1.0, 0.0]),
            some([9.0, -1.0, 0.0, 2.0]),
            some([119.0, 180.0, -1.0, 1439.0]),
            some([7.0, 7.0, -1.0, 1.0]),
            some([3.0, 3.0, -1.0, 12.0]),
            some([69.0, 69.0, -1.0, 366.0]),
            some([419.0, 420.0, -1.0, 299.0]),
        ];
        assert_eq!(encoded(&encoder, &asked), wanted);
        let stored: RequestEncoder = serde_json::from_value(serde_json::to_value(&encoder).unwrap()).unwrap();
        assert_eq!(encoded(&stored, &asked), wanted);
    }

    #[test]
    fn text_instants_encode_like_timestamps() {
        let minute = &features()[2..3];
        let encoder = RequestEncoder::fit(minute, &[]).unwrap();
        let text: ArrayRef = Arc::new(StringArray::from(vec!["2013-07-01T08:15:00-04:00"]));
        let asked = RecordBatch::try_from_iter([("at", text)]).unwrap();
        assert_eq!(encoded(&encoder, &asked), [[Some(495.0)]]);
    }

    #[test]
    fn names_an_unknown_zone_a_missing_column_and_a_missing_vocabulary() {
        let mut broken = features();
        broken[2].timezone = Some("Mars/Olympus".to_owned());
        let error = RequestEncoder::fit(&broken[2..3], &[]).unwrap_err();
        assert!(error.to_string().contains("\"Mars/Olympus\""), "{error}");
        let bare = RequestEncoder { features: features(), vocabularies: BTreeMap::new() };
        let asked = batch(&[None], &[None], &[None]);
        assert!(matches!(bare.encode(&asked), Err(FeatureError::NoVocabulary { .. })));
        let encoder = RequestEncoder::fit(&features()[1..2], &[]).unwrap();
        let error = encoder.encode(&asked.project(&[0]).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the request has no column \"distance\"; it has carrier");
    }
}
