//! One look at a view, from the sample to the result.

use std::collections::BTreeMap;

use arrow::array::{Array, Float64Array};
use bedplate_features::{EntityKey, KeyValue, SourceRow, ViewDefinition};
use bedplate_offline::Sources;
use bedplate_online::OnlineStore;
use bedplate_types::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::compare::{Verdict, distance, judge};
use crate::labels::labels;
use crate::sampled::{Sampled, known, sample};
use crate::served::{Answers, Served, serve};
use crate::subject::EXAMPLES;
use crate::truth::{Truth, truth};
use crate::verified::{Cause, Example, Verified};
use crate::{How, ParityError, Subject};

/// Compares a sample of online values with the offline truth.
///
/// Reads the view's source twice, and a third time where values differ, and what is stored of the view once. Holds about
/// `how.entities` keys and values, a million rows of the source at most for a view with windows, and a million rows that were
/// pushed. Dropping the future ends it.
///
/// # Errors
/// When the source cannot be read, or the online store.
pub async fn verify(
    sources: &impl Sources,
    online: &OnlineStore,
    subject: &Subject,
    how: &How,
) -> Result<Verified, ParityError> {
    let cancel = CancellationToken::new();
    let _ends = cancel.clone().drop_guard();
    let sampled = sample(sources, online, subject, how, &cancel).await?;
    let answers = serve(online, subject, &sampled, &cancel).await?;
    let asked: Vec<_> = answers.served.iter().map(|served| served.asked.clone()).collect();
    let labels = labels(&subject.view.definition, &asked)?;
    let truth = truth(sources, subject, &labels, &answers.pushed).await?;
    let (mut verified, worst) = counted(&subject.view.definition, &sampled, &answers, &truth);
    if !worst.is_empty() {
        let places: Vec<_> = worst.iter().map(|worst| (worst.key.clone(), worst.at)).collect();
        let known = known(sources, subject, &places).await?;
        verified.examples =
            worst.iter().zip(known).map(|(worst, known)| example(subject, worst, known, &answers.pushed)).collect();
    }
    Ok(verified)
}

/// A value that differs, on its way to be an example.
struct Worst {
    key: EntityKey,
    feature: usize,
    at: i64,
    online: Option<f64>,
    promised: Option<f64>,
    known: Option<Timestamp>,
}

fn counted(def: &ViewDefinition, sampled: &Sampled, answers: &Answers, truth: &Truth) -> (Verified, Vec<Worst>) {
    let moment = |micros: Option<i64>| micros.filter(|_| def.timestamp.is_some()).map(Timestamp::from_micros);
    let mut verified = Verified {
        entities: answers.served.len() as u64,
        left_out: answers.left_out,
        online_rows: sampled.online.rows(),
        newest_online: moment(sampled.online.newest()),
        newest_source: moment(sampled.source.newest()),
        ..Verified::default()
    };
    let (mut row, mut worst) = (0, Vec::new());
    for served in &answers.served {
        verified.missing_entities += u64::from(served.asked.in_source && !served.asked.online);
        verified.pushed_entities += u64::from(!served.asked.in_source);
        for at in 0..served.asked.moments.len() {
            for feature in 0..def.features.len() {
                take(&mut verified, &mut worst, (served, at, feature), truth, row);
            }
            row += 1;
        }
    }
    keep_worst(&mut worst);
    (verified, worst)
}

fn take(
    verified: &mut Verified,
    worst: &mut Vec<Worst>,
    (served, at, feature): (&Served, usize, usize),
    truth: &Truth,
    row: usize,
) {
    let (values, newest) = &served.values[at];
    let (online, offline) = (values[feature], value(&truth.offline[feature], row));
    let promised = truth.promised.as_ref().map_or(offline, |promised| value(&promised[feature], row));
    verified.values += 1;
    match judge(online, offline, promised) {
        Verdict::Equal => verified.equal += 1,
        Verdict::Expected => verified.expected += 1,
        Verdict::Different => {
            verified.different += 1;
            let (key, at) = (served.asked.key.clone(), served.asked.moments[at]);
            worst.push(Worst { key, feature, at, online, promised, known: *newest });
            // Were all of them different, their number would be that of the sample.
            if worst.len() >= 64 * EXAMPLES {
                keep_worst(worst);
            }
        }
    }
}

fn keep_worst(worst: &mut Vec<Worst>) {
    worst.sort_by(|a, b| distance(b.online, b.promised).total_cmp(&distance(a.online, a.promised)));
    worst.truncate(EXAMPLES);
}

fn value(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
}

fn example(subject: &Subject, worst: &Worst, known: Option<i64>, pushed: &[SourceRow]) -> Example {
    let def = &subject.view.definition;
    let pushed = pushed.iter().filter(|row| row.key == worst.key && row.time <= worst.at).map(|row| row.time).max();
    let offline = known.max(pushed);
    let moment = |micros: Option<i64>| micros.filter(|_| def.timestamp.is_some()).map(Timestamp::from_micros);
    Example {
        entity: entity(def, &worst.key),
        feature: def.features[worst.feature].name.clone(),
        at: Timestamp::from_micros(worst.at),
        online: worst.online,
        offline: worst.promised,
        online_known: worst.known.filter(|_| def.timestamp.is_some()),
        offline_known: moment(offline),
        cause: Cause::of(worst.known.map(Timestamp::micros), offline),
    }
}

fn entity(def: &ViewDefinition, key: &EntityKey) -> BTreeMap<String, Value> {
    let parts = key.parts().unwrap_or_default();
    let json = |part: &KeyValue<'_>| match part {
        KeyValue::Null => Value::Null,
        KeyValue::Int(number) => (*number).into(),
        KeyValue::Text(text) => (*text).into(),
    };
    def.join_keys.iter().zip(&parts).map(|(key, part)| (key.name.clone(), json(part))).collect()
}
