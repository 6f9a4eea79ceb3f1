//! Globs over the keys of a store, which has no folders: what stands between two slashes counts as a name.

use super::{Pattern, Segment, is_hidden};

impl Pattern {
    /// Whether names, from the base on, lead to a file that the pattern means.
    #[must_use]
    pub fn leads_to(&self, names: &[&str]) -> bool {
        leads(&self.rest, names)
    }
}

/// One row a segment: which beginnings of the names it and what stands before it can take up.
fn leads(segments: &[Segment], names: &[&str]) -> bool {
    let mut taken = vec![false; names.len() + 1];
    taken[0] = true;
    for segment in segments {
        let mut next = vec![false; names.len() + 1];
        for (at, name) in names.iter().enumerate() {
            match segment {
                Segment::Folders => next[at + 1] = (next[at] || taken[at]) && !is_hidden(name),
                Segment::Name(_) => next[at + 1] = taken[at] && segment.matches(name),
            }
        }
        if *segment == Segment::Folders {
            next.iter_mut().zip(&taken).for_each(|(next, taken)| *next |= taken);
        }
        taken = next;
    }
    taken[names.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By trying every way.
    fn tried(segments: &[Segment], names: &[&str]) -> bool {
        match (segments.split_first(), names.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some((Segment::Folders, after)), _) if tried(after, names) => true,
            (Some((Segment::Folders, _)), Some((name, more))) => !is_hidden(name) && tried(segments, more),
            (Some((segment, after)), Some((name, more))) => segment.matches(name) && tried(after, more),
            (Some(_), None) => false,
        }
    }

    fn check(pattern: &str, key: &str, expect: bool) {
        let pattern = Pattern::parse(pattern).unwrap();
        assert_eq!(pattern.leads_to(&key.split('/').collect::<Vec<_>>()), expect, "{pattern:?} {key}");
    }

    #[test]
    fn names_between_slashes_are_folders() {
        check("*.csv", "a.csv", true);
        check("*.csv", "x/a.csv", false);
        check("**/*.csv", "a.csv", true);
        check("**/*.csv", "x/y/a.csv", true);
        check("**/*.csv", "x/_y/a.csv", false);
        check("x*/**", "xy/a", true);
        check("x*/**", "xy", false);
    }

    proptest! {
        #[test]
        fn every_way_is_found(pattern in "(\\*\\*/|\\*/|a/|\\?/|_\\*/){0,4}[*ab]", key in "([ab_]{1,2}/){0,5}[ab]") {
            // What stands before the first wildcard is the base, and no part of what is matched.
            let pattern = Pattern::parse(&format!("*/{pattern}")).unwrap();
            let key = format!("x/{key}");
            let names: Vec<&str> = key.split('/').collect();
            prop_assert_eq!(pattern.leads_to(&names), tried(&pattern.rest, &names));
        }
    }
}
