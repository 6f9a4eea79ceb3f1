//! From summed leaves to what the operator promises, as onnxruntime does it.

use bedplate_onnx::proto::NodeProto;

use crate::InferError;
use crate::attributes::RawVote;
use crate::error::malformed;

/// What is made of the sums of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    /// Added to the sums; as many as sums, or none.
    base: Vec<f32>,
    /// Divides the sums: the number of trees when they are averaged.
    divisor: f32,
    shape: Shape,
    transform: Transform,
}

/// How sums become columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One column a sum.
    Plain,
    /// One sum `s`, two classes: the columns are `1 - s` and `s`, whatever the transform says.
    Share,
    /// One sum `s`, two classes: the columns are the transforms of `-s` and `s`.
    Signed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transform {
    None,
    Logistic,
    Softmax,
}

impl Transform {
    fn read(node: &NodeProto) -> Result<Self, InferError> {
        match node.text("post_transform") {
            None | Some("NONE") => Ok(Self::None),
            Some("LOGISTIC") => Ok(Self::Logistic),
            Some("SOFTMAX") => Ok(Self::Softmax),
            Some(other) => Err(InferError::Unsupported(format!("post_transform {other}"))),
        }
    }

    fn apply(self, columns: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Logistic => columns.iter_mut().for_each(|x| *x = logistic(*x)),
            Self::Softmax => softmax(columns),
        }
    }
}

/// Most classes or targets a model may have.
const MAX_COLUMNS: usize = 10_000;

impl Head {
    /// The head of a classifier and the number of sums it needs.
    pub fn classifier(node: &NodeProto, votes: &[RawVote], labels: usize) -> Result<(Self, usize), InferError> {
        let transform = Transform::read(node)?;
        let one_sided = labels == 2 && votes.iter().all(|vote| vote.target == 0);
        if labels == 2 && !one_sided && votes.iter().all(|vote| vote.target == 1) {
            return Err(InferError::Unsupported("weights of the second class only".to_owned()));
        }
        let sums = if one_sided { 1 } else { labels };
        check_targets(votes, labels)?;
        let base = base(node, sums)?;
        let shape = match (one_sided, votes.iter().all(|vote| vote.weight >= 0.0)) {
            (false, _) => Shape::Plain,
            (true, true) => Shape::Share,
            (true, false) => Shape::Signed,
        };
        Ok((Self { base, divisor: 1.0, shape, transform }, sums))
    }

    /// The head of a regressor and the number of sums it needs.
    pub fn regressor(node: &NodeProto, votes: &[RawVote], trees: usize) -> Result<(Self, usize), InferError> {
        let targets = node.attribute("n_targets").and_then(|attribute| attribute.i).unwrap_or(1);
        let targets = usize::try_from(targets).map_err(|_| malformed(format!("{targets} targets")))?;
        check_targets(votes, targets)?;
        let divisor = match node.text("aggregate_function") {
            None | Some("SUM") => 1.0,
            Some("AVERAGE") => trees as f32,
            Some(other) => return Err(InferError::Unsupported(format!("aggregate_function {other}"))),
        };
        let head = Self { base: base(node, targets)?, divisor, shape: Shape::Plain, transform: Transform::read(node)? };
        Ok((head, targets))
    }

    /// Number of columns made of `sums` sums.
    pub fn width(&self, sums: usize) -> usize {
        if self.shape == Shape::Plain { sums } else { 2 }
    }

    /// Makes the columns of one row and tells which class wins.
    pub fn finish(&self, sums: &mut [f32], columns: &mut [f32]) -> usize {
        sums.iter_mut().for_each(|sum| *sum /= self.divisor);
        sums.iter_mut().zip(&self.base).for_each(|(sum, base)| *sum += base);
        match self.shape {
            Shape::Plain => self.plain(sums, columns),
            Shape::Share => {
                columns.copy_from_slice(&[1.0 - sums[0], sums[0]]);
                usize::from(sums[0] > 0.5)
            }
            Shape::Signed => {
                columns.copy_from_slice(&[-sums[0], sums[0]]);
                self.transform.apply(columns);
                usize::from(sums[0] > 0.0)
            }
        }
    }

    fn plain(&self, sums: &[f32], columns: &mut [f32]) -> usize {
        columns.copy_from_slice(sums);
        self.transform.apply(columns);
        // The first of equals wins, as onnxruntime has it.
        (1..sums.len()).fold(0, |best, at| if sums[at] > sums[best] { at } else { best })
    }
}

fn check_targets(votes: &[RawVote], targets: usize) -> Result<(), InferError> {
    if targets == 0 || targets > MAX_COLUMNS {
        return Err(malformed(format!("{targets} classes or targets")));
    }
    match votes.iter().find(|vote| vote.target as usize >= targets) {
        Some(vote) => Err(malformed(format!("a weight is for target {} of {targets}", vote.target))),
        None => Ok(()),
    }
}

fn base(node: &NodeProto, sums: usize) -> Result<Vec<f32>, InferError> {
    let base = node.floats("base_values");
    if base.is_empty() || base.len() == sums {
        return Ok(base.to_vec());
    }
    Err(InferError::Unsupported(format!("{} base values for {sums} sums", base.len())))
}

/// onnxruntime's form: the exponential never overflows.
fn logistic(x: f32) -> f32 {
    let upper = 1.0 / (1.0 + (-x.abs()).exp());
    if x < 0.0 { 1.0 - upper } else { upper }
}

fn softmax(columns: &mut [f32]) {
    let most = columns.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    columns.iter_mut().for_each(|x| *x = (*x - most).exp());
    let total: f32 = columns.iter().sum();
    columns.iter_mut().for_each(|x| *x /= total);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logistic_is_right_at_the_ends() {
        assert_eq!((logistic(0.0), logistic(f32::INFINITY), logistic(f32::NEG_INFINITY)), (0.5, 1.0, 0.0));
        assert!((logistic(-2.0) + logistic(2.0) - 1.0).abs() < 1e-7);
    }

    #[test]
    fn softmax_adds_up_even_when_large() {
        let mut columns = [1000.0, 1001.0, 999.0];
        softmax(&mut columns);
        assert!((columns.iter().sum::<f32>() - 1.0).abs() < 1e-6 && columns[1] > columns[0]);
    }
}
