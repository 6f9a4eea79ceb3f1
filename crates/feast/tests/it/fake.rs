//! A store that knows push source `arrivals` and remembers pushes.

use std::sync::Mutex;

use arrow::array::RecordBatch;
use bedplate_feast::{FeatureStore, StoreError};
use bedplate_identity::Principal;
use bedplate_types::{ErrorKind, Problem};

#[derive(Default)]
pub struct Memory {
    pub pushed: Mutex<Vec<(String, String, RecordBatch)>>,
}

#[async_trait::async_trait]
impl FeatureStore for Memory {
    async fn push(&self, who: &Principal, namespace: &str, source: &str, frame: RecordBatch) -> Result<(), StoreError> {
        match source {
            "arrivals" if frame.column_by_name("tailnum").is_none() => {
                Err(StoreError::Column { column: "tailnum".into(), why: "is missing".into() })
            }
            "arrivals" => {
                self.pushed.lock().unwrap().push((who.name.clone(), namespace.to_owned(), frame));
                Ok(())
            }
            "full" => Err(Problem::new(ErrorKind::Internal, "/secret/path", "no space left").into()),
            _ => Err(StoreError::NoPushSource(source.to_owned())),
        }
    }
}
