//! May a recipe be trained: the policy is asked for every dataset that goes into it, with what the recipe is for.

use std::collections::BTreeSet;

use bedplate_kinds::{DataTags, Dataset, FeatureService, FeatureView, TrainingRecipe};
use bedplate_policy::{Action, Context, Question, Resource, Tags};
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use kube::ResourceExt;

use crate::core::{ACTOR, Platform};
use crate::hold::Hold;

/// How what is trained may be used: as its data may. A policy that refuses the training is named.
pub async fn may_train(
    platform: &Platform,
    recipe: &TrainingRecipe,
    service: &FeatureService,
    name: &NamespacedName,
) -> Result<Option<DataTags>, Hold> {
    let mut made: Option<DataTags> = None;
    for dataset in datasets(platform, recipe, service, &name.namespace).await? {
        let dataset = platform.need::<Dataset>(&name.namespace, &dataset).await?;
        let data = DataTags::of(&dataset.spec, dataset.status.as_ref().is_some_and(|status| status.deidentified));
        ask(platform, recipe, name, &dataset, &data)?;
        made = Some(made.map_or_else(|| data.clone(), |so_far| so_far.and(&data)));
    }
    Ok(made)
}

/// Those of the labels and of every view, each once.
async fn datasets(
    platform: &Platform,
    recipe: &TrainingRecipe,
    service: &FeatureService,
    namespace: &str,
) -> Result<BTreeSet<String>, Hold> {
    let mut all: BTreeSet<String> = recipe.spec.label.datasets.iter().cloned().collect();
    for selection in &service.spec.views {
        let view = platform.need::<FeatureView>(namespace, &selection.view).await?;
        all.extend(view.spec.source.datasets);
    }
    Ok(all)
}

fn ask(
    platform: &Platform,
    recipe: &TrainingRecipe,
    name: &NamespacedName,
    dataset: &Dataset,
    data: &DataTags,
) -> Result<(), Hold> {
    let labels = dataset.labels().clone();
    let tags = Tags { owner: Some(dataset.spec.owner.clone()), labels, ..Tags::from(data) };
    let dataset = dataset.name_any();
    let resource = Resource { namespace: Some(&name.namespace), kind: "Dataset", name: Some(&dataset) };
    let context = Context { purpose: recipe.spec.purpose.as_deref(), site: None };
    let decision =
        platform.policy.ask(&Question::new(ACTOR, &[], Action::Train, resource).tagged(&tags).within(context));
    if decision.allowed {
        return Ok(());
    }
    let what = format!("training recipe {name}: training from dataset {dataset}");
    let fix = format!(
        "bedplate describe dataset {dataset} -n {} shows its tags; then apply what the policy asks for",
        name.namespace
    );
    Err(Hold::Failed(Problem::new(ErrorKind::Denied, what, decision.why()).with_fix(fix)))
}
