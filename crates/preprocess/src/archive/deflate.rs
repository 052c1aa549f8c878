//! Deflate compression of float32 arrays.
//!
//! Format: RFC 1951. General encoders search for repetitions at every byte. 32-bit values repeat as whole
//! values, at distances of whole values. This encoder searches once per value, which is several times as
//! fast.

use super::bits::Bits;
use super::huffman::Huffman;

/// Number of values in a block. Each block has its own codes.
const BLOCK: usize = 1 << 15;
/// Maximum distance of a repetition: deflate allows 32 KiB.
const WINDOW: usize = (1 << 15) / 4;
/// Maximum length of a repetition: deflate allows 258 bytes.
const LONGEST: usize = 256 / 4;
/// Maximum distance of a single repeated value. At larger distances its four bytes are shorter.
const NEAR: usize = 1 << 10;
/// log2 of the hash table's size.
const MEMORY: u32 = 13;
const END_OF_BLOCK: usize = 256;
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
const LONGEST_CODE: usize = 15;
const LONGEST_LENGTH_CODE: usize = 7;
/// Order of the code length codes in deflate.
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A literal value or a repetition.
#[derive(Clone, Copy)]
struct Token {
    /// Number of repeated values; 0 for a literal.
    length: u16,
    /// Distance in values.
    distance: u16,
}

/// Deflates `values` (in little endian) without reference to earlier data. The result ends on a byte
/// boundary, so that pieces can be joined. The last piece ends the stream.
pub fn deflate(values: &[u32], last: bool) -> Vec<u8> {
    let mut out = Bits::with_capacity(values.len() * 3);
    let mut seen = vec![u32::MAX; 1 << MEMORY];
    let mut tokens = Vec::with_capacity(BLOCK);
    let mut start = 0;
    while start < values.len() {
        let end = (start + BLOCK).min(values.len());
        tokens.clear();
        find_repetitions(values, start, end, &mut seen, &mut tokens);
        put_block(&values[start..end], &tokens, &mut out);
        start = end;
    }
    // An empty stored block: its header, padding to a byte, and a length of 0 with its complement.
    out.put(u32::from(last), 3);
    let missing = out.missing();
    out.put(0, missing);
    out.put(0xffff_0000, 32);
    out.into_bytes()
}

/// Splits `values[start..end]` into tokens. `seen` holds the last position of each hash.
fn find_repetitions(values: &[u32], start: usize, end: usize, seen: &mut [u32], tokens: &mut Vec<Token>) {
    let slot = |value: u32| (value.wrapping_mul(0x9e37_79b1) >> (32 - MEMORY)) as usize;
    let mut at = start;
    while at < end {
        let value = values[at];
        let before = std::mem::replace(&mut seen[slot(value)], at as u32) as usize;
        if before < at && at - before <= WINDOW && values[before] == value {
            let most = LONGEST.min(end - at);
            let same = values[before..].iter().zip(&values[at..at + most]);
            let length = same.take_while(|(a, b)| a == b).count();
            let distance = at - before;
            if length > 1 || distance <= NEAR {
                tokens.push(Token {
                    length: length as u16,
                    distance: distance as u16,
                });
                at += length;
                seen[slot(values[at - 1])] = (at - 1) as u32;
                continue;
            }
        }
        tokens.push(Token {
            length: 0,
            distance: 0,
        });
        at += 1;
    }
}

/// A piece of a block.
enum Piece<'a> {
    /// Bytes of a literal value.
    Value([u8; 4]),
    /// A repetition of earlier values.
    Copy(&'a Token),
}

/// Iterates over the pieces of a block.
fn pieces<'a>(values: &'a [u32], tokens: &'a [Token]) -> impl Iterator<Item = Piece<'a>> {
    let mut at = 0;
    tokens.iter().map(move |token| {
        let first = at;
        at += usize::from(token.length.max(1));
        match token.length {
            0 => Piece::Value(values[first].to_le_bytes()),
            _ => Piece::Copy(token),
        }
    })
}

/// Writes one block with its own codes.
fn put_block(values: &[u32], tokens: &[Token], out: &mut Bits) {
    let mut literals = [0u32; LITERALS];
    let mut distances = [0u32; DISTANCES];
    literals[END_OF_BLOCK] = 1;
    for piece in pieces(values, tokens) {
        match piece {
            Piece::Value(bytes) => bytes
                .into_iter()
                .for_each(|byte| literals[usize::from(byte)] += 1),
            Piece::Copy(token) => {
                literals[length_symbol(token.length).symbol] += 1;
                distances[distance_symbol(token.distance).symbol] += 1;
            }
        }
    }
    let literals = Huffman::new(&literals, LONGEST_CODE);
    let distances = Huffman::new(&distances, LONGEST_CODE);
    put_codes(&literals, &distances, out);

    for piece in pieces(values, tokens) {
        match piece {
            Piece::Value(bytes) => bytes
                .into_iter()
                .for_each(|byte| literals.put(usize::from(byte), out)),
            Piece::Copy(token) => {
                length_symbol(token.length).put(&literals, out);
                distance_symbol(token.distance).put(&distances, out);
            }
        }
    }
    literals.put(END_OF_BLOCK, out);
}

/// Writes a block's header: not the last block, dynamic codes, and the lengths of these codes.
fn put_codes(literals: &Huffman, distances: &Huffman, out: &mut Bits) {
    let lengths = || {
        literals
            .lengths
            .iter()
            .chain(&distances.lengths)
            .map(|&length| usize::from(length))
    };
    let mut counts = [0u32; 19];
    lengths().for_each(|length| counts[length] += 1);
    let code = Huffman::new(&counts, LONGEST_LENGTH_CODE);
    out.put(0b100, 3);
    out.put((LITERALS - 257) as u32, 5);
    out.put((DISTANCES - 1) as u32, 5);
    out.put((LENGTH_ORDER.len() - 4) as u32, 4);
    for symbol in LENGTH_ORDER {
        out.put(u32::from(code.lengths[symbol]), 3);
    }
    lengths().for_each(|length| code.put(length, out));
}

/// A symbol and its extra bits.
struct Symbol {
    symbol: usize,
    extra: u32,
    bits: u32,
}

impl Symbol {
    #[inline]
    fn put(&self, code: &Huffman, out: &mut Bits) {
        code.put(self.symbol, out);
        out.put(self.extra, self.bits);
    }
}

/// Returns deflate's symbol for a repetition of `values` (1 to 64) values.
#[inline]
fn length_symbol(values: u16) -> Symbol {
    // Bytes in addition to the shortest repetition, which has three.
    let more = 4 * u32::from(values) - 3;
    if more < 8 {
        return Symbol {
            symbol: 257 + more as usize,
            extra: 0,
            bits: 0,
        };
    }
    let magnitude = more.ilog2();
    let bits = magnitude - 2;
    let symbol = 257 + 4 * (magnitude - 1) + ((more >> bits) & 3);
    Symbol {
        symbol: symbol as usize,
        extra: more & ((1 << bits) - 1),
        bits,
    }
}

/// Returns deflate's symbol for a distance of `values` (1 to 8192) values.
#[inline]
fn distance_symbol(values: u16) -> Symbol {
    // Bytes in addition to the shortest distance, which is one.
    let more = 4 * u32::from(values) - 1;
    let magnitude = more.ilog2();
    let bits = magnitude - 1;
    let symbol = 2 * magnitude + ((more >> bits) & 1);
    Symbol {
        symbol: symbol as usize,
        extra: more & ((1 << bits) - 1),
        bits,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;

    use super::*;

    /// Deflates in pieces, checks the inflated result, and returns the compressed size.
    fn assert_whole(values: &[u32], piece: usize) -> usize {
        let mut pieces: Vec<&[u32]> = values.chunks(piece).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        let stream: Vec<u8> = pieces
            .iter()
            .enumerate()
            .flat_map(|(i, piece)| deflate(piece, i == last))
            .collect();
        let mut found = vec![];
        DeflateDecoder::new(&stream[..]).read_to_end(&mut found).unwrap();
        let expected: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert!(found == expected);
        stream.len()
    }

    fn scrambled(i: u32) -> u32 {
        i.wrapping_mul(0x85eb_ca6b)
            .rotate_left(13)
            .wrapping_mul(0xc2b2_ae35)
    }

    /// Runs, few distinct values, many distinct values, and distant repetitions.
    fn values() -> impl Strategy<Value = Vec<u32>> {
        let part = (0..4, any::<u32>(), 1u32..12_000).prop_map(|(kind, seed, n)| -> Vec<u32> {
            let value = |i: u32| match kind {
                0 => seed,
                1 => seed.wrapping_add(scrambled(i ^ seed) % 40),
                2 => scrambled(i ^ seed),
                _ => scrambled(i % 5000),
            };
            (0..n).map(value).collect()
        });
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn deflated_values_inflate_unchanged(values in values(), piece in 1usize..70_000) {
            assert_whole(&values, piece);
        }
    }

    #[test]
    fn every_distance_and_length_round_trips() {
        let mut values: Vec<u32> = (0..WINDOW as u32).map(scrambled).collect();
        for distance in [1, 2, 3, 4, 5, 63, 64, 65, NEAR, NEAR + 1, WINDOW - 1, WINDOW] {
            for length in [1, 2, 3, LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST] {
                (0..length).for_each(|_| values.push(values[values.len() - distance]));
                values.push(values.len() as u32 | 1 << 31);
            }
        }
        assert_whole(&values, values.len());
    }

    #[test]
    fn noise_grows_little_and_background_shrinks() {
        let noise: Vec<u32> = (0..1 << 18).map(scrambled).collect();
        assert!(assert_whole(&noise, noise.len()) < noise.len() * 4 + noise.len() / 100);
        let background = vec![(-1024f32).to_bits(); 1 << 18];
        assert!(assert_whole(&background, background.len()) < background.len() * 4 / 200);
    }
}
