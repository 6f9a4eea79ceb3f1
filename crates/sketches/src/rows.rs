//! A sample of rows of numbers, uniform over all that went by.

/// Rows of so many numbers each, NaN where there is none, of which those with the lowest lots are kept (bottom-k sampling).
///
/// Each row comes with a lot, drawn evenly from all there are. Every row had the same chance to be kept, so samples of parts
/// merge into one of the whole, however unlike the parts are in size. Holds at most twice as many rows as it is made for.
#[derive(Clone, Debug)]
pub struct RowSample {
    width: usize,
    most: usize,
    seen: u64,
    /// Rows of this lot and higher ones were thrown away.
    below: u64,
    lots: Vec<u64>,
    /// Row by row.
    values: Vec<f64>,
}

/// What stands before the rows in [`RowSample::to_bytes`]: width, most, rows seen, the lowest lot that was thrown away.
const HEAD: usize = 32;

impl RowSample {
    /// Of rows of `width` numbers, at least `most` of them where there are as many.
    #[must_use]
    pub fn new(width: usize, most: usize) -> Self {
        Self { width, most: most.max(1), seen: 0, below: u64::MAX, lots: Vec::new(), values: Vec::new() }
    }

    /// Of a row that is too short the rest is NaN; what is too much of it is ignored.
    pub fn take(&mut self, lot: u64, row: impl IntoIterator<Item = f64>) {
        self.seen += 1;
        if lot >= self.below {
            return;
        }
        self.lots.push(lot);
        self.values.extend(row.into_iter().take(self.width));
        self.values.resize(self.lots.len() * self.width, f64::NAN);
        if self.lots.len() >= 2 * self.most {
            self.settle();
        }
    }

    /// Takes in another sample of rows of the same width, whose lots were drawn apart from these; one of another width is
    /// ignored.
    pub fn merge(&mut self, other: &Self) {
        if other.width != self.width {
            return;
        }
        self.seen += other.seen;
        self.keep_below(self.below.min(other.below));
        for (row, lot) in other.lots.iter().enumerate() {
            if *lot < self.below {
                self.lots.push(*lot);
                self.values.extend_from_slice(&other.values[row * self.width..(row + 1) * self.width]);
            }
        }
        self.settle();
    }

    /// How many rows went by.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.lots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lots.is_empty()
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// One number of each row, as they came.
    #[must_use]
    pub fn column(&self, at: usize) -> Vec<f64> {
        self.values.iter().skip(at).step_by(self.width.max(1)).copied().collect()
    }

    /// The numbers of one row.
    #[must_use]
    pub fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..(at + 1) * self.width]
    }

    /// No more rows than it was made for.
    pub fn settle(&mut self) {
        if self.lots.len() > self.most {
            let mut lots = self.lots.clone();
            let (_, first_out, _) = lots.select_nth_unstable(self.most);
            let first_out = *first_out;
            self.keep_below(first_out);
        }
    }

    fn keep_below(&mut self, below: u64) {
        self.below = below;
        let mut kept = 0;
        for row in 0..self.lots.len() {
            if self.lots[row] < below {
                self.lots[kept] = self.lots[row];
                self.values.copy_within(row * self.width..(row + 1) * self.width, kept * self.width);
                kept += 1;
            }
        }
        self.lots.truncate(kept);
        self.values.truncate(kept * self.width);
    }

    /// For whoever keeps it: little-endian, 8 bytes a number.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = [self.width as u64, self.most as u64, self.seen, self.below];
        let numbers = head.into_iter().chain(self.lots.iter().copied());
        numbers.chain(self.values.iter().map(|value| value.to_bits())).flat_map(u64::to_le_bytes).collect()
    }

    /// `None` of bytes that [`RowSample::to_bytes`] did not write.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<8>();
        let (head, rows) = numbers.split_at_checked(HEAD / 8).filter(|_| rest.is_empty())?;
        let head: Vec<u64> = head.iter().map(|number| u64::from_le_bytes(*number)).collect();
        let (width, most) = (usize::try_from(head[0]).ok()?, usize::try_from(head[1]).ok()?);
        let row = width.checked_add(1)?;
        if most == 0 || !rows.len().is_multiple_of(row) {
            return None;
        }
        let (lots, values) = rows.split_at(rows.len() / row);
        Some(Self {
            width,
            most,
            seen: head[2],
            below: head[3],
            lots: lots.iter().map(|lot| u64::from_le_bytes(*lot)).collect(),
            values: values.iter().map(|value| f64::from_le_bytes(*value)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixed;

    /// Rows `from..to`, each with twice its number beside it.
    fn of(rows: std::ops::Range<u32>, most: usize) -> RowSample {
        let mut sample = RowSample::new(2, most);
        rows.for_each(|row| sample.take(mixed(row.into()), [f64::from(row), f64::from(2 * row)]));
        sample
    }

    fn sorted(sample: &RowSample) -> Vec<f64> {
        let mut column = sample.column(0);
        column.sort_unstable_by(f64::total_cmp);
        column
    }

    #[test]
    fn few_are_all_kept_and_of_many_so_many() {
        assert_eq!(of(0..5, 10).column(0), [0.0, 1.0, 2.0, 3.0, 4.0]);
        let mut many = of(0..10_000, 100);
        assert!((100..200).contains(&many.len()) && many.seen() == 10_000);
        many.settle();
        assert_eq!(many.len(), 100);
        assert!(many.column(0).iter().zip(many.column(1)).all(|(one, other)| 2.0 * one == other));
    }

    #[test]
    fn it_is_uniform() {
        let sample = of(0..100_000, 4_000);
        let mean = sample.column(0).iter().sum::<f64>() / sample.len() as f64;
        // Four standard errors: 100,000 / sqrt(12) / sqrt(4,000).
        assert!((mean - 50_000.0).abs() < 1_830.0, "{mean}");
    }

    #[test]
    fn parts_of_unlike_sizes_merge_into_what_the_whole_gives() {
        let mut whole = of(0..20_000, 200);
        whole.settle();
        let (mut large, small) = (of(0..19_900, 200), of(19_900..20_000, 200));
        large.merge(&small);
        assert_eq!((sorted(&large), large.seen()), (sorted(&whole), 20_000));
        let mut turned = small;
        turned.merge(&of(0..19_900, 200));
        assert_eq!(sorted(&turned), sorted(&whole));
        // Into one that holds more, as many as the one that threw away most can vouch for.
        let mut wide = RowSample::new(2, 10_000);
        wide.merge(&of(0..10_000, 200));
        wide.merge(&of(10_000..20_000, 200));
        assert!(wide.len() > 250 && wide.len() < 800, "{}", wide.len());
        wide.merge(&RowSample::new(3, 10));
        assert_eq!(wide.seen(), 20_000);
    }

    #[test]
    fn a_small_part_that_is_there_as_a_whole_has_no_more_than_its_share() {
        let mut wide = RowSample::new(2, 10_000);
        wide.merge(&of(100_000..100_400, 1_000));
        wide.merge(&of(0..100_000, 200));
        let of_the_small = wide.column(0).iter().filter(|row| **row >= 100_000.0).count();
        assert!(wide.len() >= 200 && of_the_small <= 6, "{of_the_small} of {}", wide.len());
        // Whichever comes first.
        let mut turned = RowSample::new(2, 10_000);
        turned.merge(&of(0..100_000, 200));
        turned.merge(&of(100_000..100_400, 1_000));
        assert_eq!(sorted(&turned), sorted(&wide));
    }

    #[test]
    fn what_is_missing_of_a_row_is_no_number() {
        let mut sample = RowSample::new(2, 10);
        sample.take(1, [1.0]);
        sample.take(2, [1.0, 2.0, 3.0]);
        assert!(sample.column(1)[0].is_nan() && sample.column(1)[1] == 2.0 && sample.column(0) == [1.0, 1.0]);
    }

    #[test]
    fn bytes_are_read_as_they_were_written_and_others_are_refused() {
        let mut sample = of(0..1_000, 50);
        let read = RowSample::from_bytes(&sample.to_bytes()).unwrap();
        assert_eq!((read.column(1), read.seen(), read.len()), (sample.column(1), 1_000, sample.len()));
        // It goes on as the other would.
        let mut again = read;
        (1_000_u32..2_000).for_each(|row| again.take(mixed(row.into()), [f64::from(row), 0.0]));
        (1_000_u32..2_000).for_each(|row| sample.take(mixed(row.into()), [f64::from(row), 0.0]));
        assert_eq!(sorted(&again), sorted(&sample));
        for bytes in [&b""[..], b"12345678", &[0; 32], &[&sample.to_bytes()[..], b"x"].concat(), &[255; 48]] {
            assert!(RowSample::from_bytes(bytes).is_none(), "{bytes:?}");
        }
    }
}
