//! YAML: the pipeline file as a tree of texts, lists and mappings with their places. The only file that knows the YAML
//! parser.
//!
//! Every scalar is taken as it is written (`NO` is a text, `1.10` keeps its zero); its place decides what it means. Features of
//! YAML that are not part of the file format (anchors, aliases, merge keys, tags, several documents) are errors with a code of
//! their own. So are texts that YAML reads in another way than their author probably means.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use super::text::{self, Style, Text};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Most bytes of a pipeline file.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Most lists and mappings inside each other; the file format needs five.
const DEPTH_MAX: usize = 32;
/// So often something is rewritten for the parser, and the file read again.
const REWRITES_MAX: usize = 64;

/// A part of the file.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its place; that of its key where it is empty.
    pub(super) span: Span,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a part of the file is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing is written.
    Empty,
    /// A text.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file, no key twice.
    Mapping(Vec<Entry>),
}

/// A text.
#[derive(Debug)]
pub(crate) struct Scalar {
    /// The text.
    pub(super) text: Text,
    /// The comment that ends it, if it has no quotes and a comment follows on its line.
    pub(super) comment: Option<Span>,
}

/// A key and its value.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(super) key: Text,
    /// The value.
    pub(super) value: Node,
}

impl Entry {
    /// A key that a short form stands for, with the text that is its value there.
    pub(crate) fn of(key: &str, text: Text) -> Self {
        let key = Text::meaning(key, text.span);
        Self { key, value: Node { span: text.span, kind: Kind::Scalar(Scalar { text, comment: None }) } }
    }
}

impl Kind {
    /// What people call it.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Scalar(_) => "a text",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// Reads a file: its tree if its form is YAML, and what is wrong with it.
pub(super) fn parse(source: &str) -> (Option<Node>, Vec<Diagnostic>) {
    if let Some(wrong) = unreadable(source) {
        return (None, vec![wrong]);
    }
    let mut input = Input::new(source);
    for rewrites_left in (0..=REWRITES_MAX).rev() {
        let body: String = input.characters.iter().collect();
        let mut reader = Reader {
            source,
            offsets: &input.offsets,
            parser: Parser::new_from_str(&body),
            diagnostics: Vec::new(),
            last: input.offsets.first().copied().unwrap_or_default(),
            stopped: None,
        };
        let root = reader.file().ok();
        let (diagnostics, stopped) = (reader.diagnostics, reader.stopped);
        match stopped {
            Some(error) if rewrites_left > 0 && input.rewrite(&error) => {}
            _ => return (root, diagnostics),
        }
    }
    unreachable!("the last time, nothing is rewritten")
}

/// The characters that the parser reads, and the byte of the file at which each begins: it counts characters.
struct Input {
    characters: Vec<char>,
    /// One more than there are characters.
    offsets: Vec<usize>,
}

impl Input {
    fn new(source: &str) -> Self {
        // A byte order mark says nothing about the file.
        let characters = source.char_indices().filter(|&(at, c)| at > 0 || c != '\u{FEFF}');
        let (offsets, characters): (Vec<usize>, Vec<char>) = characters.unzip();
        Self { characters, offsets: offsets.into_iter().chain([source.len()]).collect() }
    }

    /// Writes what YAML 1.2 allows and the parser does not take in the way that it takes; `false`: this is not it.
    fn rewrite(&mut self, error: &ScanError) -> bool {
        let at = error.marker().index().min(self.characters.len());
        match error.info() {
            info if info.contains("':' must be followed by a valid YAML whitespace") => self.tabs_to_blanks(at),
            info if info.contains("invalid Unicode character escape") => self.join_surrogates(at),
            _ => false,
        }
    }

    /// Tabs between a `:` and the value at `at` become blanks (6.2: separation is blanks and tabs).
    fn tabs_to_blanks(&mut self, at: usize) -> bool {
        let mut changed = false;
        for c in self.characters.iter_mut().take(at).rev().take_while(|c| matches!(**c, ' ' | '\t')) {
            changed |= *c == '\t';
            *c = ' ';
        }
        changed
    }

    /// Pairs of escapes as JSON has them, `\ud83d\ude00`, become one, `\U0001f600`, in the text whose quote stands at `at`.
    fn join_surrogates(&mut self, at: usize) -> bool {
        let mut changed = false;
        let mut at = at + 1;
        while let Some(&c) = self.characters.get(at).filter(|c| **c != '"') {
            if c != '\\' {
                at += 1;
                continue;
            }
            let pair = self.escape(at).zip(self.escape(at + 6));
            if let Some((high @ 0xD800..=0xDBFF, low @ 0xDC00..=0xDFFF)) = pair {
                let joined = format!("\\U{:08x}", 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                let length = joined.len();
                self.characters.splice(at..at + 12, joined.chars());
                self.offsets.drain(at + length..at + 12);
                changed = true;
            }
            at += 2;
        }
        changed
    }

    /// The number of the escape `\uXXXX` at `at`.
    fn escape(&self, at: usize) -> Option<u32> {
        let escape: String = self.characters.get(at..at + 6)?.iter().collect();
        let digits = escape.strip_prefix("\\u").filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// What keeps a file from being read at all.
fn unreadable(source: &str) -> Option<Diagnostic> {
    if source.len() > FILE_BYTES_MAX {
        let message = format!("the file has {} bytes; a pipeline file has at most {FILE_BYTES_MAX}", source.len());
        return Some(Diagnostic::error(Code::Yaml, Span::default(), message));
    }
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    let (at, control) = source.char_indices().find(|&(_, c)| is_control(c))?;
    let message = format!("the control character U+{:04X} cannot stand in a pipeline file", u32::from(control));
    Some(
        Diagnostic::error(Code::Yaml, Span::new(at, at + control.len_utf8()), message)
            .with_help("between double quotes, write it as an escape such as `\\x01`"),
    )
}

/// The file cannot be read further; why is among the diagnostics.
struct Stop;

struct Reader<'a> {
    source: &'a str,
    /// The byte at which each character of the input begins.
    offsets: &'a [usize],
    parser: Parser<'a, StrInput<'a>>,
    diagnostics: Vec<Diagnostic>,
    /// The byte after what was read last: tags and anchors stand between it and their value.
    last: usize,
    /// Why the parser stopped.
    stopped: Option<ScanError>,
}

impl<'a> Reader<'a> {
    fn file(&mut self) -> Result<Node, Stop> {
        loop {
            match self.next()? {
                (Event::DocumentStart(_), _) => break,
                (Event::StreamEnd, _) => {
                    return self.stop(
                        Diagnostic::error(Code::Yaml, Span::default(), "the file is empty")
                            .with_help("`etalon sample FOLDER` writes a pipeline file with its data, to begin from"),
                    );
                }
                _ => {}
            }
        }
        let first = self.next()?;
        let root = self.node(first, Span::default(), 0)?;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::DocumentStart(_), span) => {
                    let span =
                        if span.start < span.end { span } else { Span::new(span.start, self.line_end(span.start)) };
                    return self.stop(
                        Diagnostic::error(Code::Yaml, span, "a second document begins in the file")
                            .with_help("a file holds one pipeline; write the other to a file of its own"),
                    );
                }
                _ => {}
            }
        }
    }

    fn stop<T>(&mut self, diagnostic: Diagnostic) -> Result<T, Stop> {
        self.diagnostics.push(diagnostic);
        Err(Stop)
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let (start, end) = (self.byte(span.start), self.byte(span.end));
                Ok((event, Span::new(start, end.max(start))))
            }
            Some(Err(error)) => {
                let diagnostic = self.explain(&error);
                self.stopped = Some(error);
                self.stop(diagnostic)
            }
            None => Ok((Event::StreamEnd, Span::new(self.source.len(), self.source.len()))),
        }
    }

    fn byte(&self, mark: Marker) -> usize {
        self.offsets.get(mark.index()).copied().unwrap_or(self.source.len())
    }

    /// Reads the node that begins with an event. `owner` is the place of its key.
    fn node(&mut self, (event, span): (Event<'a>, Span), owner: Span, depth: usize) -> Result<Node, Stop> {
        if depth > DEPTH_MAX {
            let message = format!("lists and mappings are nested more than {DEPTH_MAX} deep");
            return self.stop(Diagnostic::error(Code::Yaml, self.one_character(span.start), message));
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let start = self.refuse_properties(anchor, tag.is_some(), span.start);
                Ok(self.scalar(&value, style, Span::new(start.min(span.end), span.end), owner))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), span.start);
                self.list(span.start, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), span.start);
                self.mapping(span.start, depth)
            }
            Event::Alias(_) => {
                self.diagnostics.push(alias(span));
                self.last = span.end;
                Ok(Node { span, kind: Kind::Empty })
            }
            _ => self.stop(Diagnostic::error(Code::Yaml, span, "a value is missing")),
        }
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: Span, owner: Span) -> Node {
        if value.is_empty() && style == ScalarStyle::Plain {
            return Node { span: owner, kind: Kind::Empty };
        }
        let (style, plain) = match style {
            ScalarStyle::Plain => (Style::Plain, true),
            ScalarStyle::SingleQuoted => (Style::Single, false),
            ScalarStyle::DoubleQuoted => (Style::Double, false),
            ScalarStyle::Literal | ScalarStyle::Folded => (Style::Block, false),
        };
        let text = text::align(self.source, span, value, style);
        let comment = if plain { self.comment_after(text.span.end) } else { None };
        self.last = text.span.end;
        Node { span: text.span, kind: Kind::Scalar(Scalar { text, comment }) }
    }

    fn list(&mut self, start: usize, depth: usize) -> Result<Node, Stop> {
        let mut nodes = Vec::new();
        let mut end = self.one_character(start).end;
        self.last = end;
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                end = self.close(end, span);
                return Ok(Node { span: Span::new(start, end), kind: Kind::List(nodes) });
            }
            let node = self.node((event, span), self.one_character(start), depth + 1)?;
            end = end.max(node.span.end);
            nodes.push(node);
        }
    }

    fn mapping(&mut self, start: usize, depth: usize) -> Result<Node, Stop> {
        let braces = self.source.get(start..).is_some_and(|rest| rest.starts_with('{'));
        let mut entries: Vec<Entry> = Vec::new();
        let mut end = self.one_character(start).end;
        if braces {
            self.last = end;
        }
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                end = self.close(end, span);
                break;
            }
            let key = self.node((event, span), self.one_character(span.start), depth + 1)?;
            let value = self.next()?;
            let value = self.node(value, key.span, depth + 1)?;
            end = end.max(value.span.end).max(key.span.end);
            if let Some(key) = self.key(key) {
                entries.push(Entry { key, value });
            }
        }
        if braces {
            self.join_cut_parentheses(&mut entries);
        }
        self.refuse_duplicates(&mut entries);
        Ok(Node { span: Span::new(start, end), kind: Kind::Mapping(entries) })
    }

    /// The end of a list or mapping: its bracket where it has one, else the end of its last part.
    fn close(&mut self, end: usize, span: Span) -> usize {
        let bracket = self.source.get(span.start..span.end).is_some_and(|text| matches!(text, "]" | "}"));
        let end = if bracket { end.max(span.end) } else { end };
        self.last = end;
        end
    }

    fn key(&mut self, key: Node) -> Option<Text> {
        match key.kind {
            Kind::Scalar(Scalar { text, .. }) if text.text == "<<" => {
                self.diagnostics.push(
                    Diagnostic::error(Code::YamlFeature, text.span, "merge keys are not part of the file format")
                        .with_help("write the keys out"),
                );
                None
            }
            Kind::Scalar(Scalar { text, .. }) => Some(text),
            Kind::Empty => {
                self.diagnostics.push(Diagnostic::error(Code::Yaml, key.span, "a key is missing before the `:`"));
                None
            }
            Kind::List(_) | Kind::Mapping(_) => {
                let message = format!("a key is a text, found {}", key.kind.noun());
                self.diagnostics.push(Diagnostic::error(Code::WrongKind, key.span, message));
                None
            }
        }
    }

    /// `{ type: decimal(12,2) }` is `type: decimal(12` and an empty key `2)` to YAML. Says so, and reads on with what is
    /// meant.
    fn join_cut_parentheses(&mut self, entries: &mut Vec<Entry>) {
        let mut at = 0;
        while at < entries.len() {
            let Some((cut, followers)) = self.cut_parenthesis(entries, at) else {
                at += 1;
                continue;
            };
            let meant = cut.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let quote = if meant.contains('"') { '\'' } else { '"' };
            self.diagnostics.push(
                Diagnostic::error(
                    Code::CutParenthesis,
                    cut.span,
                    "YAML cuts a text without quotes at `,` between braces",
                )
                .with_help(format!("quote it: {quote}{meant}{quote}; or use more lines, without braces")),
            );
            if let Some(entry) = entries.get_mut(at) {
                entry.value = Node { span: cut.span, kind: Kind::Scalar(Scalar { text: cut, comment: None }) };
            }
            entries.drain(at + 1..=at + followers);
            at += 1;
        }
    }

    /// The whole text of the value at `at`, if it opens a parenthesis that the empty keys after it close, and their number.
    fn cut_parenthesis(&self, entries: &[Entry], at: usize) -> Option<(Text, usize)> {
        let entry = entries.get(at)?;
        let Kind::Scalar(Scalar { text: first, .. }) = &entry.value.kind else { return None };
        let mut open = open_parentheses(&first.text);
        if open <= 0 {
            return None;
        }
        for (index, follower) in entries.get(at + 1..)?.iter().enumerate() {
            if !matches!(follower.value.kind, Kind::Empty) {
                return None;
            }
            open += open_parentheses(&follower.key.text);
            if open <= 0 {
                let span = first.span.to(follower.key.span);
                return Some((text::verbatim(self.source, span), index + 1));
            }
        }
        None
    }

    fn refuse_duplicates(&mut self, entries: &mut Vec<Entry>) {
        let mut seen = std::collections::BTreeMap::new();
        entries.retain(|entry| match seen.get(&entry.key.text) {
            None => {
                seen.insert(entry.key.text.clone(), entry.key.span);
                true
            }
            Some(&first) => {
                let message = format!("the key `{}` stands twice", entry.key.text);
                let diagnostic = Diagnostic::error(Code::DuplicateKey, entry.key.span, message);
                self.diagnostics.push(diagnostic.with_label(first, "it stands here first"));
                false
            }
        });
    }

    /// Refuses the anchor and the tag of a value, and returns the byte at which the value itself begins: the parser's `start` may
    /// be that of the anchor or the tag.
    fn refuse_properties(&mut self, anchor: usize, tag: bool, start: usize) -> usize {
        let mut behind = start;
        if anchor == 0 && !tag {
            return behind;
        }
        // The value of an empty node begins where its tag or anchor does or ends; so the line's rest is searched too.
        let from = self.last.min(start);
        let to = self.line_end(start.max(from));
        let between = self.source.get(from..to).unwrap_or_default();
        let begin = |sign: char| between.find(sign).map_or(start, |found| from + found);
        let mut properties = [('&', anchor != 0, "anchors"), ('!', tag, "tags")];
        properties.sort_by_key(|&(sign, ..)| begin(sign));
        for (sign, _, noun) in properties.into_iter().filter(|&(_, is_there, _)| is_there) {
            let rest = self.source.get(begin(sign)..).unwrap_or_default();
            let length = rest.find([' ', '\t', '\n', '\r', ',', ']', '}']).unwrap_or(rest.len());
            let span = Span::new(begin(sign), begin(sign) + length);
            if span.start == behind {
                let blanks = rest.get(length..).map_or(0, |rest| rest.len() - rest.trim_start().len());
                behind = span.end + blanks;
            }
            self.diagnostics.push(
                Diagnostic::error(Code::YamlFeature, span, format!("{noun} are not part of the file format"))
                    .with_help(format!("if the text itself begins with `{sign}`, quote it")),
            );
        }
        behind
    }

    fn comment_after(&self, end: usize) -> Option<Span> {
        let rest = self.source.get(end..)?;
        let comment = rest.trim_start_matches([' ', '\t']);
        if comment.len() == rest.len() || !comment.starts_with('#') {
            return None;
        }
        let start = self.source.len() - comment.len();
        let line = self.source.get(start..self.line_end(start))?;
        Some(Span::new(start, start + line.trim_end().len()))
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.source.get(from..).unwrap_or_default();
        from + rest.find(['\n', '\r']).unwrap_or(rest.len())
    }

    fn one_character(&self, at: usize) -> Span {
        let length = self.source.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Span::new(at, at + length)
    }

    /// The parser's complaint in the words of this project.
    fn explain(&self, error: &ScanError) -> Diagnostic {
        let at = self.byte(*error.marker()).min(self.source.len());
        let here = self.one_character(at);
        let found = self.source.get(here.start..here.end).unwrap_or_default();
        let wrong = |message: &str| Diagnostic::error(Code::Yaml, here, message);
        let info = error.info();
        let is = |part: &str| info.contains(part);
        let tab_before = self.tab_in_indent(at);
        if is("tab") || (is("not find expected") || is("simple key")) && tab_before.is_some() {
            let tab = tab_before.map_or(here, |tab| self.one_character(tab));
            return Diagnostic::error(Code::Yaml, tab, "a tab cannot indent a line").with_help("indent with spaces");
        }
        if is("unknown anchor") {
            let rest = self.source.get(at..).unwrap_or_default();
            let length = rest.find([' ', '\t', '\n', '\r', ',', ']', '}']).unwrap_or(rest.len());
            return alias(Span::new(at, at + length));
        }
        if is("valid YAML whitespace") {
            return wrong("a tab stands before this; YAML wants a blank").with_help("separate with blanks");
        }
        if is("mapping values are not allowed") || is("illegal placement of ':'") {
            if let Some(diagnostic) = self.other_indentation(at) {
                return diagnostic;
            }
            return wrong("`: ` inside a text without quotes would begin a mapping")
                .with_help("quote the text, or write it under `>` on lines of its own");
        }
        if is("quoted scalar, found unexpected end") || is("quoted scalar, found unexpected document") {
            return wrong("a quote is never closed");
        }
        if is("invalid trailing content after") {
            return wrong("something follows the closing quote").with_help(
                "quote the whole text; inside '…' a quote is written twice, inside \"…\" it is written \\\"",
            );
        }
        if is("invalid indentation in quoted scalar") {
            return wrong("a quote is not closed before the lines indented under it end")
                .with_help("close the quote; if the text goes on, indent its lines further");
        }
        if is("unknown escape character") || is("hexadecimal number") || is("invalid Unicode character escape") {
            return wrong("a backslash between double quotes begins an escape that YAML does not know")
                .with_help("write '…' in place of \"…\": there a backslash is itself");
        }
        if is("unexpected character") || is("plain scalar cannot start") || is("unexpected end of plain scalar") {
            return Diagnostic::error(Code::Yaml, here, format!("a text without quotes cannot begin with `{found}`"))
                .with_help("quote the text");
        }
        if is("flow mapping, did not find expected")
            || is("flow sequence, expected")
            || is("invalid indentation in flow")
        {
            return self.explain_flow(at);
        }
        if is("misplaced bracket") || (is("did not find expected key") && matches!(found, "}" | "]")) {
            return Diagnostic::error(Code::Yaml, here, format!("`{found}` closes nothing"))
                .with_help("if it belongs to a text, quote the text");
        }
        if is("comment intercepting") {
            return wrong("a comment stands inside a text of several lines")
                .with_help("if `#` belongs to the text, quote it; else move the comment to its own line above");
        }
        if is("recursion limit") {
            return wrong("lists and mappings are nested too deep");
        }
        if is("byte order mark") {
            return wrong("a byte order mark stands inside the file");
        }
        if is("directive") || is("<document start>") || is("document end marker") {
            return wrong("there is text where a document would begin")
                .with_help("a text that begins with `%` must be quoted; a file holds one pipeline");
        }
        if is("simple key") || is("did not find expected") || is("indentation") || is("mapping keys are not allowed") {
            if let Some(diagnostic) = self.other_indentation(at) {
                return diagnostic;
            }
            return wrong("this line is not a `key: value` of the mapping around it").with_help(
                "check the line's indentation, and that a blank follows the `:` of the line before and of this one",
            );
        }
        if is("block sequence entries") || is("\"-\"") || is("'-'") {
            return wrong("a list cannot begin here").with_help("write each `- value` on a line of its own");
        }
        if is("wrongly indented line in block scalar") {
            return wrong("a line of the text is indented less than its first line");
        }
        if is("block scalar") {
            return wrong(
                "a text under `|` or `>` begins on the line after it, with an optional `-`, `+` or digit before",
            );
        }
        if is("tag") || is("handle") {
            return Diagnostic::error(Code::YamlFeature, here, "tags are not part of the file format")
                .with_help("if the text itself begins with `!`, quote it");
        }
        if is("anchor") {
            return Diagnostic::error(Code::YamlFeature, here, "anchors and aliases are not part of the file format")
                .with_help("if the text itself begins with `&` or `*`, quote it");
        }
        wrong(&format!("the file is not YAML: {info}"))
    }

    /// Between braces or brackets, the next `,` or closing bracket is missing.
    fn explain_flow(&self, at: usize) -> Diagnostic {
        let here = self.one_character(at);
        let found = self.source.get(here.start..here.end).unwrap_or_default();
        let text_before = self.source.get(..at).is_some_and(|before| before.ends_with(|c: char| !c.is_whitespace()));
        if matches!(found, "[" | "{" | "]" | "}") && text_before {
            return Diagnostic::error(
                Code::Yaml,
                here,
                format!("`{found}` inside a text without quotes, between braces"),
            )
            .with_help("quote the text; or use more lines, without braces");
        }
        let place = if found.trim().is_empty() { Span::new(at, at) } else { here };
        Diagnostic::error(Code::Yaml, place, "a `,` or the closing bracket is missing before this")
            .with_help("a text that has `,`, `[`, `]`, `{` or `}` in it must be quoted between braces and brackets")
    }

    /// A line that begins with a key, and is not indented as the key in the line above it.
    fn other_indentation(&self, at: usize) -> Option<Diagnostic> {
        let before = self.source.get(..at)?;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.source.get(start..self.line_end(start))?;
        let mut above = before.get(..start)?.lines().rev();
        let above = above.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let is_key = |line: &str| {
            let key = line.trim_start().split(": ").next().unwrap_or_default().trim_end_matches(':');
            line.contains(':') && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        };
        let (this, other) = (indent(line), indent(above));
        if this == other || !is_key(line) || !is_key(above) {
            return None;
        }
        let blanks = |count: usize| if count == 1 { "1 blank".to_owned() } else { format!("{count} blanks") };
        let message = format!("this line is indented by {}, the one above by {}", blanks(this), blanks(other));
        let key = self.one_character(start + this);
        Some(Diagnostic::error(Code::Yaml, key, message).with_help("the keys of one mapping are indented alike"))
    }

    /// The first tab in the indentation of the line of `at`, or of the line before it.
    fn tab_in_indent(&self, at: usize) -> Option<usize> {
        let line_start = |end: usize| self.source.get(..end).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
        let this = line_start(at);
        let before = line_start(this.saturating_sub(1));
        [this, before].into_iter().find_map(|start| {
            let line = self.source.get(start..)?;
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            line.get(..indent)?.find('\t').map(|tab| start + tab)
        })
    }
}

fn alias(span: Span) -> Diagnostic {
    Diagnostic::error(Code::YamlFeature, span, "aliases are not part of the file format")
        .with_help("if the text itself begins with `*`, quote it")
}

/// Opening parentheses without their closing ones, SQL's literals left out.
pub(super) fn open_parentheses(text: &str) -> i64 {
    let mut quoted = false;
    text.chars().fold(0, |open, c| {
        quoted ^= c == '\'';
        match c {
            '(' if !quoted => open + 1,
            ')' if !quoted => open - 1,
            _ => open,
        }
    })
}
