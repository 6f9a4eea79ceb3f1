//! Datasets of other machines: a PostgreSQL database, and a store of objects.

mod moto;
mod postgres;
mod store;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Api;

pub const NAMESPACE: &str = "rides";

/// One who declares datasets.
pub struct Declaring {
    pub api: Api,
}

impl Declaring {
    pub fn secret(&self, name: &str, values: Value) {
        let object =
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": values });
        let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets");
        self.api.ask("DELETE", &format!("{path}/{name}"), &Value::Null);
        let made = self.api.ask("POST", &path, &object);
        assert_eq!(made.0, 201, "{}", made.1);
    }

    pub fn path(name: &str) -> String {
        format!("/apis/bedplate.dev/v1alpha1/namespaces/{NAMESPACE}/datasets/{name}")
    }

    /// Declares a dataset with these columns anew.
    pub fn dataset(&self, name: &str, source: Value, columns: &[(&str, &str)]) {
        let schema: Vec<Value> = columns.iter().map(|(name, type_)| json!({ "name": name, "type": type_ })).collect();
        let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "metadata": { "name": name },
            "spec": { "owner": "sales", "source": source, "schema": schema } });
        let (path, _) = Self::path("").rsplit_once('/').map(|(path, name)| (path.to_owned(), name.to_owned())).unwrap();
        self.api.ask("DELETE", &Self::path(name), &Value::Null);
        let made = self.api.ask("POST", &path, &object);
        assert_eq!(made.0, 201, "{}", made.1);
    }

    pub fn status(&self, name: &str) -> Value {
        self.api.get(&Self::path(name))["status"].clone()
    }

    /// The status once it says what is waited for.
    #[track_caller]
    pub fn wait(&self, name: &str, what: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.status(name);
            if what(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until it failed, with these words.
    #[track_caller]
    pub fn failed(&self, name: &str, words: &[&str]) -> Value {
        let status = self.wait(name, |status| status["phase"] == "Failed");
        let message = status["conditions"][0]["message"].as_str().unwrap_or_default();
        words.iter().for_each(|word| assert!(message.contains(word), "{word}: {message}"));
        status
    }
}
