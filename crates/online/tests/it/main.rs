//! The online store: equal to the point-in-time join, safe to push to twice, clear about a folder or a Redis it cannot use,
//! fast.

mod copying;
mod engine;
mod folder;
mod memory;
mod parity;
mod redis;
mod source;
mod speed;
mod stored;
mod writing;
