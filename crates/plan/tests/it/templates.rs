//! Every template, filled in, passes a plan with nothing denied, and its own tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bedplate_plan::check::{self, Suite};
use bedplate_plan::{Manifest, Outcome, templates};
use bedplate_types::SystemClock;

use crate::support::{House, admin};

#[tokio::test]
async fn every_template_can_be_planned_and_passes_its_own_tests() {
    for template in templates::all() {
        let set: BTreeMap<String, String> = template
            .parameters
            .iter()
            .filter(|one| one.default.is_none())
            .map(|one| (one.name.to_owned(), "churn".to_owned()))
            .collect();
        let files = template.render(&set).unwrap();
        let mut manifests = Vec::new();
        for (path, text) in files.iter().filter(|(path, _)| !path.ends_with(".test.yaml")) {
            let found = bedplate_client::parse_manifests(text, Path::new(path)).unwrap();
            manifests.extend(found.iter().map(|one| Manifest {
                object: serde_json::to_value(&one.object).unwrap(),
                source: (*path).to_owned(),
            }));
        }
        let objects: Vec<_> = manifests.iter().map(|one| one.object.clone()).collect();
        let plan = House::new().plan(&admin(), &objects).await;
        assert_eq!(plan.verdict, Outcome::Changes, "{}: {plan:#?}", template.name);
        let (_, tests) = files.iter().find(|(path, _)| path.ends_with(".test.yaml")).unwrap();
        let suite: Suite = serde_saphyr::from_str(tests).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let outcomes = check::run(&suite, &manifests, &[], scratch.path(), Arc::new(SystemClock), None).await.unwrap();
        assert!(outcomes.len() > 2 && outcomes.iter().all(|one| one.passed), "{}: {outcomes:#?}", template.name);
    }
}
