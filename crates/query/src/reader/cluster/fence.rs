//! What an executor does of what it is sent: it reads files below its roots and the results of other tasks, and nothing else.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ballista_core::JobId;
use ballista_core::execution_plans::{RangeShuffleReaderExec, ShuffleReaderExec};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::common::plan_err;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::sink::DataSinkExec;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::prelude::SessionConfig;

pub(super) struct Fenced {
    roots: Vec<PathBuf>,
    within: DefaultExecutionEngine,
}

impl Fenced {
    /// `roots` as the file system has them, without links.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots, within: DefaultExecutionEngine::new() }
    }
}

impl ExecutionEngine for Fenced {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        parts: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        check(&plan, &self.roots)?;
        self.within.create_query_stage_exec(job_id, stage_id, task_id, parts, plan, work_dir, config)
    }
}

fn check(plan: &Arc<dyn ExecutionPlan>, roots: &[PathBuf]) -> Result<()> {
    if plan.is::<DataSinkExec>() {
        return plan_err!("this executor writes no files");
    }
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        return check_source(source, roots);
    }
    let children = plan.children();
    let reads_nothing = plan.is::<ShuffleReaderExec>()
        || plan.is::<RangeShuffleReaderExec>()
        || plan.is::<EmptyExec>()
        || plan.is::<PlaceholderRowExec>();
    if children.is_empty() && !reads_nothing {
        return plan_err!("this executor does not read {}", plan.name());
    }
    children.into_iter().try_for_each(|child| check(child, roots))
}

fn check_source(source: &DataSourceExec, roots: &[PathBuf]) -> Result<()> {
    let source: &dyn Any = source.data_source().as_ref();
    if source.is::<MemorySourceConfig>() {
        return Ok(());
    }
    let Some(files) = source.downcast_ref::<FileScanConfig>() else {
        return plan_err!("this executor reads files alone");
    };
    if files.object_store_url.as_str() != "file:///" {
        return plan_err!("this executor reads files of its own machine alone");
    }
    let files = files.file_groups.iter().flat_map(|group| group.iter());
    files.map(|file| Path::new("/").join(file.path().as_ref())).try_for_each(|file| check_file(&file, roots))
}

/// The path is not told: whoever asks may not know where files are.
fn check_file(file: &Path, roots: &[PathBuf]) -> Result<()> {
    match file.canonicalize() {
        Ok(real) if roots.iter().any(|root| real.starts_with(root)) => Ok(()),
        Ok(_) => plan_err!("a file is outside of the folders that were given to this executor with --data"),
        Err(error) => plan_err!("a file is not to be had on this executor: {}", error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_below_the_roots_alone_links_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (root, other) = (folder.join("lake"), folder.join("lake-of-others"));
        for at in [&root, &other] {
            std::fs::create_dir(at).unwrap();
            std::fs::write(at.join("a.parquet"), "").unwrap();
        }
        std::os::unix::fs::symlink(other.join("a.parquet"), root.join("link.parquet")).unwrap();
        let roots = [root.clone()];
        assert!(check_file(&root.join("a.parquet"), &roots).is_ok());
        for file in [
            other.join("a.parquet"),
            root.join("../lake-of-others/a.parquet"),
            root.join("link.parquet"),
            root.join("none.parquet"),
            PathBuf::from("/etc/passwd"),
        ] {
            let refused = check_file(&file, &roots).unwrap_err().to_string();
            assert!(!refused.contains("parquet") && !refused.contains("passwd"), "{refused}");
        }
        assert!(check_file(&root.join("a.parquet"), &[]).is_err());
    }
}
