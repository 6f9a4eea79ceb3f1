//! Making and reading a node's attributes.

use crate::proto::{AttributeProto, AttributeType, NodeProto};

impl AttributeProto {
    fn of(name: &str, kind: AttributeType) -> Self {
        Self { name: Some(name.to_owned()), r#type: Some(kind as i32), ..Self::default() }
    }

    #[must_use]
    pub fn floats(name: &str, values: Vec<f32>) -> Self {
        Self { floats: values, ..Self::of(name, AttributeType::Floats) }
    }

    #[must_use]
    pub fn ints(name: &str, values: Vec<i64>) -> Self {
        Self { ints: values, ..Self::of(name, AttributeType::Ints) }
    }

    #[must_use]
    pub fn text(name: &str, value: &str) -> Self {
        Self { s: Some(value.as_bytes().to_vec()), ..Self::of(name, AttributeType::String) }
    }

    #[must_use]
    pub fn texts<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let strings = values.into_iter().map(|value| value.as_bytes().to_vec()).collect();
        Self { strings, ..Self::of(name, AttributeType::Strings) }
    }
}

impl NodeProto {
    /// The attribute of that name, if the node has it.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|attribute| attribute.name() == name)
    }

    /// The integers of an attribute; none when it is absent.
    #[must_use]
    pub fn ints(&self, name: &str) -> &[i64] {
        self.attribute(name).map_or(&[], |attribute| &attribute.ints)
    }

    /// The floats of an attribute; none when it is absent.
    #[must_use]
    pub fn floats(&self, name: &str) -> &[f32] {
        self.attribute(name).map_or(&[], |attribute| &attribute.floats)
    }

    /// The string of an attribute; `None` when it is absent or not UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.attribute(name)?.s.as_deref()?).ok()
    }
}
