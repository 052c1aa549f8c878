use std::fmt::Debug;

use run::{Cancel, Coded};

/// Checks that `work`, which must succeed, stops soon after it is cancelled: at the beginning, in the middle
/// and at the end. Returns the number of its parts: how often `work` checks for cancellation.
///
/// Each check is followed by one part of the work, so that checks count work, not time. After the flag is
/// set, each thread may check once more, and so may the callers of the stopped function.
///
/// # Panics
/// If `work` succeeds although it is cancelled, fails with another error, or continues.
#[expect(clippy::panic, reason = "test support")]
pub fn ends_when_cancelled<T: Debug, E: Coded>(work: impl Fn(&Cancel) -> Result<T, E>) -> u64 {
    let whole = Cancel::after(u64::MAX);
    if let Err(error) = work(&whole) {
        panic!("not cancelled: {error}");
    }
    let parts = whole.checks().unwrap_or(0);
    let more = 8 + 2 * std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    for limit in [0, parts / 10, parts / 2, parts.saturating_sub(1)] {
        let cancel = Cancel::after(limit);
        let error = match work(&cancel) {
            Ok(found) => panic!("cancelled at {limit}, but it gave {found:?}"),
            Err(error) => error,
        };
        assert_eq!(error.code(), "ERR_CANCELLED", "{error}");
        let looks = cancel.checks().unwrap_or(0);
        assert!(
            looks <= limit + more,
            "{looks} looks of {parts}, cancelled at {limit}"
        );
    }
    parts
}
