//! The catalogue by the binary: profiles behind the ingests, and search; both tell each caller what they may see, and of the
//! rest nothing.

use std::fs;
use std::time::{Duration, Instant};

use bedplate_testkit::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Api;
use crate::run::{Said, bedplate, said, up};

const MANIFESTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: customers, namespace: shop}
spec:
  owner: sales
  description: Everybody who ever bought something.
  classification: confidential
  source: {path: customers.csv}
  schema:
  - {name: id, type: int64}
  - {name: email, type: string, description: Where receipts are sent.}
  - {name: spent, type: float64, description: Euro so far.}
  - {name: since, type: timestamp}
  columnMasks:
  - {column: email, mask: hash, tags: {pii: email}}
  terms: [{term: revenue, column: spent}]
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: payroll, namespace: shop, labels: {tier: secret}}
spec:
  owner: people
  description: What everybody earns, with the customers they look after.
  source: {path: payroll.csv}
  schema: [{name: clerk, type: string}, {name: wage, type: float64}]
  rowFilters: [{name: own, where: wage < 2000}]
---
apiVersion: bedplate.dev/v1alpha1
kind: Dataset
metadata: {name: newsletter, namespace: shop}
spec:
  owner: sales
  source: {path: newsletter.csv}
  schema: [{name: reader, type: string}, {name: opened, type: int64}]
---
apiVersion: bedplate.dev/v1alpha1
kind: Entity
metadata: {name: customer, namespace: shop}
spec: {joinKeys: [{name: id, type: int64}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: spending, namespace: shop}
spec:
  owner: sales
  entity: customer
  timestampColumn: since
  source: {datasets: [customers], sql: 'SELECT id, spent, since FROM customers'}
  features: [{name: spent, description: Euro at the time.}]
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureView
metadata: {name: turnover, namespace: shop, labels: {tier: secret}}
spec:
  owner: finance
  entity: customer
  timestampColumn: since
  source: {datasets: [customers], sql: 'select c.id, c.spent as paid, c.since from customers c'}
  features: [{name: paid}]
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureService
metadata: {name: churn, namespace: shop}
spec: {views: [{view: spending}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: FeatureService
metadata: {name: bonus, namespace: shop, labels: {tier: secret}}
spec: {views: [{view: spending}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: GlossaryTerm
metadata: {name: revenue, namespace: shop}
spec: {owner: finance, definition: What was paid to us., synonyms: [turnover]}
---
apiVersion: bedplate.dev/v1alpha1
kind: Policy
metadata: {name: secrets, namespace: shop}
spec:
  cedar: |
    @id(\"secret\")
    forbid (principal == ServiceAccount::\"shop/viewer\", action in Action::\"get\", resource)
    when { resource.hasTag(\"tier\") && resource.getTag(\"tier\") == \"secret\" };
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: editor, namespace: shop}
spec: {role: editor, subjects: [{kind: ServiceAccount, name: editor}]}
---
apiVersion: bedplate.dev/v1alpha1
kind: RoleBinding
metadata: {name: viewer, namespace: shop}
spec: {role: viewer, subjects: [{kind: ServiceAccount, name: viewer}]}
";
const CUSTOMERS: &str = "id,email,spent,since\n1,ada@example.org,10.5,2024-01-01T00:00:00Z\n\
    2,bob@example.org,,2024-01-02T00:00:00Z\n3,ada@example.org,4.5,2024-01-03T00:00:00Z\n4,,0,2024-01-04T00:00:00Z\n";

struct Shop {
    home: TempDir,
    folder: TempDir,
}

impl Shop {
    fn open() -> (Self, Server) {
        let shop = Self { home: tempfile::tempdir().unwrap(), folder: tempfile::tempdir().unwrap() };
        shop.write("customers.csv", CUSTOMERS);
        shop.write("payroll.csv", "clerk,wage\nEve,1900\nMallory,2100\n");
        let readers = ["a", "b", "c", "d", "e", "f"].map(|name| format!("{name}@example.org,1\n"));
        shop.write("newsletter.csv", &format!("reader,opened\n{}", readers.concat()));
        shop.write("all.yaml", MANIFESTS);
        let server = shop.up();
        shop.ok(&["apply", "-f", shop.folder.path().join("all.yaml").to_str().unwrap()]);
        (shop, server)
    }

    fn up(&self) -> Server {
        up(self.home.path(), &["--source-root", self.folder.path().to_str().unwrap()])
    }

    fn api(&self) -> Api {
        Api::of(self.home.path(), self.home.path())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn ask(&self, arguments: &[&str]) -> Said {
        said(&mut bedplate(self.home.path(), arguments))
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let said = self.ask(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        said.out
    }

    fn of(&self, name: &str) -> Api {
        let account = json!({ "serviceAccount": { "namespace": "shop", "name": name } });
        let (code, made) = self.api().ask("POST", "/bedplate/v1/tokens", &account);
        assert_eq!(code, 201, "{made}");
        self.api().with_token(made["token"].as_str().unwrap())
    }
}

#[track_caller]
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it did not come to pass");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn profile_path(dataset: &str, more: &str) -> String {
    format!("/bedplate/v1/namespaces/shop/datasets/{dataset}/profile{more}")
}

/// That of the newest version, once it is this one.
#[track_caller]
fn profile(api: &Api, dataset: &str, version: i64) -> Value {
    until(|| {
        let (code, body) = api.ask("GET", &profile_path(dataset, ""), &Value::Null);
        (code == 200 && body["version"] == version).then_some(body)
    })
}

#[test]
fn a_profile_is_gathered_behind_each_ingest_and_its_values_are_shown_to_who_may_read_them() {
    let (shop, server) = Shop::open();
    let admin = shop.api();
    let told = profile(&admin, "customers", 0);
    assert_eq!(told["rows"], 4);
    let column = |told: &Value, name: &str| {
        let columns = told["columns"].as_array().unwrap();
        columns.iter().find(|column| column["name"] == name).unwrap_or_else(|| panic!("{name}: {told}")).clone()
    };
    let spent = column(&told, "spent");
    assert_eq!((&spent["nulls"], &spent["distinct"]), (&json!(1), &json!(3)), "{spent}");
    let numbers = &spent["values"]["numbers"];
    assert_eq!((&numbers["min"], &numbers["max"], &numbers["mean"]), (&json!(0.0), &json!(10.5), &json!(5.0)));
    let email = column(&told, "email");
    assert_eq!(email["values"]["texts"]["top"][0], json!({ "value": "ada@example.org", "count": 2 }), "{email}");
    assert_eq!(column(&told, "since")["values"]["numbers"]["min"], 1_704_067_200_000_000.0);

    // An editor reads the data, but no masked column, and nothing of a dataset some of whose rows are kept from them.
    let editor = shop.of("editor");
    let told = profile(&editor, "customers", 0);
    assert_eq!(column(&told, "spent")["values"]["numbers"]["max"], 10.5);
    assert_eq!((column(&told, "email").get("values"), &column(&told, "email")["distinct"]), (None, &json!(2)));
    assert!(!told.to_string().contains("ada@"), "{told}");
    let told = profile(&editor, "payroll", 0);
    assert!(told["columns"].as_array().unwrap().iter().all(|column| column.get("values").is_none()), "{told}");
    // A viewer may know how many there are and read none; who may not get it is told that it is not there.
    let viewer = shop.of("viewer");
    let told = profile(&viewer, "customers", 0);
    assert!(told["columns"].as_array().unwrap().iter().all(|column| column.get("values").is_none()), "{told}");
    for name in ["payroll", "payroll%3F", "payroll%3Fwatch=true", "payroll%23"] {
        assert_eq!(viewer.ask("GET", &profile_path(name, ""), &Value::Null).0, 404, "{name}");
    }
    assert_eq!(shop.of("stranger").ask("GET", &profile_path("customers", ""), &Value::Null).0, 403);

    // Another version has another profile, and the earlier one is kept; so it is after a start.
    shop.write("customers.csv", &format!("{CUSTOMERS}5,eve@example.org,100,2024-01-05T00:00:00Z\n"));
    shop.write("all.yaml", &MANIFESTS.replace("Euro so far", "Euro till now"));
    shop.ok(&["apply", "-f", shop.folder.path().join("all.yaml").to_str().unwrap()]);
    let told = profile(&admin, "customers", 1);
    assert_eq!((&told["rows"], &told["versions"]), (&json!(5), &json!([1, 0])));
    drop(server);
    let server = shop.up();
    let lines = shop.ok(&["data", "profile", "customers", "-n", "shop"]);
    assert!(lines.contains("5 rows") && lines.contains("\"ada@example.org\" (2)"), "{lines}");
    assert!(lines.contains("2024-01-01T00:00:00Z"), "{lines}");
    let lines = shop.ok(&["data", "profile", "customers", "-n", "shop", "--at-version", "0"]);
    assert!(lines.contains("4 rows"), "{lines}");
    shop.ask(&["data", "profile", "customers", "-n", "shop", "--at-version", "7"]).refused(5, &["profile"]);

    // With the dataset its profiles go: one of the same name begins anew.
    shop.ok(&["delete", "dataset", "customers", "-n", "shop"]);
    shop.ok(&["apply", "-f", shop.folder.path().join("all.yaml").to_str().unwrap()]);
    let versions = until(|| {
        let (code, body) = shop.api().ask("GET", &profile_path("customers", ""), &Value::Null);
        (code == 200 && body["versions"].as_array().unwrap().len() == 1).then_some(body)
    });
    assert_eq!(versions["rows"], 5);
    drop(server);
}

fn search(api: &Api, question: &str) -> Value {
    api.get(&format!("/bedplate/v1/search?{question}"))
}

fn names(answer: &Value) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap()).collect()
}

#[test]
fn what_is_declared_is_found_by_who_may_get_it_and_by_nobody_else() {
    let (shop, server) = Shop::open();
    let admin = shop.api();
    until(|| (search(&admin, "q=churn&namespace=shop")["total"] == 1).then_some(()));
    // Mistyped, cut short, by description, tag, owner, term and synonym.
    for (question, first) in [
        ("q=custmers", "customers"),
        ("q=cutsomers", "customers"),
        ("q=custo", "customers"),
        ("q=receipts", "customers.email"),
        ("q=pii:email", "customers.email"),
        ("q=turnover&kind=term", "revenue"),
        ("q=term:revenue", "customers.spent"),
        ("q=spent&kind=feature", "spending:spent"),
        ("q=&owner=people&kind=dataset", "payroll"),
        ("q=&classification=confidential&kind=dataset", "customers"),
    ] {
        // What was applied last may be found a moment later.
        until(|| {
            let answer = search(&admin, &format!("{question}&namespace=shop"));
            (names(&answer).first() == Some(&first)).then_some(())
        });
    }
    let (code, refused) = admin.ask("GET", "/bedplate/v1/search?q=a&kind=secret", &Value::Null);
    assert_eq!(code, 422, "{refused}");

    // What a policy hides is neither there nor counted, nor does it use anything.
    let (editor, viewer, stranger) = (shop.of("editor"), shop.of("viewer"), shop.of("stranger"));
    let [all, few] = [&editor, &viewer].map(|api| search(api, "q=customers"));
    assert!(names(&all)[0] == "customers" && names(&all).contains(&"payroll"), "{all}");
    assert!(!few.to_string().contains("payroll") && names(&few)[0] == "customers", "{few}");
    assert_eq!(all["total"].as_u64().unwrap(), few["total"].as_u64().unwrap() + 3, "{all} {few}");
    assert_eq!(all["kinds"]["Dataset"], 2);
    assert_eq!(few["kinds"]["Dataset"], 1);
    let used = |answer: &Value| {
        let uses = answer["results"][0]["usedBy"].as_array().unwrap().clone();
        uses.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(used(&search(&editor, "q=spending&kind=featureview")), ["bonus", "churn"]);
    assert_eq!(used(&search(&viewer, "q=spending&kind=featureview")), ["churn"]);
    for question in ["q=wage", "q=payrol", "q=clerk&kind=column", "q=tier:secret", "q=&owner=people"] {
        let answer = search(&viewer, question);
        assert_eq!((&answer["total"], &answer["kinds"]), (&json!(0), &json!({})), "{question}: {answer}");
    }
    for question in ["q=", "q=customers", "q=customers&namespace=shop"] {
        let answer = search(&stranger, question);
        assert_eq!((&answer["total"], &answer["kinds"]), (&json!(0), &json!({})), "{question}: {answer}");
    }

    // A feature that is computed alike is told of to who may get its view.
    let same = |api: &Api| search(api, "q=spent&kind=feature")["results"][0].get("sameAs").cloned();
    assert_eq!((same(&editor), same(&viewer)), (Some(json!(["turnover:paid"])), None));

    on_the_command_line(&shop);
    suggestions(&shop, &admin);

    // What is deleted is gone, and what is there is there after a start.
    shop.ok(&["delete", "featureservice", "churn", "-n", "shop"]);
    until(|| (search(&admin, "q=churn")["total"] == 0).then_some(()));
    assert_eq!(used(&search(&viewer, "q=spending&kind=featureview")), [""; 0]);
    drop(server);
    let server = shop.up();
    assert_eq!(names(&search(&shop.api(), "q=custmers&kind=dataset"))[0], "customers");
    drop(server);
}

/// What rules think of a column is suggested, found, and answered by a declaration.
fn suggestions(shop: &Shop, admin: &Api) {
    until(|| (names(&search(admin, "q=pii:suggested")) == ["newsletter.reader"]).then_some(()));
    let status = &admin.get("/apis/bedplate.dev/v1alpha1/namespaces/shop/datasets/newsletter")["status"];
    let suggestion =
        json!({ "column": "reader", "kind": "email", "confidence": 0.95, "evidence": "100 % of 6 values" });
    assert_eq!(status["piiSuggestions"], json!([suggestion]));
    let lines = shop.ok(&["data", "profile", "newsletter", "-n", "shop"]);
    assert!(lines.contains("reader looks like email: 100 % of 6 values"), "{lines}");
    let mask = "newsletter.csv}\n  columnMasks: [{column: reader, mask: hash, tags: {pii: email}}]";
    shop.write("all.yaml", &MANIFESTS.replace("newsletter.csv}", mask));
    shop.ok(&["apply", "-f", shop.folder.path().join("all.yaml").to_str().unwrap()]);
    until(|| (search(admin, "q=pii:suggested")["total"] == 0).then_some(()));
    assert!(names(&search(admin, "q=pii:email")).contains(&"newsletter.reader"));
}

fn on_the_command_line(shop: &Shop) {
    let found = shop.ok(&["search", "custmers", "-n", "shop"]);
    let first = found.lines().nth(1).unwrap_or_default();
    assert!(first.contains("customers") && first.contains("Everybody who ever bought"), "{found}");
    let names = shop.ok(&["search", "pii:email", "-A", "-o", "name"]);
    assert_eq!(names, "column/shop/customers.email\n");
    let json: Value = serde_json::from_str(&shop.ok(&["search", "revenue", "-A", "-o", "json"])).unwrap();
    assert_eq!(json["results"][0]["kind"], "GlossaryTerm");
    let nothing = shop.ask(&["search", "nothingofthekind", "-n", "shop"]);
    assert!(nothing.code == Some(0) && nothing.err.contains("-A"), "{nothing:?}");
    shop.ask(&["search", "x", "-A", "--kind", "secret"]).refused(3, &["kind secret"]);
}
