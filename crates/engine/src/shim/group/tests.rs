use std::time::Instant;

use super::*;

/// Runs `body` in this many threads, each a rank with its own store and group, and returns the results in their order.
pub(crate) fn ranks<T: Send>(
    size: usize,
    timeout: Duration,
    body: impl Fn(&Rc<Group>, &Store) -> T + Sync,
) -> Vec<T> {
    let point = MeetingPoint {
        host: "127.0.0.1".to_owned(),
        port: testkit::free_port(),
        prefix: "test".to_owned(),
    };
    // The store must outlive every rank.
    let served = Store::open(&point, true, timeout).unwrap();
    let results = std::thread::scope(|scope| {
        let one = |rank| {
            let (point, body) = (&point, &body);
            scope.spawn(move || {
                let store = Store::open(point, false, timeout).unwrap();
                let group = Group::join(&store, rank, size, timeout).unwrap();
                body(&group, &store)
            })
        };
        let threads: Vec<_> = (0..size).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    drop(served);
    results
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn collectives_have_the_values_of_all_ranks() {
    let found = ranks(3, LONG, |group, _| {
        let rank = group.rank() as f64;
        group.barrier().unwrap();
        let gathered = group.gather(&Tensor::from_slice(&[rank, -rank])).unwrap();
        let own = Tensor::from_slice(&[rank as f32 + 5.0]);
        group.broadcast(&[own.shallow_clone()]).unwrap();
        let texts = group.texts(&"é".repeat(group.rank())).unwrap();
        (
            group.sum(&[rank, 1.0, f64::NAN]).unwrap(),
            group.maximum(&[rank, -rank]).unwrap(),
            Vec::<f64>::try_from(gathered.flatten(0, -1)).unwrap(),
            own.double_value(&[0]),
            texts,
            group.size(),
        )
    });
    for (sum, maximum, gathered, broadcast, texts, size) in found {
        assert_eq!((sum[0], sum[1], sum[2].is_nan()), (3.0, 3.0, true));
        assert_eq!(maximum, [2.0, 0.0]);
        assert_eq!(gathered, [0.0, 0.0, 1.0, -1.0, 2.0, -2.0]);
        assert_eq!(
            (broadcast, texts, size),
            (5.0, ["", "é", "éé"].map(str::to_owned).to_vec(), 3)
        );
    }
}

#[test]
fn a_store_has_the_values_that_were_set() {
    ranks(2, LONG, |group, store| {
        if group.rank() == 0 {
            assert_eq!(store.get("other").unwrap(), None);
            store.set("key", "a value, ü").unwrap();
        }
        group.barrier().unwrap();
        assert_eq!(store.get("key").unwrap().unwrap(), "a value, ü");
        group.barrier().unwrap();
    });
}

#[test]
fn a_rank_that_leaves_ends_the_collectives_of_the_others_at_once() {
    let started = Instant::now();
    let found = ranks(3, LONG, |group, _| {
        group.barrier().unwrap();
        match group.rank() {
            1 => None,
            _ => Some(group.barrier().unwrap_err()),
        }
    });
    for error in found.into_iter().flatten() {
        assert!(matches!(error, Error::Collective { .. }), "{error:?}");
    }
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn a_rank_that_does_not_take_part_ends_the_others_after_the_timeout() {
    let timeout = Duration::from_secs(2);
    let found = ranks(2, timeout, |group, _| {
        group.barrier().unwrap();
        let started = Instant::now();
        if group.rank() == 0 {
            std::thread::sleep(3 * timeout);
            return None;
        }
        Some((group.barrier().unwrap_err(), started.elapsed()))
    });
    let (error, waited) = found.into_iter().flatten().next().unwrap();
    assert!(matches!(error, Error::Collective { .. }), "{error:?}");
    assert!((timeout..2 * timeout).contains(&waited), "{waited:?}");
}

#[test]
fn a_store_that_nobody_serves_is_an_error() {
    let point = MeetingPoint {
        host: "127.0.0.1".to_owned(),
        port: testkit::free_port(),
        prefix: String::new(),
    };
    let error = Store::open(&point, false, Duration::from_secs(1)).err().unwrap();
    assert!(matches!(error, Error::Collective { .. }), "{error:?}");
}
