//! How a file is written, as declared or as its name tells.

use bedplate_kinds::{Compression, DatasetSource, Format};
use bedplate_types::{ErrorKind, Explained};

/// How to read one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub format: Format,
    pub compression: Compression,
    /// What stands between two fields of CSV.
    pub delimiter: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLayout {
    #[error("the name of {name} does not tell how it is written")]
    Format { name: String },
    #[error("{name} is {} within {with:?}, which is for CSV and JSON lines", format.as_str())]
    Compressed { name: String, format: Format, with: Compression },
}

impl Explained for UnknownLayout {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Format { .. } => "say spec.source.format: parquet, csv, jsonl or arrow, then bedplate apply".into(),
            Self::Compressed { name, .. } => {
                format!("write {name} uncompressed: the format compresses what is in it by itself")
            }
        })
    }
}

/// What is declared counts; what is not, the name tells: `x.csv.gz` is CSV in gzip.
pub fn layout(name: &str, source: &DatasetSource) -> Result<Layout, UnknownLayout> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let (stem, told) = compression(name);
    let end = stem.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    let format = source.format.or_else(|| format(&end));
    let format = format.ok_or_else(|| UnknownLayout::Format { name: name.to_owned() })?;
    let with = source.compression.unwrap_or(told);
    if !format.is_text() && with != Compression::None {
        return Err(UnknownLayout::Compressed { name: name.to_owned(), format, with });
    }
    let declared = source.csv.as_ref().and_then(|csv| csv.delimiter.as_ref()?.bytes().next());
    let delimiter = declared.unwrap_or(if end == "tsv" { b'\t' } else { b',' });
    Ok(Layout { format, compression: with, delimiter })
}

/// The name without the ending that tells of compression.
fn compression(name: &str) -> (&str, Compression) {
    let known = [
        (".gz", Compression::Gzip),
        (".zst", Compression::Zstd),
        (".bz2", Compression::Bzip2),
        (".xz", Compression::Xz),
    ];
    let found = known.into_iter().find_map(|(end, with)| Some((cut(name, end)?, with)));
    found.unwrap_or((name, Compression::None))
}

fn cut<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(end.len())?;
    name.get(at..)?.eq_ignore_ascii_case(end).then(|| &name[..at])
}

fn format(end: &str) -> Option<Format> {
    Some(match end {
        "parquet" | "pq" => Format::Parquet,
        "csv" | "tsv" => Format::Csv,
        "jsonl" | "ndjson" | "json" => Format::Jsonl,
        "arrow" | "arrows" | "feather" | "ipc" => Format::Arrow,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, source: &DatasetSource, expect: Option<(Format, Compression, u8)>) {
        let found = layout(name, source).ok().map(|found| (found.format, found.compression, found.delimiter));
        assert_eq!(found, expect, "{name}");
    }

    #[test]
    fn a_name_tells_what_is_not_declared() {
        let source = DatasetSource::at("x");
        check("/a/x.parquet", &source, Some((Format::Parquet, Compression::None, b',')));
        check("x.csv.gz", &source, Some((Format::Csv, Compression::Gzip, b',')));
        check("X.TSV.ZST", &source, Some((Format::Csv, Compression::Zstd, b'\t')));
        check("x.y.ndjson.bz2", &source, Some((Format::Jsonl, Compression::Bzip2, b',')));
        check("x.feather", &source, Some((Format::Arrow, Compression::None, b',')));
        for name in ["x", "x.txt", "x.gz", "ä.gz", "/a.csv/x"] {
            check(name, &source, None);
        }
        check("x.parquet.gz", &source, None);
    }

    #[test]
    fn what_is_declared_counts() {
        let source = DatasetSource {
            format: Some(Format::Csv),
            compression: Some(Compression::None),
            csv: Some(bedplate_kinds::CsvOptions { delimiter: Some(";".into()), ..Default::default() }),
            ..DatasetSource::at("x")
        };
        check("x.tsv.gz", &source, Some((Format::Csv, Compression::None, b';')));
        check("x", &source, Some((Format::Csv, Compression::None, b';')));
    }
}
