//! Messages of event files, in the wire format of Protocol Buffers, and their records.

use super::crc32c::masked;

/// Wire types.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const BYTES: u64 = 2;
const FOUR_BYTES: u64 = 5;

/// Fields of `Event`.
const WALL_TIME: u64 = 1;
const STEP: u64 = 2;
const FILE_VERSION: u64 = 3;
const SUMMARY: u64 = 5;
const SESSION_LOG: u64 = 7;
/// `SessionLog.status`, and its value `START`.
const STATUS: u64 = 1;
const START: u64 = 1;
/// `Summary.value`, and fields of `Summary.Value`.
const VALUE: u64 = 1;
const TAG: u64 = 1;
const SIMPLE_VALUE: u64 = 2;

/// The first records of a file: the version of the format, and the start of a session. A TensorBoard that
/// has read an earlier file of the folder drops what it knows from step 0 on.
pub(super) fn file_start(time: f64) -> Vec<u8> {
    let mut version = event(time, 0);
    bytes(&mut version, FILE_VERSION, b"brain.Event:2");
    let mut session = Vec::new();
    varint_field(&mut session, STATUS, START);
    let mut start = event(time, 0);
    bytes(&mut start, SESSION_LOG, &session);
    [record(&version), record(&start)].concat()
}

/// The record of scalars at a step.
pub(super) fn summary(time: f64, step: u64, scalars: impl Iterator<Item = (String, f64)>) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, scalar) in scalars {
        let mut value = Vec::new();
        bytes(&mut value, TAG, tag.as_bytes());
        key(&mut value, SIMPLE_VALUE, FOUR_BYTES);
        value.extend((scalar as f32).to_le_bytes());
        bytes(&mut summary, VALUE, &value);
    }
    let mut event = event(time, step);
    bytes(&mut event, SUMMARY, &summary);
    record(&event)
}

/// An event without content.
fn event(time: f64, step: u64) -> Vec<u8> {
    let mut out = Vec::new();
    key(&mut out, WALL_TIME, EIGHT_BYTES);
    out.extend(time.to_le_bytes());
    varint_field(&mut out, STEP, step);
    out
}

/// Length, its checksum, data, its checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut out = length.to_vec();
    out.extend(masked(&length).to_le_bytes());
    out.extend(data);
    out.extend(masked(data).to_le_bytes());
    out
}

fn key(out: &mut Vec<u8>, field: u64, kind: u64) {
    varint(out, field << 3 | kind);
}

fn varint_field(out: &mut Vec<u8>, field: u64, value: u64) {
    key(out, field, VARINT);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, data: &[u8]) {
    key(out, field, BYTES);
    varint(out, data.len() as u64);
    out.extend(data);
}

/// Seven bits a byte, lowest first; all but the last have the highest bit set.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
