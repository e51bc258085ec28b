//! Array: an array of texts, written as PostgreSQL writes one: `{a,"b c",NULL}`. No column and no expression has such a type;
//! some functions return an array, and others take it as an argument.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::text::quote;
use crate::column::Fault;
use crate::diagnostic::Code;

/// Most dimensions of an array: PostgreSQL's.
const DIMENSIONS_MAX: usize = 6;

/// An array of texts; an element may be NULL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TextArray {
    /// The elements, row by row.
    pub(crate) elements: Vec<Option<String>>,
    /// The length of each dimension, the outermost first; an empty array has none.
    pub(crate) lengths: Vec<usize>,
}

impl TextArray {
    /// Reads an array.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let malformed = || Fault::new(Code::NotAValue, format!("malformed array literal: {}", quote(text.as_bytes())));
        let mut reader = Reader { rest: text, array: Self::default(), leaves: None };
        reader.blanks();
        let is_read = reader.list(0).is_some();
        reader.blanks();
        if is_read && reader.rest.is_empty() { Ok(reader.array) } else { Err(malformed()) }
    }

    /// An array of one dimension, or the empty one.
    pub(crate) fn list(elements: Vec<Option<String>>) -> Self {
        let lengths = if elements.is_empty() { Vec::new() } else { vec![elements.len()] };
        Self { elements, lengths }
    }

    /// Appends the text of the array. As for PostgreSQL, an element stands in quotes where it could be read otherwise.
    pub(crate) fn write(&self, out: &mut String) {
        self.nested(['{', '}'], ",", out, write_element);
    }

    /// Appends the text of an array of one dimension.
    pub(crate) fn write_list<'a>(elements: impl Iterator<Item = Option<&'a str>>, out: &mut String) {
        out.push('{');
        for (at, element) in elements.enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            write_element(element, out);
        }
        out.push('}');
    }

    /// Appends the elements with commas between them, and the rows of every dimension in brackets. `outer` stands between the
    /// rows of the outermost dimension.
    pub(crate) fn nested(
        &self,
        [open, close]: [char; 2],
        outer: &str,
        out: &mut String,
        mut element: impl FnMut(Option<&str>, &mut String),
    ) {
        if self.elements.is_empty() {
            out.extend([open, close]);
        }
        // How many elements a row of each dimension has.
        let sizes: Vec<usize> = (0..self.lengths.len()).map(|at| self.lengths.iter().skip(at).product()).collect();
        for (at, value) in self.elements.iter().enumerate() {
            out.push_str(match sizes.get(1) {
                _ if at == 0 => "",
                Some(size) if at % size != 0 => ",",
                _ => outer,
            });
            out.extend(sizes.iter().filter(|size| at % **size == 0).map(|_| open));
            element(value.as_deref(), out);
            out.extend(sizes.iter().filter(|size| (at + 1) % **size == 0).map(|_| close));
        }
    }

    /// The first so many rows of the outermost dimension.
    pub(crate) fn truncated(mut self, rows: usize) -> Self {
        let inner: usize = self.lengths.iter().skip(1).product();
        self.elements.truncate(rows * inner);
        match self.lengths.first_mut() {
            Some(length) if rows > 0 => *length = rows,
            _ => self.lengths.clear(),
        }
        self
    }

    /// Two arrays one behind the other: arrays of rows of one shape, or one such row and an array of them.
    pub(crate) fn joined(mut self, mut other: Self) -> Result<Self, Fault> {
        if self.lengths.is_empty() || other.lengths.is_empty() {
            return Ok(if self.lengths.is_empty() { other } else { self });
        }
        // A row is an array of one.
        match self.lengths.len().cmp(&other.lengths.len()) {
            Ordering::Less => self.lengths.insert(0, 1),
            Ordering::Greater => other.lengths.insert(0, 1),
            Ordering::Equal => {}
        }
        let (first, second) = (self.lengths.split_first(), other.lengths.split_first());
        match (first, second) {
            (Some((first, inner)), Some((second, same))) if inner == same => {
                let lengths = [first + second].into_iter().chain(inner.iter().copied()).collect();
                self.elements.append(&mut other.elements);
                Ok(Self { lengths, ..self })
            }
            _ => Err(Fault::new(Code::ArrayShape, "cannot concatenate incompatible arrays")),
        }
    }

    /// Whether every element of another array is one of this one. NULL is equal to nothing.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        let known: BTreeSet<_> = self.elements.iter().flatten().collect();
        other.elements.iter().all(|element| element.as_ref().is_some_and(|element| known.contains(element)))
    }

    /// The order of two arrays: by the first elements that differ, of which NULL is the greatest; then by their number; then by
    /// their dimensions.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let mut orders = self.elements.iter().zip(&other.elements).map(|(one, two)| match (one, two) {
            (Some(one), Some(two)) => one.cmp(two),
            (one, two) => one.is_none().cmp(&two.is_none()),
        });
        let first = orders.find(|order| order.is_ne());
        first.unwrap_or_else(|| {
            let lengths = self.elements.len().cmp(&other.elements.len());
            lengths.then(self.lengths.len().cmp(&other.lengths.len())).then_with(|| self.lengths.cmp(&other.lengths))
        })
    }

    /// The elements, if the array has one dimension at most.
    pub(crate) fn flat(self) -> Result<Vec<Option<String>>, Fault> {
        match self.lengths.len() {
            0 | 1 => Ok(self.elements),
            _ => Err(Fault::new(Code::ArrayShape, "wrong number of array subscripts")),
        }
    }
}

fn write_element(element: Option<&str>, out: &mut String) {
    let Some(element) = element else {
        out.push_str("NULL");
        return;
    };
    let is_plain = !element.is_empty()
        && !element.eq_ignore_ascii_case("null")
        && !element.contains(|char| matches!(char, '"' | '\\' | '{' | '}' | ',') || is_blank(char));
    if is_plain {
        out.push_str(element);
        return;
    }
    out.push('"');
    for char in element.chars() {
        out.push_str(if matches!(char, '"' | '\\') { "\\" } else { "" });
        out.push(char);
    }
    out.push('"');
}

/// What is left of a text, and the array so far. Every step is `None` where the text is no array.
struct Reader<'a> {
    rest: &'a str,
    array: TextArray,
    /// How deep the elements stand.
    leaves: Option<usize>,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    fn eat(&mut self, char: char) -> bool {
        let rest = self.rest.strip_prefix(char);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// An array, or a row of one.
    fn list(&mut self, depth: usize) -> Option<()> {
        if depth == DIMENSIONS_MAX || !self.eat('{') {
            return None;
        }
        self.blanks();
        if depth == 0 && self.eat('}') {
            return Some(());
        }
        let mut length = 0;
        loop {
            self.blanks();
            match self.rest.starts_with('{') {
                true => self.list(depth + 1)?,
                // Elements stand in the innermost rows only.
                false if self.leaves.is_some_and(|leaves| leaves != depth) => return None,
                false => {
                    self.leaves = Some(depth);
                    self.element()?;
                }
            }
            length += 1;
            self.blanks();
            if self.eat('}') {
                break;
            }
            if !self.eat(',') {
                return None;
            }
        }
        // All rows of a dimension have one length. The innermost is known first.
        let lengths = &mut self.array.lengths;
        match lengths.get(depth) {
            Some(0) | None => {
                if lengths.len() <= depth {
                    lengths.resize(depth + 1, 0);
                }
                *lengths.get_mut(depth)? = length;
                Some(())
            }
            Some(&known) => (known == length).then_some(()),
        }
    }

    fn element(&mut self) -> Option<()> {
        let is_quoted = self.eat('"');
        let mut text = String::new();
        // Where the text ends that is neither a blank at its end nor an escape.
        let mut end = 0;
        let mut is_plain = !is_quoted;
        loop {
            let char = self.rest.chars().next()?;
            match char {
                '"' if is_quoted => {
                    self.eat('"');
                    break;
                }
                ',' | '}' if !is_quoted => break,
                '{' | '"' if !is_quoted => return None,
                '\\' => {
                    self.eat('\\');
                    let escaped = self.rest.chars().next()?;
                    self.eat(escaped);
                    text.push(escaped);
                    end = text.len();
                    is_plain = false;
                }
                _ => {
                    self.eat(char);
                    text.push(char);
                    end = if is_quoted || !is_blank(char) { text.len() } else { end };
                }
            }
        }
        text.truncate(end);
        if !is_quoted && text.is_empty() {
            return None;
        }
        let is_null = is_plain && text.eq_ignore_ascii_case("null");
        self.array.elements.push((!is_null).then_some(text));
        Some(())
    }
}

/// What C calls a space.
fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_as_postgresql_reads_them() {
        for (text, wanted, lengths) in [
            ("{}", "", "[]"),
            (" { } ", "", "[]"),
            (" { a } ", "a", "[1]"),
            (r#"{a, b c ,"d \" e", NULL, "null",nul\l}"#, r#"a|b c|d " e|-|null|null"#, "[6]"),
            (r"{a\,b,\ c ,d\ }", "a,b| c|d ", "[3]"),
            ("{{a,b},{c,d}}", "a|b|c|d", "[2, 2]"),
            ("{{{a}}}", "a", "[1, 1, 1]"),
            ("{\"\"}", "", "[1]"),
        ] {
            let found = TextArray::parse(text).unwrap();
            let elements: Vec<_> = found.elements.iter().map(|element| element.as_deref().unwrap_or("-")).collect();
            assert_eq!(
                (elements.join("|").as_str(), format!("{:?}", found.lengths).as_str()),
                (wanted, lengths),
                "{text}"
            );
        }
        for text in [
            "",
            "a",
            "{a,}",
            "{,a}",
            "{a}}",
            "{a} b",
            r#"{"a"b}"#,
            r#"{a"b"}"#,
            "{{a,b},{c}}",
            "{{a,b},c}",
            "{a,{b}}",
            "{{},{}}",
            "{a {b}",
            "{",
            r"{a\",
            "{{a},{}}",
            "{{{{{{{a}}}}}}}",
        ] {
            assert!(TextArray::parse(text).is_err(), "{text}");
        }
        assert!(TextArray::parse("{{a}}").unwrap().flat().is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["{}", "{a}", r#"{"a,\"b",NULL,"null"}"#, "{{a,b},{c,d}}", "{{{a},{b}},{{c},{NULL}}}"] {
            let array = TextArray::parse(text).unwrap();
            let mut written = String::new();
            array.write(&mut written);
            assert_eq!(TextArray::parse(&written).unwrap(), array, "{text}");
        }
    }

    #[test]
    fn arrays_of_one_shape_are_joined() {
        let join = |left: &str, right: &str| {
            let mut text = String::new();
            TextArray::parse(left).unwrap().joined(TextArray::parse(right).unwrap())?.write(&mut text);
            Ok::<_, Fault>(text.replace('"', ""))
        };
        for (left, right, wanted) in [
            ("{}", "{a}", "{a}"),
            ("{{a}}", "{}", "{{a}}"),
            ("{a,b}", "{c}", "{a,b,c}"),
            ("{{a,b}}", "{c,d}", "{{a,b},{c,d}}"),
            ("{a,b}", "{{c,d},{e,f}}", "{{a,b},{c,d},{e,f}}"),
        ] {
            assert_eq!(join(left, right).unwrap(), wanted);
        }
        for (left, right) in [("{{a,b}}", "{c}"), ("{a}", "{{{b}}}"), ("{{a}}", "{{b,c}}")] {
            assert_eq!(join(left, right).unwrap_err().code, Code::ArrayShape);
        }
    }
}
