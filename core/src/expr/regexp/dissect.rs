//! Dissect: the groups of a match whose ends are known, by PostgreSQL's rules: every part takes the longest text (or the
//! shortest, if it is not greedy) with which the rest can still match, earlier parts before later ones.
//!
//! It also finds the matches of an expression that no automaton knows, because it looks ahead or behind, or refers back to
//! a group: from each place in turn, the longest text (or the shortest) that its parts can be found in.

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
/// How many ends that are put in order, groups that are emptied or bytes that are compared make a step.
const MOVED_A_STEP: usize = 16;
/// The most repetitions of a part that refers back to a group.
const REPETITIONS_MAX: u32 = 255;
/// How many sets of ends are kept while a match is searched for.
const KNOWN_MAX: usize = 1 << 15;
/// The most expressions of single characters.
const LEAVES_MAX: usize = 1000;

type Groups = Vec<Option<Range<usize>>>;

/// What is needed to dissect the matches of one expression.
#[derive(Debug)]
pub(super) struct Dissector {
    /// The expression of each single character and place.
    leaves: BTreeMap<String, Regex>,
    ignore_case: bool,
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
        Ok(Self { leaves, ignore_case: options.ignore_case })
    }

    /// The match and its groups. `spent` counts the steps of a row.
    pub(super) fn groups(
        &self,
        tree: &Tree,
        text: &str,
        whole: Range<usize>,
        spent: &mut usize,
    ) -> Result<Groups, Fault> {
        let is_free = tree.is_beyond_automata();
        let too_long = || {
            let fact = format!("a match of {} bytes is too long to find its groups", whole.len());
            Err(Fault::new(Code::ResultTooLong, fact))
        };
        if whole.len() > BYTES_MAX && !is_free {
            return too_long();
        }
        let end = if is_free { text.len() } else { whole.end };
        let mut search = Search::new(self, tree, text, end);
        if is_free {
            search.steps = *spent;
        }
        search.takes(tree, whole.start, whole.end);
        if is_free {
            *spent = search.steps;
        }
        if search.steps > STEPS_MAX { too_long() } else { Ok(search.groups) }
    }

    /// The first match that starts at byte `from` or later.
    pub(super) fn find(
        &self,
        tree: &Tree,
        text: &str,
        from: usize,
        spent: &mut usize,
    ) -> Result<Option<Range<usize>>, Fault> {
        let mut search = Search { steps: *spent, ..Search::new(self, tree, text, text.len()) };
        let (mut start, mut found) = (from, None);
        while found.is_none() && start <= text.len() && search.steps <= STEPS_MAX {
            let mut ends = search.ends(&tree.root, start);
            if !tree.is_shortest() {
                ends.reverse();
            }
            let end = ends.into_iter().find(|&end| search.takes(tree, start, end));
            found = end.map(|end| start..end);
            start = next(text, start);
            if search.known.len() > KNOWN_MAX {
                search.known.clear();
            }
        }
        *spent = search.steps;
        if search.steps > STEPS_MAX {
            let fact = format!("a text of {} bytes takes too many steps of a regular expression", text.len());
            return Err(Fault::new(Code::ResultTooLong, fact));
        }
        Ok(found)
    }
}

fn collect(node: &Node, leaf: &mut impl FnMut(&str) -> Result<(), Fault>) -> Result<(), Fault> {
    match node {
        Node::One(text) => leaf(text),
        Node::Place(text) => leaf(text),
        Node::Row(parts) | Node::Either(parts) => parts.iter().try_for_each(|part| collect(part, leaf)),
        Node::Group(_, part) | Node::Repeat { part, .. } | Node::Look { part, .. } => collect(part, leaf),
        Node::Back(_) => Ok(()),
    }
}

struct Search<'a> {
    dissector: &'a Dissector,
    text: &'a str,
    /// Where the whole match ends, or the text.
    end: usize,
    /// The groups by their numbers, if the expression refers back to them.
    parts: BTreeMap<usize, &'a Node>,
    /// Whether places match everywhere: a text is taken once more elsewhere.
    is_loose: bool,
    /// The ends of a node, known by its address, from a place, and whether places match everywhere.
    known: BTreeMap<(usize, usize, bool), Vec<usize>>,
    /// How many steps were taken; beyond the most there is nothing more to find.
    steps: usize,
    groups: Groups,
}

/// A node to be matched as a whole: parts of a row, or a number of repetitions.
enum Item<'a> {
    Row(&'a [Node]),
    Repeat(&'a Node, u32, Option<u32>),
}

impl<'a> Search<'a> {
    fn new(dissector: &'a Dissector, tree: &'a Tree, text: &'a str, end: usize) -> Self {
        let mut parts = BTreeMap::new();
        if tree.refers {
            number(&tree.root, &mut parts);
        }
        let groups = vec![None; tree.groups + 1];
        Self { dissector, text, end, parts, is_loose: false, known: BTreeMap::new(), steps: 0, groups }
    }

    /// Whether the expression, of which a match may begin and end there, has one; and its groups.
    fn takes(&mut self, tree: &Tree, from: usize, to: usize) -> bool {
        self.groups.fill(None);
        self.steps += self.groups.len() / MOVED_A_STEP;
        let takes = self.dissect(&tree.root, from, to);
        if let Some(first) = self.groups.first_mut() {
            *first = Some(from..to);
        }
        takes
    }

    /// Finds the groups of a node that matches from `from` to `to`; false if it does not, because of what it refers to.
    fn dissect(&mut self, node: &Node, from: usize, to: usize) -> bool {
        if !node.captures() {
            return true;
        }
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return false;
        }
        match node {
            Node::One(_) | Node::Place(_) | Node::Look { .. } => true,
            Node::Back(number) => self.is_once_more(*number, from, to),
            Node::Group(number, part) => {
                if let Some(group) = number.and_then(|number| self.groups.get_mut(number)) {
                    *group = Some(from..to);
                }
                self.dissect(part, from, to)
            }
            Node::Either(parts) => parts.iter().any(|part| {
                if !self.ends(part, from).contains(&to) {
                    return false;
                }
                let takes = self.dissect(part, from, to);
                if !takes {
                    self.forget(part);
                }
                takes
            }),
            Node::Row(parts) => self.dissect_row(parts, from, to),
            Node::Repeat { part, min, max, .. } if part.refers() => {
                let is_long = node.preference() != Some(false);
                self.dissect_each(part, (*min, *max), is_long, 0, from, to)
            }
            Node::Repeat { part, min: 0, max, .. } => {
                let is_long = part.preference() != Some(false);
                let last = match from == to {
                    // One repetition without length, if it is greedy and may have one; else none.
                    true => (is_long && self.ends(part, from).contains(&to)).then_some(from),
                    false => self.last_repetition(part, from, to, max.unwrap_or(u32::MAX), is_long),
                };
                match last {
                    Some(last) => self.dissect(part, last, to),
                    None => {
                        self.forget(part);
                        true
                    }
                }
            }
            Node::Repeat { part, min, max, .. } => {
                // Only the last repetition's groups are wanted; those before it are taken as one.
                let before = Item::Repeat(part, min.saturating_sub(1), max.map(|max| max.saturating_sub(1)));
                let is_long = node.preference() != Some(false);
                let middles = self.preferred(&before, is_long, from);
                let middle = middles.into_iter().find(|&middle| self.ends(part, middle).contains(&to));
                middle.is_some_and(|middle| self.dissect(part, middle, to))
            }
        }
    }

    /// Whether a text is that of a group.
    fn is_once_more(&mut self, number: usize, from: usize, to: usize) -> bool {
        let text = |range: Range<usize>| self.text.get(range);
        let Some(group) = self.groups.get(number).cloned().flatten().and_then(text) else { return false };
        let Some(again) = text(from..to) else { return false };
        self.steps += again.len() / MOVED_A_STEP;
        let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        again == group || (self.dissector.ignore_case && lower(again) == lower(group))
    }

    /// Repetitions of a part that refers back to groups: each of them may fail.
    fn dissect_each(
        &mut self,
        part: &Node,
        (min, max): (u32, Option<u32>),
        is_long: bool,
        done: u32,
        from: usize,
        to: usize,
    ) -> bool {
        if from == to && done >= min {
            if done == 0 {
                self.forget(part);
            }
            return true;
        }
        if done > REPETITIONS_MAX {
            self.steps = STEPS_MAX + 1;
        }
        if max.is_some_and(|max| done >= max) || self.steps > STEPS_MAX {
            return false;
        }
        let mut ends = self.ends(part, from);
        if is_long {
            ends.reverse();
        }
        ends.into_iter()
            .filter(|&end| end <= to && (end > from || done < min))
            .any(|end| self.dissect(part, from, end) && self.dissect_each(part, (min, max), is_long, done + 1, end, to))
    }

    /// A row is cut into a run of parts that do not capture and prefer the same length, one part, and the rest, which is a
    /// row again.
    fn dissect_row(&mut self, parts: &[Node], from: usize, to: usize) -> bool {
        let (mut parts, mut from) = (parts, from);
        'row: loop {
            let (run, rest) = parts.split_at(run_length(parts));
            let Some((part, after)) = rest.split_first() else { return true };
            let starts = match run {
                [] => vec![from],
                _ => self.preferred(&Item::Row(run), prefers(run) != Some(false), from),
            };
            let is_long = part.preference() != Some(false);
            for start in starts {
                if !self.ends_of_row(rest, start).contains(&to) {
                    continue;
                }
                let middles = match after {
                    [] => vec![to],
                    _ => self.preferred(&Item::Row(std::slice::from_ref(part)), is_long, start),
                };
                for middle in middles {
                    if !after.is_empty() && !self.ends_of_row(after, middle).contains(&to) {
                        continue;
                    }
                    match self.dissect(part, start, middle) {
                        // What refers to no group cannot fail behind it.
                        true if self.parts.is_empty() => {
                            (parts, from) = (after, middle);
                            continue 'row;
                        }
                        true if self.dissect_row(after, middle, to) => return true,
                        _ => self.forget(part),
                    }
                }
            }
            return false;
        }
    }

    /// Where a unit may end, what it prefers first.
    fn preferred(&mut self, item: &Item<'_>, is_long: bool, from: usize) -> Vec<usize> {
        let mut ends = match item {
            Item::Row(parts) => self.ends_of_row(parts, from),
            Item::Repeat(part, min, max) => self.ends_of_repeat(part, *min, *max, from),
        };
        if is_long {
            ends.reverse();
        }
        ends
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
            Node::One(_) | Node::Place(_) | Node::Look { .. } | Node::Back(_) => {}
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
        let key = (std::ptr::from_ref(node).addr(), from, self.is_loose);
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
            Node::Place(_) | Node::Look { .. } if self.is_loose => vec![from],
            Node::Look { ahead, wanted, part } => {
                let is_found = match ahead {
                    true => !self.ends(part, from).is_empty(),
                    false => (0..=from).rev().any(|start| {
                        self.text.is_char_boundary(start) && self.ends(part, start).binary_search(&from).is_ok()
                    }),
                };
                if is_found == *wanted { vec![from] } else { Vec::new() }
            }
            Node::Back(number) => {
                let Some(part) = self.parts.get(number).copied() else { return Vec::new() };
                let before = std::mem::replace(&mut self.is_loose, true);
                let ends = self.ends(part, from);
                self.is_loose = before;
                ends
            }
            Node::Place(text) => {
                // A place is told by the characters before and behind it.
                let before = self.text.get(..from).and_then(|text| text.chars().next_back()).map_or(0, char::len_utf8);
                let around =
                    self.text.get(from - before..next(self.text, from).min(self.text.len())).unwrap_or_default();
                let found = self.dissector.leaves.get(*text).and_then(|regex| regex.find_at(around, before));
                found.filter(|found| found.start() == before).map(|_| from).into_iter().collect()
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
            let (Some(first), Some(last)) = (front.first(), ends.last()) else { break };
            let is_behind = first > last;
            ends.extend(&front);
            // Most repetitions lead on; only ends that come among those before them are put in order.
            if !is_behind {
                self.steps += ends.len() / MOVED_A_STEP;
                ends.sort_unstable();
            }
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

/// The groups that capture, by their numbers.
fn number<'a>(node: &'a Node, parts: &mut BTreeMap<usize, &'a Node>) {
    match node {
        Node::One(_) | Node::Place(_) | Node::Look { .. } | Node::Back(_) => {}
        Node::Row(inner) | Node::Either(inner) => inner.iter().for_each(|part| number(part, parts)),
        Node::Repeat { part, .. } => number(part, parts),
        Node::Group(own, part) => {
            parts.extend(own.map(|own| (own, &**part)));
            number(part, parts);
        }
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
