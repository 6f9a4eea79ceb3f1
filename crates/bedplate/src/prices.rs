//! The price sheet a home declares: a file a person edits, written with example prices the first time.

use bedplate_ledger::PriceSheet;
use bedplate_types::{ErrorKind, Problem};

use crate::home::{Home, write_private};

const FILE: &str = "prices.json";
const FIRST: &str = include_str!("prices.json");

pub fn load(home: &Home) -> Result<PriceSheet, Problem> {
    let path = home.path(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            write_private(&path, FIRST.as_bytes())?;
            FIRST.to_owned()
        }
        Err(error) => return Err(crate::home::unusable(&path, &error)),
    };
    serde_json::from_str(&text).map_err(|error| {
        Problem::new(ErrorKind::Invalid, path.display().to_string(), error.to_string())
            .with_fix(format!("correct it, or delete {} to get the example prices again", path.display()))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_prices_are_a_price_sheet() {
        let sheet: bedplate_ledger::PriceSheet = serde_json::from_str(super::FIRST).unwrap();
        for resource in ["cpu_seconds", "ingested_gigabytes", "predictions"] {
            assert!(sheet.prices.contains_key(resource), "{resource}");
        }
    }
}
