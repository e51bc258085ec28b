//! Gzip (RFC 1952): stored bytes in, inflated ones out, no more at a time than are asked for.
//!
//! A file is one member or several, one after the other. Anything else after a member, also zeros, counts as damage: it may be
//! the start of a member that was written incorrectly, and a loader must not guess that it is not.

use super::Expansion;
use crate::format::digest::Digest;

use flate2::Decompress;
use flate2::FlushDecompress;
use flate2::Status;

/// The window that any gzip writer may use: 2^15 bytes.
const WINDOW_BITS: u8 = 15;

/// Inflates pushed bytes.
#[derive(Debug)]
pub(in crate::format) struct Gunzip {
    stored: Vec<u8>,
    at: usize,
    /// The member that is being inflated; `None` between members.
    member: Option<Decompress>,
    members: u64,
    /// What came out of all members.
    inflated: u64,
    expansion: Expansion,
    /// The stored bytes of the whole object.
    size: u64,
    /// Of what came out of all members.
    digest: Digest,
}

impl Gunzip {
    /// An inflater of an object of so many stored bytes, and of what it may decode to.
    pub(in crate::format) fn new(expansion: Expansion, size: u64) -> Self {
        Self {
            stored: Vec::new(),
            at: 0,
            member: None,
            members: 0,
            inflated: 0,
            expansion,
            size,
            digest: Digest::default(),
        }
    }

    /// The version that a local file of the inflated bytes has.
    pub(in crate::format) fn content(&self) -> String {
        self.digest.to_string()
    }

    /// Takes stored bytes.
    pub(in crate::format) fn push(&mut self, bytes: &[u8]) {
        self.stored.drain(..self.at);
        self.at = 0;
        self.stored.extend_from_slice(bytes);
    }

    /// Inflates once, at most `room` bytes. `false`: nothing can be inflated before more is pushed. An error says in which
    /// way the stream is damaged; what came out before it is good.
    pub(in crate::format) fn inflate(&mut self, out: &mut Vec<u8>, room: usize) -> Result<bool, String> {
        let input = self.stored.get(self.at..).unwrap_or_default();
        if input.is_empty() && self.member.is_none() {
            return Ok(false);
        }
        let member = self.member.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
        // The inflater fills the spare capacity of a vector and no more; it is called without input too, since it may
        // still hold output for which there was no room.
        if out.capacity() == out.len() {
            out.reserve_exact(room);
        }
        let before = out.len();
        let (read_before, written_before) = (member.total_in(), member.total_out());
        let status = member.decompress_vec(input, out, FlushDecompress::None);
        let read = member.total_in() - read_before;
        let written = member.total_out() - written_before;
        let moved = read > 0 || written > 0;
        self.at += usize::try_from(read).unwrap_or(usize::MAX).min(input.len());
        self.inflated += written;
        if let Some(excess) = self.inflated.checked_sub(self.expansion.most(self.size)).filter(|&excess| excess > 0) {
            // What is kept does not depend on how much came at once.
            out.truncate(out.len().saturating_sub(usize::try_from(excess).unwrap_or(usize::MAX)));
            return Err(self.expansion.exceeded(self.size));
        }
        self.digest.update(out.get(before..).unwrap_or_default());
        match status {
            Ok(Status::StreamEnd) => {
                self.member = None;
                self.members += 1;
                Ok(true)
            }
            Ok(_) => Ok(moved),
            Err(_) if self.members == 0 => Err("its gzip stream is damaged".to_owned()),
            Err(_) => Err(format!("its gzip stream is damaged after member {}", self.members)),
        }
    }

    /// What is wrong with a stream that ends here.
    pub(in crate::format) fn end(&self) -> Option<String> {
        match (&self.member, self.members) {
            (None, 1..) => None,
            (None, 0) => Some("it is empty, and gzip has at least a header".to_owned()),
            (Some(_), _) => Some("its gzip stream ends early".to_owned()),
        }
    }
}
