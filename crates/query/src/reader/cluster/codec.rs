//! How what is bedplate's own in a plan is written on the way to a scheduler and to its executors, and read there.

use std::sync::Arc;

use arrow::datatypes::DataType;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use super::super::mask::{Key, PSEUDONYM, Pseudonym};
use super::scan::{Label, SentScan};

/// No message of Ballista's begins so: a field's number is not 31, with a wire type of 7.
const MARK: &[u8] = b"\xff\x01bedplate scan\n";

/// That of Ballista, with the scan of a dataset and the hash of a pseudonym.
#[derive(Debug, Default)]
pub(super) struct Codec {
    others: BallistaPhysicalExtensionCodec,
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        written: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(label) = written.strip_prefix(MARK) else {
            return self.others.try_decode(written, inputs, context, converter);
        };
        let label: Label =
            serde_json::from_slice(label).map_err(|error| internal_datafusion_err!("a scan: {error}"))?;
        match inputs {
            [below] => Ok(Arc::new(SentScan::new(below.clone(), label)?)),
            _ => internal_err!("a dataset's scan reads one thing, not {}", inputs.len()),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        written: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(scan) = node.downcast_ref::<SentScan>() else {
            return self.others.try_encode(node, written, converter);
        };
        written.extend_from_slice(MARK);
        serde_json::to_writer(written, scan.label()).map_err(|error| internal_datafusion_err!("a scan: {error}"))
    }

    fn try_decode_udf(&self, name: &str, written: &[u8]) -> Result<Arc<ScalarUDF>> {
        if name != PSEUDONYM {
            return self.others.try_decode_udf(name, written);
        }
        match written.split_first() {
            Some((b't', key)) => Ok(Arc::new(Pseudonym::new(Key::read(key), DataType::Utf8).into())),
            Some((b'n', key)) => Ok(Arc::new(Pseudonym::new(Key::read(key), DataType::Int64).into())),
            _ => internal_err!("a pseudonym of no type"),
        }
    }

    fn try_encode_udf(&self, function: &ScalarUDF, written: &mut Vec<u8>) -> Result<()> {
        let Some(pseudonym) = function.inner().downcast_ref::<Pseudonym>() else {
            return self.others.try_encode_udf(function, written);
        };
        written.push(if *pseudonym.of_type() == DataType::Int64 { b'n' } else { b't' });
        written.extend_from_slice(pseudonym.key().written());
        Ok(())
    }

    fn try_decode_udaf(&self, name: &str, written: &[u8]) -> Result<Arc<AggregateUDF>> {
        self.others.try_decode_udaf(name, written)
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, written: &mut Vec<u8>) -> Result<()> {
        self.others.try_encode_udaf(function, written)
    }

    fn try_decode_udwf(&self, name: &str, written: &[u8]) -> Result<Arc<WindowUDF>> {
        self.others.try_decode_udwf(name, written)
    }

    fn try_encode_udwf(&self, function: &WindowUDF, written: &mut Vec<u8>) -> Result<()> {
        self.others.try_encode_udwf(function, written)
    }
}
