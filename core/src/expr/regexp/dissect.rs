//! Dissect: the groups of a match whose ends are known, by PostgreSQL's rules: every part takes the longest text (or the
//! shortest, if it is not greedy) with which the rest can still match, earlier parts before later ones.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;
use regex::RegexBuilder;

use super::Options;
use super::SIZE_MAX;
use super::next;
use super::syntax::Node;
use super::syntax::Tree;
use super::syntax::too_large;
use crate::column::Fault;
use crate::diagnostic::Code;

/// The longest match that is dissected.
const BYTES_MAX: usize = 4096;
/// The most steps of a search for groups: how many ends of parts are looked at or kept.
const STEPS_MAX: usize = 1 << 20;
/// The most expressions of single characters.
const LEAVES_MAX: usize = 1000;

type Groups = Vec<Option<Range<usize>>>;

/// What is needed to dissect the matches of one expression.
#[derive(Debug)]
pub(super) struct Dissector {
    /// The expression of each single character and place.
    leaves: BTreeMap<String, Regex>,
}

impl Dissector {
    pub(super) fn new(tree: &Tree, options: Options) -> Result<Self, Fault> {
        let mut leaves = BTreeMap::new();
        collect(&tree.root, &mut |text| {
            if !leaves.contains_key(text) {
                let regex = RegexBuilder::new(text).case_insensitive(options.ignore_case).size_limit(SIZE_MAX).build();
                leaves.insert(text.to_owned(), regex.map_err(|_| too_large())?);
            }
            if leaves.len() > LEAVES_MAX { Err(too_large()) } else { Ok(()) }
        })?;
        Ok(Self { leaves })
    }

    /// The match and its groups.
    pub(super) fn groups(&self, tree: &Tree, text: &str, whole: Range<usize>) -> Result<Groups, Fault> {
        let too_long = || {
            let fact = format!("a match of {} bytes is too long to find its groups", whole.len());
            Err(Fault::new(Code::ResultTooLong, fact))
        };
        if whole.len() > BYTES_MAX {
            return too_long();
        }
        let mut groups = vec![None; tree.groups + 1];
        if let Some(first) = groups.first_mut() {
            *first = Some(whole.clone());
        }
        let mut search = Search { dissector: self, text, end: whole.end, known: BTreeMap::new(), steps: 0, groups };
        search.dissect(&tree.root, whole.start, whole.end);
        if search.steps > STEPS_MAX { too_long() } else { Ok(search.groups) }
    }
}

fn collect(node: &Node, leaf: &mut impl FnMut(&str) -> Result<(), Fault>) -> Result<(), Fault> {
    match node {
        Node::One(text) => leaf(text),
        Node::Place(text) => leaf(text),
        Node::Row(parts) | Node::Either(parts) => parts.iter().try_for_each(|part| collect(part, leaf)),
        Node::Group(_, part) | Node::Repeat { part, .. } => collect(part, leaf),
    }
}

struct Search<'a> {
    dissector: &'a Dissector,
    text: &'a str,
    /// Where the whole match ends.
    end: usize,
    /// The ends of a node, known by its address, from a place.
    known: BTreeMap<(usize, usize), Vec<usize>>,
    /// How many steps were taken; beyond the most there is nothing more to find.
    steps: usize,
    groups: Groups,
}

/// A node to be matched as a whole: parts of a row, or a number of repetitions.
enum Unit<'a> {
    Row(&'a [Node]),
    Repeat(&'a Node, u32, Option<u32>),
}

impl Search<'_> {
    /// Finds the groups of a node that matches from `from` to `to`.
    fn dissect(&mut self, node: &Node, from: usize, to: usize) {
        if !node.captures() {
            return;
        }
        match node {
            Node::One(_) | Node::Place(_) => {}
            Node::Group(number, part) => {
                if let Some(group) = number.and_then(|number| self.groups.get_mut(number)) {
                    *group = Some(from..to);
                }
                self.dissect(part, from, to);
            }
            Node::Either(parts) => {
                if let Some(part) = parts.iter().find(|part| self.ends(part, from).contains(&to)) {
                    self.dissect(part, from, to);
                }
            }
            Node::Row(parts) => self.dissect_row(parts, from, to),
            Node::Repeat { part, min: 0, max, .. } => {
                let is_long = part.preference() != Some(false);
                let last = match from == to {
                    // One repetition without length, if it is greedy and may have one; else none.
                    true => (is_long && self.ends(part, from).contains(&to)).then_some(from),
                    false => self.last_repetition(part, from, to, max.unwrap_or(u32::MAX), is_long),
                };
                match last {
                    Some(last) => self.dissect(part, last, to),
                    None => self.forget(part),
                }
            }
            Node::Repeat { part, min, max, .. } => {
                // Only the last repetition's groups are wanted; those before it are taken as one.
                let before = Unit::Repeat(part, min.saturating_sub(1), max.map(|max| max.saturating_sub(1)));
                let is_long = node.preference() != Some(false);
                if let Some(middle) =
                    self.split(&before, is_long, from, |search, middle| search.ends(part, middle).contains(&to))
                {
                    self.dissect(part, middle, to);
                }
            }
        }
    }

    /// A row is cut into a run of parts that do not capture and prefer the same length, one part, and the rest, which is a
    /// row again.
    fn dissect_row(&mut self, parts: &[Node], from: usize, to: usize) {
        let (mut parts, mut from) = (parts, from);
        loop {
            let (run, rest) = parts.split_at(run_length(parts));
            let Some((part, after)) = rest.split_first() else { return };
            let start = match run {
                [] => Some(from),
                _ => self.split(&Unit::Row(run), prefers(run) != Some(false), from, |search, middle| {
                    search.ends_of_row(rest, middle).contains(&to)
                }),
            };
            let Some(start) = start else { return };
            let is_long = part.preference() != Some(false);
            let middle = match after {
                [] => Some(to),
                _ => self.split(&Unit::Row(std::slice::from_ref(part)), is_long, start, |search, middle| {
                    search.ends_of_row(after, middle).contains(&to)
                }),
            };
            let Some(middle) = middle else { return };
            self.dissect(part, start, middle);
            (parts, from) = (after, middle);
        }
    }

    /// The preferred end of a unit with which the rest can match.
    fn split(
        &mut self,
        unit: &Unit<'_>,
        is_long: bool,
        from: usize,
        fits: impl Fn(&mut Self, usize) -> bool,
    ) -> Option<usize> {
        let mut ends = match unit {
            Unit::Row(parts) => self.ends_of_row(parts, from),
            Unit::Repeat(part, min, max) => self.ends_of_repeat(part, *min, *max, from),
        };
        if is_long {
            ends.reverse();
        }
        ends.into_iter().find(|&middle| fits(self, middle))
    }

    /// Where the last of the repetitions of a part begins that together reach from `from` to `to`.
    fn last_repetition(&mut self, part: &Node, from: usize, to: usize, max: u32, is_long: bool) -> Option<usize> {
        let (mut from, mut max) = (from, max);
        while max > 0 {
            max -= 1;
            let mut ends = self.ends(part, from);
            if is_long {
                ends.reverse();
            }
            // A repetition without length leads nowhere.
            let leads_on = |search: &mut Self, end: usize| {
                end > from && (end == to || search.ends_of_repeat(part, 1, Some(max), end).contains(&to))
            };
            match ends.into_iter().find(|&end| leads_on(self, end))? {
                end if end == to => return Some(from),
                end => from = end,
            }
        }
        None
    }

    /// Groups in a part that is not matched have no text.
    fn forget(&mut self, node: &Node) {
        match node {
            Node::One(_) | Node::Place(_) => {}
            Node::Row(parts) | Node::Either(parts) => parts.iter().for_each(|part| self.forget(part)),
            Node::Repeat { part, .. } => self.forget(part),
            Node::Group(number, part) => {
                if let Some(group) = number.and_then(|number| self.groups.get_mut(number)) {
                    *group = None;
                }
                self.forget(part);
            }
        }
    }

    /// Where a match of the node from a place may end, ascending.
    fn ends(&mut self, node: &Node, from: usize) -> Vec<usize> {
        let key = (std::ptr::from_ref(node).addr(), from);
        if let Some(ends) = self.known.get(&key) {
            self.steps += 1 + ends.len();
            return ends.clone();
        }
        if self.steps > STEPS_MAX {
            return Vec::new();
        }
        let ends = match node {
            Node::One(text) => {
                let end = next(self.text, from);
                let char = self.text.get(from..end).filter(|_| end <= self.end);
                let matches = |char| self.dissector.leaves.get(text).is_some_and(|regex| regex.is_match(char));
                char.filter(|char| matches(char)).map(|_| end).into_iter().collect()
            }
            Node::Place(text) => {
                let found = self.dissector.leaves.get(*text).and_then(|regex| regex.find_at(self.text, from));
                found.filter(|found| found.start() == from).map(|_| from).into_iter().collect()
            }
            Node::Row(parts) => self.ends_of_row(parts, from),
            Node::Either(parts) => {
                let mut ends: Vec<_> = parts.iter().flat_map(|part| self.ends(part, from)).collect();
                ends.sort_unstable();
                ends.dedup();
                ends
            }
            Node::Group(_, part) => self.ends(part, from),
            Node::Repeat { part, min, max, .. } => self.ends_of_repeat(part, *min, *max, from),
        };
        self.steps += 1 + ends.len();
        if self.steps <= STEPS_MAX {
            self.known.insert(key, ends.clone());
        }
        ends
    }

    fn ends_of_row(&mut self, parts: &[Node], from: usize) -> Vec<usize> {
        parts.iter().fold(vec![from], |starts, part| self.step(part, &starts))
    }

    fn ends_of_repeat(&mut self, part: &Node, min: u32, max: Option<u32>, from: usize) -> Vec<usize> {
        let mut front = (0..min).fold(vec![from], |starts, _| self.step(part, &starts));
        let mut ends = front.clone();
        for _ in min..max.unwrap_or(u32::MAX) {
            front = self.step(part, &front);
            front.retain(|end| ends.binary_search(end).is_err());
            if front.is_empty() {
                break;
            }
            ends.extend(&front);
            ends.sort_unstable();
        }
        ends
    }

    fn step(&mut self, part: &Node, starts: &[usize]) -> Vec<usize> {
        self.steps += starts.len();
        if self.steps > STEPS_MAX {
            return Vec::new();
        }
        let mut ends: Vec<_> = starts.iter().flat_map(|&start| self.ends(part, start)).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

/// How many parts at the start of a row do not capture and prefer the same length.
fn run_length(parts: &[Node]) -> usize {
    let mut known = None;
    let mut fits = |part: &Node| {
        let own = match (part.prefers(true), part.prefers(false)) {
            (true, true) => return false,
            (false, false) => None,
            (long, _) => Some(long),
        };
        if part.captures() || (known.is_some() && own.is_some() && own != known) {
            return false;
        }
        known = known.or(own);
        true
    };
    parts.iter().take_while(|part| fits(part)).count()
}

/// What the parts of a run prefer.
fn prefers(run: &[Node]) -> Option<bool> {
    run.iter().find_map(|part| match (part.prefers(true), part.prefers(false)) {
        (false, false) => None,
        (long, _) => Some(long),
    })
}
