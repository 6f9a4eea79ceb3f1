//! Sources: which files a path names, how each of them is written, and which of them a load has to read.

mod file;
mod keys;
mod layout;
mod news;
mod pattern;

pub use file::SourceFile;
pub use layout::{Layout, UnknownLayout, layout};
pub use news::{Changed, News, news};
pub use pattern::{BadPattern, Pattern, Segment, is_hidden};
