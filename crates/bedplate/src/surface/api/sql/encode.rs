//! Rows as bytes, a batch at a time.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use axum::body::Bytes;
use bedplate_query::Answer;
use bedplate_types::{ErrorKind, Problem};
use futures::{Stream, StreamExt, stream};

const ARROW: &str = "application/vnd.apache.arrow.stream";

/// How rows go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Arrow's IPC stream.
    Arrow,
    /// A JSON object a line; times are RFC 3339, what is missing is null.
    JsonLines,
}

impl Format {
    /// JSON lines for whoever does not ask for Arrow.
    pub fn wanted(accept: Option<&str>) -> Self {
        if accept.is_some_and(|accept| accept.contains(ARROW)) { Self::Arrow } else { Self::JsonLines }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Arrow => ARROW,
            Self::JsonLines => "application/x-ndjson",
        }
    }
}

enum Encoder {
    Arrow(Box<StreamWriter<Vec<u8>>>),
    JsonLines,
}

impl Encoder {
    fn encode(&mut self, batch: &RecordBatch) -> Result<Bytes, ArrowError> {
        match self {
            Self::Arrow(writer) => {
                writer.write(batch)?;
                Ok(std::mem::take(writer.get_mut()).into())
            }
            Self::JsonLines => {
                let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
                writer.write(batch)?;
                writer.finish()?;
                Ok(writer.into_inner().into())
            }
        }
    }

    fn end(&mut self) -> Result<Bytes, ArrowError> {
        match self {
            Self::Arrow(writer) => {
                writer.finish()?;
                Ok(std::mem::take(writer.get_mut()).into())
            }
            Self::JsonLines => Ok(Bytes::new()),
        }
    }
}

/// The answer as it goes out. What goes wrong on the way ends it before its end, which the client sees.
pub fn encoded(answer: Answer, format: Format) -> Result<impl Stream<Item = Result<Bytes, Problem>>, Problem> {
    let encoder = match format {
        Format::Arrow => {
            let writer = StreamWriter::try_new(Vec::new(), &answer.schema).map_err(|error| of(&error))?;
            Encoder::Arrow(Box::new(writer))
        }
        Format::JsonLines => Encoder::JsonLines,
    };
    Ok(stream::try_unfold(Some((answer, encoder)), async |state| {
        let Some((mut answer, mut encoder)) = state else { return Ok(None) };
        match answer.next().await {
            Some(Ok(batch)) => {
                let piece = encoder.encode(&batch).map_err(|error| of(&error))?;
                Ok(Some((piece, Some((answer, encoder)))))
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the answer to a statement broke off");
                Err(Problem::of("the statement", &error))
            }
            None => Ok(Some((encoder.end().map_err(|error| of(&error))?, None))),
        }
    }))
}

fn of(error: &ArrowError) -> Problem {
    Problem::new(ErrorKind::Internal, "the rows", error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use arrow::ipc::reader::StreamReader;

    use super::*;

    fn batch() -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([
            ("n", Arc::new(Int64Array::from(vec![Some(1), None])) as _, true),
            ("x", Arc::new(Float64Array::from(vec![Some(0.5), Some(f64::NAN)])) as _, true),
            ("name", Arc::new(StringArray::from(vec![Some("a\"b"), None])) as _, true),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("UTC")) as _, true),
        ])
        .unwrap()
    }

    fn bytes(format: Format) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pieces = encoded(Answer::of(batch()), format).unwrap();
        let pieces = runtime.block_on(pieces.collect::<Vec<_>>());
        pieces.into_iter().flat_map(|piece| piece.unwrap().to_vec()).collect()
    }

    #[test]
    fn the_client_says_how_rows_go_out() {
        let check = |accept, expect| assert_eq!(Format::wanted(accept), expect, "{accept:?}");
        check(None, Format::JsonLines);
        check(Some("*/*"), Format::JsonLines);
        check(Some("application/x-ndjson"), Format::JsonLines);
        check(Some("application/vnd.apache.arrow.stream;q=1"), Format::Arrow);
    }

    #[test]
    fn rows_are_lines_of_json_or_an_arrow_stream() {
        let lines = String::from_utf8(bytes(Format::JsonLines)).unwrap();
        assert_eq!(lines.lines().next().unwrap(), r#"{"n":1,"x":0.5,"name":"a\"b","at":"1970-01-01T00:00:00Z"}"#);
        assert!(lines.lines().nth(1).unwrap().starts_with(r#"{"n":null,"x":null,"name":null,"#), "{lines}");
        let arrow = bytes(Format::Arrow);
        let read: Vec<_> = StreamReader::try_new(arrow.as_slice(), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, [batch()]);
    }
}
