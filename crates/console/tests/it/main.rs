//! The console as a browser meets it: over its routes, and in a real Chromium.

mod browser;
mod fake;
mod routes;
