//! Which features are asked for, and what their columns are called.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, TimeUnit};

use super::command::Historical;
use crate::error::FeastError;
use crate::read::reference;

/// The features, and the name of each one's column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// (view, feature)
    pub refs: Vec<(String, String)>,
    pub columns: Vec<String>,
}

impl Historical {
    /// # Errors
    /// A reference that is none; two features with one name.
    pub fn named(&self) -> Result<Named, FeastError> {
        if self.feature_refs.is_empty() {
            return Err(FeastError::body("feature_refs", "no features specified for retrieval"));
        }
        let mut named = Named { refs: Vec::new(), columns: Vec::new() };
        for text in &self.feature_refs {
            let (called, feature) = reference(text)?;
            named.columns.push(if self.full_feature_names { format!("{called}__{feature}") } else { feature.clone() });
            named.refs.push((self.view(called), feature));
        }
        match collision(&named.columns, &self.feature_refs) {
            Some(refs) => Err(FeastError::Collision { refs, full: self.full_feature_names }),
            None => Ok(named),
        }
    }

    /// The name of the view that references call so.
    fn view(&self, called: String) -> String {
        let views = self.feature_view_names.iter().zip(&self.name_aliases);
        let mut aliased = views.filter(|(_, alias)| alias.as_deref() == Some(&called)).map(|(view, _)| view.clone());
        aliased.next().unwrap_or(called)
    }
}

/// A type as pyarrow spells it, which is how Feast knows the types of a file's columns.
pub(super) fn arrow_type(type_: &DataType) -> String {
    match type_ {
        DataType::Float64 => "double".into(),
        DataType::Float32 => "float".into(),
        DataType::Boolean => "bool".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Date32 => "date32[day]".into(),
        DataType::Timestamp(unit, None) => format!("timestamp[{}]", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp[{}, tz={zone}]", unit_name(*unit)),
        other => other.to_string().to_lowercase(),
    }
}

const fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

fn collision(columns: &[String], refs: &[String]) -> Option<String> {
    let mut seen = BTreeMap::<&str, Vec<&str>>::new();
    for (column, reference) in columns.iter().zip(refs) {
        seen.entry(column).or_default().push(reference);
    }
    seen.into_values().find(|refs| refs.len() > 1).map(|refs| refs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(refs: &[&str], full: bool) -> Historical {
        Historical {
            feature_view_names: vec!["plane_history".into(), "weather".into()],
            name_aliases: vec![Some("tail".into()), None],
            feature_refs: refs.iter().map(|text| (*text).to_owned()).collect(),
            project: "flights".into(),
            full_feature_names: full,
            entity_df_sql: None,
        }
    }

    #[test]
    fn references_may_use_another_name_of_a_view() {
        let named = asked(&["tail:delay", "weather:temp"], true).named().unwrap();
        assert_eq!(named.refs[0], ("plane_history".to_owned(), "delay".to_owned()));
        assert_eq!(named.columns, ["tail__delay", "weather__temp"]);
        assert_eq!(asked(&["tail:delay"], false).named().unwrap().columns, ["delay"]);
    }

    #[test]
    fn types_are_spelled_as_pyarrow_does() {
        let check = |type_: DataType, expect: &str| assert_eq!(arrow_type(&type_), expect);
        check(DataType::Int64, "int64");
        check(DataType::Float64, "double");
        check(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), "timestamp[us, tz=UTC]");
    }

    #[test]
    fn no_two_columns_have_one_name() {
        let refs = ["tail:delay", "weather:delay"];
        assert!(asked(&refs, false).named().unwrap_err().to_string().contains("tail:delay, weather:delay"));
        assert_eq!(asked(&refs, true).named().unwrap().columns.len(), 2);
        assert!(asked(&["delay"], false).named().is_err());
        assert!(asked(&[], false).named().is_err());
    }
}
