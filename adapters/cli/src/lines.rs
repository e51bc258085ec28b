//! Lines: the line of a file on which a record begins, for people who look for it in an editor.

use etalon_core::plan::Object;
use etalon_driver::ports::Objects;

use crate::view::thousands;

/// What a gzip file begins with: its records lie at places of what it holds, and not of the file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes of a file to look through at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// The lines, from 1, of the offsets of an object: each where it can be known. It cannot where the object is compressed, is
/// gone or is another version by now, or where a record does not begin a line.
pub(crate) async fn of(disk: &impl Objects, object: &Object, offsets: &[u64]) -> Vec<Option<u64>> {
    counted(disk, object, offsets).await.unwrap_or_else(|| vec![None; offsets.len()])
}

async fn counted(disk: &impl Objects, object: &Object, offsets: &[u64]) -> Option<Vec<Option<u64>>> {
    let found = disk.look(&object.name).await.ok()?;
    if !found.is_of(&object.version) || found.object.size != object.size {
        return None;
    }
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&at| offsets[at]);
    let mut lines = vec![None; offsets.len()];
    let (mut begin, mut line_ends, mut last) = (0, 0, b'\n');
    let mut waiting = order.into_iter().peekable();
    while waiting.peek().is_some() {
        let end = object.size.min(begin + PIECE_BYTES);
        let chunk = disk.read(object, begin..end).await.ok()?;
        if chunk.is_empty() || (begin == 0 && chunk.starts_with(&GZIP)) {
            break;
        }
        let mut counted = 0;
        while let Some(at) = waiting.next_if(|&at| offsets[at] < end) {
            let offset = usize::try_from(offsets[at] - begin).ok()?;
            line_ends += chunk[counted..offset].iter().filter(|&&byte| byte == b'\n').count() as u64;
            counted = offset;
            let before = if offset == 0 { last } else { chunk[offset - 1] };
            lines[at] = (before == b'\n').then_some(line_ends + 1);
        }
        line_ends += chunk[counted..].iter().filter(|&&byte| byte == b'\n').count() as u64;
        last = *chunk.last()?;
        begin = end;
    }
    Some(lines)
}

/// A place as people read it.
pub(crate) fn place(source: &str, line: Option<u64>, offset: u64) -> String {
    match line {
        Some(line) => format!("{source}, line {} (byte {})", thousands(line), thousands(offset)),
        None => format!("{source}, byte {}", thousands(offset)),
    }
}

#[cfg(test)]
mod tests {
    use etalon_driver::local::LocalDisk;
    use etalon_driver::ports::Quiet;

    use super::*;

    fn lines(bytes: &[u8], offsets: &[u64]) -> Vec<Option<u64>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), bytes).unwrap();
        let disk = LocalDisk::new(folder.path());
        let object = disk.find(folder.path(), &["a.csv".to_owned()], &Quiet).unwrap().remove(0);
        pollster::block_on(of(&disk, &object, offsets))
    }

    #[test]
    fn a_record_has_the_line_on_which_it_begins() {
        assert_eq!(lines(b"id,name\n1,\"two\nlines\"\n2,Ada\n", &[22, 0, 8]), [Some(4), Some(1), Some(2)]);
        assert_eq!(lines(b"[{}, {}]", &[1, 5]), [None, None], "these do not begin a line");
        let mut long = vec![b'x'; PIECE_BYTES as usize - 1];
        long.extend(b"\nsecond\nthird\n");
        assert_eq!(lines(&long, &[PIECE_BYTES, PIECE_BYTES + 7]), [Some(2), Some(3)], "over the end of a chunk");
    }

    #[test]
    fn a_compressed_file_has_no_lines() {
        assert_eq!(lines(&[0x1f, 0x8b, b'\n', 0], &[0, 3]), [None, None]);
    }
}
