//! What Redis does in one step, which nobody sees half of.

/// A script of its own; the number is its place in [`ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Put,
    Begin,
    Stage,
    Cancel,
    Show,
    Fold,
    Drop,
    Sweep,
    Read,
}

const ALL: [&str; 9] = [
    include_str!("scripts/put.lua"),
    include_str!("scripts/begin.lua"),
    include_str!("scripts/stage.lua"),
    include_str!("scripts/cancel.lua"),
    include_str!("scripts/show.lua"),
    include_str!("scripts/fold.lua"),
    include_str!("scripts/drop.lua"),
    include_str!("scripts/sweep.lua"),
    include_str!("scripts/read.lua"),
];
const ROWS: &str = include_str!("scripts/rows.lua");
/// With it a script is refused before its first step, and not in the middle, when there is no memory left to write.
const HEAD: &str = "#!lua\n";

/// The texts in the order of [`Script`], each with what they share.
pub(crate) fn texts() -> impl Iterator<Item = String> {
    ALL.into_iter().map(|script| match script.strip_prefix("#!lua").and_then(|rest| rest.split_once('\n')) {
        Some((flags, rest)) => format!("#!lua{flags}\n{ROWS}{rest}"),
        None => format!("{HEAD}{ROWS}{script}"),
    })
}
