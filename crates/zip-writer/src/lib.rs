//! Writing the zip archives of npz files and torch checkpoints.
//!
//! Written here because the `zip` crate compresses only as a stream, with zlib: callers deflate as suits them (libdeflate
//! takes half the time or less for the same size; pieces are deflated in parallel), and this crate writes the records
//! around their bytes. Format: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3 (zip64). The same members give the same bytes.

mod record;
mod streamed;
mod writer;

pub use crc32fast::Hasher as Checksum;
pub use streamed::StreamedMember;
pub use writer::{ArchiveWriter, Content, Method};
