//! A member that is written as its pieces come.

use std::io::{self, Seek, SeekFrom, Write};

use crate::record::Member;
use crate::writer::checked;
use crate::{ArchiveWriter, Checksum, Method};

/// A member being written. Its sizes always stand in zip64 fields, as numpy reserves them.
pub struct StreamedMember<'a, W> {
    archive: &'a mut ArchiveWriter<W>,
    member: Member,
    checksum: Checksum,
}

impl<W: Write + Seek> ArchiveWriter<W> {
    /// Begins a member; [`StreamedMember::end`] adds it to the directory.
    ///
    /// # Errors
    /// As [`ArchiveWriter::add`].
    pub fn begin(&mut self, name: &str, method: Method) -> io::Result<StreamedMember<'_, W>> {
        let member = Member {
            name: checked(name)?,
            method,
            checksum: 0,
            packed: 0,
            size: 0,
            offset: self.position,
            wide: true,
        };
        // Sizes and checksum are not known yet; the header is written again at the end.
        let header = member.local_header(1, self.limit);
        self.put(&header)?;
        Ok(StreamedMember {
            archive: self,
            member,
            checksum: Checksum::new(),
        })
    }
}

impl<W: Write + Seek> StreamedMember<'_, W> {
    /// Appends a piece: `packed` holds `size` bytes of content with that checksum.
    ///
    /// # Errors
    /// Those of writing.
    pub fn push(&mut self, packed: &[u8], size: u64, checksum: &Checksum) -> io::Result<()> {
        self.checksum.combine(checksum);
        self.member.size += size;
        self.member.packed += packed.len() as u64;
        self.archive.put(packed)
    }

    /// Ends the member.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end(mut self) -> io::Result<()> {
        self.member.checksum = self.checksum.finalize();
        let header = self.member.local_header(1, self.archive.limit);
        let out = &mut self.archive.out;
        out.seek(SeekFrom::Start(self.member.offset))?;
        out.write_all(&header)?;
        out.seek(SeekFrom::Start(self.archive.position))?;
        self.archive.members.push(self.member);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    #[test]
    fn pieces_make_up_one_member_after_another() {
        let mut archive = ArchiveWriter::new(Cursor::new(Vec::new()));
        for name in ["a", "b"] {
            let mut member = archive.begin(name, Method::Stored).unwrap();
            for piece in [name, "-one", "-two"] {
                let mut checksum = Checksum::new();
                checksum.update(piece.as_bytes());
                member
                    .push(piece.as_bytes(), piece.len() as u64, &checksum)
                    .unwrap();
            }
            member.end().unwrap();
        }
        let mut zip = zip::ZipArchive::new(archive.finish().unwrap()).unwrap();
        for (index, expected) in ["a-one-two", "b-one-two"].into_iter().enumerate() {
            let mut content = String::new();
            zip.by_index(index).unwrap().read_to_string(&mut content).unwrap();
            assert_eq!(content, expected);
        }
    }
}
