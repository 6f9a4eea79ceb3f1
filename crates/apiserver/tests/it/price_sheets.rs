//! PriceSheets: they count in the transaction that stores them, one at most for every moment.

use bedplate_ledger::{PriceSheet, sheets};
use bedplate_types::Money;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::House;

const SHEETS: &str = "/apis/bedplate.dev/v1alpha1/namespaces/bedplate-system/pricesheets";

fn sheet(name: &str, from: Option<&str>, to: Option<&str>) -> Value {
    let mut sheet = json!({
        "apiVersion": "bedplate.dev/v1alpha1", "kind": "PriceSheet", "metadata": { "name": name },
        "spec": { "currency": "EUR", "prices": { "cpu_seconds": "0.000014" } },
    });
    for (field, at) in [("validFrom", from), ("validTo", to)] {
        if let Some(at) = at {
            sheet["spec"][field] = at.into();
        }
    }
    sheet
}

fn kept(house: &House) -> Vec<PriceSheet> {
    house.db.read(sheets).unwrap()
}

#[tokio::test]
async fn a_sheet_counts_as_it_is_stored_changed_and_removed() {
    let house = House::new();
    house.made(SHEETS, &sheet("standard", None, None)).await;
    assert_eq!((kept(&house)[0].generation, kept(&house)[0].prices["cpu_seconds"]), (1, Money(14)));
    let change = json!({ "spec": { "prices": { "cpu_seconds": "2.5" } } });
    assert_eq!(house.merge(&format!("{SHEETS}/standard"), &change).await.0, StatusCode::OK);
    assert_eq!((kept(&house)[0].generation, kept(&house)[0].prices["cpu_seconds"]), (2, Money(2_500_000)));
    assert_eq!(house.delete(&format!("{SHEETS}/standard")).await.0, StatusCode::OK);
    assert!(kept(&house).is_empty());
    house.made(&format!("{SHEETS}?dryRun=All"), &sheet("standard", None, None)).await;
    assert!(kept(&house).is_empty(), "a dry run changes nothing");
}

#[tokio::test]
async fn a_sheet_that_overlaps_is_refused_with_the_others_name_and_nothing_is_stored() {
    let house = House::new();
    house.made(SHEETS, &sheet("summer", Some("2026-06-01T00:00:00Z"), Some("2026-09-01T00:00:00Z"))).await;
    let (code, status) = house.post(SHEETS, &sheet("year", Some("2026-08-01T00:00:00Z"), None)).await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "{status}");
    let message = status["message"].as_str().unwrap();
    assert!(message.contains("\"year\" overlaps \"summer\"") && message.contains("validTo"), "{message}");
    assert_eq!(house.get(&format!("{SHEETS}/year")).await.0, StatusCode::NOT_FOUND);
    house.made(SHEETS, &sheet("autumn", Some("2026-09-01T00:00:00Z"), None)).await;
    let change = json!({ "spec": { "validTo": "2026-09-02T00:00:00Z" } });
    let (code, status) = house.merge(&format!("{SHEETS}/summer"), &change).await;
    assert!(code == StatusCode::UNPROCESSABLE_ENTITY && status["message"].to_string().contains("autumn"), "{status}");
    assert_eq!(kept(&house).len(), 2);
}

#[tokio::test]
async fn a_sheet_elsewhere_and_a_price_that_is_none_are_refused() {
    let house = House::new();
    let (code, status) = house.post(&SHEETS.replace("bedplate-system", "default"), &sheet("s", None, None)).await;
    assert!(
        code == StatusCode::UNPROCESSABLE_ENTITY && status["message"].to_string().contains("bedplate-system"),
        "{status}"
    );
    for (field, value, named) in [
        ("prices", json!({ "cpu_seconds": "-1" }), "spec.prices"),
        ("prices", json!({ "cpu_seconds": 0.1 }), "spec.prices"),
        ("currency", json!("euro"), "spec.currency"),
        ("validTo", json!("1999"), "spec"),
    ] {
        let mut wrong = sheet("s", None, None);
        wrong["spec"][field] = value;
        let (code, status) = house.post(SHEETS, &wrong).await;
        assert!(code == StatusCode::UNPROCESSABLE_ENTITY && status.to_string().contains(named), "{status}");
    }
    assert!(kept(&house).is_empty());
}
