//! Reading a model from bytes nobody vouches for.

use prost::Message;

use crate::proto::ModelProto;

/// The bytes are not a model that may be read.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    #[error("the model has {size} bytes, more than the {limit} allowed")]
    TooLarge { size: usize, limit: usize },
    #[error("the bytes are not an ONNX model")]
    NotOnnx(#[source] prost::DecodeError),
    #[error("the ONNX model has no graph")]
    NoGraph,
}

/// Reads a model of at most `limit` bytes. Messages nest only as deep as they are declared here, so depth is bounded
/// by the format; memory is bounded by a small multiple of `limit`. That a graph is there is all that is promised.
///
/// # Errors
/// When the bytes are too many, are not an ONNX file, or hold no graph.
pub fn parse(bytes: &[u8], limit: usize) -> Result<ModelProto, OnnxError> {
    if bytes.len() > limit {
        return Err(OnnxError::TooLarge { size: bytes.len(), limit });
    }
    let model = ModelProto::decode(bytes).map_err(OnnxError::NotOnnx)?;
    if model.graph.is_none() {
        return Err(OnnxError::NoGraph);
    }
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_too_large_or_no_model() {
        assert!(matches!(parse(&[0; 11], 10), Err(OnnxError::TooLarge { size: 11, limit: 10 })));
        assert!(matches!(parse(b"\xff\xff\xff", 10), Err(OnnxError::NotOnnx(_))));
        assert!(matches!(parse(b"", 10), Err(OnnxError::NoGraph)));
    }
}
