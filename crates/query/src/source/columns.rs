//! What columns a file has, for whoever declares a dataset of it.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use bedplate_kinds::{Column, Format};

use super::{SourceError, find};

/// The columns of a Parquet file, as a Dataset declares them. Only its footer is read. Blocks.
///
/// # Errors
/// When it lies outside `roots`, is no Parquet file, or has columns of other types than a dataset can have.
pub fn columns(path: &Path, roots: &[PathBuf]) -> Result<Vec<Column>, SourceError> {
    if path.is_relative() {
        return Err(SourceError::Relative { path: path.display().to_string() });
    }
    let path = find::real(path, roots)?;
    if !path.is_file() {
        return Err(SourceError::NotAFile { path });
    }
    let broken = |why: String| SourceError::Broken { path: path.clone(), format: Format::Parquet, line: None, why };
    let file = File::open(&path).map_err(SourceError::open(&path))?;
    let read = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(error.to_string()))?;
    bedplate_lake::schema::declarable(read.schema()).map_err(|others| broken(others.join("; ")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::parquet::arrow::ArrowWriter;
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use bedplate_kinds::ColumnType;

    use super::*;

    fn written(folder: &Path, fields: Vec<Field>) -> PathBuf {
        let path = folder.join("rows.parquet");
        let writer = ArrowWriter::try_new(File::create(&path).unwrap(), Arc::new(Schema::new(fields)), None);
        writer.unwrap().close().unwrap();
        path
    }

    #[test]
    fn a_file_below_a_root_tells_its_columns_and_one_elsewhere_nothing() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let roots = [folder.path().canonicalize().unwrap()];
        let zoned = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let fields = vec![Field::new("id", DataType::Int64, false), Field::new("at", zoned, true)];
        let path = written(folder.path(), fields.clone());
        let found = columns(&path, &roots).unwrap();
        let found: Vec<_> = found.iter().map(|column| (column.name.as_str(), column.type_)).collect();
        assert_eq!(found, [("id", ColumnType::Int64), ("at", ColumnType::Timestamp)]);
        assert!(matches!(columns(&written(other.path(), fields), &roots), Err(SourceError::Outside { .. })));
        assert!(matches!(columns(Path::new("rows.parquet"), &roots), Err(SourceError::Relative { .. })));
        assert!(matches!(columns(folder.path(), &roots), Err(SourceError::NotAFile { .. })));
        let path = written(folder.path(), vec![Field::new("many", DataType::new_list(DataType::Int64, true), true)]);
        assert!(columns(&path, &roots).unwrap_err().to_string().contains("many is"));
    }
}
