//! The console: server-rendered pages that show what is running, without JavaScript, and live with it.
//!
//! Start with [`router`], which is given a [`ConsoleState`], and [`Facts`], the port through which the pages learn what to
//! show; `overview`, `use_case`, `catalogue`, `dataset` and `feature_view` are the pages. [`Sessions`] turns a token or a one-time code into a cookie.
//! This crate decides how facts look. It does not know where they come from, and it changes nothing on the platform.

mod assets;
mod catalogue;
mod chart;
mod dataset;
mod elsewhere;
mod facts;
mod feature_view;
mod flow;
mod headers;
mod live;
mod overview;
mod page;
mod profile;
mod router;
mod session;
mod show;
mod sign_in;
mod tables;
mod use_case;

pub use facts::{
    AuditHead, Catalogue, CatalogueHit, CatalogueQuery, ColumnFacts, ColumnProfile, Cost, Dataset, DriftFinding, Facts,
    FeatureFacts, FeatureView, GateFinding, IngestRow, Month, ObjectRow, Overview, Parity, Platform, Prediction, Run,
    Served, Shape, Spread, Stage, StageKind, State, UseCase, UseCaseSummary,
};
pub use router::{ConsoleState, Provider, SignIn, operations, router};
pub use session::{Secrets, Sessions};
