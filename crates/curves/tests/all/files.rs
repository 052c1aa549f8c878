//! The table and the event files.

use std::path::Path;

use crate::common::report;
use curves::{table, EventFile};

#[test]
fn a_table_has_a_header_and_a_row_an_epoch() {
    let mut second = report(1);
    (second.validation_loss, second.gradient_norm, second.dice[1]) = (None, None, None);
    second.train_loss = Some(0.1 + 0.2);
    let text = table(&[report(0), second]);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "epoch,train_loss,validation_loss,dice_mean,dice_1,dice_2,best,learning_rate,gradient_norm,seconds,\
         wait_share,iterations_per_second,host_memory_bytes,device_memory_bytes"
    );
    assert_eq!(
        lines[1].split(',').take(8).collect::<Vec<_>>()[3..],
        ["0.25", "0", "0.5", "false", "0.01"]
    );
    let fields: Vec<&str> = lines[2].split(',').collect();
    assert_eq!(
        (fields[0], fields[1], fields[2], fields[5], fields[8]),
        ("1", "0.30000000000000004", "", "", "")
    );
    assert_eq!((fields.len(), lines.len(), lines[3]), (14, 4, ""));
}

/// A scalar of an event file.
#[derive(Debug, PartialEq)]
struct Scalar {
    step: u64,
    tag: String,
    value: f32,
}

/// A field of a message: its number, and its value as bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = message[0];
            *message = &message[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = match key & 7 {
            0 => varint(&mut message).to_le_bytes().to_vec(),
            kind => {
                let size = match kind {
                    1 => 8,
                    2 => varint(&mut message) as usize,
                    5 => 4,
                    other => panic!("wire type {other}"),
                };
                let (value, rest) = message.split_at(size);
                message = rest;
                value.to_vec()
            }
        };
        found.push((key >> 3, value));
    }
    found
}

fn checksum(data: &[u8]) -> u32 {
    let bit = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
    let crc = !data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| bit(crc))
    });
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Reads an event file: the wall times of its events, and its scalars.
fn read(path: &Path) -> (Vec<f64>, Vec<Scalar>) {
    let file = std::fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let (mut at, mut times, mut scalars, mut others) = (0, Vec::new(), Vec::new(), Vec::new());
    while at < file.len() {
        let length = u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
        assert_eq!(word(at + 8), checksum(&file[at..at + 8]));
        let data = &file[at + 12..at + 12 + length];
        assert_eq!(word(at + 12 + length), checksum(data));
        at += 16 + length;
        let mut step = 0;
        for (number, value) in fields(data) {
            match number {
                1 => times.push(f64::from_le_bytes(value.try_into().unwrap())),
                2 => step = u64::from_le_bytes(value.try_into().unwrap()),
                5 => {
                    for (_, entry) in fields(&value) {
                        let entry = fields(&entry);
                        scalars.push(Scalar {
                            step,
                            tag: String::from_utf8(entry[0].1.clone()).unwrap(),
                            value: f32::from_le_bytes(entry[1].1.clone().try_into().unwrap()),
                        });
                    }
                }
                other => others.push((other, value)),
            }
        }
    }
    assert_eq!(others, [(3, b"brain.Event:2".to_vec()), (7, vec![8, 1])]);
    (times, scalars)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_epoch_appends_its_scalars() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = EventFile::start(folder.path(), &[]).unwrap();
    assert_eq!(read(file.path()).1, []);
    (0..300).for_each(|epoch| file.add(&report(epoch)).unwrap());
    let (times, scalars) = read(file.path());
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    let of = |step: u64| -> Vec<(&str, f32)> {
        let own = scalars.iter().filter(|s| s.step == step);
        own.map(|s| (s.tag.as_str(), s.value)).collect()
    };
    let expected = report(299);
    assert_eq!(
        of(299),
        [
            ("loss/train", expected.train_loss.unwrap() as f32),
            ("loss/validation", expected.validation_loss.unwrap() as f32),
            ("dice/mean", ((expected.dice[0].unwrap() + 0.5) / 2.0) as f32),
            ("dice/1", expected.dice[0].unwrap() as f32),
            ("dice/2", 0.5),
            ("learning_rate", 0.01),
            ("gradient_norm", 3.5),
            ("time/epoch_seconds", 2.5),
            ("time/wait_share", 0.125),
            ("time/iterations_per_second", 12.5),
            ("memory/host_bytes", (1u64 << 30) as f32),
        ]
    );
    assert_eq!(scalars.len(), 300 * 11);
}

#[test]
fn a_resumed_training_keeps_only_the_epochs_that_count() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events.out.tfevents.1.another"), "kept").unwrap();
    let mut first = EventFile::start(folder.path(), &[]).unwrap();
    (0..5).for_each(|epoch| first.add(&report(epoch)).unwrap());
    let first = first.path().to_owned();
    // Killed in the middle of a record.
    let bytes = std::fs::read(&first).unwrap();
    std::fs::write(&first, &bytes[..bytes.len() - 7]).unwrap();
    let counted: Vec<_> = (0..3).map(report).collect();
    let mut second = EventFile::start(folder.path(), &counted).unwrap();
    second.add(&report(3)).unwrap();
    assert!(
        !first.exists() && second.path() > first.as_path(),
        "{}",
        second.path().display()
    );
    assert_eq!(names(folder.path()).len(), 2);
    let (times, scalars) = read(second.path());
    let mut steps: Vec<u64> = scalars.iter().map(|s| s.step).collect();
    steps.dedup();
    assert_eq!(steps, [0, 1, 2, 3]);
    // Version, start, and four epochs: those before the resume lie 2.5 seconds apart.
    assert_eq!(times.len(), 6);
    assert!((times[4] - times[3] - 2.5).abs() < 1e-3 && times[5] >= times[4]);
}

#[test]
fn a_folder_that_is_gone_is_an_error_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = EventFile::start(folder.path(), &[]).unwrap();
    std::fs::remove_file(file.path()).unwrap();
    let error = file.add(&report(0)).unwrap_err().to_string();
    assert!(
        error.contains("cannot append to") && error.contains("nnunet-diag"),
        "{error}"
    );
}
