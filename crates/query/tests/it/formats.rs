//! Formats: the same rows come of every way to write them, and what is wrong is told with its place.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, SchemaRef};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use bedplate_kinds::{ColumnType, CsvOptions, Format};
use bedplate_query::{IngestError, IngestReport, SourceError};
use bedplate_types::{ErrorKind, Explained};

use crate::table::{Site, spec, write};

const COLUMNS: [(&str, ColumnType); 4] =
    [("n", ColumnType::Int64), ("s", ColumnType::String), ("x", ColumnType::Float64), ("at", ColumnType::Timestamp)];
const CSV: &str = "at,n,s,x\n1970-01-01T00:00:01Z,1,\"a, \"\"b\"\"\nc\",0.5\n1970-01-01T00:00:02Z,2,,NaN\n,3,ä,-inf\n";
const JSONL: &str = "{\"n\":1,\"s\":\"a, \\\"b\\\"\\nc\",\"x\":0.5,\"at\":\"1970-01-01T00:00:01Z\"}\n\n\
    {\"at\":\"1970-01-01T00:00:02Z\",\"n\":2,\"s\":null}\r\n{\"n\":3,\"s\":\"ä\",\"x\":-7}";

/// A file in the site's folder.
fn put(site: &Site, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = site.dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn rows() -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef, true),
        ("s", Arc::new(StringArray::from(vec![Some("a, \"b\"\nc"), None, Some("ä")])), true),
        ("x", Arc::new(Float64Array::from(vec![0.5, f64::NAN, f64::NEG_INFINITY])), true),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_000_000), Some(2_000_000), None]).with_timezone("UTC"),
            ),
            true,
        ),
    ])
    .unwrap()
}

async fn load(site: &Site, path: &Path) -> Result<IngestReport, IngestError> {
    site.load(path, &spec(&COLUMNS), None).await
}

async fn check_rows(site: &Site, path: &Path) {
    let report = load(site, path).await.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!((report.rows, report.quarantined), (3, 0), "{}: {:?}", path.display(), report.outcomes);
    let frame = site.rows("weather", "*").await;
    assert_eq!(frame.f64("n").unwrap(), [1.0, 2.0, 3.0]);
    assert_eq!(frame.strings("s").unwrap(), [Some("a, \"b\"\nc".into()), None, Some("ä".into())], "{}", path.display());
    assert_eq!(frame.micros("at").unwrap(), [Some(1_000_000), Some(2_000_000), None]);
    assert_eq!(frame.f64("x").unwrap()[0], 0.5);
}

fn arrow_file(path: &Path, schema: &SchemaRef, batches: &[RecordBatch], with: Option<CompressionType>) {
    let options = IpcWriteOptions::default().try_with_compression(with).unwrap();
    let mut writer = FileWriter::try_new_with_options(File::create(path).unwrap(), schema, options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
}

fn arrow_stream(path: &Path, batches: &[RecordBatch]) {
    let mut writer = StreamWriter::try_new(File::create(path).unwrap(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_format_gives_the_same_rows() {
    let site = Site::new();
    check_rows(&site, &put(&site, "a.csv", CSV)).await;
    check_rows(&site, &put(&site, "bom.csv", format!("\u{feff}{CSV}"))).await;
    check_rows(&site, &put(&site, "crlf.csv", CSV.replace("5\n", "5\r\n").replace("x\n", "x\r\n"))).await;
    check_rows(&site, &put(&site, "whole.csv", CSV.trim_end())).await;
    check_rows(&site, &put(&site, "a.tsv", CSV.replace(",\"a, ", ",\"a; ").replace(',', "\t").replace("a; ", "a, ")))
        .await;
    check_rows(&site, &put(&site, "a.jsonl", JSONL)).await;
    check_rows(&site, &put(&site, "bom.json", format!("\u{feff}{JSONL}"))).await;
    check_rows(&site, &put(&site, "a.csv.gz", gzip(CSV.as_bytes()))).await;
    check_rows(&site, &put(&site, "a.ndjson.zst", zstd::encode_all(JSONL.as_bytes(), 1).unwrap())).await;
    let at = |name: &str| site.dir.path().join(name);
    write(&at("a.parquet"), &rows());
    arrow_file(&at("a.arrow"), &rows().schema(), &[rows().slice(0, 2), rows().slice(2, 1)], None);
    arrow_file(&at("lz4.feather"), &rows().schema(), &[rows()], Some(CompressionType::LZ4_FRAME));
    arrow_file(&at("zstd.arrow"), &rows().schema(), &[rows()], Some(CompressionType::ZSTD));
    arrow_stream(&at("a.arrows"), &[rows().slice(0, 1), rows().slice(1, 2)]);
    for name in ["a.parquet", "a.arrow", "lz4.feather", "zstd.arrow", "a.arrows"] {
        check_rows(&site, &at(name)).await;
    }
}

#[tokio::test]
async fn parquet_of_any_codec_is_read() {
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{BrotliLevel, Compression, GzipLevel};
    let site = Site::new();
    let path = site.dir.path().join("a.parquet");
    for codec in [
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::BROTLI(BrotliLevel::default()),
    ] {
        let properties = parquet::file::properties::WriterProperties::builder().set_compression(codec).build();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), rows().schema(), Some(properties)).unwrap();
        writer.write(&rows()).unwrap();
        writer.close().unwrap();
        check_rows(&site, &path).await;
    }
}

#[tokio::test]
async fn a_dictionary_and_a_large_batch_are_read_in_pieces() {
    let site = Site::new();
    let path = site.dir.path().join("a.arrow");
    let n: Vec<i64> = (0..20_000).collect();
    let s: DictionaryArray<Int32Type> = n.iter().map(|n| if n % 2 == 0 { "even" } else { "odd" }).collect();
    let batch =
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(n)) as ArrayRef), ("s", Arc::new(s))]).unwrap();
    arrow_file(&path, &batch.schema(), std::slice::from_ref(&batch), None);
    assert_eq!(site.load(&path, &spec(&COLUMNS[..2]), None).await.unwrap().rows, 20_000);
    arrow_stream(&path, &[batch]);
    assert_eq!(site.load(&path, &spec(&COLUMNS[..2]), None).await.unwrap().rows, 20_000);
    let words = site.lake.values("demo", "weather", "s").await.unwrap();
    assert_eq!(words, ["even".to_owned(), "odd".to_owned()].into());
}

#[tokio::test]
async fn csv_is_spelled_as_declared() {
    let site = Site::new();
    let mut spec = spec(&COLUMNS);
    spec.source.format = Some(Format::Csv);
    spec.source.time_zone = Some("America/New_York".into());
    spec.source.csv = Some(CsvOptions {
        delimiter: Some("|".into()),
        quote: "'".into(),
        header: false,
        null_values: vec!["NA".into(), "-".into()],
    });
    let path = put(&site, "a.txt", "1|'it''s'|1.5|1969-12-31 19:00:00\nNA||-|NA\n");
    let report = site.load(&path, &spec, None).await.unwrap();
    assert_eq!((report.rows, report.quarantined), (2, 0), "{:?}", report.outcomes);
    let frame = site.rows("weather", "*").await;
    assert_eq!(frame.strings("s").unwrap(), [Some("it's".into()), Some(String::new())]);
    assert_eq!(frame.micros("at").unwrap(), [Some(0), None]);
}

/// Rows and reasons in quarantine, and how many rows are fine.
async fn check_rejected(name: &str, text: impl AsRef<[u8]>, fine: u64, expect: &[(f64, &str)]) {
    let site = Site::new();
    let report = load(&site, &put(&site, name, text)).await.unwrap();
    assert_eq!((report.rows, report.quarantined), (fine, expect.len() as u64), "{:?}", report.outcomes);
    let bad = site.rows("weather__quarantine", "_row, _reasons").await;
    let reasons: Vec<String> = bad.strings("_reasons").unwrap().into_iter().flatten().collect();
    let whys = reasons.iter().map(|reason| reason.strip_prefix("can be read as declared: ").unwrap());
    let told: Vec<(f64, &str)> = bad.f64("_row").unwrap().into_iter().zip(whys).collect();
    assert_eq!(told, expect);
    let outcome = report.outcomes.last().unwrap();
    assert!(!outcome.passed && outcome.failing == expect.len() as u64, "{outcome:?}");
    assert!(outcome.detail.contains(expect[0].1), "{outcome:?}");
}

#[tokio::test]
async fn a_row_of_csv_that_is_not_as_declared_is_rejected_with_its_line() {
    let zone = "has no time zone; write it with one, or say spec.source.timeZone";
    check_rejected(
        "a.csv",
        b"n,s,x,at\n1,a,1,\nx,a,1e999,\n2,b\n3,c,1,,5\n\n4,\"d\ne\",?,1970-01-01\n5,\xff,1,\n6,f,1,1970-01-01T00:00:00Z\n",
        2,
        &[
            (1.0, "line 3: n \"x\" is not int64; x \"1e999\" is not float64"),
            (2.0, "line 4: it has 2 fields where there are 4 columns"),
            (3.0, "line 5: it has 5 fields where there are 4 columns"),
            (4.0, &format!("line 7: x \"?\" is not float64; at \"1970-01-01\" {zone}")),
            (5.0, "line 9: s \"\u{fffd}\" is not UTF-8"),
        ],
    )
    .await;
}

#[tokio::test]
async fn lines_are_counted_whatever_they_end_in() {
    let text = "n,s,x,at\n1,a,1,\n\n2,\"b\n\nb\",1,\nx,c,1,\n\n\ny,\"d\nd\",1,\nz,e,1,";
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        let expect = [
            (2.0, "line 7: n \"x\" is not int64"),
            (3.0, "line 10: n \"y\" is not int64"),
            (4.0, "line 12: n \"z\" is not int64"),
        ];
        check_rejected("a.csv", text, 2, &expect).await;
    }
}

#[tokio::test]
async fn a_line_that_is_no_such_object_is_rejected() {
    check_rejected(
        "a.jsonl",
        b"{\"n\":1}\n{\"n\":\"1\"}\n{\"n\":2,\"m\":3}\n{\"n\":NaN}\n[1]\n{\"s\":\"\xff\"}\n{\"n\":3}\n{\"n\":4",
        2,
        &[
            (1.0, "line 2: n \"1\" is not int64"),
            (2.0, "line 3: it has \"m\", which is not declared"),
            (3.0, "line 4: it is not JSON from character 6 on"),
            (4.0, "line 5: it is no JSON object"),
            (5.0, "line 6: it is not JSON from character 7 on"),
            (7.0, "line 8: it is not JSON from character 6 on"),
        ],
    )
    .await;
}

async fn check_refused(name: &str, text: impl AsRef<[u8]>, words: &[&str]) {
    let site = Site::new();
    let path = put(&site, name, text);
    let error = load(&site, &path).await.unwrap_err();
    let told = format!(
        "{error} {:?} {}",
        std::error::Error::source(&error).map(ToString::to_string),
        error.fix().unwrap_or_default()
    );
    assert_eq!(error.kind(), ErrorKind::Invalid, "{name}: {told}");
    for word in words {
        assert!(told.contains(word), "{name}: {word}: {told}");
    }
    assert!(site.lake.committed("demo", "weather").await.unwrap().is_none(), "{name}");
}

#[tokio::test]
async fn a_file_that_is_broken_is_one_clear_error() {
    check_refused("a.csv", "", &["a.csv, line", "is empty, without even a header", "bedplate apply"]).await;
    check_refused(
        "a.csv",
        "n;s;x;at\n1;a;1;\n",
        &["column n (int64) is missing", "column n;s;x;at (string) is not declared"],
    )
    .await;
    check_refused("a.csv", "n,s,x\n1,a,1\n", &["column at (timestamp) is missing"]).await;
    check_refused("a.csv", "n,s,x,at,n\n1,a,1,,1\n", &["column n is there twice"]).await;
    check_refused("a.csv", b"n,s,\xff,at\n", &["header is not UTF-8"]).await;
    check_refused(
        "a.csv",
        "n,s,x,at\n1,a,1,\n2,\"b,1,\n3,c,1,\n",
        &["a.csv, line 3 ", "a quote is opened", "never closed"],
    )
    .await;
    check_refused("a.csv", format!("n,s,x,at\n1,\"{}\",1,\n", "y".repeat(17 << 20)), &["longer than 16 MiB"]).await;
    check_refused("a.json", "[\n{\"n\":1}\n]\n", &["a.json, line 1 ", "is a JSON array"]).await;
    check_refused("a.jsonl", "y".repeat(17 << 20), &["longer than 16 MiB"]).await;
    let many: String = (0..50_000).map(|n| format!("{n},a,1,\n")).collect();
    let cut = gzip(format!("n,s,x,at\n{many}").as_bytes());
    check_refused("a.csv.gz", &cut[..cut.len() / 2], &["a.csv.gz, line ", "cannot be read as CSV"]).await;
    check_refused("a.csv.gz", "n,s,x,at\n1,a,1,\n", &["a.csv.gz", "cannot be read as CSV"]).await;
    check_refused("a.csv.zst", CSV, &["a.csv.zst", "cannot be read as CSV"]).await;
    check_refused("a.parquet", CSV, &["a.parquet cannot be read as Parquet"]).await;
    check_refused("a.parquet", "", &["a.parquet cannot be read as Parquet"]).await;
    check_refused("a.arrow", CSV, &["cannot be read as Arrow IPC", "cut off"]).await;
    check_refused("a.arrow", "", &["cannot be read as Arrow IPC"]).await;
    check_refused("a.txt", CSV, &["does not tell how it is written", "spec.source.format"]).await;
    check_refused(
        "a.csv",
        "n,s,x,at\na,b,c,d\n\"e\",f,g,h\n",
        &["not one of its 2 rows", "line 2: n \"a\" is not int64"],
    )
    .await;
}

#[tokio::test]
async fn an_arrow_file_that_was_cut_or_lies_about_its_sizes_is_refused() {
    let site = Site::new();
    let path = site.dir.path().join("whole");
    arrow_file(&path, &rows().schema(), &[rows(), rows()], None);
    let file = fs::read(&path).unwrap();
    arrow_stream(&path, &[rows(), rows()]);
    let stream = fs::read(&path).unwrap();
    for cut in [7, 20, file.len() / 2, file.len() - 1] {
        check_refused("a.arrow", &file[..cut], &["a.arrow cannot be read as Arrow IPC"]).await;
    }
    for cut in [7, 20, stream.len() / 2, stream.len() - 8, stream.len() - 1] {
        check_refused("a.arrows", &stream[..cut], &["a.arrows cannot be read as Arrow IPC"]).await;
    }
    // Every eight bytes of the footer in turn: one of them is the length of a batch. None may end the process.
    let footer =
        file.len() - 10 - i32::from_le_bytes(file[file.len() - 10..file.len() - 6].try_into().unwrap()) as usize;
    let mut refused = 0;
    for at in (footer..file.len() - 18).step_by(8) {
        let mut bad = file.clone();
        bad[at..at + 8].copy_from_slice(&(1_i64 << 61).to_le_bytes());
        let path = put(&site, "bad.arrow", bad);
        refused += u32::from(load(&site, &path).await.is_err());
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn without_rows_there_is_an_empty_table() {
    for (name, text) in [("a.csv", "at,x,s,n\n"), ("b.jsonl", ""), ("c.jsonl.gz", "")] {
        let site = Site::new();
        let bytes = if name.ends_with("gz") { gzip(text.as_bytes()) } else { text.as_bytes().to_vec() };
        let report = load(&site, &put(&site, name, bytes)).await.unwrap();
        assert_eq!((report.rows, report.rows_read, report.version), (0, 0, 0), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_written_to_meanwhile_is_not_taken() {
    let site = Site::new();
    let path = put(&site, "a.csv", "n,s,x,at\n");
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let many: String = (0..400_000).map(|n| format!("{n},a,1,\n")).collect();
    file.write_all(many.as_bytes()).unwrap();
    let writer = std::thread::spawn(move || {
        for _ in 0..200 {
            file.write_all(b"1,late,1,\n").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let error = load(&site, &path).await.unwrap_err();
    assert!(matches!(error, IngestError::Source(SourceError::Unsteady { .. })), "{error}");
    writer.join().unwrap();
    assert_eq!(load(&site, &path).await.unwrap().rows, 400_200);
}

#[tokio::test]
async fn several_files_are_read_in_order_and_each_is_told() {
    let site = Site::new();
    put(&site, "d/b.csv", "n,s,x,at\n2,b,1,\nbad,b,1,\n");
    put(&site, "d/a.csv", "s,n,x,at\na,1,1,\n");
    put(&site, "d/c/e.jsonl.gz", gzip(b"{\"n\":3}\n{\"n\":\"bad\"}\n"));
    put(&site, "d/.hidden.csv", "no");
    put(&site, "d/notes.txt", "no");
    let report = load(&site, &site.dir.path().join("d")).await.unwrap();
    let names = |report: &IngestReport| -> Vec<String> {
        report.files.iter().map(|file| file.path.rsplit_once("/d/").unwrap().1.to_owned()).collect()
    };
    assert_eq!((names(&report), report.rows, report.quarantined), (vec!["a.csv".into(), "b.csv".into()], 2, 1));
    let all = load(&site, &site.dir.path().join("d/**/[a-e]*.*")).await.unwrap();
    assert_eq!(names(&all), ["a.csv", "b.csv", "c/e.jsonl.gz"]);
    assert_ne!(all.source_digest, report.source_digest);
    let bad = site.rows("weather__quarantine", "_file, _row").await;
    let files: Vec<String> = bad.strings("_file").unwrap().into_iter().flatten().collect();
    assert!(files[0].ends_with("/d/b.csv") && files[1].ends_with("/d/c/e.jsonl.gz"), "{files:?}");
    assert_eq!(bad.f64("_row").unwrap(), [1.0, 1.0]);
    let wrong = put(&site, "d/z.csv", "n,s\n1,a\n");
    let error = load(&site, &site.dir.path().join("d/*.csv")).await.unwrap_err();
    assert!(error.to_string().contains(wrong.file_name().unwrap().to_str().unwrap()), "{error}");
}
