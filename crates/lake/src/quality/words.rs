//! A set of words to look strings up in: compared one by one while there are few, which is faster than a hash.

use std::collections::HashSet;

use foldhash::fast::RandomState;

const FEW: usize = 12;

#[derive(Debug)]
pub(super) enum Words {
    Few(Vec<Box<str>>),
    Many(HashSet<Box<str>, RandomState>),
}

impl Words {
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        let all: HashSet<Box<str>, RandomState> = words.into_iter().map(String::into_boxed_str).collect();
        if all.len() > FEW { Self::Many(all) } else { Self::Few(all.into_iter().collect()) }
    }

    #[inline]
    pub fn have(&self, word: &str) -> bool {
        match self {
            Self::Few(words) => words.iter().any(|known| **known == *word),
            Self::Many(words) => words.contains(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_it_knows_its_words() {
        for count in [0, 1, FEW, FEW + 1, 1_000] {
            let words = Words::new((0..count).map(|n| format!("w{n}")));
            assert!((0..count).all(|n| words.have(&format!("w{n}"))), "{count}");
            assert!(!words.have(&format!("w{count}")) && !words.have(""), "{count}");
        }
    }
}
