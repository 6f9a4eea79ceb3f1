//! Past rows asked again as live requests, each outcome pushed when it became known, each answer held against the
//! offline one.

use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use bedplate_controllers::{PushFrame, ReplayJob, ReplayResult};
use bedplate_types::{ErrorKind, Problem, Timestamp};
use serde_json::{Map, Value, json};

use super::frame;
use super::http::Http;

/// Answers closer than this are the same.
const TOLERANCE: f64 = 1e-6;
/// Rows of one moment in one request, at most.
const REQUEST_ROWS: usize = 64;
/// Rows in one push, at most.
const PUSH_ROWS: usize = 2_000;

pub fn run(job: ReplayJob) -> Result<ReplayResult, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::new(ErrorKind::Internal, "the replay", error.to_string()))?;
    runtime.block_on(replay(&job))
}

/// The rows to ask, in time order, with their offline answers.
struct Plan {
    batch: RecordBatch,
    times: Vec<i64>,
    order: Vec<usize>,
    offline: Vec<f32>,
}

async fn replay(job: &ReplayJob) -> Result<ReplayResult, Problem> {
    let plan = plan(job)?;
    let token = std::fs::read_to_string(&job.token_file).map_err(|e| crate::home::unusable(&job.token_file, &e))?;
    let http = Http::new(&job.listeners, token.trim(), &job.namespace)?;
    let mut pushes = job.pushes.iter().map(Outcomes::read).collect::<Result<Vec<_>, _>>()?;
    println!("replaying {} rows from {}", plan.order.len(), job.from);
    let mut tally = Tally::default();
    for rows in plan.order.chunk_by(|a, b| plan.times[*a] == plan.times[*b]).flat_map(|rows| rows.chunks(REQUEST_ROWS))
    {
        let now = plan.times[rows[0]];
        for outcomes in &mut pushes {
            tally.pushed += outcomes.push_known(now, job, &http).await?;
        }
        ask(job, &http, &plan, rows, &mut tally).await?;
        if tally.requests.is_multiple_of(500) {
            println!("{} of {} rows", tally.predictions, plan.order.len());
        }
    }
    Ok(tally.finish())
}

fn plan(job: &ReplayJob) -> Result<Plan, Problem> {
    let batch = frame::read(&job.training_set)?;
    let times: Vec<i64> = frame::times(&batch, &job.timestamp)?.values().to_vec();
    let mut order: Vec<usize> = (0..times.len()).filter(|row| times[*row] >= job.from.micros()).collect();
    order.sort_by_key(|row| times[*row]);
    order.truncate(usize::try_from(job.limit).unwrap_or(usize::MAX));
    let offline = offline(job, &batch, &order)?;
    Ok(Plan { batch, times, order, offline })
}

/// What the model says of the training set's own rows.
#[expect(clippy::cast_possible_truncation, reason = "features were rounded to f32 when they were read")]
fn offline(job: &ReplayJob, batch: &RecordBatch, order: &[usize]) -> Result<Vec<f32>, Problem> {
    let bytes = std::fs::read(&job.model).map_err(|error| crate::home::unusable(&job.model, &error))?;
    let model = bedplate_infer::Model::load(&bytes).map_err(|error| Problem::of("the endpoint's model", &error))?;
    let columns: Vec<_> = job.features.iter().map(|name| frame::feature(batch, name)).collect::<Result<_, _>>()?;
    let flat: Vec<f32> = order.iter().flat_map(|row| columns.iter().map(|column| column[*row] as f32)).collect();
    let answers = model.predict(&flat, columns.len()).map_err(|error| Problem::of("the offline answers", &error))?;
    let mut by_row = vec![f32::NAN; batch.num_rows()];
    for (row, answer) in order.iter().zip(answers) {
        by_row[*row] = answer;
    }
    Ok(by_row)
}

async fn ask(job: &ReplayJob, http: &Http, plan: &Plan, rows: &[usize], tally: &mut Tally) -> Result<(), Problem> {
    let inputs: Vec<_> =
        job.request_columns.iter().map(|name| tensor(name, &plan.batch, rows)).collect::<Result<_, _>>()?;
    let body = json!({ "id": format!("replay-{}-{}", plan.times[rows[0]], rows[0]), "inputs": inputs });
    let url = format!("{}/v2/models/{}/infer", job.inference_url, job.endpoint);
    let started = Instant::now();
    let answer = http.post(&url, &body).await?;
    tally.latencies.push(started.elapsed());
    let answer: Value = serde_json::from_slice(&answer).map_err(|error| not_understood(&error.to_string()))?;
    let probabilities = answer["outputs"].as_array().into_iter().flatten().find(|o| o["name"] == "probability");
    let probabilities = probabilities.and_then(|output| output["data"].as_array()).cloned().unwrap_or_default();
    if probabilities.len() != rows.len() {
        return Err(not_understood(&format!("{} answers to {} rows", probabilities.len(), rows.len())));
    }
    for (row, probability) in rows.iter().zip(&probabilities) {
        tally.compare(probability.as_f64().unwrap_or(f64::NAN), f64::from(plan.offline[*row]));
    }
    tally.requests += 1;
    let id = answer["id"].as_str().unwrap_or_default();
    tally.last = Some(format!("{id}/{}", rows.len() - 1));
    Ok(())
}

fn not_understood(why: &str) -> Problem {
    Problem::new(ErrorKind::Internal, "the endpoint's answer", why)
}

/// One column of the request: text as BYTES, a moment as RFC 3339.
fn tensor(name: &str, batch: &RecordBatch, rows: &[usize]) -> Result<Value, Problem> {
    let values = frame::column(batch, name)?;
    let (datatype, data): (_, Vec<Value>) = match values.data_type() {
        DataType::Timestamp(..) => {
            let times = frame::times(batch, name)?;
            let moment = |row: &usize| Timestamp::from_micros(times.value(*row)).to_string().into();
            ("BYTES", rows.iter().map(moment).collect())
        }
        _ => ("BYTES", rows.iter().map(|row| text(values.as_ref(), *row)).collect()),
    };
    Ok(json!({ "name": name, "datatype": datatype, "shape": [rows.len()], "data": data }))
}

fn text(values: &dyn Array, row: usize) -> Value {
    arrow::util::display::array_value_to_string(values, row).unwrap_or_default().into()
}

/// Rows of one push source, in the order in which they became known.
struct Outcomes {
    source: String,
    batch: RecordBatch,
    times: Vec<i64>,
    order: Vec<usize>,
    next: usize,
}

impl Outcomes {
    fn read(frame: &PushFrame) -> Result<Self, Problem> {
        let batch = frame::read(&frame.rows)?;
        let times: Vec<i64> = frame::times(&batch, &frame.timestamp)?.values().to_vec();
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by_key(|row| times[*row]);
        Ok(Self { source: frame.source.clone(), batch, times, order, next: 0 })
    }

    /// Pushes what became known up to `now`; returns how many rows that were.
    async fn push_known(&mut self, now: i64, job: &ReplayJob, http: &Http) -> Result<u64, Problem> {
        let known = self.order[self.next..].iter().take_while(|row| self.times[**row] <= now).count();
        let rows = &self.order[self.next..self.next + known];
        for rows in rows.chunks(PUSH_ROWS) {
            let body = json!({ "push_source_name": self.source, "df": self.frame(rows), "to": "online" });
            http.post(&format!("{}/push", job.control_url), &body).await?;
        }
        self.next += known;
        Ok(known as u64)
    }

    fn frame(&self, rows: &[usize]) -> Map<String, Value> {
        let fields = self.batch.schema_ref().fields().iter().zip(self.batch.columns());
        let column = |values: &dyn Array| rows.iter().map(|row| cell(values, *row)).collect();
        fields.map(|(field, values)| (field.name().clone(), column(values.as_ref()))).collect()
    }
}

/// A cell as JSON: a moment as microseconds since 1970, which no text form can round.
fn cell(values: &dyn Array, row: usize) -> Value {
    use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
    if values.is_null(row) {
        return Value::Null;
    }
    match values.data_type() {
        DataType::Timestamp(..) => values
            .as_primitive_opt::<TimestampMicrosecondType>()
            .map_or(Value::Null, |times| Timestamp::from_micros(times.value(row)).to_string().into()),
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row).into(),
        DataType::Int32 => values.as_primitive::<Int32Type>().value(row).into(),
        DataType::Float64 => values.as_primitive::<Float64Type>().value(row).into(),
        DataType::Boolean => values.as_boolean().value(row).into(),
        _ => text(values, row),
    }
}

#[derive(Default)]
struct Tally {
    requests: u64,
    predictions: u64,
    equal: u64,
    pushed: u64,
    largest: f64,
    latencies: Vec<Duration>,
    last: Option<String>,
}

impl Tally {
    /// An answer that is not a number is no answer.
    fn compare(&mut self, online: f64, offline: f64) {
        let difference = (online - offline).abs();
        self.predictions += 1;
        self.equal += u64::from(difference <= TOLERANCE);
        self.largest = self.largest.max(if difference.is_nan() { f64::INFINITY } else { difference });
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
    fn finish(mut self) -> ReplayResult {
        self.latencies.sort();
        ReplayResult {
            requests: self.requests,
            predictions: self.predictions,
            pushed_rows: self.pushed,
            parity_share: if self.predictions == 0 { 0.0 } else { self.equal as f64 / self.predictions as f64 },
            largest_difference: self.largest,
            p50_ms: percentile(&self.latencies, 50),
            p99_ms: percentile(&self.latencies, 99),
            last_prediction: self.last,
        }
    }
}

/// The smallest latency that `percent` of all do not exceed (nearest rank), in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(rank).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_a_number_is_not_equal() {
        let mut tally = Tally::default();
        tally.compare(0.5, 0.5 + 5e-7);
        tally.compare(f64::NAN, 0.5);
        tally.compare(0.5, 0.500_002);
        let result = tally.finish();
        assert_eq!((result.predictions, result.parity_share), (3, 1.0 / 3.0));
        assert_eq!(result.largest_difference, f64::INFINITY);
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let latencies: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!((percentile(&latencies, 50), percentile(&latencies, 99)), (100.0, 198.0));
        assert_eq!(percentile(&[], 50), 0.0);
    }
}
