//! Facts made up for tests and for looking at the pages; the figures are those of the flights example.

#[path = "fake/catalogue.rs"]
mod catalogue;
#[path = "fake/feature_view.rs"]
mod feature_view;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bedplate_console::*;
use bedplate_identity::{IdentityError, Principal};
use bedplate_types::{Bytes, Clock, Digest, ErrorKind, FixedClock, Micros, Money, Problem, Timestamp};

pub const NOW: Timestamp = Timestamp::from_micros(1_767_000_000_000_000);

/// Counts how often it was asked, and says so as the number of audit entries.
#[derive(Default)]
pub struct FakeFacts {
    asked: AtomicU64,
}

#[async_trait]
impl Facts for FakeFacts {
    async fn overview(&self, _: &Principal) -> Result<Overview, Problem> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Overview {
            platform: Platform { version: "0.1.0".into(), started_at: before(97) },
            use_cases: vec![flights()],
            runs: runs(),
            predictions: predictions(),
            audit: Some(AuditHead {
                leaves: 1_214 + asked,
                root: Some(Digest::from_sha256([0x5c; 32])),
                verified: Some(true),
            }),
            cost: cost(),
        })
    }

    async fn use_case(&self, who: &Principal, namespace: &str) -> Result<UseCase, Problem> {
        if namespace != "flights" || who.name == "user:stranger" {
            return Err(Problem::new(ErrorKind::NotFound, format!("namespace {namespace}"), "it is not there")
                .with_fix("bedplate get namespaces"));
        }
        Ok(UseCase {
            summary: flights(),
            objects: objects(),
            gates: gates(),
            drift: drift(),
            drift_threshold: 0.1,
            label_by_month: months(),
            runs: runs(),
            predictions: predictions(),
            cost: cost(),
        })
    }

    async fn catalogue(&self, who: &Principal, asked: &CatalogueQuery) -> Result<Catalogue, Problem> {
        Ok(if who.name == "user:stranger" { Catalogue::default() } else { catalogue::catalogue(asked) })
    }

    async fn dataset(&self, who: &Principal, namespace: &str, name: &str) -> Result<Dataset, Problem> {
        catalogue::dataset(namespace, name, who.name == "user:stranger")
    }

    async fn feature_view(&self, who: &Principal, namespace: &str, name: &str) -> Result<FeatureView, Problem> {
        feature_view::feature_view(namespace, name, who.name == "user:stranger")
    }
}

/// Believes `Bearer bp_right` and `Bearer bp_stranger`.
pub struct FakeSignIn;

impl SignIn for FakeSignIn {
    fn sign_in(&self, authorization: &str) -> Result<Principal, IdentityError> {
        match authorization {
            "Bearer bp_right" => Ok(Principal::new("user:admin")),
            "Bearer bp_stranger" => Ok(Principal::new("user:stranger")),
            _ => Err(IdentityError::Unknown),
        }
    }
}

/// Stands still, so that a page is the same when nothing changed.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(NOW))
}

/// Believes the code `right`.
pub struct FakeProvider;

#[async_trait]
impl Provider for FakeProvider {
    async fn address(&self, secrets: &Secrets) -> Result<String, Problem> {
        Ok(format!("https://id.example/auth?state={}&redirect_uri={}", secrets.state, secrets.redirect_uri))
    }

    async fn authorization(&self, _: &Secrets, code: &str) -> Result<String, Problem> {
        match code {
            "right" => Ok("Bearer bp_right".into()),
            _ => Err(Problem::new(ErrorKind::Unauthenticated, "signing in", "the provider does not know the code")),
        }
    }
}

pub fn state() -> ConsoleState {
    let next = AtomicU64::new(1);
    ConsoleState {
        source: Arc::new(FakeFacts::default()),
        sign_in: Arc::new(FakeSignIn),
        sessions: Arc::new(Sessions::default()),
        clock: clock(),
        random: Arc::new(move || [u8::try_from(next.fetch_add(1, Ordering::Relaxed) % 256).unwrap(); 32]),
        provider: Some(Arc::new(FakeProvider)),
        secure: false,
    }
}

pub fn before(minutes: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() - minutes * 60_000_000)
}

fn flights() -> UseCaseSummary {
    let stage = |kind, state, headline: &str, detail: &str| Stage {
        kind,
        state,
        headline: headline.into(),
        detail: detail.into(),
    };
    UseCaseSummary {
        namespace: "flights".into(),
        question: "Before scheduled departure: will this flight arrive more than 15 minutes late?".into(),
        stages: vec![
            stage(StageKind::Dataset, State::Attention, "367,687 rows", "5 tables, 1 row in quarantine"),
            stage(StageKind::Features, State::Ready, "14 features", "4 views, 327,346 training rows"),
            stage(StageKind::Training, State::Ready, "9.8 s", "gradient boosting, January to June"),
            stage(StageKind::Gates, State::Ready, "AUC 0.758", "2 of 2 passed"),
            stage(StageKind::Model, State::Ready, "late v1", "signed, 5c5c5c5c5c5c"),
            stage(StageKind::Endpoint, State::Running, "10,000 served", "p50 0.4 ms, p99 1.9 ms"),
            stage(StageKind::Monitor, State::Attention, "3 of 14 drifted", "December against the training window"),
        ],
    }
}

fn runs() -> Vec<Run> {
    let run = |name: &str, task: &str, state, at, wall, exit| Run {
        namespace: "flights".into(),
        name: name.into(),
        task: task.into(),
        state,
        started_at: Some(before(at)),
        wall: Some(Micros(wall)),
        cpu: Some(Micros(wall * 17 / 10)),
        peak_memory: Some(Bytes(412 << 20)),
        exit_code: exit,
    };
    vec![
        run("replay-july", "replay", State::Running, 0, 4_200_000, None),
        run("train-late", "train", State::Succeeded, 2, 9_812_000, Some(0)),
        run("train-leaky", "train", State::Failed, 63, 8_110_000, Some(9)),
    ]
}

fn predictions() -> Vec<Prediction> {
    let one = |i: i64| Prediction {
        id: format!("replay-0042/{i}"),
        namespace: "flights".into(),
        endpoint: "late".into(),
        model_version: "late v1".into(),
        at: before(i / 3),
        score: 0.137 + 0.081 * f64::from(i32::try_from(i).unwrap()),
        latency: Micros(380 + 41 * u64::try_from(i).unwrap()),
    };
    (0..8).map(one).collect()
}

fn cost() -> Cost {
    let parts = [("cpu_seconds", 8_140), ("storage_bytes", 1_212), ("predictions", 500)];
    let parts: Vec<_> = parts.map(|(part, micros)| (part.to_owned(), Money(micros))).into();
    Cost { total: parts.iter().map(|(_, amount)| *amount).sum(), currency: "EUR".into(), parts }
}

fn objects() -> Vec<ObjectRow> {
    let object = |kind: &str, name: &str, state, figures: &str, reason: &str, message: &str| ObjectRow {
        kind: kind.into(),
        name: name.into(),
        state,
        figures: figures.into(),
        reason: reason.into(),
        message: message.into(),
    };
    vec![
        object("Dataset", "flights", State::Ready, "336,776 rows", "Ingested", "every expectation holds"),
        object(
            "Dataset",
            "weather",
            State::Attention,
            "26,114 rows, 1 quarantined",
            "Quarantined",
            "wind_speed 1048.36 is not between 0 and 150 (1 row); 75 hours are missing from the series of 3 airports",
        ),
        object("Dataset", "planes", State::Ready, "3,322 rows", "Ingested", "every expectation holds"),
        object("FeatureView", "tail-history", State::Ready, "2 features", "Materialized", "4,043 keys online"),
        object("Model", "late", State::Ready, "v1, AUC 0.758", "Registered", "signed by the platform's key"),
        object("Endpoint", "late", State::Running, "10,000 predictions", "Serving", "late v1"),
        object("Monitor", "december", State::Attention, "3 of 14 drifted", "Drifted", "temp, dewp and humid moved"),
        object("Dataset", "airlines", State::Pending, "", "Waiting", "for the ExpectationSuite airlines"),
    ]
}

fn gates() -> Vec<GateFinding> {
    vec![
        GateFinding {
            name: "auc".into(),
            passed: true,
            value: 0.758_3,
            bound: 0.74,
            detail: "July to December, 164,431 rows".into(),
        },
        GateFinding {
            name: "leakage".into(),
            passed: false,
            value: 0.981,
            bound: 0.95,
            detail: "dep_delay alone tells the label: it is known only after departure".into(),
        },
    ]
}

fn drift() -> Vec<DriftFinding> {
    let finding = |feature: &str, psi, jensen_shannon, wasserstein| DriftFinding {
        feature: feature.into(),
        psi,
        jensen_shannon,
        wasserstein,
        missing_reference: 0.004,
        missing_current: 0.011,
        drifted: jensen_shannon > 0.1 || wasserstein > 0.1,
    };
    vec![
        finding("temp", 1.912, 0.412, 0.871),
        finding("humid", 0.121, 0.119, 0.164),
        finding("carrier_delay_7d", 0.083, 0.098, 0.092),
        finding("origin_delay_3h", 0.021, 0.047, 0.061),
        finding("tail_last_delay", 0.008, 0.031, 0.035),
        finding("hour", 0.001, 0.006, 0.009),
    ]
}

fn months() -> Vec<Month> {
    let shares = [0.24, 0.237, 0.241, 0.274, 0.222, 0.301, 0.302, 0.238, 0.144, 0.169, 0.18, 0.328];
    let month =
        |(i, share): (usize, &f64)| Month { month: format!("2013-{:02}", i + 1), rows: 27_000, positive_share: *share };
    shares.iter().enumerate().map(month).collect()
}
