//! Syntax: the advanced regular expressions of PostgreSQL (the manual's section 9.7.3), read into a tree and written in
//! the engine's syntax.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use super::Options;
use super::flavour::Flavour;
use super::invalid;
use crate::column::Fault;
use crate::diagnostic::Code;

/// The most repetitions that a bound may ask for.
const REPEAT_MAX: u32 = 255;
/// The most parts of an expression.
const PARTS_MAX: usize = 10_000;
/// The most parts of one that refers back to groups, which is searched part within part.
const REFERRING_PARTS_MAX: usize = 500;
/// The deepest nesting of groups.
const DEPTH_MAX: usize = 100;

/// The blanks of `\s`: not those that hold a line together.
const SPACE: &str = r"\t-\r\x20\x{1680}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{2028}\x{2029}\x{205f}\x{3000}";
const WORD: &str = r"\p{Alphabetic}\p{Nd}_";

/// A whole expression.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: Node,
    /// How many groups capture.
    pub(super) groups: usize,
    /// Whether it looks ahead or behind.
    looks: bool,
    /// Whether it refers back to groups.
    pub(super) refers: bool,
}

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// One character, in the engine's syntax.
    One(String),
    /// A place, in the engine's syntax.
    Place(&'static str),
    /// One part after the other; none is the empty text.
    Row(Vec<Self>),
    /// One of several.
    Either(Vec<Self>),
    /// Parentheses, with their number if they capture.
    Group(Option<usize>, Box<Self>),
    /// A place where the part matches what follows, or what comes before; or, if not `wanted`, where it does not.
    Look { ahead: bool, wanted: bool, part: Box<Self> },
    /// The text of a group once more.
    Back(usize),
    /// A part so many times.
    Repeat { part: Box<Self>, min: u32, max: Option<u32>, preference: Option<bool> },
}

impl Tree {
    /// In the engine's syntax, with groups that capture or without.
    pub(super) fn text(&self, captures: bool) -> String {
        let mut out = String::new();
        self.root.write(captures, &mut out);
        out
    }

    /// Whether only a search step by step knows its matches, which no automaton does.
    pub(super) fn is_beyond_automata(&self) -> bool {
        self.looks || self.refers
    }

    /// Whether the shortest match is wanted, not the longest.
    pub(super) fn is_shortest(&self) -> bool {
        self.root.preference() == Some(false)
    }

    /// Whether the engine's own choice of an end is right, because one operator at most has a choice.
    pub(super) fn has_one_length_at_a_place(&self) -> bool {
        self.root.choices() <= 1
    }

    /// Whether a match may have any length.
    pub(super) fn has_no_longest(&self) -> bool {
        self.root.is_endless()
    }

    /// Whether the engine's groups are right where its whole match is: no alternatives, only single characters are
    /// repeated, and no group is greedy in one part and not in another.
    pub(super) fn has_plain_groups(&self) -> bool {
        self.root.is_plain()
    }
}

impl Node {
    fn write(&self, captures: bool, out: &mut String) {
        match self {
            Self::One(text) => out.push_str(text),
            Self::Place(text) => out.push_str(text),
            Self::Row(parts) => parts.iter().for_each(|part| part.write(captures, out)),
            Self::Either(parts) => {
                out.push_str("(?:");
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        out.push('|');
                    }
                    part.write(captures, out);
                }
                out.push(')');
            }
            Self::Group(number, part) => {
                out.push_str(if captures && number.is_some() { "(" } else { "(?:" });
                part.write(captures, out);
                out.push(')');
            }
            Self::Repeat { part, min, max, preference } => {
                part.write(captures, out);
                // Writing to a text cannot fail.
                let _ = match max {
                    Some(max) => write!(out, "{{{min},{max}}}"),
                    None => write!(out, "{{{min},}}"),
                };
                if *preference == Some(false) {
                    out.push('?');
                }
            }
            // Such an expression is for no automaton.
            Self::Look { .. } | Self::Back(_) => {}
        }
    }

    /// Whether it prefers to be long or short; `None` if it does not matter to it (the manual's section 9.7.3.5).
    pub(super) fn preference(&self) -> Option<bool> {
        match self {
            Self::One(_) | Self::Place(_) | Self::Look { .. } | Self::Back(_) => None,
            Self::Row(parts) => parts.iter().find_map(Self::preference),
            Self::Either(_) => Some(true),
            Self::Group(_, part) => part.preference(),
            Self::Repeat { part, preference, .. } => preference.or_else(|| part.preference()),
        }
    }

    /// How many operators choose between lengths; parts of a part that chooses count as many.
    fn choices(&self) -> usize {
        match self {
            Self::One(_) | Self::Place(_) | Self::Look { .. } | Self::Back(_) => 0,
            Self::Row(parts) => parts.iter().map(Self::choices).sum(),
            Self::Either(_) => 2,
            Self::Group(_, part) => part.choices(),
            Self::Repeat { part, min, max, .. } => match **part {
                Self::One(_) => usize::from(Some(*min) != *max),
                _ => 2,
            },
        }
    }

    fn is_endless(&self) -> bool {
        match self {
            Self::One(_) | Self::Place(_) | Self::Look { .. } | Self::Back(_) => false,
            Self::Row(parts) | Self::Either(parts) => parts.iter().any(Self::is_endless),
            Self::Group(_, part) => part.is_endless(),
            Self::Repeat { part, max, .. } => max.is_none() || part.is_endless(),
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Self::One(_) | Self::Place(_) | Self::Look { .. } | Self::Back(_) => true,
            Self::Row(parts) => parts.iter().all(Self::is_plain),
            Self::Either(_) => false,
            Self::Group(_, part) => part.is_plain() && !(part.prefers(true) && part.prefers(false)),
            Self::Repeat { part, .. } => matches!(**part, Self::One(_)),
        }
    }

    /// Whether it, or a part of it, has that preference.
    pub(super) fn prefers(&self, long: bool) -> bool {
        match self {
            Self::One(_) | Self::Place(_) | Self::Look { .. } | Self::Back(_) => false,
            Self::Row(parts) => parts.iter().any(|part| part.prefers(long)),
            Self::Either(parts) => long || parts.iter().any(|part| part.prefers(long)),
            Self::Group(_, part) => part.prefers(long),
            Self::Repeat { part, preference, .. } => *preference == Some(long) || part.prefers(long),
        }
    }

    /// Whether it refers back to a group.
    pub(super) fn refers(&self) -> bool {
        match self {
            Self::Back(_) => true,
            Self::One(_) | Self::Place(_) | Self::Look { .. } => false,
            Self::Row(parts) | Self::Either(parts) => parts.iter().any(Self::refers),
            Self::Group(_, part) | Self::Repeat { part, .. } => part.refers(),
        }
    }

    /// Whether a group in it captures, or it refers back to one.
    pub(super) fn captures(&self) -> bool {
        match self {
            Self::One(_) | Self::Place(_) | Self::Look { .. } => false,
            Self::Back(_) => true,
            Self::Row(parts) | Self::Either(parts) => parts.iter().any(Self::captures),
            Self::Group(number, part) => number.is_some() || part.captures(),
            Self::Repeat { part, .. } => part.captures(),
        }
    }
}

/// Reads a pattern, and the options that it begins with.
pub(super) fn parse(pattern: &str, mut options: Options) -> Result<(Tree, Options), Fault> {
    let mut rest = pattern;
    let is_advanced = !options.literal && options.flavour == Flavour::Advanced;
    if is_advanced && let Some(after) = rest.strip_prefix("***") {
        match (after.strip_prefix('='), after.strip_prefix(':')) {
            (Some(text), _) => (rest, options.literal) = (text, true),
            (_, Some(text)) => rest = text,
            _ => return Err(invalid("quantifier operand invalid")),
        }
    }
    if is_advanced
        && !options.literal
        && let Some(after) = rest.strip_prefix("(?")
        && after.starts_with(|char: char| char.is_ascii_alphabetic())
    {
        let (letters, after) = after.split_once(')').ok_or_else(|| invalid("invalid embedded option"))?;
        for letter in letters.chars() {
            options = options.with(letter).ok_or_else(|| invalid("invalid embedded option"))?;
            if letter == 'e' {
                options.flavour = Flavour::Extended;
            }
        }
        rest = after;
    }
    if options.literal {
        if rest.len() > PARTS_MAX {
            return Err(too_large());
        }
        let parts = rest.chars().map(|char| Node::One(quoted(char))).collect();
        return Ok((Tree { root: Node::Row(parts), groups: 0, looks: false, refers: false }, options));
    }
    let rest = options.flavour.advanced(rest)?;
    let mut parser = Parser {
        chars: rest.chars().peekable(),
        options,
        groups: 0,
        closed: BTreeSet::new(),
        looking: 0,
        looks: false,
        parts: 0,
        depth: 0,
    };
    let root = parser.either()?;
    let refers = root.refers();
    if refers && parser.parts > REFERRING_PARTS_MAX {
        return Err(too_large());
    }
    match parser.chars.next() {
        None => Ok((Tree { root, groups: parser.groups, looks: parser.looks, refers }, options)),
        Some(_) => Err(invalid("parentheses () not balanced")),
    }
}

impl Options {
    /// With the option of a letter; `None` for a letter that is none.
    pub(in crate::expr) fn with(self, letter: char) -> Option<Self> {
        Some(match letter {
            'c' => Self { ignore_case: false, ..self },
            'i' => Self { ignore_case: true, ..self },
            'm' | 'n' => Self { lines: true, line_anchors: true, ..self },
            'p' => Self { lines: true, line_anchors: false, ..self },
            'w' => Self { lines: false, line_anchors: true, ..self },
            's' => Self { lines: false, line_anchors: false, ..self },
            'x' => Self { expanded: true, ..self },
            't' => Self { expanded: false, ..self },
            'q' => Self { literal: true, flavour: Flavour::Advanced, ..self },
            'b' => Self { literal: false, flavour: Flavour::Basic, ..self },
            // Within a pattern it says `Extended`; as a flag PostgreSQL takes it for this.
            'e' => Self { literal: false, flavour: Flavour::Basic, ..self },
            _ => return None,
        })
    }
}

struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
    options: Options,
    groups: usize,
    /// The groups that are behind the place, to which it may refer.
    closed: BTreeSet<usize>,
    /// How many looks ahead or behind enclose it.
    looking: usize,
    looks: bool,
    parts: usize,
    depth: usize,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(invalid("too many nested groups"));
        }
        let mut rows = vec![self.row()?];
        while self.chars.next_if_eq(&'|').is_some() {
            rows.push(self.row()?);
        }
        self.depth -= 1;
        Ok(match rows.len() {
            1 => rows.remove(0),
            _ => Node::Either(rows),
        })
    }

    fn row(&mut self) -> Result<Node, Fault> {
        let mut parts = Vec::new();
        loop {
            self.skip()?;
            match self.chars.peek() {
                None | Some('|' | ')') => return Ok(Node::Row(parts)),
                Some(_) => parts.push(self.repeated()?),
            }
        }
    }

    /// Passes over blanks and comments, which count only in an expanded pattern; `(?#…)` is a comment always.
    fn skip(&mut self) -> Result<(), Fault> {
        loop {
            let mut ahead = self.chars.clone();
            if (ahead.next(), ahead.next(), ahead.next()) == (Some('('), Some('?'), Some('#')) {
                for char in self.chars.by_ref() {
                    if char == ')' {
                        break;
                    }
                }
            } else if self.options.expanded && self.chars.next_if(|char| char.is_ascii_whitespace()).is_some() {
            } else if self.options.expanded && self.chars.next_if_eq(&'#').is_some() {
                while self.chars.next_if(|&char| char != '\n').is_some() {}
            } else {
                return Ok(());
            }
        }
    }

    fn repeated(&mut self) -> Result<Node, Fault> {
        let part = self.atom()?;
        if matches!(part, Node::Place(_) | Node::Look { .. }) {
            return Ok(part);
        }
        self.skip()?;
        let (min, max, is_fixed) = match self.chars.peek().copied() {
            Some('*') => (0, None, false),
            Some('+') => (1, None, false),
            Some('?') => (0, Some(1), false),
            Some('{') if self.is_bound() => {
                self.chars.next();
                let min = self.number()?;
                let (max, is_fixed) = match self.chars.next_if_eq(&',') {
                    None => (Some(min), true),
                    Some(_) if self.chars.peek() == Some(&'}') => (None, false),
                    Some(_) => (Some(self.number()?), false),
                };
                if self.chars.peek() != Some(&'}') || max.is_some_and(|max| max < min) {
                    return Err(invalid("invalid repetition count(s)"));
                }
                (min, max, is_fixed)
            }
            _ => return Ok(part),
        };
        self.chars.next();
        let is_long = self.chars.next_if_eq(&'?').is_none();
        let preference = (!is_fixed).then_some(is_long);
        Ok(Node::Repeat { part: Box::new(part), min, max, preference })
    }

    /// Whether the brace ahead opens a bound: a digit follows.
    fn is_bound(&self) -> bool {
        let mut ahead = self.chars.clone();
        ahead.next();
        ahead.next().is_some_and(|char| char.is_ascii_digit())
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let mut number = None;
        while let Some(digit) = self.chars.peek().and_then(|char| char.to_digit(10)) {
            self.chars.next();
            number = Some((number.unwrap_or(0_u32) * 10 + digit).min(REPEAT_MAX + 1));
        }
        number.filter(|&number| number <= REPEAT_MAX).ok_or_else(|| invalid("invalid repetition count(s)"))
    }

    fn atom(&mut self) -> Result<Node, Fault> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(too_large());
        }
        let Options { lines, line_anchors, .. } = self.options;
        Ok(match self.chars.next() {
            Some('(') => return self.group(),
            Some('[') => return self.bracket(),
            Some('\\') => return self.escape(),
            Some('.') => Node::One(if lines { r"[^\n]" } else { "(?s:.)" }.to_owned()),
            Some('^') => Node::Place(if line_anchors { "(?m:^)" } else { r"\A" }),
            Some('$') => Node::Place(if line_anchors { "(?m:$)" } else { r"\z" }),
            Some('*' | '+' | '?') | None => return Err(invalid("quantifier operand invalid")),
            Some('{') if self.chars.peek().is_some_and(char::is_ascii_digit) => {
                return Err(invalid("quantifier operand invalid"));
            }
            Some(char) => Node::One(quoted(char)),
        })
    }

    fn group(&mut self) -> Result<Node, Fault> {
        let mut number = None;
        let mut look = None;
        if self.chars.next_if_eq(&'?').is_some() {
            look = match (self.chars.next(), self.chars.peek()) {
                (Some(':'), _) => None,
                (Some(sign @ ('=' | '!')), _) => Some((true, sign == '=')),
                (Some('<'), Some(&sign @ ('=' | '!'))) => {
                    self.chars.next();
                    Some((false, sign == '='))
                }
                _ => return Err(invalid("quantifier operand invalid")),
            };
        } else if self.looking == 0 {
            self.groups += 1;
            number = Some(self.groups);
        }
        self.looking += usize::from(look.is_some());
        let inner = Box::new(self.either()?);
        self.looking -= usize::from(look.is_some());
        if self.chars.next() != Some(')') {
            return Err(invalid("parentheses () not balanced"));
        }
        self.closed.extend(number);
        self.looks |= look.is_some();
        Ok(match look {
            Some((ahead, wanted)) => Node::Look { ahead, wanted, part: inner },
            None => Node::Group(number, inner),
        })
    }

    /// A back-reference; or a character by its octal code, if there are not so many groups.
    fn back(&mut self, first: char) -> Result<Node, Fault> {
        let digit = first.to_digit(10).unwrap_or_default();
        let mut ahead = self.chars.clone();
        let (mut number, mut more) = (digit as usize, 0);
        while more < 2
            && let Some(digit) = ahead.peek().and_then(|char| char.to_digit(10))
        {
            ahead.next();
            (number, more) = (number * 10 + digit as usize, more + 1);
        }
        if more > 0 && number > self.groups {
            if digit > 7 {
                return Err(invalid(r"invalid escape \ sequence"));
            }
            return Ok(Node::One(quoted(self.code(8, 0, 2, digit)?)));
        }
        self.chars = ahead;
        if self.looking > 0 || !self.closed.contains(&number) {
            return Err(invalid("invalid backreference number"));
        }
        Ok(Node::Back(number))
    }

    fn escape(&mut self) -> Result<Node, Fault> {
        let Some(char) = self.chars.next() else { return Err(invalid(r"invalid escape \ sequence")) };
        Ok(match char {
            'A' => Node::Place(r"\A"),
            'Z' => Node::Place(r"\z"),
            'm' => Node::Place(r"\b{start}"),
            'M' => Node::Place(r"\b{end}"),
            'y' => Node::Place(r"\b"),
            'Y' => Node::Place(r"\B"),
            'd' | 's' | 'w' | 'D' | 'S' | 'W' => Node::One(format!("[{}]", class_escape(char))),
            '1'..='9' => return self.back(char),
            _ => Node::One(quoted(self.character(char)?)),
        })
    }

    /// The character that an escape stands for.
    fn character(&mut self, char: char) -> Result<char, Fault> {
        Ok(match char {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'c' => {
                let control = self.chars.next().ok_or_else(|| invalid(r"invalid escape \ sequence"))?;
                char::from_u32(u32::from(control) & 31).unwrap_or_default()
            }
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => self.code(16, 4, 4, 0)?,
            'U' => self.code(16, 8, 8, 0)?,
            'x' => self.code(16, 1, 255, 0)?,
            '0' => self.code(8, 0, 2, 0)?,
            _ if char.is_alphanumeric() => return Err(invalid(r"invalid escape \ sequence")),
            _ => char,
        })
    }

    fn code(&mut self, radix: u32, least: usize, most: usize, first: u32) -> Result<char, Fault> {
        let (mut code, mut count) = (first, 0);
        while count < most
            && let Some(digit) = self.chars.peek().and_then(|char| char.to_digit(radix))
        {
            self.chars.next();
            code = code.saturating_mul(radix).saturating_add(digit);
            count += 1;
        }
        let char = char::from_u32(code).filter(|_| count >= least);
        char.ok_or_else(|| invalid(r"invalid escape \ sequence"))
    }

    /// The rest of a bracket expression.
    fn bracket(&mut self) -> Result<Node, Fault> {
        let ahead: String = self.chars.clone().take(7).collect();
        for (text, place) in [("[:<:]]", r"\b{start}"), ("[:>:]]", r"\b{end}")] {
            if ahead.starts_with(text) {
                self.chars.nth(text.len() - 1);
                return Ok(Node::Place(place));
            }
        }
        let mut class = String::from("[");
        let is_negated = self.chars.next_if_eq(&'^').is_some();
        if is_negated {
            class.push('^');
            if self.options.lines {
                class.push_str(r"\n");
            }
        }
        let mut is_first = true;
        loop {
            let item = match self.chars.next() {
                None => return Err(invalid("brackets [] not balanced")),
                Some(']') if !is_first => break,
                // A hyphen stands for itself at the start or the end, or as the end of a range.
                Some('-') if !is_first && self.chars.peek() != Some(&']') => {
                    return Err(invalid("invalid character range"));
                }
                Some(char) => self.bracket_item(char)?,
            };
            is_first = false;
            let Ok(low) = item else {
                item.map_or_else(|set| class.push_str(&set), |_| {});
                continue;
            };
            let mut ahead = self.chars.clone();
            let is_range = ahead.next() == Some('-') && !matches!(ahead.next(), Some(']') | None);
            if !is_range {
                class.push_str(&quoted(low));
                continue;
            }
            self.chars.next();
            let char = self.chars.next().unwrap_or_default();
            let high = self.bracket_item(char)?.map_err(|_| invalid("invalid character range"))?;
            if high < low {
                return Err(invalid("invalid character range"));
            }
            class.push_str(&quoted(low));
            class.push('-');
            class.push_str(&quoted(high));
        }
        class.push(']');
        Ok(Node::One(class))
    }

    /// A character of a bracket expression, or (`Err`) a set of them in the engine's syntax.
    fn bracket_item(&mut self, char: char) -> Result<Result<char, String>, Fault> {
        match (char, self.chars.peek()) {
            ('[', Some(&kind @ (':' | '.' | '='))) => {
                self.chars.next();
                let mut name = String::new();
                loop {
                    match self.chars.next() {
                        Some(char) if char == kind && self.chars.peek() == Some(&']') => break,
                        Some(char) => name.push(char),
                        None => return Err(invalid("brackets [] not balanced")),
                    }
                }
                self.chars.next();
                if kind == ':' {
                    let set = named_class(&name).ok_or_else(|| invalid("invalid character class"))?;
                    return Ok(Err(set));
                }
                let mut chars = name.chars();
                match (chars.next(), chars.next()) {
                    (Some(char), None) => Ok(Ok(char)),
                    _ => Err(unsupported("collating elements by name")),
                }
            }
            ('\\', Some(&char)) => {
                self.chars.next();
                match char {
                    'd' | 's' | 'w' | 'D' | 'S' | 'W' => Ok(Err(format!("[{}]", class_escape(char)))),
                    'A' | 'm' | 'M' | 'y' | 'Y' | 'Z' | '1'..='9' => Err(invalid(r"invalid escape \ sequence")),
                    _ => self.character(char).map(Ok),
                }
            }
            _ => Ok(Ok(char)),
        }
    }
}

/// The fault of an expression that would take too much memory.
pub(super) fn too_large() -> Fault {
    invalid("the expression is too large")
}

/// What PostgreSQL has and the engine cannot do.
fn unsupported(what: &str) -> Fault {
    Fault::new(Code::UnsupportedRegex, format!("{what} are not supported in a regular expression"))
}

/// A character that stands for itself.
fn quoted(char: char) -> String {
    match char {
        _ if char.is_alphanumeric() || char == '_' => char.to_string(),
        _ => format!(r"\x{{{:x}}}", u32::from(char)),
    }
}

/// The inside of the brackets of a class escape.
fn class_escape(letter: char) -> String {
    match letter {
        'd' => "0-9".to_owned(),
        'D' => "^0-9".to_owned(),
        's' => SPACE.to_owned(),
        'S' => format!("^{SPACE}"),
        'w' => WORD.to_owned(),
        _ => format!("^{WORD}"),
    }
}

fn named_class(name: &str) -> Option<String> {
    let inside = match name {
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "alpha" => r"\p{Alphabetic}",
        "blank" => r"\t\x20",
        "cntrl" => r"\p{Cc}",
        "digit" => "0-9",
        "graph" => r"\p{L}\p{M}\p{N}\p{P}\p{S}",
        "lower" => r"\p{Lowercase}",
        "print" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\x20",
        "punct" => r"\p{P}\p{S}",
        "space" => SPACE,
        "upper" => r"\p{Uppercase}",
        "word" => WORD,
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    };
    Some(format!("[{inside}]"))
}
