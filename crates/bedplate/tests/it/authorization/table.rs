//! No route without a line in a table: routers are made by folding one, and by nothing else.

use std::fs;
use std::path::Path;

/// What adds a route to a router. The ones that are allowed stand in the file beside it, so often.
const ALLOWED: [(&str, &str, usize); 22] = [
    // Whether it is alive, of the webhook.
    (".route(", "bedplate/src/cluster/webhook.rs", 1),
    (".route(", "apiserver/src/admission/mod.rs", 1),
    (".route(", "apiserver/src/routes.rs", 3),
    (".route(", "bedplate/src/cluster/routes.rs", 1),
    (".route(", "bedplate/src/surface/api.rs", 1),
    (".route(", "bedplate/src/surface/api/backup.rs", 1),
    (".route(", "bedplate/src/surface/api/certificates.rs", 1),
    (".route(", "bedplate/src/surface/api/data.rs", 1),
    (".route(", "bedplate/src/surface/api/features.rs", 1),
    (".route(", "bedplate/src/surface/api/login.rs", 1),
    (".route(", "bedplate/src/surface/api/search.rs", 1),
    (".route(", "bedplate/src/surface/api/sql.rs", 1),
    (".route(", "console/src/router.rs", 1),
    (".route(", "feast/src/lib.rs", 1),
    (".route(", "oip/src/lib.rs", 1),
    (".route(", "openlineage/src/lib.rs", 1),
    (".route(", "plan/src/routes.rs", 1),
    // What is nested is a table too, and listed under its prefix.
    (".nest(", "bedplate/src/platform/surfaces.rs", 1),
    // Another method on a known path is told so.
    (".fallback(", "oip/src/lib.rs", 1),
    (".route_service(", "flight/src/lib.rs", 1),
    // What it answers is in a table of operations as S3 names them, which the door asks before anything else.
    (".fallback_service(", "s3/src/lib.rs", 1),
    (".route_service(", "feast/src/offline.rs", 1),
];

#[test]
fn every_route_comes_from_a_table() {
    let crates = bedplate_testkit::in_crate("..");
    let mut files = Vec::new();
    for surface in [
        "apiserver",
        "bedplate",
        "client",
        "console",
        "controllers",
        "feast",
        "flight",
        "oip",
        "openlineage",
        "plan",
        "s3",
    ] {
        sources(&crates.join(surface).join("src"), &mut files);
    }
    assert!(files.len() > 100, "{}", files.len());
    for call in [".route(", ".nest(", ".fallback(", ".route_service(", ".fallback_service(", ".nest_service("] {
        for file in &files {
            let name = file.strip_prefix(&crates).unwrap().to_string_lossy().into_owned();
            let found = product(file).matches(call).count();
            let allowed =
                ALLOWED.iter().find(|(known, of, _)| *known == call && *of == name).map_or(0, |known| known.2);
            assert!(
                found <= allowed,
                "{name} calls {call}…) {found} times: enter the route in the surface's table instead"
            );
        }
    }
}

/// Without the tests at its end.
fn product(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}
