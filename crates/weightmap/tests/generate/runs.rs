//! Existing files, output folders, workers, progress, cancellation.

use super::*;

#[test]
fn existing_maps_are_replaced_or_kept() {
    let task = Task::new();
    task.add("a.npz", 1, &segmentation(4, 1.0));
    task.add("b.npz", 1, &segmentation(4, 2.0));
    fs::write(task.path("a_weightmap.npy"), "old").unwrap();
    let summary = run(&Options {
        skip_existing: true,
        ..task.options()
    });
    assert_eq!(
        (summary.written, summary.skipped, summary.failures.len()),
        (1, 1, 0)
    );
    assert_eq!(fs::read(task.path("a_weightmap.npy")).unwrap(), b"old");
    let summary = run(&task.options());
    assert_eq!((summary.written, summary.skipped), (2, 0));
    assert_eq!(task.map("a"), expected(&segmentation(4, 1.0), |_| ()));
}

#[test]
fn maps_are_written_to_output_folder_for_any_number_of_workers() {
    let task = Task::new();
    for i in 0..5 {
        task.add(&format!("{i}.npz"), 1, &segmentation(2 + i, 1.0));
    }
    let read = |workers| {
        let output = task.folder.path().join(format!("maps/{workers}"));
        let options = Options {
            output_dir: Some(output.clone()),
            ..task.options()
        };
        let summary = generate(&options, &Context::silent(workers)).unwrap();
        assert_eq!((summary.written, summary.output_dir), (5, Some(output.clone())));
        (0..5)
            .map(|i| fs::read(output.join(format!("{i}_weightmap.npy"))).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(read(1), read(7));
    assert!(task.maps().is_empty());
}

#[derive(Default)]
struct Record(Mutex<Vec<Event>>, Cancel);

impl Sink for Record {
    fn emit(&self, event: Event) {
        if matches!(event, Event::Progress { done: 2, .. }) {
            self.1.cancel();
        }
        self.0.lock().unwrap().push(event);
    }
}

#[test]
fn progress_is_reported_and_cancellation_stops_the_run() {
    let task = Task::new();
    for i in 0..9 {
        task.add(&format!("{i}.npz"), 1, &segmentation(4, 1.0));
    }
    let record = Arc::new(Record::default());
    let context = Context::new(record.clone(), record.1.clone(), 1);
    assert!(matches!(
        generate(&task.options(), &context),
        Err(Error::Cancelled(_))
    ));
    assert_eq!(task.maps(), ["0_weightmap.npy", "1_weightmap.npy"]);
    let events = record.0.lock().unwrap();
    assert!(matches!(
        events[0],
        Event::Started {
            verb: "weightmaps",
            ..
        }
    ));
    assert!(
        matches!(&events[1], Event::Progress { done: 1, total: 9, unit: "cases", case: Some(c) } if c == "0")
    );
    assert!(Path::new(&task.path("0_weightmap.npy")).exists());
}

#[test]
fn cancelled_map_stops_within_a_few_rows_and_writes_no_file() {
    for (mode, dtype) in [
        (Mode::Border, Dtype::Float32),
        (Mode::Instances, Dtype::Float64),
        (Mode::TwoD, Dtype::Float16),
    ] {
        let task = Task::new();
        let large = Array3::from_shape_fn((30, 40, 50), |(z, y, x)| f32::from(u8::from(z * y > x)));
        task.add("a.npz", 1, &large);
        let options = Options {
            mode,
            dtype,
            ..task.options()
        };
        let parts = testkit::ends_when_cancelled(|cancel| {
            let made = generate(&options, &Context::new(Arc::new(NullSink), cancel.clone(), 2));
            let whole = |name: &String| name == "a_weightmap.npy";
            assert!(task.maps().iter().all(whole), "{:?}", task.maps());
            fs::remove_file(task.path("a_weightmap.npy")).ok();
            made
        });
        // The distance transform checks for cancellation at every slice, the weights at every row.
        assert!(parts >= 30 + 30 * 40, "{parts}");
    }
}

#[test]
fn unreadable_case_fails_once_with_dataset_frequencies() {
    let task = Task::new();
    for name in ["a.npz", "c.npz"] {
        task.add(name, 1, &segmentation(4, 1.0));
    }
    fs::write(task.path("b.npz"), "no archive").unwrap();
    let events = Arc::new(testkit::Recorder::default());
    let options = Options {
        frequencies: Frequencies::Dataset,
        ..task.options()
    };
    let summary = generate(&options, &Context::new(events.clone(), Cancel::new(), 2)).unwrap();
    assert_eq!((summary.written, codes(&summary).len()), (2, 1));
    assert_eq!(summary.failures[0].case, "b");
    assert_eq!(events.warnings(), ["WARN_CASE_FAILED"]);
    let last = events.events().into_iter().next_back();
    assert!(
        matches!(
            last,
            Some(Event::Progress {
                done: 5,
                total: 5,
                ..
            })
        ),
        "{last:?}"
    );
}
