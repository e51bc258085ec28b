//! Regexp: regular expressions with PostgreSQL's syntax and PostgreSQL's choice of match.
//!
//! `syntax` reads PostgreSQL's advanced regular expressions into a tree and writes it in the engine's syntax. The engine and
//! PostgreSQL agree on where the leftmost match starts, but not on where it ends: the engine takes the first alternative that
//! its operators prefer, PostgreSQL the longest match, or the shortest if the expression is not greedy as a whole. So a second
//! search, which begins at the start and knows all matches, finds the end. [`dissect`] finds the groups, by PostgreSQL's rules
//! for parts of a match.
//!
//! Expressions that cannot be matched in linear time (back-references, lookaround) are searched by [`dissect`], with a bound of
//! steps a row. All resources are bounded: the parts of an expression, the memory of each automaton, the steps of finding
//! groups, and the bytes that the searches of one row may look at.

mod dissect;
mod flavour;
pub(super) mod similar;
mod syntax;

use std::ops::Range;

use regex::Regex;
use regex::RegexBuilder;
use regex_automata::Anchored;
use regex_automata::Input;
use regex_automata::MatchKind;
use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::pikevm;
use regex_automata::util::syntax as engine;

use crate::column::Fault;
use crate::diagnostic::Code;
use flavour::Flavour;
use syntax::Tree;

/// The most memory of a compiled expression, in bytes.
const SIZE_MAX: usize = 8 << 20;
/// The most places that the engine may remember while it finds groups: one for each end of a group in each of its states.
const PLACES_MAX: usize = 1 << 20;

/// How a pattern is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Letters match in either case.
    pub(super) ignore_case: bool,
    /// A point and a negated bracket do not match a line end.
    pub(super) lines: bool,
    /// `^` and `$` match at line ends too.
    pub(super) line_anchors: bool,
    /// Blanks and comments in the pattern are passed over.
    pub(super) expanded: bool,
    /// The pattern is a text without operators.
    pub(super) literal: bool,
    /// The language of the pattern.
    pub(super) flavour: Flavour,
}

impl Options {
    /// The same for the engine, which is told of lines by the pattern.
    fn engine(self) -> engine::Config {
        engine::Config::new().case_insensitive(self.ignore_case)
    }
}

/// A regular expression that is ready to search.
#[derive(Debug)]
pub(super) struct Regexp {
    matcher: Matcher,
    tree: Tree,
    options: Options,
    groups: Option<Groups>,
    /// What tells how far the search for a start looks, where that is asked.
    start: Option<Box<Lazy>>,
    /// The steps that were taken for a row.
    spent: usize,
}

/// What finds matches.
#[derive(Debug)]
enum Matcher {
    /// Automata: one that finds where a match starts, without groups, and one for its end, where that is not the first's.
    Automata { regex: Regex, longest: Option<Box<Longest>> },
    /// A search step by step, for what no automaton knows.
    Steps(dissect::Dissector),
}

/// How the groups of a match are found.
#[derive(Debug)]
struct Groups {
    /// The engine's are right, where its match is; if it has room for them.
    engine: Option<Regex>,
    dissector: Option<Box<dissect::Dissector>>,
}

impl Regexp {
    /// Reads a pattern. A mistake in it is a fault with PostgreSQL's code; what is not supported is one too.
    pub(super) fn new(pattern: &str, options: Options) -> Result<Self, Fault> {
        let (tree, options) = syntax::parse(pattern, options)?;
        if tree.is_beyond_automata() {
            let matcher = Matcher::Steps(dissect::Dissector::new(&tree, options)?);
            return Ok(Self { matcher, tree, options, groups: None, start: None, spent: 0 });
        }
        let text = tree.text(false);
        let regex = compiled(&text, options)?;
        let longest = match tree.has_one_length_at_a_place() {
            true => None,
            false => Some(Box::new(Longest::new(&text, options)?)),
        };
        let matcher = Matcher::Automata { regex, longest };
        Ok(Self { matcher, tree, options, groups: None, start: None, spent: 0 })
    }

    /// Begins a row: its searches together have the bound of steps.
    pub(super) fn begin(&mut self) {
        self.spent = 0;
    }

    /// The number of capturing groups.
    pub(super) fn groups(&self) -> usize {
        self.tree.groups
    }

    /// Whether a search may look at the whole rest of the text to find where a match ends.
    pub(super) fn looks_ahead(&self) -> bool {
        !self.tree.has_one_length_at_a_place() && self.tree.has_no_longest()
    }

    /// Whether the text has a match.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, Fault> {
        match &self.matcher {
            Matcher::Automata { regex, .. } => Ok(regex.is_match(text)),
            Matcher::Steps(dissector) => Ok(dissector.find(&self.tree, text, 0, &mut 0)?.is_some()),
        }
    }

    /// The first match that starts at byte `from` or later.
    pub(super) fn find(&mut self, text: &str, from: usize) -> Result<Option<Range<usize>>, Fault> {
        let (regex, longest) = match &mut self.matcher {
            Matcher::Automata { regex, longest } => (regex, longest),
            Matcher::Steps(dissector) => return dissector.find(&self.tree, text, from, &mut self.spent),
        };
        let Some(found) = regex.find_at(text, from) else { return Ok(None) };
        let found = found.range();
        Ok(Some(match longest {
            None => found,
            Some(longest) => {
                let end = longest.end(text, found.start, self.tree.is_shortest()).unwrap_or(found.end);
                found.start..end
            }
        }))
    }

    /// How many bytes the automata look at that find a match from byte `from` on.
    pub(super) fn reach(&mut self, text: &str, from: usize, found: Option<&Range<usize>>) -> Result<usize, Fault> {
        let Matcher::Automata { longest, .. } = &mut self.matcher else { return Ok(0) };
        let start = match &mut self.start {
            Some(start) => start,
            none => none.insert(Box::new(Lazy::new(&self.tree.text(false), self.options, MatchKind::LeftmostFirst)?)),
        };
        let first = start.reach(&Input::new(text).range(from..));
        let second = longest.as_mut().zip(found).map_or(0, |(longest, found)| {
            longest.lazy.reach(&Input::new(text).range(found.start..).anchored(Anchored::Yes))
        });
        Ok(first + second)
    }

    /// The match that [`Regexp::find`] found, and its groups.
    pub(super) fn captures(&mut self, text: &str, whole: Range<usize>) -> Result<Vec<Option<Range<usize>>>, Fault> {
        if self.groups() == 0 {
            return Ok(vec![Some(whole)]);
        }
        if let Matcher::Steps(dissector) = &self.matcher {
            return dissector.groups(&self.tree, text, whole, &mut self.spent);
        }
        let groups = match &mut self.groups {
            Some(groups) => groups,
            none => none.insert(Groups::new(&self.tree, self.options)?),
        };
        if let Some(found) = groups.engine.as_ref().and_then(|engine| engine.captures_at(text, whole.start))
            && found.get(0).is_some_and(|found| found.range() == whole)
        {
            return Ok(found.iter().map(|group| group.map(|group| group.range())).collect());
        }
        let dissector = match &mut groups.dissector {
            Some(dissector) => dissector,
            none => none.insert(Box::new(dissect::Dissector::new(&self.tree, self.options)?)),
        };
        dissector.groups(&self.tree, text, whole, &mut self.spent)
    }
}

impl Groups {
    fn new(tree: &Tree, options: Options) -> Result<Self, Fault> {
        if !tree.has_plain_groups() {
            return Ok(Self { engine: None, dissector: None });
        }
        let text = tree.text(true);
        let limits = thompson::Config::new().nfa_size_limit(Some(SIZE_MAX));
        let automaton = thompson::Compiler::new().syntax(options.engine()).configure(limits).build(&text);
        let automaton = automaton.map_err(|_| syntax::too_large())?;
        let places = automaton.states().len().saturating_mul(2 * (tree.groups + 1));
        let engine = if places <= PLACES_MAX { Some(compiled(&text, options)?) } else { None };
        Ok(Self { engine, dissector: None })
    }
}

/// A pattern in the engine's syntax, made ready.
fn compiled(text: &str, options: Options) -> Result<Regex, Fault> {
    let regex = RegexBuilder::new(text).case_insensitive(options.ignore_case).size_limit(SIZE_MAX).build();
    regex.map_err(|_| syntax::too_large())
}

/// The byte after the character at `place`; past the end of the text there is one more.
pub(super) fn next(text: &str, place: usize) -> usize {
    place + text.get(place..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// An automaton that is made while it searches.
#[derive(Debug)]
struct Lazy {
    dfa: dfa::DFA,
    cache: dfa::Cache,
}

impl Lazy {
    fn new(text: &str, options: Options, kind: MatchKind) -> Result<Self, Fault> {
        let config = dfa::Config::new().match_kind(kind).unicode_word_boundary(true).skip_cache_capacity_check(true);
        let limits = thompson::Config::new().nfa_size_limit(Some(SIZE_MAX));
        let builder = dfa::Builder::new().syntax(options.engine()).thompson(limits).configure(config).build(text);
        let dfa = builder.map_err(|_| syntax::too_large())?;
        let cache = dfa.create_cache();
        Ok(Self { dfa, cache })
    }

    /// How many bytes a search looks at: all of the rest, if the automaton gives up.
    fn reach(&mut self, input: &Input<'_>) -> usize {
        let rest = input.haystack().get(input.start()..).unwrap_or_default();
        let Ok(mut state) = self.dfa.start_state_forward(&mut self.cache, input) else { return rest.len() };
        for (at, byte) in rest.iter().enumerate() {
            match self.dfa.next_state(&mut self.cache, state, *byte) {
                Ok(next) if next.is_dead() => return at + 1,
                Ok(next) if !next.is_quit() => state = next,
                _ => return rest.len(),
            }
        }
        rest.len()
    }
}

/// The search for the end of the longest or shortest match that starts at a place.
#[derive(Debug)]
struct Longest {
    lazy: Lazy,
    /// For texts that the automaton gives up on: those with word boundaries beside characters that are not ASCII.
    machine: pikevm::PikeVM,
    machine_cache: pikevm::Cache,
}

impl Longest {
    fn new(text: &str, options: Options) -> Result<Self, Fault> {
        let lazy = Lazy::new(text, options, MatchKind::All)?;
        let machine = pikevm::Builder::new()
            .syntax(options.engine())
            .thompson(thompson::Config::new().nfa_size_limit(Some(SIZE_MAX)))
            .configure(pikevm::Config::new().match_kind(MatchKind::All))
            .build(text)
            .map_err(|_| syntax::too_large())?;
        let machine_cache = machine.create_cache();
        Ok(Self { lazy, machine, machine_cache })
    }

    fn end(&mut self, text: &str, start: usize, shortest: bool) -> Option<usize> {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes).earliest(shortest);
        let Lazy { dfa, cache } = &mut self.lazy;
        match dfa.try_search_fwd(cache, &input) {
            Ok(found) => found.map(|found| found.offset()),
            Err(_) => self.machine.find(&mut self.machine_cache, input).map(|found| found.end()),
        }
    }
}

/// The fault of a pattern that is no regular expression.
fn invalid(fact: &str) -> Fault {
    Fault::new(Code::BadRegex, format!("invalid regular expression: {fact}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_longest_match_is_found() {
        for (pattern, text, wanted) in [
            ("a|ab", "xab", "ab"),
            ("(a|ab)(c|bcd)(d*)", "abcd", "abcd"),
            ("x*", "aaa", ""),
            ("a?(ab)?", "ab", "ab"),
            ("a+?", "aaa", "a"),
            ("a+?b*", "aabb", "a"),
            ("(?:a+?)b*", "aabb", "a"),
            ("(?:a|b)c*?", "bccc", "bccc"),
            (r"\ygr\w+|\ygröß", "groß größer", "groß"),
            ("(?i)ÄRGER", "ärger", "ärger"),
            ("a{2,}", "aaaa", "aaaa"),
            ("***=a.b", "a.b", "a.b"),
        ] {
            let found = Regexp::new(pattern, Options::default()).unwrap().find(text, 0).unwrap();
            assert_eq!(&text[found.unwrap()], wanted, "{pattern}");
        }
    }

    #[test]
    fn groups_are_postgresqls() {
        for (pattern, text, wanted) in [
            ("(a|ab)(c|bcd)(d*)", "abcd", "ab,c,d"),
            ("((a)+)", "aaa", "aaa,a"),
            ("foo(bar)?", "foo", "-"),
            ("(.*)(b+)", "abbb", "abb,b"),
            ("(.*?)(b+)", "abbb", "a,b"),
            (r#" TO (([a-z0-9._]+|"([^"]+|"")+")+)"#, "asd TO foo", "foo,o,-"),
            ("^(?:a){1,1}?(.*){1,1}(?:g)$", "abcdefg", "bcdef"),
            ("(x*)*", "b", ""),
            ("((x)*)*", "b", ",-"),
        ] {
            let mut pattern_read = Regexp::new(pattern, Options::default()).unwrap();
            let whole = pattern_read.find(text, 0).unwrap().unwrap();
            let groups = pattern_read.captures(text, whole).unwrap();
            let groups: Vec<_> = groups[1..].iter().map(|group| group.clone().map_or("-", |at| &text[at])).collect();
            assert_eq!(groups.join(","), wanted, "{pattern}");
        }
    }

    #[test]
    fn looks_and_references_are_postgresqls() {
        for (pattern, text, wanted) in [
            ("b(?=ar)", "foobazbar", "6..7"),
            ("b(?!az)", "foobazbar", "6..7"),
            ("(?<=o)b|x", "b foob", "5..6"),
            ("(?<!o)b", "foob b", "5..6"),
            ("(?<=^|,)[^,]*(?=,|$)", "a,b", "0..1"),
            (r"(.)\1", "xyzzy", "2..4"),
            (r"^(ab|a)\1$", "aa", "0..2"),
            (r"(a|ab)(c|bcd)\1*", "abcdabab", "0..5"),
            (r"(?:(a|b)\1)+", "xaabbb", "1..5"),
            (r"(a*)\1", "aaaaa", "0..4"),
            (r"(a*?)b\1", "aaba", "1..4"),
            (r"(?i)(a)\1", "aA", "0..2"),
            (r"(^a)\1", "aa", "0..2"),
            (r"(a)|\1b", "b", "-"),
        ] {
            let found = Regexp::new(pattern, Options::default()).unwrap().find(text, 0).unwrap();
            assert_eq!(found.map_or_else(|| "-".to_owned(), |found| format!("{found:?}")), wanted, "{pattern}");
        }
        let mut endless = Regexp::new(r"((a|aa)*)*(b?)\3c", Options::default()).unwrap();
        assert_eq!(endless.find(&"a".repeat(5_000), 0).unwrap_err().code, Code::ResultTooLong);
    }

    #[test]
    fn what_a_pattern_takes_is_bounded() {
        let refused = |pattern: &str| Regexp::new(pattern, Options::default()).unwrap_err().code;
        assert_eq!(refused(&"(a)".repeat(20_000)), Code::BadRegex);
        assert_eq!(refused(&"a".repeat(20_000)), Code::BadRegex);
        assert_eq!(refused(r"((\w{255}){255}){255}"), Code::BadRegex);
        // Many groups in a long pattern have no room in the engine, and are dissected.
        let mut many = Regexp::new(&"(a)b*".repeat(350), Options::default()).unwrap();
        let text = "a".repeat(350);
        let groups = many.captures(&text, 0..350).unwrap();
        assert!(many.groups.is_some_and(|groups| groups.engine.is_none()));
        assert_eq!((groups.len(), &groups[350]), (351, &Some(349..350)));
        // Steps end where there would be too many.
        let mut nested = Regexp::new("(((a|aa)*)*)*b?", Options::default()).unwrap();
        let text = "a".repeat(4_000);
        let whole = nested.find(&text, 0).unwrap().unwrap();
        assert_eq!(nested.captures(&text, whole).unwrap_err().code, Code::ResultTooLong);
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for pattern in ["(", ")", "a**", "*a", "a{2,1}", "a{256}", "[a", "[[:x:]]", r"\", "[b-a]", r"\q"] {
            assert_eq!(Regexp::new(pattern, Options::default()).unwrap_err().code, Code::BadRegex, "{pattern}");
        }
        for pattern in [r"(a\1)", r"\1", r"(?=(a))\1", r"(a)(?=\1)", "a(?=b)*", "(?<a)", r"(a)\9"] {
            assert_eq!(Regexp::new(pattern, Options::default()).unwrap_err().code, Code::BadRegex, "{pattern}");
        }
        let fault = Regexp::new("[[.hyphen.]]", Options::default()).unwrap_err();
        assert_eq!(fault.code, Code::UnsupportedRegex);
    }
}
