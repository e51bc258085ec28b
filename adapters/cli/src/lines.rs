//! Lines: finds the line of a file on which a record begins, for people who look for the record in an editor.

use etalon_core::pipeline::Resolved;
use etalon_core::plan::Object;
use etalon_driver::ports::Objects;

use crate::view::thousands;

/// Stored bytes of a file to look through at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// The lines, from 1, of the offsets of an object: each where it can be known. Lines are those of the text that the pipeline
/// reads, so that `zcat` and an editor show the same. A line cannot be known where the object is gone or is another version by
/// now, or where a record does not begin a line.
pub(crate) async fn of(pipeline: &Resolved, disk: &impl Objects, object: &Object, offsets: &[u64]) -> Vec<Option<u64>> {
    let mut lines = Lines::new(offsets);
    let found = disk.look(&object.name).await.ok();
    if !found.is_some_and(|found| found.is_of(&object.version) && found.object.size == object.size) {
        return lines.found;
    }
    let mut text = pipeline.decoded(&object.name, object.size);
    let mut begin = 0;
    while !lines.waiting.is_empty() && begin < object.size {
        let end = object.size.min(begin + PIECE_BYTES);
        let Ok(bytes) = disk.read(object, begin..end).await else { break };
        // What is damaged has lines up to there.
        if bytes.is_empty() || text.push(&bytes, |decoded| lines.see(decoded)).is_err() {
            break;
        }
        begin += bytes.len() as u64;
    }
    lines.found
}

/// Counts the lines of a text that is seen piece by piece.
struct Lines {
    /// The places that are still to come, the last one first: an offset, and its place among those that were asked for.
    waiting: Vec<(u64, usize)>,
    found: Vec<Option<u64>>,
    /// How many bytes and line ends were seen, and the byte seen last.
    seen: u64,
    ends: u64,
    last: u8,
}

impl Lines {
    fn new(offsets: &[u64]) -> Self {
        let mut waiting: Vec<(u64, usize)> = offsets.iter().enumerate().map(|(at, &offset)| (offset, at)).collect();
        waiting.sort_unstable_by(|left, right| right.cmp(left));
        Self { waiting, found: vec![None; offsets.len()], seen: 0, ends: 0, last: b'\n' }
    }

    fn see(&mut self, mut piece: &[u8]) {
        while let Some(&(offset, at)) = self.waiting.last() {
            let Some(until) = usize::try_from(offset - self.seen).ok().filter(|&until| until < piece.len()) else {
                break;
            };
            self.count(&piece[..until]);
            self.found[at] = (self.last == b'\n').then_some(self.ends + 1);
            self.waiting.pop();
            piece = &piece[until..];
        }
        self.count(piece);
    }

    fn count(&mut self, piece: &[u8]) {
        self.seen += piece.len() as u64;
        self.ends += piece.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.last = piece.last().copied().unwrap_or(self.last);
    }
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
    use super::*;

    fn lines(pieces: &[&[u8]], offsets: &[u64]) -> Vec<Option<u64>> {
        let mut lines = Lines::new(offsets);
        pieces.iter().for_each(|piece| lines.see(piece));
        lines.found
    }

    #[test]
    fn a_record_has_the_line_on_which_it_begins() {
        let file: &[u8] = b"id,name\n1,\"two\nlines\"\n2,Ada\n";
        assert_eq!(lines(&[file], &[22, 0, 8]), [Some(4), Some(1), Some(2)]);
        assert_eq!(lines(&[b"[{}, {}]"], &[1, 5]), [None, None], "these do not begin a line");
        for cut in 0..file.len() {
            let (before, after) = file.split_at(cut);
            assert_eq!(lines(&[before, after], &[22, 0, 8]), [Some(4), Some(1), Some(2)], "cut at {cut}");
        }
        assert_eq!(lines(&[file], &[100]), [None], "behind the end");
    }
}
