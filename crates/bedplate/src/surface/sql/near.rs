//! Names that somebody may have meant.

/// The most names that are told.
const MOST: usize = 3;

/// Those of `known` that are like `meant`, the nearest first.
pub fn near<'a>(meant: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let meant: Vec<char> = meant.to_lowercase().replace('-', "_").chars().take(64).collect();
    let most = (meant.len() / 3).max(1);
    let is_part = |name: &str| meant.len() > 2 && name.contains(&meant.iter().collect::<String>());
    let mut near: Vec<(usize, &str)> = known
        .map(|name| (distance(&meant, name), name))
        .filter(|(distance, name)| *distance <= most || is_part(name))
        .collect();
    near.sort_unstable();
    near.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein's: how many characters to change, add or take away.
fn distance(one: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (line, theirs) in other.chars().take(253).enumerate() {
        let mut corner = line;
        let mut left = line + 1;
        row[0] = left;
        for (place, ours) in one.iter().enumerate() {
            let above = row[place + 1];
            left = (corner + usize::from(*ours != theirs)).min(above + 1).min(left + 1);
            corner = above;
            row[place + 1] = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_like_it_are_found_the_nearest_first() {
        let known = ["weather", "weather_2024", "flights", "planes"];
        let check = |meant: &str, expect: &[&str]| assert_eq!(near(meant, known.into_iter()), expect, "{meant}");
        check("wether", &["weather"]);
        check("weather", &["weather", "weather_2024"]);
        check("Plane", &["planes"]);
        check("flihgts", &["flights"]);
        check("secrets", &[]);
        check("", &[]);
    }
}
