//! `init`: manifests to begin with.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bedplate_plan::templates::{self, Template};
use bedplate_types::{ErrorKind, Problem};
use clap::Args;

use super::connect::out;

#[derive(Debug, Args)]
pub struct Init {
    /// use-case, endpoint or environment.
    #[arg(required_unless_present = "list")]
    pub template: Option<String>,
    /// Where the files go; the current folder when left out.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// A parameter: name=churn; may be given more than once.
    #[arg(short, long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Show the templates with their parameters.
    #[arg(long)]
    pub list: bool,
}

pub fn run(command: &Init) -> Result<ExitCode, Problem> {
    let Some(name) = command.template.as_ref().filter(|_| !command.list) else { return list() };
    let template = templates::find(name).map_err(|error| Problem::of("init", &error))?;
    let files = template.render(&set(&command.set)?).map_err(|error| Problem::of("init", &error))?;
    refuse_to_overwrite(&command.dir, &files)?;
    let failed = |path: &Path, error: &std::io::Error| {
        Problem::new(ErrorKind::Invalid, path.display().to_string(), error.to_string())
    };
    std::fs::create_dir_all(&command.dir).map_err(|error| failed(&command.dir, &error))?;
    for (file, text) in &files {
        let path = command.dir.join(file);
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&path, &error))?;
        println!("{}", path.display());
    }
    eprintln!("next: bedplate test {0}; bedplate plan -f {0}", command.dir.display());
    Ok(ExitCode::SUCCESS)
}

fn set(pairs: &[String]) -> Result<BTreeMap<String, String>, Problem> {
    let one = |pair: &String| {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Problem::new(ErrorKind::Invalid, format!("--set {pair}"), "is no NAME=VALUE").with_fix("--set name=churn")
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    pairs.iter().map(one).collect()
}

/// Nothing is written when anything would be lost.
fn refuse_to_overwrite(dir: &Path, files: &[(&str, String)]) -> Result<(), Problem> {
    let there: Vec<String> = files
        .iter()
        .map(|(file, _)| dir.join(file))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    let why = format!("{} is there already; nothing was written", there.join(", "));
    Err(Problem::new(ErrorKind::AlreadyExists, "init", why).with_fix("name another folder, or move the files away"))
}

fn list() -> Result<ExitCode, Problem> {
    let mut stdout = std::io::stdout();
    for template in templates::all() {
        out(describe(&mut stdout, template))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(out: &mut dyn Write, template: &Template) -> std::io::Result<()> {
    writeln!(out, "{}: {}", template.name, template.about)?;
    for parameter in template.parameters {
        let usual = parameter.default.map_or("must be given".to_owned(), |usual| format!("{usual} when left out"));
        writeln!(out, "  --set {}=…  {} ({usual})", parameter.name, parameter.about)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(dir: &Path, set: &[&str]) -> Result<ExitCode, Problem> {
        let set = set.iter().map(|pair| (*pair).to_owned()).collect();
        run(&Init { template: Some("endpoint".into()), dir: dir.to_owned(), set, list: false })
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_half_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("endpoint.test.yaml"), "mine").unwrap();
        let problem = init(folder.path(), &["name=late", "model=m"]).unwrap_err();
        assert!(problem.kind == ErrorKind::AlreadyExists && problem.why.contains("endpoint.test.yaml"), "{problem}");
        assert!(!folder.path().join("endpoint.yaml").exists());
        assert_eq!(std::fs::read_to_string(folder.path().join("endpoint.test.yaml")).unwrap(), "mine");
    }

    #[test]
    fn a_pair_without_a_value_and_a_parameter_that_is_missing_are_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(init(folder.path(), &["name"]).unwrap_err().why.contains("NAME=VALUE"));
        assert!(init(folder.path(), &["name=late"]).unwrap_err().why.contains("needs a value for model"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
