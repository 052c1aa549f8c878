//! Reader of gzip files (RFC 1952) that checks every member to its end.
//!
//! flate2's decoders report a truncated member and one without a trailer alike, and reject the zero bytes
//! with which some tapes and tools pad a file. This reader names the damage and accepts the padding, as
//! gzip itself does.

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// First bytes of a gzip member.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The only compression method of gzip: deflate.
const DEFLATE: u8 = 8;
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

enum State {
    /// Before a member or the end of the file.
    Start,
    /// Within the compressed data of a member.
    Body,
    /// Before the checksum and length of a member.
    Trailer,
    End,
}

/// Decompresses all members of a gzip file.
///
/// The checksum and length of a member are checked when its last byte has been read; [`Gunzip::finish`]
/// reads the rest of the file. Errors about the content have the kind [`ErrorKind::InvalidData`].
pub(crate) struct Gunzip<R> {
    input: R,
    state: State,
    inflate: Decompress,
    /// Checksum and length of the current member.
    found: Crc,
    members: usize,
}

impl<R: BufRead> Gunzip<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            state: State::Start,
            inflate: Decompress::new(false),
            found: Crc::new(),
            members: 0,
        }
    }

    /// Reads and checks the rest of the file. Returns the number of its uncompressed bytes.
    pub(crate) fn finish(&mut self) -> io::Result<u64> {
        io::copy(self, &mut io::sink())
    }

    /// Reads the header of the next member. Returns whether there is one.
    fn member(&mut self) -> io::Result<bool> {
        if self.members > 0 && self.only_padding_follows()? {
            return Ok(false);
        }
        let start: [u8; 10] = self.bytes("its gzip header ends early")?;
        let [first, second, method, flags, ..] = start;
        if [first, second] != MAGIC {
            return Err(damaged(
                "bytes that are not gzip follow the compressed data".to_owned(),
            ));
        }
        if method != DEFLATE || flags & RESERVED != 0 {
            return Err(damaged(format!(
                "its gzip header has method {method}, flags {flags:#04x}"
            )));
        }
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes(self.bytes("its gzip header ends early")?);
            self.skip(u64::from(length))?;
        }
        for _ in [NAME, COMMENT].iter().filter(|&flag| flags & flag != 0) {
            while self.bytes("its gzip header ends early")? != [0_u8] {}
        }
        if flags & HEADER_CHECKSUM != 0 {
            self.skip(2)?;
        }
        self.inflate.reset(false);
        self.found.reset();
        self.members += 1;
        Ok(true)
    }

    /// Skips zero bytes. Returns whether nothing else follows.
    fn only_padding_follows(&mut self) -> io::Result<bool> {
        let mut padded = false;
        loop {
            let rest = self.input.fill_buf()?;
            let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
            if rest.is_empty() {
                return Ok(true);
            }
            if zeros < rest.len() {
                return match padded || zeros > 0 {
                    true => Err(damaged(
                        "zeros and other bytes follow the compressed data".to_owned(),
                    )),
                    false => Ok(false),
                };
            }
            padded = true;
            self.input.consume(zeros);
        }
    }

    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let input = self.input.fill_buf()?;
        let ended = input.is_empty();
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(input, out, FlushDecompress::None)
            .map_err(|_| damaged("its compressed data are damaged".to_owned()))?;
        // Neither exceeds the length of its buffer.
        let used = (self.inflate.total_in() - before.0) as usize;
        let made = (self.inflate.total_out() - before.1) as usize;
        self.input.consume(used);
        self.found.update(&out[..made]);
        match status {
            Status::StreamEnd => self.state = State::Trailer,
            _ if ended && made == 0 => return Err(damaged("it ends within the compressed data".to_owned())),
            _ => {}
        }
        Ok(made)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let bytes: [u8; 8] = self.bytes("its gzip trailer (checksum and length) is missing")?;
        let [a, b, c, d, e, f, g, h] = bytes;
        let (checksum, length) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        if self.found.sum() != checksum {
            return Err(damaged(format!(
                "its CRC-32 is {:08x}, expected {checksum:08x}",
                self.found.sum()
            )));
        }
        if self.found.amount() != length {
            return Err(damaged(format!(
                "its length is {} bytes, expected {length}",
                self.found.amount()
            )));
        }
        Ok(())
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.input.by_ref().take(count), &mut io::sink())?;
        match skipped == count {
            true => Ok(()),
            false => Err(damaged("its gzip header ends early".to_owned())),
        }
    }

    fn bytes<const N: usize>(&mut self, missing: &str) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.input.read_exact(&mut bytes) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => Err(damaged(missing.to_owned())),
            read => read.map(|()| bytes),
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Start => {
                    self.state = match self.member()? {
                        true => State::Body,
                        false => State::End,
                    }
                }
                State::Body => match self.body(out)? {
                    0 => {}
                    made => return Ok(made),
                },
                State::Trailer => {
                    self.trailer()?;
                    self.state = State::Start;
                }
                State::End => return Ok(0),
            }
        }
    }
}

fn damaged(problem: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}

/// Whether the last 8 bytes of a file are the checksum and length of `content`.
pub(crate) fn ends_with_trailer_of(content: &[u8], packed: &[u8]) -> bool {
    let checksum = libdeflater::crc32(content).to_le_bytes();
    // gzip stores the length modulo 2^32.
    let length = (content.len() as u32).to_le_bytes();
    packed.ends_with(&[checksum, length].concat())
}
