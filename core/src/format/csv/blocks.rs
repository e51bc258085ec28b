//! Blocks: finds the few bytes that have a meaning in CSV among the many others, 64 bytes at a time.
//!
//! Each block of 64 bytes becomes one bit mask, a bit for every byte that is a mark; walking the bits then touches only the
//! marks.

const BLOCK: usize = 64;

/// Walks over the marks in a stretch of bytes; there are so many kinds of them.
#[derive(Debug)]
pub(super) struct Marks<'a, const KINDS: usize> {
    bytes: &'a [u8],
    /// The bytes that are marks.
    marks: [u8; KINDS],
    /// Where the block of `mask` begins, and the block after it.
    block: usize,
    next_block: usize,
    /// The marks of the block that were not walked over yet.
    mask: u64,
}

impl<'a, const KINDS: usize> Marks<'a, KINDS> {
    /// The marks in `bytes` from `start`.
    pub(super) fn new(bytes: &'a [u8], start: usize, marks: [u8; KINDS]) -> Self {
        Self { bytes, marks, block: start, next_block: start, mask: 0 }
    }

    /// The place of the next mark.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.load()?;
        }
        let place = self.block + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(place)
    }

    #[inline(always)]
    fn load(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.next_block..).filter(|rest| !rest.is_empty())?;
        self.mask = match rest.first_chunk::<BLOCK>() {
            Some(block) => mask_of(block, self.marks),
            None => {
                let mut block = [0; BLOCK];
                for (to, from) in block.iter_mut().zip(rest) {
                    *to = *from;
                }
                mask_of(&block, self.marks) & ((1 << rest.len()) - 1)
            }
        };
        self.block = self.next_block;
        self.next_block += BLOCK;
        Some(())
    }
}

/// A bit for every byte of the block that is one of the marks: the comparisons leave 1 or 0 in each byte, which compilers
/// do for many bytes at once, and one multiplication gathers eight of them.
#[inline(always)]
fn mask_of<const KINDS: usize>(block: &[u8; BLOCK], marks: [u8; KINDS]) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut found = [0; BLOCK];
    // Plain loops, and not `map`, whose iterators compilers do not always see through.
    for mark in marks {
        for (to, &byte) in found.iter_mut().zip(block) {
            *to |= u8::from(byte == mark);
        }
    }
    let (words, _) = found.as_chunks::<8>();
    let mut mask = 0;
    for (index, word) in words.iter().enumerate() {
        mask |= (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56) << (8 * index);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_wherever_it_stands() {
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|index: usize| b"a,b\"\n\0\xff;"[(index * 7 + length) % 8]).collect();
            for start in 0..=length.min(70) {
                let mut marks = Marks::new(&bytes, start, [b',', b'"', b'\n']);
                let found: Vec<usize> = std::iter::from_fn(|| marks.next()).collect();
                let expected: Vec<usize> = (start..length).filter(|&at| b",\"\n".contains(&bytes[at])).collect();
                assert_eq!(found, expected, "{length} from {start}");
            }
        }
    }
}
