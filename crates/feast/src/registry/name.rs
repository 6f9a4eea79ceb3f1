//! Names of Feast as names of objects.

use std::collections::HashSet;

/// Names that are taken, of one kind.
#[derive(Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// The object's name: underscores become hyphens. Two names of Feast that would be one are not.
    pub fn take(&mut self, feast: &str) -> Result<String, String> {
        let name = object_name(feast).ok_or_else(|| format!("{feast:?} cannot be the name of an object"))?;
        if self.0.insert(name.clone()) { Ok(name) } else { Err(format!("another one is called {name} here already")) }
    }
}

pub fn object_name(feast: &str) -> Option<String> {
    let name = feast.replace('_', "-").to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
    let bytes = name.as_bytes();
    let is_name = name.len() <= 63 && name.bytes().all(fits) && is_edge(bytes.first()) && is_edge(bytes.last());
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_become_hyphens_and_no_two_names_become_one() {
        let mut names = Names::default();
        assert_eq!(names.take("driver_stats").unwrap(), "driver-stats");
        assert!(names.take("driver-stats").unwrap_err().contains("already"));
        for strange in ["", "_a", "a b", "ä", "../a", "a/b", &"x".repeat(64)] {
            assert!(Names::default().take(strange).is_err(), "{strange}");
        }
        assert_eq!(object_name("Driver").as_deref(), Some("driver"));
    }
}
