//! `feast apply` with the registry in a bucket: what it declares exists here, what cannot is told, and the store it was
//! declared with reads features back.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bedplate_testkit::{not_run, python};
use serde_json::{Value, json};

use crate::http::Api;
use crate::run::{bedplate, said, up};

const KINDS: &str = "/apis/bedplate.dev/v1alpha1/namespaces/drivers";

struct Repository<'a> {
    python: &'a Path,
    folder: &'a Path,
    control: String,
    endpoint: String,
    key: [String; 2],
}

impl Repository<'_> {
    fn step(&self, step: &str) -> Value {
        let script = bedplate_testkit::in_crate("tests/it/feast_registry_client.py");
        let mut client = Command::new(self.python);
        client.arg(script).arg(step).arg(self.folder).arg(&self.control);
        client.env("FEAST_USAGE", "False").env("FEAST_S3_ENDPOINT_URL", &self.endpoint);
        client.env("AWS_ACCESS_KEY_ID", &self.key[0]).env("AWS_SECRET_ACCESS_KEY", &self.key[1]);
        client.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
        let told = said(&mut client);
        assert_eq!(told.code, Some(0), "{step}: {}\n{}", told.out, told.err);
        serde_json::from_str(told.out.lines().last().unwrap()).unwrap()
    }
}

fn names(api: &Api, plural: &str) -> Vec<String> {
    let listed = api.get(&format!("{KINDS}/{plural}"));
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    listed["items"].as_array().unwrap().iter().map(name).collect()
}

#[track_caller]
fn done(told: (u16, Value)) -> Value {
    assert!((200..300).contains(&told.0), "{}", told.1);
    told.1
}

#[test]
fn what_feast_applies_exists_here_and_is_read_through_the_same_store() {
    let Some(python) = python() else {
        return not_run("feast apply over S3: no Python environment with feast and boto3");
    };
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = up(home.path(), &["--source-root", folder.path().to_str().unwrap()]);
    let api = Api::of(home.path(), home.path());
    done(api.ask("POST", "/api/v1/namespaces", &json!({ "metadata": { "name": "drivers" } })));
    for (role, name) in [("editor", "robot"), ("viewer", "guest")] {
        let spec = json!({ "role": role, "subjects": [{ "kind": "ServiceAccount", "name": name }] });
        let binding = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding",
            "metadata": { "name": name }, "spec": spec });
        done(api.ask("POST", &format!("{KINDS}/rolebindings"), &binding));
    }
    let account = json!({ "serviceAccount": { "namespace": "drivers", "name": "robot" }, "s3": true });
    let made = done(api.ask("POST", "/bedplate/v1/tokens", &account));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let told = server.said();
    let address = |word: &str| {
        let line = told.lines().find(|line| line.contains(word)).unwrap();
        line.split("://").nth(1).unwrap().split([' ', '/']).next().unwrap().to_owned()
    };
    let repository = Repository {
        python: &python,
        folder: folder.path(),
        control: format!("http://robot:{}@{}", text("token"), address("bedplate is up on")),
        endpoint: format!("http://{}", address("s3  ")),
        key: [text("accessKeyId"), text("secretAccessKey")],
    };
    // Somebody's own object, which a registry does not take over.
    let own = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Entity", "metadata": { "name": "rider" },
        "spec": { "joinKeys": [{ "name": "rider_id", "type": "int64" }] } });
    done(api.ask("POST", &format!("{KINDS}/entities"), &own));
    crate::s3::done_as(&repository.endpoint, &repository.key, "PUT", "/drivers");

    let first = repository.step("apply");
    assert_eq!(first["code"], 0, "{first}");
    assert_eq!(first["blob"], json!({ "is_whole": true, "has_python": true }));
    assert_eq!(names(&api, "entities"), ["driver", "rider"]);
    assert_eq!(names(&api, "featureviews"), ["driver-ratings", "driver-stats", "outside-stats"]);
    assert_eq!(names(&api, "datasets"), ["trip-rows"]);
    let service = api.get(&format!("{KINDS}/featureservices/driver-quality"));
    let views = json!([{ "view": "driver-stats", "features": ["rating"] },
        { "view": "driver-ratings", "features": ["rating"] }]);
    assert_eq!(service["spec"]["views"], views);
    let view = api.get(&format!("{KINDS}/featureviews/driver-stats"));
    assert_eq!((&view["spec"]["pushSource"], &view["spec"]["owner"]), (&json!("trip_pushes"), &json!("dispatch")));
    assert_eq!(view["spec"]["createdColumn"], "made");
    let managers = view["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|one| one["manager"] == "feast" && one["operation"] == "Apply"), "{managers:?}");
    // As whoever applied it.
    let log = api.log();
    let leaf = |object: &str| {
        log.iter().map(|leaf| leaf.get("entry").unwrap_or(leaf)).any(|leaf| {
            leaf["actor"] == "serviceaccount:drivers/robot" && leaf["object"].as_str().unwrap().contains(object)
        })
    };
    assert!(leaf("featureviews/drivers/driver-stats") && leaf("buckets/drivers/feast/registry.db"), "{log:?}");
    // What cannot exist here is told, not pretended.
    let told = api.get("/api/v1/namespaces/drivers/events").to_string();
    for words in [
        "by_hand of the registry of Feast: an on-demand feature view runs Python: it is not executed here",
        "features that are not numbers are not here: remark",
        "elsewhere.parquet lies outside the folders this platform may read",
        "it selects by_hand, which is not executed here",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }

    let until = Instant::now() + Duration::from_secs(60);
    while api.get(&format!("{KINDS}/featureviews/driver-stats"))["status"]["phase"] != "Ready" {
        assert!(Instant::now() < until, "{}", api.get(&format!("{KINDS}/featureviews/driver-stats")));
        std::thread::sleep(Duration::from_millis(100));
    }
    let read = repository.step("read");
    let expected = json!({ "driver_id": [1, 2], "trips": [12.0, 3.0], "rating": [4.75, null] });
    assert_eq!(read["read"], expected);
    // Of one moment's rows the one created last counts, as Feast's client tells.
    assert_eq!(read["corrected"], json!([[12.0, 3.0], [11.0, 3.0], [11.0, 3.0]]));
    assert_eq!(read["views"], json!(["driver_ratings", "driver_stats", "outside_stats"]));
    assert_eq!(read["python"], json!(["by_hand"]), "the blob is Feast's, whole");

    // What is applied no more goes; what was not Feast's stays.
    let second = repository.step("less");
    assert_eq!(second["code"], 0, "{second}");
    assert_eq!(names(&api, "featureviews"), ["driver-stats"]);
    assert_eq!((names(&api, "featureservices").len(), names(&api, "datasets").len()), (0, 1));
    assert_eq!(names(&api, "entities"), ["driver", "rider"]);

    // Who may not declare may not put a registry either, though they may put objects, and nothing of it counts.
    let cedar = "@id(\"guests-put\") permit (principal == ServiceAccount::\"drivers/guest\", action in \
        [Action::\"BucketObject.create\", Action::\"BucketObject.read-data\"], resource);";
    let policy = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Policy", "metadata": { "name": "guests" },
        "spec": { "cedar": cedar } });
    done(api.ask("POST", &format!("{KINDS}/policies"), &policy));
    let guest =
        said(&mut bedplate(home.path(), &["token", "create", "guest", "--service-account", "-n", "drivers", "--s3"]));
    let after = |word: &str| guest.out.lines().find_map(|line| line.strip_prefix(word)).unwrap().to_owned();
    let key = [after("AWS_ACCESS_KEY_ID="), after("AWS_SECRET_ACCESS_KEY=")];
    let failed = Repository { key, ..repository }.step("apply");
    assert_ne!(failed["code"], 0, "{failed}");
    assert!(failed["err"].as_str().unwrap().contains("serviceaccount:drivers/guest may not"), "{failed}");
    assert_eq!(names(&api, "featureviews"), ["driver-stats"]);
    assert_eq!(failed["blob"]["has_python"], false, "the registry is as it was");
}
