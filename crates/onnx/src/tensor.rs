//! Describing tensors: names, element types and shapes of inputs and outputs.

use crate::proto::{DataType, Dimension, DimensionValue, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto};

impl ValueInfoProto {
    /// A tensor of that name; a `None` size is the batch, named `N`.
    #[must_use]
    pub fn tensor(name: &str, element: DataType, sizes: &[Option<i64>]) -> Self {
        let dim = sizes.iter().map(|size| Dimension { value: Some(dimension(*size)) }).collect();
        let tensor = TensorTypeProto { elem_type: Some(element as i32), shape: Some(TensorShapeProto { dim }) };
        Self { name: Some(name.to_owned()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
    }

    /// The element type number of a tensor (`TensorProto.DataType`); `None` for anything else.
    #[must_use]
    pub fn element(&self) -> Option<i32> {
        self.r#type.as_ref()?.tensor_type.as_ref()?.elem_type
    }

    /// The fixed size of an axis; `None` when it is open or not stated.
    #[must_use]
    pub fn size(&self, axis: usize) -> Option<i64> {
        let shape = self.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
        match shape.dim.get(axis)?.value {
            Some(DimensionValue::Size(size)) => Some(size),
            _ => None,
        }
    }
}

fn dimension(size: Option<i64>) -> DimensionValue {
    size.map_or_else(|| DimensionValue::Name("N".to_owned()), DimensionValue::Size)
}
