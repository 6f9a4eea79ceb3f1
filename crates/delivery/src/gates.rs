//! Whether a trained model may become a version: every gate of the recipe, held against the evidence.

use std::collections::BTreeMap;

use bedplate_kinds::{Gate, GateResult, LeakageGate, MetricGate};

use crate::leakage::separation;

/// What was measured on the test window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// `auc`, `logLoss`, `brier`.
    pub metrics: BTreeMap<String, f64>,
    /// Each feature's AUC alone, in either direction; NaN when it could not be computed.
    pub single_feature_auc: Vec<(String, f64)>,
}

/// One result a gate, in the gates' order. A model passes when all have passed.
///
/// A result's `value` and `bound` are finite even where the evidence is not, since a status is JSON: a value that is
/// missing or NaN is 0 there, and `detail` says so.
#[must_use]
pub fn decide(gates: &[Gate], evidence: &Evidence) -> Vec<GateResult> {
    gates.iter().map(|gate| decide_one(gate, evidence)).collect()
}

fn decide_one(gate: &Gate, evidence: &Evidence) -> GateResult {
    let verdict = match (&gate.metric, &gate.leakage) {
        (Some(metric), None) => metric_gate(metric, &evidence.metrics),
        (None, Some(leakage)) => leakage_gate(leakage, &evidence.single_feature_auc),
        _ => Verdict::failed(
            0.0,
            0.0,
            "exactly one of metric and leakage must be set; edit the recipe's spec.gates".into(),
        ),
    };
    GateResult {
        name: gate.name.clone(),
        passed: verdict.passed,
        value: finite(verdict.value),
        bound: finite(verdict.bound),
        detail: verdict.detail,
    }
}

struct Verdict {
    passed: bool,
    value: f64,
    bound: f64,
    detail: String,
}

impl Verdict {
    fn passed(value: f64, bound: f64, detail: String) -> Self {
        Self { passed: true, value, bound, detail }
    }

    fn failed(value: f64, bound: f64, detail: String) -> Self {
        Self { passed: false, value, bound, detail }
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// `low` ≤ `high`, which NaN on either side is not.
fn holds(low: f64, high: f64) -> bool {
    low <= high
}

fn metric_gate(gate: &MetricGate, metrics: &BTreeMap<String, f64>) -> Verdict {
    let name = &gate.metric;
    let Some(bound) = gate.min.or(gate.max) else {
        return Verdict::failed(
            0.0,
            0.0,
            format!("neither min nor max is set for {name}; set one in the recipe's spec.gates"),
        );
    };
    let Some(&value) = metrics.get(name) else {
        let known: Vec<_> = metrics.keys().map(String::as_str).collect();
        return Verdict::failed(
            0.0,
            bound,
            format!("{name} is missing from the evidence, which has [{}]", known.join(", ")),
        );
    };
    match (gate.min, gate.max) {
        (Some(min), _) if !holds(min, value) => {
            Verdict::failed(value, min, format!("{name} is {value:.6}, below min {min}"))
        }
        (_, Some(max)) if !holds(value, max) => {
            Verdict::failed(value, max, format!("{name} is {value:.6}, above max {max}"))
        }
        _ => Verdict::passed(value, bound, format!("{name} is {value:.6}, {}", within(gate))),
    }
}

fn within(gate: &MetricGate) -> String {
    match (gate.min, gate.max) {
        (Some(min), Some(max)) => format!("within {min} and {max}"),
        (Some(min), None) => format!("not below min {min}"),
        (_, max) => format!("not above max {}", max.unwrap_or(f64::INFINITY)),
    }
}

fn leakage_gate(gate: &LeakageGate, features: &[(String, f64)]) -> Verdict {
    let limit = gate.max_single_feature_auc;
    let mut strengths: Vec<(&str, f64)> =
        features.iter().map(|(name, auc)| (name.as_str(), separation(*auc))).collect();
    strengths.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some(&(strongest, value)) = strengths.first() else {
        return Verdict::failed(0.0, limit, "no feature was measured alone, so a leak cannot be ruled out".into());
    };
    // NaN is not within the limit, and sorts first.
    let suspects: Vec<_> = strengths.into_iter().filter(|(_, auc)| !holds(*auc, limit)).collect();
    if suspects.is_empty() {
        return Verdict::passed(value, limit, format!("the strongest feature alone, {strongest}, has AUC {value:.4}"));
    }
    Verdict::failed(value, limit, accusation(&suspects, limit))
}

fn accusation(suspects: &[(&str, f64)], limit: f64) -> String {
    let named: Vec<_> = suspects.iter().map(|(name, auc)| format!("{name} ({auc:.4})")).collect();
    format!(
        "alone on the test window these features pass the AUC limit {limit}: {}. A feature that strong is probably known only \
         after the moment of prediction: leave it out of the FeatureService, or take its value as it was known then. If it \
         truly is known beforehand, raise maxSingleFeatureAuc in the recipe's spec.gates",
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, min: Option<f64>, max: Option<f64>) -> Gate {
        Gate { name: "g".into(), metric: Some(MetricGate { metric: name.into(), min, max }), leakage: None }
    }

    fn leakage(limit: f64) -> Gate {
        Gate { name: "no-leak".into(), metric: None, leakage: Some(LeakageGate { max_single_feature_auc: limit }) }
    }

    fn check(gate: Gate, evidence: &Evidence) -> GateResult {
        decide(&[gate], evidence).remove(0)
    }

    fn auc_of(value: f64) -> Evidence {
        Evidence { metrics: [("auc".to_owned(), value)].into(), ..Evidence::default() }
    }

    fn features(pairs: &[(&str, f64)]) -> Evidence {
        let single_feature_auc = pairs.iter().map(|(name, auc)| ((*name).to_owned(), *auc)).collect();
        Evidence { single_feature_auc, ..Evidence::default() }
    }

    #[test]
    fn a_metric_passes_on_its_bound_and_fails_beyond() {
        assert!(check(metric("auc", Some(0.74), None), &auc_of(0.74)).passed);
        let low = check(metric("auc", Some(0.74), None), &auc_of(0.7399));
        assert_eq!((low.passed, low.value, low.bound), (false, 0.7399, 0.74));
        assert!(low.detail.contains("below min 0.74"), "{}", low.detail);
        let high = check(metric("auc", Some(0.1), Some(0.9)), &auc_of(0.95));
        assert_eq!((high.passed, high.bound), (false, 0.9));
    }

    #[test]
    fn missing_evidence_and_nan_never_pass() {
        let missing = check(metric("brier", None, Some(0.2)), &auc_of(0.8));
        assert!(!missing.passed && missing.detail.contains("brier is missing") && missing.detail.contains("[auc]"));
        let nan = check(metric("auc", Some(0.7), None), &auc_of(f64::NAN));
        assert!(!nan.passed && nan.detail.contains("NaN"), "{}", nan.detail);
        assert!(!check(metric("auc", None, Some(0.9)), &auc_of(f64::NAN)).passed);
        assert!(!check(metric("auc", None, None), &auc_of(0.9)).passed);
        assert!(!check(leakage(0.8), &Evidence::default()).passed);
        assert!(!check(leakage(0.8), &features(&[("a", 0.5), ("b", f64::NAN)])).passed);
        assert!(!check(leakage(f64::NAN), &features(&[("a", 0.5)])).passed);
    }

    #[test]
    fn results_are_json_numbers_whatever_the_evidence() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let result = check(metric("auc", Some(0.7), Some(0.9)), &auc_of(value));
            let text = serde_json::to_string(&result).unwrap();
            assert_eq!(serde_json::from_str::<GateResult>(&text).unwrap(), result);
        }
    }

    #[test]
    fn a_leak_is_named_with_its_value_and_what_to_do() {
        let result = check(leakage(0.8), &features(&[("month", 0.52), ("dep_delay", 0.953), ("inverse", 0.1)]));
        assert_eq!((result.passed, result.value, result.bound), (false, 0.953, 0.8));
        for part in ["dep_delay (0.9530)", "inverse (0.9000)", "leave it out", "maxSingleFeatureAuc"] {
            assert!(result.detail.contains(part), "{part}: {}", result.detail);
        }
        assert!(!result.detail.contains("month"));
    }

    #[test]
    fn without_a_leak_the_strongest_feature_is_told() {
        let result = check(leakage(0.8), &features(&[("month", 0.52), ("wind", 0.36)]));
        assert!(result.passed && result.detail.contains("wind"), "{}", result.detail);
    }

    #[test]
    fn a_gate_of_neither_or_both_kinds_fails() {
        assert!(!check(Gate { name: "g".into(), metric: None, leakage: None }, &auc_of(0.9)).passed);
    }
}
