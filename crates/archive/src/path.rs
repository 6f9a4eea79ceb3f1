//! Paths in an archive, which may have been written by anybody.

const LONGEST: usize = 1_024;
const DEEPEST: usize = 32;

/// Whether the path is relative, of plain names, and below one of `tops`.
pub(crate) fn is_plain(path: &str, tops: &[&str]) -> bool {
    let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\']);
    let top = path.split('/').next().unwrap_or_default();
    path.len() <= LONGEST && path.split('/').count() <= DEEPEST && path.split('/').all(plain) && tops.contains(&top)
}

#[test]
fn what_leads_elsewhere_is_not_plain() {
    for good in ["lake", "lake/a/_delta_log/0.json", "lake/..a", "lake/é", "lake/ns=1/part#1"] {
        assert!(is_plain(good, &["lake"]), "{good}");
    }
    let deep = "lake/".repeat(40) + "x";
    for bad in [
        "",
        "/lake",
        "lake/",
        "lake//a",
        "lake/../x",
        "../lake",
        "./lake",
        "lake/.",
        "other/a",
        "lake/a\0",
        "lake\\..",
        &deep,
    ] {
        assert!(!is_plain(bad, &["lake"]), "{bad:?}");
    }
    assert!(!is_plain(&format!("lake/{}", "x".repeat(LONGEST)), &["lake"]));
}
