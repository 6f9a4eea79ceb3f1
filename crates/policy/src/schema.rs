//! The schema that policies are held against, written from the kinds there are.

use std::fmt::Write;
use std::sync::OnceLock;

use cedar_policy::Schema;

use crate::kind::Kinds;
use crate::principal::{HOUSED, TEAM, TYPES};
use crate::{Action, PolicyError};

const HEAD: &str = "\
// What bedplate's policies may speak of. Principals are spelled user:ana -> User::\"ana\", group:data -> Team::\"data\",
// serviceaccount:ns/name -> ServiceAccount::\"ns/name\", and so on; resources are Kind::\"namespace/name\". A question about
// all objects of a kind names none of them, and has no tags: each object is then asked about by itself.

// What is asked for, and where. The region is what stands before the first hyphen of the site.
type Circumstances = {
    purpose?: String,
    site?: String,
    region?: String,
};

// A role somewhere: Role::\"flights/editor\". A RoleBinding makes its subjects be in one.
entity Role;

";

/// What every resource has. The tags are a Dataset's own, or those of the data that a model was trained from; Cedar's
/// tags (`resource.getTag(\"team\")`) are the labels.
const ATTRIBUTES: &str = "    namespace: Namespace,
    kind: String,
    name?: String,
    owner?: String,
    classification?: String,
    residency?: Set<String>,
    purposes?: Set<String>,
    deidentified: Bool,
";

/// The schema in Cedar's own language, as `bedplate policy schema` prints it.
#[must_use]
pub fn schema() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(write)
}

pub(crate) fn parsed() -> Result<&'static Schema, PolicyError> {
    static PARSED: OnceLock<Result<Schema, String>> = OnceLock::new();
    let read = || Schema::from_cedarschema_str(schema()).map(|(schema, _)| schema).map_err(|error| error.to_string());
    PARSED.get_or_init(read).as_ref().map_err(|error| PolicyError::Rules(error.clone()))
}

fn write() -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "entity {TEAM} in [Role];");
    for (_, of) in TYPES {
        let _ = if HOUSED.contains(&of) {
            // A workload is a principal and an object; so may the others be one day.
            writeln!(text, "entity {of} in [{TEAM}, Role, Namespace] = {{\n{ATTRIBUTES}}} tags String;")
        } else {
            writeln!(text, "entity {of} in [{TEAM}, Role];")
        };
    }
    let _ = writeln!(
        text,
        "\n// Namespace::\"*\" stands for all of them together.\nentity Namespace = {{\n    owners: Role,\n    editors: Role,\n    viewers: Role,\n{ATTRIBUTES}}} tags String;"
    );
    let kinds: Vec<_> = Kinds::known().names().filter(|kind| *kind != "Namespace" && !HOUSED.contains(kind)).collect();
    let _ = writeln!(text, "\nentity {} in [Namespace] = {{\n{ATTRIBUTES}}} tags String;\n", kinds.join(", "));
    actions(&mut text);
    text
}

fn actions(text: &mut String) {
    let principals = TYPES.map(|(_, of)| of).join(", ");
    for action in Action::ALL {
        let _ = writeln!(text, "action \"{action}\";");
        for (_, kind) in Kinds::known().actions().filter(|(of, _)| *of == action) {
            let _ = writeln!(
                text,
                "action \"{kind}.{action}\" in [\"{action}\"] appliesTo {{ principal: [{principals}], resource: [{kind}], context: Circumstances }};"
            );
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_every_kind_and_every_action_on_it() {
        let schema = parsed().unwrap();
        let actions: Vec<String> = schema.actions().map(|action| action.id().unescaped().to_owned()).collect();
        for kind in bedplate_kinds::registry::kinds() {
            for action in Action::ALL.into_iter().filter(|action| action.is_on_objects()) {
                assert!(actions.contains(&format!("{}.{action}", kind.name())), "{} {action}", kind.name());
            }
            assert!(schema.entity_types().any(|of| of.to_string() == kind.name()), "{}", kind.name());
        }
        for special in ["Dataset.train", "Endpoint.predict", "Model.promote", "FeatureView.push", "Dataset.read-data"] {
            assert!(actions.contains(&special.to_owned()), "{special}");
        }
    }
}
