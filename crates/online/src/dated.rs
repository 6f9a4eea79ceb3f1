//! What is known of entities, with its age.

use bedplate_types::Timestamp;

/// What is known of entities, in the order they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Dated {
    features: usize,
    /// Entity by entity, NaN where there is none.
    values: Vec<f64>,
    newest: Vec<Option<Timestamp>>,
}

/// Nothing is known equals nothing is known, though NaN does not equal NaN.
impl PartialEq for Dated {
    fn eq(&self, other: &Self) -> bool {
        let bits = |dated: &Self| dated.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        (self.features, &self.newest, bits(self)) == (other.features, &other.newest, bits(other))
    }
}

impl Dated {
    /// Of a view of so many features.
    #[must_use]
    pub fn new(features: usize, entities: usize) -> Self {
        Self { features, values: Vec::with_capacity(features * entities), newest: Vec::with_capacity(entities) }
    }

    /// Adds an entity: when its newest row became known, and the features' values in the view's order.
    pub fn push(&mut self, newest: Option<Timestamp>, values: impl IntoIterator<Item = Option<f64>>) {
        self.newest.push(newest);
        self.values.extend(values.into_iter().map(|value| value.unwrap_or(f64::NAN)));
        self.values.resize(self.newest.len() * self.features, f64::NAN);
    }

    /// Adds an entity whose values, NaN so far, `write` fills in.
    pub(crate) fn push_cells(&mut self, newest: Timestamp, write: impl FnOnce(&mut [f64])) {
        self.newest.push(Some(newest));
        let start = self.values.len();
        self.values.resize(start + self.features, f64::NAN);
        write(&mut self.values[start..]);
    }

    #[must_use]
    pub fn entities(&self) -> usize {
        self.newest.len()
    }

    /// When an entity's newest row became known, whether or not that is still usable; `None` without rows.
    #[must_use]
    pub fn newest(&self, entity: usize) -> Option<Timestamp> {
        self.newest[entity]
    }

    #[must_use]
    pub fn value(&self, entity: usize, feature: usize) -> Option<f64> {
        Some(self.values[entity * self.features + feature]).filter(|value| !value.is_nan())
    }
}
