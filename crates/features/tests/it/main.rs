//! The point-in-time join against a brute-force oracle, and its speed.

mod oracle;
mod point_in_time;
mod speed;
mod tiles;
