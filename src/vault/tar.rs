//! The part of the tar format (POSIX.1-1988 ustar) that backups need: plain files with
//! short names. The reader refuses everything else.

use super::error::{Result, VaultError};
use std::io::{Read, Write};

const BLOCK: usize = 512;

/// Writes one file.
pub(super) fn write_file(out: &mut dyn Write, name: &str, content: &[u8]) -> std::io::Result<()> {
    let mut header = [0; BLOCK];
    if name.len() >= 100 {
        return Err(std::io::ErrorKind::InvalidFilename.into());
    }
    let mut set = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    set(0, name.as_bytes());
    set(100, b"0000600\0");
    set(108, b"0000000\0");
    set(116, b"0000000\0");
    set(124, format!("{:011o}\0", content.len()).as_bytes());
    set(136, b"00000000000\0");
    set(148, b"        ");
    set(156, b"0");
    set(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.write_all(&header)?;
    out.write_all(content)?;
    out.write_all(&vec![
        0;
        content.len().next_multiple_of(BLOCK) - content.len()
    ])
}

/// Ends the archive.
pub(super) fn write_end(out: &mut dyn Write) -> std::io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

fn bad(what: &str) -> VaultError {
    VaultError::Archive(what.into())
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

/// Reads the next file: its name and contents of at most `limit` bytes; `None` at the
/// end of the archive.
///
/// # Errors
/// Anything but a plain file, a wrong checksum, a file over the limit, or a cut archive.
pub(super) fn read_file(source: &mut dyn Read, limit: usize) -> Result<Option<(String, Vec<u8>)>> {
    let cut = |_| bad("it is cut off or was changed");
    let mut header = [0; BLOCK];
    source.read_exact(&mut header).map_err(cut)?;
    if header.iter().all(|b| *b == 0) {
        return Ok(None);
    }
    let stored = octal(&header[148..156]).ok_or_else(|| bad("a header's checksum"))?;
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(i, b)| {
            if (148..156).contains(&i) {
                32
            } else {
                u64::from(*b)
            }
        })
        .sum();
    if stored != sum
        || !matches!(header[156], b'0' | 0)
        || !header[157..257].iter().all(|b| *b == 0)
    {
        return Err(bad("an entry that is no plain file"));
    }
    let end = header[..100]
        .iter()
        .position(|b| *b == 0)
        .ok_or_else(|| bad("a long name"))?;
    let name = std::str::from_utf8(&header[..end]).map_err(|_| bad("a name that is no text"))?;
    let size = octal(&header[124..136]).ok_or_else(|| bad("a size"))?;
    let size = usize::try_from(size).ok().filter(|s| *s <= limit);
    let size = size.ok_or_else(|| bad("a file that is too large"))?;
    let mut content = vec![0; size.next_multiple_of(BLOCK)];
    source.read_exact(&mut content).map_err(cut)?;
    content.truncate(size);
    Ok(Some((name.to_owned(), content)))
}
