//! What is asked of a fit, and its checks.

use crate::TrainError;

/// Data and effort of one fit.
#[derive(Clone, Copy, Debug)]
pub struct FitRequest<'a> {
    /// One slice of values a feature, all as long as `labels`; NaN is missing.
    pub features: &'a [Vec<f64>],
    /// 0 or 1 for each row.
    pub labels: &'a [f64],
    /// The features' names, in the same order.
    pub feature_names: &'a [String],
    /// Effort: 200 trees for 1, proportionally otherwise, with steps as much smaller. 0.5 is quick, 1.5 thorough.
    pub budget: f32,
    /// Decides which features each tree may use.
    pub seed: u64,
    /// No more trees than this, whatever the budget.
    pub max_trees: Option<u32>,
    /// Worker threads; does not change the result.
    pub threads: usize,
}

/// How far a fit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub trees: usize,
    pub of: usize,
}

const TREES_PER_BUDGET: f32 = 200.0;
/// The summed step length of all trees, the same for every budget: more trees take smaller steps.
const SUMMED_STEPS: f64 = 10.0;
const LARGEST_STEP: f64 = 0.3;

impl FitRequest<'_> {
    /// # Errors
    /// When shapes disagree, a label is neither 0 nor 1, or only one class occurs.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        self.check_shape()?;
        if !(0.05..=5.0).contains(&self.budget) {
            return Err(TrainError::Budget(self.budget));
        }
        if let Some(row) = self.labels.iter().position(|label| *label != 0.0 && *label != 1.0) {
            return Err(TrainError::Label { row, value: self.labels[row] });
        }
        let first = self.labels[0];
        if self.labels.iter().all(|label| *label == first) {
            return Err(TrainError::OneClass(u8::from(first == 1.0)));
        }
        Ok(())
    }

    fn check_shape(&self) -> Result<(), TrainError> {
        let (rows, features) = (self.labels.len(), self.features.len());
        if rows == 0 || features == 0 {
            return Err(TrainError::Empty { rows, features });
        }
        if self.feature_names.len() != features {
            return Err(TrainError::Names { names: self.feature_names.len(), features });
        }
        match self.features.iter().position(|column| column.len() != rows) {
            Some(at) => Err(TrainError::Ragged {
                feature: self.feature_names[at].clone(),
                given: self.features[at].len(),
                expected: rows,
            }),
            None => Ok(()),
        }
    }

    /// Trees the budget stands for.
    pub(crate) fn planned_trees(&self) -> usize {
        ((self.budget * TREES_PER_BUDGET).round() as usize).max(1)
    }

    /// Trees that will be fitted.
    pub(crate) fn trees(&self) -> usize {
        let limit = self.max_trees.map_or(usize::MAX, |limit| limit.max(1) as usize);
        self.planned_trees().min(limit)
    }

    /// Learning rate.
    pub(crate) fn step(&self) -> f64 {
        (SUMMED_STEPS / self.planned_trees() as f64).min(LARGEST_STEP)
    }

    /// The values as the trainer takes them: row-major, 32 bits, infinities at the last finite value.
    ///
    /// No threshold lies beyond a finite value, so an infinity takes the same branches later.
    pub(crate) fn rows(&self) -> Vec<f32> {
        let width = self.features.len();
        let mut rows = vec![0.0; width * self.labels.len()];
        for (at, column) in self.features.iter().enumerate() {
            for (slot, value) in rows[at..].iter_mut().step_by(width).zip(column) {
                *slot = (*value as f32).clamp(f32::MIN, f32::MAX);
            }
        }
        rows
    }
}
