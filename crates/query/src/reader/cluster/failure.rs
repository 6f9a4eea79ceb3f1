//! What a job's failure comes to, in the words of the engine: around them are names of stages, tasks and executors, and
//! sometimes of files.

use crate::QueryError;
use crate::reader::ReadError;

/// What the scheduler says of a job that nobody here ended: it ends those that worked when an executor was lost.
const CANCELLED: &str = "Cancelled";
/// And of a stage that could not fetch another's results, the one thing for which stages are begun again, and when there is
/// no executor left.
const LOST: [&str; 2] = [" has failed 1 times, most recent failure reason: ", "no executors remain"];
const WORDS: [&str; 4] = ["Arrow error: ", "Execution error: ", "Error during planning: ", "Resources exhausted: "];

/// Why a job was not done.
pub enum Failure {
    /// An executor went away, and what it had worked out with it.
    Lost,
    Other(ReadError),
}

impl Failure {
    /// Of what the scheduler tells.
    pub fn told(told: &str) -> Self {
        if told == CANCELLED || LOST.iter().any(|sign| told.contains(sign)) {
            return Self::Lost;
        }
        Self::Other(ReadError::Query(query(told)))
    }
}

fn query(told: &str) -> QueryError {
    if told.contains("Resources exhausted") || told.contains("ResourcesExhausted") {
        return QueryError::TooLarge { why: "the executors have no more memory for it".to_owned() };
    }
    let at = WORDS.iter().filter_map(|word| told.rfind(word).map(|at| at + word.len())).max();
    let why = at.map_or(told, |at| &told[at..]).lines().next().unwrap_or_default().trim();
    let is_of_files = at.is_none() && why.contains('/');
    let why = if is_of_files { "the executors could not work it out" } else { why };
    QueryError::Failed { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_are_told_without_what_is_around_them() {
        let told = |told: &str| match Failure::told(told) {
            Failure::Lost => "lost".to_owned(),
            Failure::Other(error) => error.to_string(),
        };
        assert_eq!(told("Cancelled"), "lost");
        assert_eq!(
            told(
                "Job failed due to stage 2 failed: Stage 2 has failed 1 times, most recent failure reason: \"tcp connect\""
            ),
            "lost"
        );
        let cast =
            "Job failed due to stage 1 failed: Task 3 failed: DataFusionError(Arrow error: Cast error: no number\n)";
        assert!(told(cast).ends_with("Cast error: no number"), "{}", told(cast));
        let memory = told("Task failed: Resources exhausted: Failed to allocate 8 MB for HashJoin");
        assert!(memory.contains("no more memory"), "{memory}");
        let file = told("object at /srv/lake/demo/people/part.parquet is gone");
        assert!(!file.contains("srv"), "{file}");
    }
}
