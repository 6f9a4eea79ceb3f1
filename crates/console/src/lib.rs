//! The console: server-rendered pages that show what is running, without JavaScript, and live with it.
//!
//! Start with [`router`], which is given a [`ConsoleState`], and [`Facts`], the port through which the pages learn what to
//! show; `overview` and `use_case` are the two pages. [`Sessions`] turns a token or a one-time code into a cookie.
//! This crate decides how facts look. It does not know where they come from, and it changes nothing on the platform.

mod assets;
mod chart;
mod elsewhere;
mod facts;
mod flow;
mod headers;
mod live;
mod overview;
mod page;
mod router;
mod session;
mod show;
mod sign_in;
mod tables;
mod use_case;

pub use facts::{
    AuditHead, Cost, DriftFinding, Facts, GateFinding, Month, ObjectRow, Overview, Platform, Prediction, Run, Stage,
    StageKind, State, UseCase, UseCaseSummary,
};
pub use router::{ConsoleState, Provider, SignIn, router};
pub use session::{Secrets, Sessions};
