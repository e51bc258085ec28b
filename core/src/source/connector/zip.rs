//! Zip: the files of an archive, by its directory at the end (APPNOTE 4.3): stored or deflated, as servers write them.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::DeflateDecoder;

/// What the end of an archive begins with, and so many bytes it has at least.
const END: [u8; 4] = [0x50, 0x4b, 5, 6];
const END_BYTES: usize = 22;
/// An entry of the directory.
const ENTRY: [u8; 4] = [0x50, 0x4b, 1, 2];
const ENTRY_BYTES: usize = 46;
/// What stands before a file.
const LOCAL: [u8; 4] = [0x50, 0x4b, 3, 4];
const LOCAL_BYTES: usize = 30;
const STORED: usize = 0;
const DEFLATED: usize = 8;

/// The files of an archive, in the order of its directory; together they have so many bytes at most.
pub(super) fn files(archive: &[u8], bytes_max: usize) -> Result<Vec<Cow<'_, [u8]>>, String> {
    let wrong = || "the answer is no zip archive".to_owned();
    let last = archive.len().checked_sub(END_BYTES).ok_or_else(wrong)?;
    let end =
        (0..=last).rev().find(|at| archive.get(*at..).is_some_and(|rest| rest.starts_with(&END))).ok_or_else(wrong)?;
    let (count, mut at) = (number(archive, end + 10, 2), number(archive, end + 16, 4));
    let (mut files, mut left) = (Vec::new(), bytes_max);
    for _ in 0..count.ok_or_else(wrong)? {
        let entry = at.and_then(|at| archive.get(at..)).filter(|entry| entry.starts_with(&ENTRY)).ok_or_else(wrong)?;
        let field = |at, bytes| number(entry, at, bytes).ok_or_else(wrong);
        if field(8, 2)? & 1 == 1 {
            return Err("a file of the zip archive is encrypted".to_owned());
        }
        let (method, size, local) = (field(10, 2)?, field(20, 4)?, field(42, 4)?);
        let local = archive.get(local..).filter(|local| local.starts_with(&LOCAL)).ok_or_else(wrong)?;
        let skipped = number(local, 26, 2).zip(number(local, 28, 2)).ok_or_else(wrong)?;
        let data = LOCAL_BYTES + skipped.0 + skipped.1;
        let data = local.get(data..).and_then(|data| data.get(..size)).ok_or_else(wrong)?;
        let is_folder = entry.get(ENTRY_BYTES..ENTRY_BYTES + field(28, 2)?).is_some_and(|name| name.ends_with(b"/"));
        let file = match method {
            STORED => Cow::Borrowed(data),
            DEFLATED => Cow::Owned(inflated(data, left)?),
            _ => return Err(format!("a file of the zip archive is compressed by method {method}; known are 0 and 8")),
        };
        left = left.checked_sub(file.len()).ok_or_else(|| too_long(bytes_max))?;
        if !is_folder {
            files.push(file);
        }
        at = Some(at.unwrap_or_default() + ENTRY_BYTES + field(28, 2)? + field(30, 2)? + field(32, 2)?);
    }
    Ok(files)
}

/// A number of little-endian bytes.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.get(..count)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

fn inflated(data: &[u8], left: usize) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let most = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
    let read = DeflateDecoder::new(data).take(most).read_to_end(&mut file);
    read.map_err(|_| "a file of the zip archive is damaged")?;
    if file.len() > left { Err(too_long(left)) } else { Ok(file) }
}

fn too_long(bytes_max: usize) -> String {
    format!("the files of the zip archive have more than {} MiB", bytes_max >> 20)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// An archive of files, the last of them deflated.
    fn archive(files: &[(&str, &[u8])], flags: u8) -> Vec<u8> {
        let (mut bytes, mut directory) = (b"before".to_vec(), Vec::new());
        let small = |number: usize, count: usize| number.to_le_bytes()[..count].to_vec();
        for (at, (name, body)) in files.iter().enumerate() {
            let is_deflated = at + 1 == files.len();
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).unwrap();
            let data = if is_deflated { encoder.finish().unwrap() } else { body.to_vec() };
            let method = if is_deflated { DEFLATED } else { STORED };
            let sizes = [small(0, 4), small(data.len(), 4), small(body.len(), 4)].concat();
            let common = [vec![20, 0, flags, 0], small(method, 2), small(0, 4), sizes, small(name.len(), 2)].concat();
            let local = bytes.len();
            bytes.extend(
                [LOCAL.to_vec(), common.clone(), small(3, 2), name.as_bytes().to_vec(), vec![0; 3], data].concat(),
            );
            let rest = [small(2, 2), small(1, 2), small(0, 8), small(local, 4)].concat();
            directory
                .extend([ENTRY.to_vec(), vec![20, 0], common, rest, name.as_bytes().to_vec(), vec![0; 3]].concat());
        }
        let start = bytes.len();
        bytes.extend(&directory);
        bytes.extend([END.to_vec(), small(0, 4), small(files.len(), 2), small(files.len(), 2)].concat());
        bytes.extend([small(directory.len(), 4), small(start, 4), small(0, 2)].concat());
        bytes
    }

    #[test]
    fn an_archive_has_its_files() {
        let all = archive(&[("x/", b""), ("x/a.csv", b"a,b"), ("b.csv", b"deflated deflated deflated")], 0);
        let found = files(&all, 100).unwrap();
        assert_eq!(found, [b"a,b".as_slice(), b"deflated deflated deflated"]);
    }

    #[test]
    fn what_is_no_archive_or_too_large_is_refused() {
        let one = archive(&[("a", &[7; 5000])], 0);
        assert_eq!(files(&one, 4999).unwrap_err(), "the files of the zip archive have more than 0 MiB");
        assert_eq!(files(&archive(&[("a", b"a")], 1), 9).unwrap_err(), "a file of the zip archive is encrypted");
        for end in 0..one.len() {
            assert!(files(&one[..end], 9999).is_err(), "{end}");
        }
        assert!(files(b"no archive at all, and longer than its end", 9).is_err());
    }
}
