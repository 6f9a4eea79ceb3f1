//! The verbs against a small server that answers as a platform does.

mod server;
mod verbs;
