//! The verbs against a small server that answers as a platform does.

mod audit;
mod server;
mod verbs;
