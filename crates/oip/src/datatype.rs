//! Tensor datatypes, spelled as the protocol spells them.

use std::fmt;

use serde::{Serialize, Serializer};

/// The datatypes a column or an output may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datatype {
    Bool,
    Int32,
    Int64,
    Fp32,
    Fp64,
    /// Text in UTF-8.
    Bytes,
}

impl Datatype {
    const ALL: [Self; 6] = [Self::Bool, Self::Int32, Self::Int64, Self::Fp32, Self::Fp64, Self::Bytes];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Bytes => "BYTES",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|datatype| datatype.as_str() == text)
    }

    /// Bytes of one element in the binary extension; `None` for BYTES, whose elements say their own length.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::Bool => Some(1),
            Self::Int32 | Self::Fp32 => Some(4),
            Self::Int64 | Self::Fp64 => Some(8),
            Self::Bytes => None,
        }
    }

    /// `INT64 or FP64`
    pub(crate) fn list(datatypes: impl Iterator<Item = Self>) -> String {
        datatypes.map(Self::as_str).collect::<Vec<_>>().join(" or ")
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Datatype {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
