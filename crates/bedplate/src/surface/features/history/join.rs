//! Joins under way: on threads of their own, so many at once, each with so much memory.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bedplate_feast::{Labels, Selected, StoreError, Table};
use bedplate_offline::{Batches, OfflineError, Sources, View};
use bedplate_query::Threads;
use bedplate_types::{ErrorKind, Problem};
use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc};

use super::super::Bound;
use crate::surface::sql::{Allowed, Sql};

/// Joins at once; others wait.
const AT_ONCE: usize = 2;
/// What one holds of label rows and features, in bytes. More label rows are joined in pieces.
const MEMORY: usize = 256 << 20;

pub struct Joins {
    turns: Arc<Semaphore>,
    threads: Threads,
}

/// What is to be joined, and what comes of it.
pub struct Plan {
    pub views: Vec<View>,
    pub schema: SchemaRef,
    /// For each column of the answer where the join has it.
    places: Vec<usize>,
}

/// Views' sources as far as the reader may see them.
pub struct Shown {
    pub sql: Sql,
    /// One for each view, in the plan's order.
    pub allowed: Vec<Allowed>,
}

/// Rows, or `None` when there are no more: an answer without it is not whole.
type Step = Result<Option<RecordBatch>, Problem>;

impl Joins {
    pub fn open() -> Result<Self, Problem> {
        let threads = Threads::start(Builder::new_multi_thread().thread_name("joins"));
        let failed = |error: std::io::Error| Problem::new(ErrorKind::Internal, "threads for joins", error.to_string());
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), threads: threads.map_err(failed)? })
    }

    /// The answer, as it comes. Dropped, it ends the join.
    pub async fn begin(&self, plan: Plan, shown: Shown, labels: Labels) -> Result<Table, Problem> {
        let ended = || Problem::new(ErrorKind::NotReady, "the join", "the platform ends");
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| ended())?;
        let (send, steps) = mpsc::channel(1);
        let schema = plan.schema.clone();
        self.threads.spawn(async move {
            let shown = Of { views: plan.views.iter().map(|view| view.definition.name.clone()).collect(), shown };
            run(plan, shown, labels, send).await;
            drop(turn);
        });
        Ok(Table { schema, rows: stream::unfold(Some(steps), next).boxed() })
    }
}

type Steps = Option<mpsc::Receiver<Step>>;

async fn next(steps: Steps) -> Option<(Result<RecordBatch, Problem>, Steps)> {
    let mut steps = steps?;
    match steps.recv().await {
        Some(Ok(Some(batch))) => Some((Ok(batch), Some(steps))),
        Some(Ok(None)) => None,
        Some(Err(problem)) => Some((Err(problem), None)),
        None => Some((Err(Problem::new(ErrorKind::Internal, "the join", "it ended early")), None)),
    }
}

async fn run(plan: Plan, shown: Of, labels: Labels, send: mpsc::Sender<Step>) {
    let rows = labels.table.rows.map_err(OfflineError::Given).boxed();
    let mut labels = bedplate_offline::Labels::new(rows, labels.time_column);
    loop {
        let joined = tokio::select! {
            joined = labels.next_joined(&shown, &plan.views, MEMORY) => joined,
            () = send.closed() => return,
        };
        let joined = joined.map_err(|error| Problem::of("the historical features", &error));
        let step = joined.and_then(|joined| joined.map(|joined| plan.arranged(&joined)).transpose());
        let is_last = !matches!(step, Ok(Some(_)));
        if send.send(step).await.is_err() || is_last {
            return;
        }
    }
}

impl Plan {
    /// # Errors
    /// When the label rows lack a join key, or have a column of a feature's name.
    pub fn of(
        selected: &Selected,
        bound: &[Bound],
        names: Vec<String>,
        labels: &SchemaRef,
    ) -> Result<Self, StoreError> {
        let keys = selected.views.iter().flat_map(|view| &view.join_keys);
        let mut missing: Vec<String> = keys.filter(|key| labels.index_of(key).is_err()).cloned().collect();
        missing.dedup();
        if !missing.is_empty() {
            return Err(StoreError::MissingKeys(missing));
        }
        if let Some(column) = names.iter().find(|name| labels.index_of(name).is_ok()) {
            let why = "is a feature and a column of the label rows: rename it, or ask with full_feature_names";
            return Err(StoreError::Column { column: column.clone(), why: why.into() });
        }
        let own = labels.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let made = names.iter().map(|name| Field::new(name, DataType::Float64, true));
        let schema = Arc::new(Schema::new(own.chain(made).collect::<Vec<_>>()));
        let (views, places) = arrangement(selected, bound);
        let places = (0..labels.fields().len()).chain(places.iter().map(|at| at + labels.fields().len())).collect();
        Ok(Self { views, schema, places })
    }

    fn arranged(&self, joined: &RecordBatch) -> Result<RecordBatch, Problem> {
        let columns = self.places.iter().map(|at| joined.column(*at).clone()).collect();
        RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| Problem::new(ErrorKind::Internal, "the historical features", error.to_string()))
    }
}

/// The views with what is wanted of each, and for each feature asked for where it is among theirs.
fn arrangement(selected: &Selected, bound: &[Bound]) -> (Vec<View>, Vec<usize>) {
    let wanted = |at: usize| selected.features.iter().filter(move |(view, _)| *view == at).map(|(_, feature)| *feature);
    let views: Vec<View> = bound
        .iter()
        .enumerate()
        .map(|(at, bound)| View {
            definition: bound.definition.clone(),
            selected: wanted(at).collect(),
            tables: Vec::new(),
            sql: bound.sql.clone(),
            as_known_at: None,
        })
        .collect();
    let mut given: Vec<usize> =
        views.iter().scan(0, |next, view| Some(std::mem::replace(next, *next + view.selected.len()))).collect();
    let places = selected.features.iter().map(|(view, _)| {
        given[*view] += 1;
        given[*view] - 1
    });
    let places = places.collect();
    (views, places)
}

/// What is shown, by the names of the views.
struct Of {
    views: Vec<String>,
    shown: Shown,
}

impl Sources for Of {
    async fn parts(&self, view: &View) -> Result<Vec<Batches>, OfflineError> {
        let name = view.definition.name.clone();
        let failed = move |source| OfflineError::Shown { view: name.clone(), source };
        let place = self.views.iter().position(|name| *name == view.definition.name);
        let allowed = place.and_then(|at| self.shown.allowed.get(at));
        let allowed =
            allowed.ok_or_else(|| failed(Problem::new(ErrorKind::Internal, "the view", "it was not asked for")))?;
        let answer = self.shown.sql.answer(allowed).await.map_err(&failed)?;
        let rows = answer.map(move |batch| batch.map_err(|error| failed(Problem::of("its rows", &error))));
        Ok(vec![rows.boxed()])
    }
}

#[cfg(test)]
mod tests {
    use bedplate_feast::SelectedView;
    use bedplate_features::{FeatureDef, ViewDefinition};
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_policy::Tags;

    use super::*;

    const FEATURES: [&str; 2] = ["x", "y"];

    fn view(name: &str) -> (SelectedView, Bound) {
        let feature = |name: &&str| FeatureDef {
            name: (*name).into(),
            column: (*name).into(),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        let definition = ViewDefinition {
            name: name.into(),
            join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
            timestamp: None,
            created: None,
            ttl: None,
            features: FEATURES.iter().map(feature).collect(),
        };
        let selected = SelectedView {
            name: name.into(),
            asked: name.into(),
            join_keys: vec!["k".into()],
            features: FEATURES.map(str::to_owned).to_vec(),
            tags: Tags::NONE,
        };
        (selected, Bound { online_id: String::new(), definition, sql: String::new() })
    }

    fn plan(features: &[(usize, usize)], names: &[&str], labels: &[&str]) -> Result<Plan, StoreError> {
        let (views, bound): (Vec<_>, Vec<_>) = ["a", "b"].map(view).into_iter().unzip();
        let selected = Selected::new(views, features.to_vec(), Box::new(()));
        let labels = labels.iter().map(|name| Field::new(*name, DataType::Int64, false)).collect::<Vec<_>>();
        Plan::of(&selected, &bound, names.iter().map(|name| (*name).into()).collect(), &Arc::new(Schema::new(labels)))
    }

    #[test]
    fn features_stand_in_the_order_they_were_asked_for() {
        let plan = plan(&[(1, 0), (0, 1), (1, 1)], &["bx", "ay", "by"], &["k", "at"]).unwrap();
        assert_eq!(plan.views.iter().map(|view| view.selected.clone()).collect::<Vec<_>>(), [vec![1], vec![0, 1]]);
        // Behind the two columns of the labels the join has a's, then b's.
        assert_eq!(plan.places, [0, 1, 3, 2, 4]);
        let names: Vec<_> = plan.schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["k", "at", "bx", "ay", "by"]);
    }

    #[test]
    fn what_the_label_rows_lack_or_have_too_much_of_is_told() {
        assert_eq!(plan(&[(0, 0)], &["x"], &["at"]).err(), Some(StoreError::MissingKeys(vec!["k".into()])));
        let error = plan(&[(0, 0)], &["x"], &["k", "x"]).err().unwrap();
        assert!(matches!(&error, StoreError::Column { column, .. } if column == "x"), "{error}");
    }
}
