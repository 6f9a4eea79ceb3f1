//! Tensors in binary: little-endian elements; BYTES as a length in four bytes and then the text, one after another.

use crate::{ColumnValues, Datatype};

/// Reads a whole tensor.
pub(crate) fn decode(datatype: Datatype, bytes: &[u8]) -> Result<ColumnValues, String> {
    if let Some(width) = datatype.width()
        && !bytes.len().is_multiple_of(width)
    {
        return Err(format!("has {} bytes, which is no whole number of {datatype}", bytes.len()));
    }
    Ok(match datatype {
        Datatype::Bool => ColumnValues::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
        Datatype::Int32 => ColumnValues::I64(elements(bytes).map(|raw| i64::from(i32::from_le_bytes(raw))).collect()),
        Datatype::Int64 => ColumnValues::I64(elements(bytes).map(i64::from_le_bytes).collect()),
        Datatype::Fp32 => ColumnValues::F64(elements(bytes).map(|raw| f64::from(f32::from_le_bytes(raw))).collect()),
        Datatype::Fp64 => ColumnValues::F64(elements(bytes).map(f64::from_le_bytes).collect()),
        Datatype::Bytes => ColumnValues::Str(texts(bytes)?),
    })
}

fn elements<const WIDTH: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; WIDTH]> {
    bytes.as_chunks::<WIDTH>().0.iter().copied()
}

fn texts(mut bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let cut = || format!("ends within element {}", texts.len());
        let (length, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut())?;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let text =
            std::str::from_utf8(text).map_err(|_| format!("has an element {} that is not UTF-8", texts.len()))?;
        texts.push(text.to_owned());
        bytes = rest;
    }
    Ok(texts)
}

/// Writes a whole tensor; `None` when the values are not of that datatype.
pub(crate) fn encode(datatype: Datatype, values: &ColumnValues) -> Option<Vec<u8>> {
    Some(match (datatype, values) {
        (Datatype::Bool, ColumnValues::Bool(values)) => values.iter().map(|value| u8::from(*value)).collect(),
        (Datatype::Int64, ColumnValues::I64(values)) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        (Datatype::Int32, ColumnValues::I64(values)) => {
            let narrow: Option<Vec<i32>> = values.iter().map(|value| i32::try_from(*value).ok()).collect();
            narrow?.into_iter().flat_map(i32::to_le_bytes).collect()
        }
        (Datatype::Fp32, ColumnValues::F64(values)) => {
            values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect()
        }
        (Datatype::Fp64, ColumnValues::F64(values)) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        (Datatype::Bytes, ColumnValues::Str(values)) => encode_texts(values)?,
        _ => return None,
    })
}

fn encode_texts(texts: &[String]) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    for text in texts {
        bytes.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_datatype_comes_back() {
        let cases = [
            (Datatype::Bool, ColumnValues::Bool(vec![true, false])),
            (Datatype::Int32, ColumnValues::I64(vec![-7, i64::from(i32::MAX)])),
            (Datatype::Int64, ColumnValues::I64(vec![i64::MIN, 7])),
            (Datatype::Fp32, ColumnValues::F64(vec![0.5, f64::from(-1e30_f32)])),
            (Datatype::Fp64, ColumnValues::F64(vec![0.1, f64::INFINITY])),
            (Datatype::Bytes, ColumnValues::Str(vec!["N14228".into(), String::new(), "é".into()])),
        ];
        for (datatype, values) in cases {
            let bytes = encode(datatype, &values).unwrap();
            assert_eq!(decode(datatype, &bytes), Ok(values), "{datatype}");
        }
    }

    #[test]
    fn the_layout_is_tritons() {
        let texts = ColumnValues::Str(vec!["ab".into()]);
        assert_eq!(encode(Datatype::Bytes, &texts), Some(vec![2, 0, 0, 0, b'a', b'b']));
        assert_eq!(encode(Datatype::Int32, &ColumnValues::I64(vec![258])), Some(vec![2, 1, 0, 0]));
    }

    #[test]
    fn cut_or_foreign_bytes_say_what_is_wrong() {
        assert!(decode(Datatype::Int64, &[0; 9]).unwrap_err().contains("9 bytes"));
        assert!(decode(Datatype::Bytes, &[5, 0, 0, 0, b'a']).unwrap_err().contains("ends within element 0"));
        assert!(decode(Datatype::Bytes, &[1, 0]).unwrap_err().contains("ends within"));
        assert!(decode(Datatype::Bytes, &[1, 0, 0, 0, 0xff]).unwrap_err().contains("UTF-8"));
        assert_eq!(encode(Datatype::Int32, &ColumnValues::I64(vec![i64::MAX])), None);
        assert_eq!(encode(Datatype::Bool, &ColumnValues::I64(vec![1])), None);
    }
}
