//! A seeded table with missing values and a label that depends on it.

use std::sync::atomic::AtomicBool;

use bedplate_train::{FitRequest, TrainError, TreeModel};

/// A small linear congruential generator (Knuth's MMIX constants).
pub struct Random(pub u64);

impl Random {
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub struct Table {
    pub names: Vec<String>,
    pub columns: Vec<Vec<f64>>,
    pub labels: Vec<f64>,
}

pub fn table(rows: usize) -> Table {
    let mut random = Random(7);
    let mut columns = vec![Vec::new(); 4];
    let mut labels = Vec::new();
    for _ in 0..rows {
        let (a, b, c) = (random.unit(), random.unit() * 1e3, (random.unit() * 5.0).floor());
        let d = if random.unit() < 0.3 { f64::NAN } else { random.unit() };
        let odds = 3.0 * (a - 0.5) + (b / 300.0).sin() + 0.4 * c + if d.is_nan() { 1.0 } else { d };
        labels.push(f64::from(random.unit() < 1.0 / (1.0 + (1.5 - odds).exp())));
        columns.iter_mut().zip([a, b, c, d]).for_each(|(column, value)| column.push(value));
    }
    Table { names: ["a", "b", "c", "d"].map(str::to_owned).to_vec(), columns, labels }
}

impl Table {
    pub fn request(&self) -> FitRequest<'_> {
        FitRequest {
            features: &self.columns,
            labels: &self.labels,
            feature_names: &self.names,
            budget: 0.25,
            seed: 1,
            max_trees: None,
            threads: 2,
        }
    }
}

pub fn fit(request: &FitRequest<'_>) -> Result<TreeModel, TrainError> {
    bedplate_train::fit(request, &mut |_| {}, &AtomicBool::new(false))
}
