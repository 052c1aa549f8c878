//! A wrong spacing in a header must not end the process.
#![allow(clippy::unwrap_used, reason = "tests")]

use ndarray::Array3;
use preprocess::crop::crop;
use preprocess::normalise::Scheme;
use preprocess::stage::Target;
use preprocess::ReadRules;
use resample::Order;
use run::{Cancel, Coded};

#[test]
fn case_larger_than_memory_is_rejected() {
    let target = Target {
        spacing: [1.0; 3],
        kept: [false; 3],
        order: Order::Cubic,
        transpose: [0, 1, 2],
        schemes: vec![Scheme::ZScore],
        use_mask: vec![false],
    };
    let image = Array3::from_shape_fn((4, 5, 6), |(z, y, x)| (z + y + x) as f32 + 1.0);
    let case = crop(vec![image], None, ReadRules::default(), &Cancel::new())
        .unwrap()
        .unwrap();
    // Micrometres instead of millimetres, then a size that exceeds an axis.
    for spacing in [1e5, 1e30] {
        let error = target.apply(&case, [spacing; 3], &Cancel::new()).unwrap_err();
        assert_eq!(error.code(), "ERR_CASE_TOO_LARGE", "{error}");
        assert!(error.to_string().contains("check the spacing"), "{error}");
    }
    assert!(target.apply(&case, [2.0; 3], &Cancel::new()).is_ok());
}
