//! Words of names and sentences: `tailNum`, `tail_num` and `tail-num` are all `tail` and `num`.

/// A longer word is cut: nobody types so much.
const LONGEST: usize = 64;

/// The words of a text in lower case. A capital after a small letter begins another one.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut after_small) = (String::new(), false);
    for letter in text.chars() {
        let begins = !letter.is_alphanumeric() || (letter.is_uppercase() && after_small);
        if begins && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() && word.len() < LONGEST {
            word.extend(letter.to_lowercase());
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_spellings_have_the_same_words() {
        for name in ["tailNum", "tail_num", "tail-num", "Tail Num", "tail.num"] {
            assert_eq!(words(name), ["tail", "num"], "{name}");
        }
        assert_eq!(words("ARR_DELAY2x"), ["arr", "delay2x"]);
        assert_eq!(words("Größe, in m²"), ["größe", "in", "m²"]);
        assert_eq!(words(" -- "), [""; 0]);
        assert_eq!(words(&"x".repeat(1_000))[0].len(), 64);
    }
}
