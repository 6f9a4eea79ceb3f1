//! Texts: how long they are and which are the commonest.

use arrow::array::StringArray;

use super::frequent::Frequent;
use super::told::Texts;

#[derive(Debug, Default)]
pub(super) struct TextCounts {
    frequent: Frequent,
    count: u64,
    empty: u64,
    lengths: u64,
    bounds: Option<(u64, u64)>,
}

impl TextCounts {
    pub fn observe(&mut self, texts: &StringArray) {
        for text in texts.iter().flatten() {
            let length = if text.is_ascii() { text.len() } else { text.chars().count() } as u64;
            self.count += 1;
            self.empty += u64::from(length == 0);
            self.lengths += length;
            self.bounds = Some(match self.bounds {
                None => (length, length),
                Some((shortest, longest)) => (shortest.min(length), longest.max(length)),
            });
            self.frequent.add(text);
        }
    }

    pub fn told(self) -> Texts {
        let (top, short_by) = self.frequent.told();
        Texts {
            top,
            short_by,
            empty: self.empty,
            shortest: self.bounds.map(|bounds| bounds.0),
            longest: self.bounds.map(|bounds| bounds.1),
            mean_length: (self.count > 0).then(|| self.lengths as f64 / self.count as f64),
        }
    }
}
