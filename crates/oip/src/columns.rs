//! From a request's tensors to checked columns.

use crate::error::OipError;
use crate::request::{RequestInput, RequestOutput};
use crate::{Column, ColumnValues, Datatype, InputMetadata, ModelMetadata, binary};

/// The columns, and how many rows each has: at least one. `blobs` holds the binary tensors, one after another.
pub(crate) fn columns(
    inputs: Vec<RequestInput>,
    mut blobs: &[u8],
    metadata: &ModelMetadata,
) -> Result<(Vec<Column>, usize), OipError> {
    let mut columns: Vec<Column> = Vec::with_capacity(inputs.len());
    for input in inputs {
        if columns.iter().any(|column| column.name == input.name) {
            return Err(OipError::input(&input.name, "appears twice"));
        }
        let datatype = datatype(&input, metadata)?;
        columns.push(column(input, datatype, &mut blobs)?);
    }
    if !blobs.is_empty() {
        return Err(OipError::Request(format!("{} bytes follow the last binary tensor", blobs.len())));
    }
    missing(&columns, metadata)?;
    let rows = rows(&columns)?;
    Ok((columns, rows))
}

/// The outputs must all be there to be wanted.
pub(crate) fn check_outputs(wanted: &[RequestOutput], metadata: &ModelMetadata) -> Result<(), OipError> {
    let known = |name: &str| metadata.outputs.iter().any(|output| output.name == name);
    match wanted.iter().find(|output| !known(&output.name)) {
        None => Ok(()),
        Some(output) => Err(OipError::NoOutput {
            asked: output.name.clone(),
            known: metadata.outputs.iter().map(|output| output.name.clone()).collect(),
        }),
    }
}

fn datatype(input: &RequestInput, metadata: &ModelMetadata) -> Result<Datatype, OipError> {
    let Some(known) = metadata.inputs.iter().find(|known| known.name == input.name) else {
        let names: Vec<_> = metadata.inputs.iter().map(|known| known.name.as_str()).collect();
        return Err(OipError::input(&input.name, format!("is not known; the endpoint takes {}", names.join(", "))));
    };
    let accepted = || std::iter::once(known.datatype).chain(known.also.iter().copied());
    let datatype = Datatype::parse(&input.datatype).filter(|datatype| accepted().any(|other| other == *datatype));
    datatype.ok_or_else(|| {
        let wanted = Datatype::list(accepted());
        OipError::input(&input.name, format!("has datatype {:?}; it must be {wanted}", input.datatype))
    })
}

fn column(input: RequestInput, datatype: Datatype, blobs: &mut &[u8]) -> Result<Column, OipError> {
    let shape = shape(&input)?;
    let size = input.parameters.get("binary_data_size");
    let values = match (input.data, size) {
        (Some(_), Some(_)) => Err("has both data and binary_data_size".into()),
        (Some(data), None) => data.into_column(datatype, &shape),
        (None, Some(size)) => blob(size.as_u64(), blobs).and_then(|bytes| binary::decode(datatype, bytes)),
        (None, None) => Err("has neither data nor binary_data_size".into()),
    };
    let values: ColumnValues = values.map_err(|why| OipError::input(&input.name, why))?;
    if values.len() != shape[0] {
        let why = format!("has shape {shape:?} but {} elements", values.len());
        return Err(OipError::input(&input.name, why));
    }
    Ok(Column { name: input.name, values })
}

/// `[N]` or `[N, 1]`: a tensor is one column.
fn shape(input: &RequestInput) -> Result<Vec<usize>, OipError> {
    let shape: Option<Vec<usize>> = input.shape.iter().map(|size| usize::try_from(*size).ok()).collect();
    shape.filter(|shape| matches!(shape[..], [_] | [_, 1])).ok_or_else(|| {
        let why = format!("has shape {:?}; a column has shape [N] or [N, 1]", input.shape);
        OipError::input(&input.name, why)
    })
}

fn blob<'a>(size: Option<u64>, blobs: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let size = size.and_then(|size| usize::try_from(size).ok()).ok_or("has a binary_data_size that is no size")?;
    let (blob, rest) = blobs
        .split_at_checked(size)
        .ok_or_else(|| format!("should have {size} bytes after the header, but {} are left", blobs.len()))?;
    *blobs = rest;
    Ok(blob)
}

fn missing(columns: &[Column], metadata: &ModelMetadata) -> Result<(), OipError> {
    let is_missing = |input: &&InputMetadata| input.required && !columns.iter().any(|column| column.name == input.name);
    match metadata.inputs.iter().find(is_missing) {
        Some(input) => Err(OipError::input(&input.name, format!("is missing; it is a {} column", input.datatype))),
        None => Ok(()),
    }
}

fn rows(columns: &[Column]) -> Result<usize, OipError> {
    let Some(first) = columns.first() else { return Err(OipError::Request("the request has no inputs".into())) };
    let rows = first.values.len();
    if let Some(odd) = columns.iter().find(|column| column.values.len() != rows) {
        let why = format!("has {} rows, but {:?} has {rows}", odd.values.len(), first.name);
        return Err(OipError::input(&odd.name, why));
    }
    if rows == 0 {
        return Err(OipError::Request("the request has no rows".into()));
    }
    Ok(rows)
}
