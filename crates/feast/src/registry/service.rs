//! Feature services.

use bedplate_kinds::{FeatureServiceSpec, ViewSelection};

use super::messages::{self, Projection, Registry};
use super::name::{Names, object_name};
use super::{Declared, owner};

const KIND: &str = "FeatureService";

pub fn translate(registry: &Registry, declared: &mut Declared) {
    let mut names = Names::default();
    for service in registry.feature_services.iter().filter_map(|service| service.spec.as_ref()) {
        let (views, left_out) = views(service, declared);
        for why in left_out {
            declared.refuse(KIND, &service.name, why);
        }
        if views.is_empty() {
            declared.refuse(KIND, &service.name, "none of its feature views is here");
            continue;
        }
        let Some(name) = declared.name(&mut names, KIND, &service.name) else { continue };
        let spec = FeatureServiceSpec {
            owner: owner(registry, &service.owner, &service.project),
            description: service.description.clone(),
            views,
            request_features: Vec::new(),
        };
        declared.services.push((name, spec));
    }
}

fn views(service: &messages::FeatureServiceSpec, declared: &Declared) -> (Vec<ViewSelection>, Vec<String>) {
    let (mut views, mut left_out) = (Vec::<ViewSelection>::new(), Vec::new());
    for projection in &service.features {
        match selection(projection, declared) {
            Ok(one) if views.iter().any(|known| known.view == one.view) => {
                left_out.push(format!("{} is selected twice: the first selection counts", one.view));
            }
            Ok(one) => views.push(one),
            Err(why) => left_out.push(why),
        }
    }
    (views, left_out)
}

fn selection(projection: &Projection, declared: &Declared) -> Result<ViewSelection, String> {
    let feast = &projection.feature_view_name;
    let found = object_name(feast).and_then(|name| declared.views.iter().find(|(known, _)| *known == name));
    let (view, spec) = found.ok_or_else(|| format!("it selects {feast}, which is not executed here"))?;
    if !projection.join_key_map.is_empty() {
        return Err(format!("it gives the join keys of {feast} other names, which is not done here"));
    }
    let wanted = projection.feature_columns.iter().map(|feature| feature.name.clone());
    let features: Vec<String> = wanted.filter(|name| spec.features.iter().any(|known| known.name == *name)).collect();
    if features.is_empty() {
        return Err(format!("none of the features of {feast} that it selects is here"));
    }
    Ok(ViewSelection { view: view.clone(), features })
}
