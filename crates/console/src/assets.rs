//! The three files the pages load, in the binary.

use axum::http::header;
use axum::routing::{MethodRouter, get};
use bedplate_policy::Operation;

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/live.js");
const MARK: &str = include_str!("../assets/mark.svg");

/// Revalidated on every load: a new binary is a new style.
const CACHE: &str = "no-cache";

/// Open: they are the same for everybody.
pub fn table<S: Clone + Send + Sync + 'static>() -> Vec<(Operation, MethodRouter<S>)> {
    vec![
        (Operation::open("GET", "/assets/console.css"), get(async || file("text/css; charset=utf-8", STYLE))),
        (Operation::open("GET", "/assets/live.js"), get(async || file("text/javascript; charset=utf-8", SCRIPT))),
        (Operation::open("GET", "/assets/mark.svg"), get(async || file("image/svg+xml", MARK))),
    ]
}

type File = ([(header::HeaderName, &'static str); 2], &'static str);

const fn file(media_type: &'static str, text: &'static str) -> File {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, CACHE)], text)
}
