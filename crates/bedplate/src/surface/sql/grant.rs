//! What of a dataset a caller may see: the rows at all, and which columns and rows of them as they are.

use std::collections::BTreeSet;

use bedplate_kinds::{ColumnMask, DataTags, Dataset, Mask, Phase};
use bedplate_policy::{Action, Context, Decision, Policy, Question, Resource, Tags};
use bedplate_query::{Readable, ShownColumn};
use bedplate_types::{ErrorKind, Problem};
use kube::ResourceExt;

use super::{Caller, full_name};

pub struct Guard<'a> {
    pub policy: &'a Policy,
    pub caller: &'a Caller,
}

/// A dataset that may be read, as far as it may.
#[derive(Clone, Debug)]
pub struct Granted {
    pub readable: Readable,
    /// The team that answers for it.
    pub owner: String,
    /// The names of the filters that bind.
    pub filters: Vec<String>,
}

impl Guard<'_> {
    /// Whether the caller may know which datasets there are.
    pub fn may_look(&self) -> bool {
        [Action::ReadData, Action::List]
            .into_iter()
            .any(|action| self.ask(action, "Dataset", None, Tags::none()).allowed)
    }

    /// Whether the caller may read it, for this purpose or another, or be told that it is there.
    pub fn may_know(&self, dataset: &Dataset) -> bool {
        let (name, tags) = (dataset.name_any(), tags(dataset));
        [Action::Get, Action::ReadData]
            .into_iter()
            .any(|action| self.ask(action, "Dataset", Some(&name), &tags).allowed)
    }

    /// `None`: it is not for the caller to know that it is there.
    pub fn grant(&self, table: &str, dataset: &Dataset) -> Result<Option<Granted>, Problem> {
        let (name, tags) = (dataset.name_any(), tags(dataset));
        let decision = self.ask(Action::ReadData, "Dataset", Some(&name), &tags);
        let what = || format!("dataset {}", full_name(self.caller, &name));
        if !decision.allowed {
            if self.ask(Action::Get, "Dataset", Some(&name), &tags).allowed {
                return Err(Problem::new(ErrorKind::Denied, what(), decision.why()));
            }
            return Ok(None);
        }
        let status = dataset.status.as_ref().filter(|status| status.phase == Phase::Ready);
        let Some(version) = status.and_then(|status| status.version) else {
            let fix = format!("bedplate describe dataset {name} -n {}", self.caller.namespace);
            return Err(Problem::new(ErrorKind::NotReady, what(), "it is not ready").with_fix(fix));
        };
        let (filters, conditions) = self.filters(dataset, &name, &tags);
        let columns = self.columns(dataset, &name, &tags);
        let readable = Readable { table: table.to_owned(), dataset: name, version, columns, filters: conditions };
        Ok(Some(Granted { readable, owner: dataset.spec.owner.clone(), filters }))
    }

    /// The columns whose values the caller may see as they are, in every row; none where a filter keeps rows from them.
    pub fn in_the_clear(&self, dataset: &Dataset) -> BTreeSet<String> {
        let (name, tags) = (dataset.name_any(), tags(dataset));
        let may_read = self.ask(Action::ReadData, "Dataset", Some(&name), &tags).allowed;
        if !may_read || !self.filters(dataset, &name, &tags).0.is_empty() {
            return BTreeSet::new();
        }
        let shown = self.columns(dataset, &name, &tags).into_iter();
        shown.filter(|column| column.mask.is_none()).map(|column| column.name).collect()
    }

    /// Those that are declared: what else a table still has from before is not there.
    fn columns(&self, dataset: &Dataset, name: &str, tags: &Tags) -> Vec<ShownColumn> {
        let masks = &dataset.spec.column_masks;
        let shown = dataset.spec.schema.iter().map(|column| {
            let declared = masks.iter().find(|mask| mask.column == column.name);
            let mask = declared.filter(|mask| !self.may_unmask(mask, name, tags)).map(|mask| mask.mask);
            ShownColumn { name: column.name.clone(), mask }
        });
        shown.filter(|column| column.mask != Some(Mask::Hide)).collect()
    }

    fn may_unmask(&self, mask: &ColumnMask, dataset: &str, tags: &Tags) -> bool {
        let mut tags = tags.clone();
        if let Some(classification) = mask.classification {
            tags.classification = Some(classification.as_str().to_owned());
        }
        tags.labels.extend(mask.tags.clone());
        let name = format!("{dataset}.{}", mask.column);
        self.ask(Action::ReadUnmasked, "Column", Some(&name), &tags).allowed
    }

    /// The names and the conditions of those that bind.
    fn filters(&self, dataset: &Dataset, name: &str, tags: &Tags) -> (Vec<String>, Vec<String>) {
        let binding = dataset.spec.row_filters.iter().filter(|filter| {
            let filter = format!("{name}.{}", filter.name);
            !self.ask(Action::ReadUnfiltered, "RowFilter", Some(&filter), tags).allowed
        });
        binding.map(|filter| (filter.name.clone(), filter.condition.clone())).unzip()
    }

    fn ask(&self, action: Action, kind: &str, name: Option<&str>, tags: &Tags) -> Decision {
        let Caller { principal, namespace, purpose } = self.caller;
        let resource = Resource { namespace: Some(namespace), kind, name };
        let question = Question::new(&principal.name, &principal.groups, action, resource).tagged(tags);
        self.policy.ask(&question.within(Context { purpose: purpose.as_deref(), site: None }))
    }
}

fn tags(dataset: &Dataset) -> Tags {
    let data = DataTags::of(&dataset.spec, dataset.status.as_ref().is_some_and(|status| status.deidentified));
    Tags { owner: Some(dataset.spec.owner.clone()), labels: dataset.labels().clone(), ..Tags::from(&data) }
}
