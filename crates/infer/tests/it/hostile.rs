//! Whatever the bytes, loading and running end without a panic.

use bedplate_infer::Model;
use bedplate_onnx::proto::ModelProto;
use proptest::prelude::*;
use prost::Message;

use crate::build::ensemble;

/// Loads and, if that succeeds, runs: only the absence of a panic or an endless loop is asked for.
fn survive(bytes: &[u8]) {
    let Ok(model) = Model::load(bytes) else { return };
    let width = model.n_features();
    if width <= 1000 {
        for value in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let outputs = model.infer(&vec![value; 2 * width], width).unwrap();
            assert_eq!(outputs.scores.len(), 2 * outputs.width);
        }
    }
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![0..6i64, Just(-1), Just(i64::MAX), Just(i64::MIN), Just(1 << 31)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_changed_at_random(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = ensemble().to_onnx("[]");
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        survive(&bytes);
    }

    #[test]
    fn numbers_changed_at_random(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), number()), 1..6)) {
        let mut model = ModelProto::decode(&ensemble().to_onnx("[]")[..]).unwrap();
        let node = &mut model.graph.as_mut().unwrap().node[0];
        for (attribute, at, value) in changes {
            let ints = &mut attribute.get_mut(&mut node.attribute).ints;
            if !ints.is_empty() {
                *at.get_mut(ints) = value;
            }
        }
        survive(&model.encode_to_vec());
    }

    #[test]
    fn cut_anywhere(end in any::<prop::sample::Index>()) {
        let bytes = ensemble().to_onnx("[]");
        survive(&bytes[..end.index(bytes.len())]);
    }
}
