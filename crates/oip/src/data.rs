//! The `data` of a tensor in JSON: flat or nested arrays of one type, read in one pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{ColumnValues, Datatype};

/// What was read. Reading goes on after a problem, so that the error can name the tensor it is in.
#[derive(Debug, Default)]
pub(crate) struct Data {
    values: Values,
    /// Length of the arrays at each depth, outermost first.
    lengths: Vec<Option<usize>>,
    /// The depth at which elements stand.
    leaves: Option<usize>,
    problem: Option<String>,
}

#[derive(Debug, Default)]
enum Values {
    #[default]
    None,
    Bools(Vec<bool>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<String>),
}

impl Values {
    fn noun(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bools(_) => "booleans",
            Self::Ints(_) => "whole numbers",
            Self::Floats(_) => "numbers with a fraction, or nulls,",
            Self::Texts(_) => "strings",
        }
    }
}

impl Data {
    /// The elements as a column; `shape` is the tensor's.
    pub fn into_column(self, datatype: Datatype, shape: &[usize]) -> Result<ColumnValues, String> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let nesting: Vec<usize> = self.lengths.into_iter().flatten().collect();
        if nesting.len() > 1 && nesting != shape {
            return Err(format!("has data nested as {nesting:?}, but its shape is {shape:?}"));
        }
        convert(self.values, datatype)
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problem.get_or_insert_with(|| text.into());
    }

    fn leaf(&mut self, depth: usize) {
        if depth == 0 {
            self.problem("has data that is no array");
        }
        if *self.leaves.get_or_insert(depth) != depth {
            self.problem("has ragged data: elements at different depths");
        }
    }

    fn array(&mut self, depth: usize, length: usize) {
        if self.lengths.len() <= depth {
            self.lengths.resize(depth + 1, None);
        }
        if *self.lengths[depth].get_or_insert(length) != length {
            self.problem("has ragged data: arrays of different lengths at the same depth");
        }
    }

    fn mixed(&mut self, noun: &str) {
        let problem = format!("mixes {} and {noun}", self.values.noun());
        self.problem(problem);
    }

    fn bool(&mut self, value: bool) {
        match &mut self.values {
            Values::None => self.values = Values::Bools(vec![value]),
            Values::Bools(values) => values.push(value),
            _ => self.mixed("booleans"),
        }
    }

    fn int(&mut self, value: i64) {
        match &mut self.values {
            Values::None => self.values = Values::Ints(vec![value]),
            Values::Ints(values) => values.push(value),
            Values::Floats(values) => values.push(value as f64),
            _ => self.mixed("numbers"),
        }
    }

    fn float(&mut self, value: f64) {
        match &mut self.values {
            Values::None => self.values = Values::Floats(vec![value]),
            Values::Ints(ints) => {
                let floats = ints.iter().map(|int| *int as f64).chain([value]).collect();
                self.values = Values::Floats(floats);
            }
            Values::Floats(values) => values.push(value),
            _ => self.mixed("numbers"),
        }
    }

    fn text(&mut self, value: String) {
        match &mut self.values {
            Values::None => self.values = Values::Texts(vec![value]),
            Values::Texts(values) => values.push(value),
            _ => self.mixed("strings"),
        }
    }
}

fn convert(values: Values, datatype: Datatype) -> Result<ColumnValues, String> {
    match (datatype, values) {
        (Datatype::Bool, Values::None) => Ok(ColumnValues::Bool(Vec::new())),
        (Datatype::Bool, Values::Bools(values)) => Ok(ColumnValues::Bool(values)),
        (Datatype::Int32 | Datatype::Int64, Values::None) => Ok(ColumnValues::I64(Vec::new())),
        (Datatype::Int64, Values::Ints(values)) => Ok(ColumnValues::I64(values)),
        (Datatype::Int32, Values::Ints(values)) => within_int32(values),
        (Datatype::Fp32 | Datatype::Fp64, Values::None) => Ok(ColumnValues::F64(Vec::new())),
        (Datatype::Fp64, Values::Floats(values)) => Ok(ColumnValues::F64(values)),
        (Datatype::Fp64, Values::Ints(values)) => Ok(ColumnValues::F64(values.into_iter().map(|v| v as f64).collect())),
        (Datatype::Fp32, Values::Floats(values)) => Ok(ColumnValues::F64(values.into_iter().map(as_fp32).collect())),
        (Datatype::Fp32, Values::Ints(values)) => {
            Ok(ColumnValues::F64(values.into_iter().map(|v| as_fp32(v as f64)).collect()))
        }
        (Datatype::Bytes, Values::None) => Ok(ColumnValues::Str(Vec::new())),
        (Datatype::Bytes, Values::Texts(values)) => Ok(ColumnValues::Str(values)),
        (datatype, values) => Err(format!("holds {} which {datatype} cannot hold", values.noun())),
    }
}

fn within_int32(values: Vec<i64>) -> Result<ColumnValues, String> {
    match values.iter().find(|value| i32::try_from(**value).is_err()) {
        Some(value) => Err(format!("holds {value}, which INT32 cannot hold")),
        None => Ok(ColumnValues::I64(values)),
    }
}

/// The value the sender means by FP32.
fn as_fp32(value: f64) -> f64 {
    f64::from(value as f32)
}

impl<'de> serde::Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Self::default();
        Level { data: &mut data, depth: 0 }.deserialize(deserializer)?;
        Ok(data)
    }
}

/// Reads what stands at one depth of nesting.
struct Level<'a> {
    data: &'a mut Data,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers, booleans or strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let mut length = 0;
        while array.next_element_seed(Level { data: self.data, depth: self.depth + 1 })?.is_some() {
            length += 1;
        }
        self.data.array(self.depth, length);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.data.leaf(self.depth);
        self.data.bool(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.data.leaf(self.depth);
        self.data.int(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.data.leaf(self.depth);
        match i64::try_from(value) {
            Ok(value) => self.data.int(value),
            Err(_) => self.data.float(value as f64),
        }
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.data.leaf(self.depth);
        self.data.float(value);
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E>(self, value: String) -> Result<(), E> {
        self.data.leaf(self.depth);
        self.data.text(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.data.leaf(self.depth);
        self.data.float(f64::NAN);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.data.problem("has an object in its data");
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, datatype: Datatype, shape: &[usize]) -> Result<ColumnValues, String> {
        serde_json::from_str::<Data>(json).unwrap().into_column(datatype, shape)
    }

    #[test]
    fn flat_and_nested_are_the_same() {
        let wanted = Ok(ColumnValues::I64(vec![1, -2]));
        assert_eq!(check("[1, -2]", Datatype::Int64, &[2]), wanted);
        assert_eq!(check("[[1], [-2]]", Datatype::Int64, &[2, 1]), wanted);
        assert_eq!(check("[1, -2]", Datatype::Int64, &[2, 1]), wanted);
    }

    #[test]
    fn numbers_become_what_the_datatype_says() {
        assert_eq!(check("[1, 2.5]", Datatype::Fp64, &[2]), Ok(ColumnValues::F64(vec![1.0, 2.5])));
        assert_eq!(check("[2.5, 1]", Datatype::Fp64, &[2]), Ok(ColumnValues::F64(vec![2.5, 1.0])));
        assert_eq!(check("[0.1]", Datatype::Fp32, &[1]), Ok(ColumnValues::F64(vec![f64::from(0.1_f32)])));
        assert_eq!(check("[]", Datatype::Bytes, &[0]), Ok(ColumnValues::Str(vec![])));
        let Ok(ColumnValues::F64(values)) = check("[1, null]", Datatype::Fp64, &[2]) else { panic!("no floats") };
        assert!(values[0] == 1.0 && values[1].is_nan());
    }

    #[test]
    fn what_does_not_fit_says_why() {
        let cases = [
            ("[3.5]", Datatype::Int64, "holds numbers with a fraction"),
            ("[1, null]", Datatype::Int32, "or nulls"),
            ("[5000000000]", Datatype::Int32, "5000000000, which INT32"),
            ("[18446744073709551615]", Datatype::Int64, "which INT64 cannot hold"),
            ("[\"1\"]", Datatype::Fp64, "holds strings"),
            ("[1]", Datatype::Bytes, "holds whole numbers"),
            ("[1]", Datatype::Bool, "which BOOL cannot hold"),
            ("[true, 1]", Datatype::Bool, "mixes booleans and numbers"),
            ("[1, \"a\"]", Datatype::Int64, "mixes whole numbers and strings"),
            ("[[1], 2]", Datatype::Int64, "different depths"),
            ("[[1, 2], [3]]", Datatype::Int64, "different lengths"),
            ("[[1, 2]]", Datatype::Int64, "nested as [1, 2], but its shape is [2]"),
            ("[{\"a\": 1}]", Datatype::Int64, "an object"),
            ("5", Datatype::Int64, "no array"),
        ];
        for (json, datatype, part) in cases {
            let error = check(json, datatype, &[2]).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
