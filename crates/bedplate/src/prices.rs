//! The prices a home begins with: `prices.json` seeds the first PriceSheet, and counts for nothing after that.

use bedplate_kinds::{Price, PriceSheetSpec};
use bedplate_ledger::PriceSheet;
use bedplate_types::{ErrorKind, Problem};
use kube::api::{Api, ListParams, PostParams};
use kube::{Client, ResourceExt};

use crate::home::{Home, write_private};

const FILE: &str = "prices.json";
const FIRST: &str = include_str!("prices.json");
/// Where what counts for the whole platform is declared.
const PLACE: &str = "bedplate-system";
/// The sheet that is made of the file.
const SEEDED: &str = "standard";

/// The file: a currency, and millionths of it for a unit of each resource.
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

/// Declares the sheet `standard` when no PriceSheet is there at all. Says so when the file was edited since: it is the sheet
/// that counts.
pub async fn seed(client: &Client, seed: &PriceSheet) -> Result<(), Problem> {
    let of = |error: kube::Error| Problem::new(ErrorKind::Internal, "the price sheets", error.to_string());
    let api: Api<bedplate_kinds::PriceSheet> = Api::namespaced(client.clone(), PLACE);
    let sheets = api.list(&ListParams::default()).await.map_err(of)?.items;
    if sheets.is_empty() {
        return match api.create(&PostParams::default(), &bedplate_kinds::PriceSheet::new(SEEDED, spec(seed))).await {
            // Another platform on the same database was first.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            made => made.map(drop).map_err(|error| refused(&error)),
        };
    }
    let edited =
        |sheet: &bedplate_kinds::PriceSheet| sheet.name_any() == SEEDED && sheet.metadata.generation == Some(1);
    if sheets.iter().any(|sheet| edited(sheet) && sheet.spec.prices != spec(seed).prices) {
        tracing::warn!("{FILE} was edited, but seeds the first sheet only: change pricesheet {SEEDED} in {PLACE}");
    }
    Ok(())
}

fn refused(error: &kube::Error) -> Problem {
    let why = match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    };
    Problem::new(ErrorKind::Invalid, FILE, why).with_fix("correct prices.json in the home folder and start again")
}

fn spec(seed: &PriceSheet) -> PriceSheetSpec {
    PriceSheetSpec {
        owner: String::new(),
        description: format!("What the platform began with: {FILE} of its home folder."),
        currency: seed.currency.clone(),
        prices: seed.prices.iter().map(|(resource, price)| (resource.clone(), Price(*price))).collect(),
        valid_from: seed.valid_from,
        valid_to: seed.valid_to,
    }
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::Validate;

    #[test]
    fn the_example_prices_make_a_sound_sheet() {
        let seed: super::PriceSheet = serde_json::from_str(super::FIRST).unwrap();
        assert_eq!(super::spec(&seed).validate(), []);
        for resource in ["cpu_seconds", "predictions", "ingested_gigabytes", "scanned_gigabytes", "stored_gigabytes"] {
            assert!(seed.prices.contains_key(resource), "{resource} has no price");
        }
    }
}
