//! The online store: equal to the point-in-time join, safe to push to twice, clear about a folder it cannot use, fast.

mod copying;
mod folder;
mod parity;
mod source;
mod speed;
mod writing;
