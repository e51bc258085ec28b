//! Like: SQL's patterns, `%` for any characters and `_` for one.

use memchr::memmem;

use crate::column::Fault;
use crate::diagnostic::Code;

/// A pattern, made ready.
#[derive(Debug, Clone)]
pub(in crate::expr) struct Matcher {
    /// The stretches between the `%`, in order.
    stretches: Vec<Stretch>,
    ignore_case: bool,
}

/// What must stand somewhere without a gap.
#[derive(Debug, Clone)]
enum Stretch {
    /// These characters, found quickly.
    Text(String, Box<memmem::Finder<'static>>),
    /// Characters, `None` being any one.
    Wild(Vec<Option<char>>),
}

impl Matcher {
    /// Reads a pattern. `escape` makes the character after it literal; without one there is no escaping.
    pub(in crate::expr) fn new(pattern: &str, escape: Option<char>, ignore_case: bool) -> Result<Self, Fault> {
        let folded = if ignore_case { pattern.to_lowercase() } else { pattern.to_owned() };
        let escape = if ignore_case { escape.and_then(|escape| escape.to_lowercase().next()) } else { escape };
        let mut stretches = vec![Vec::new()];
        let mut chars = folded.chars();
        while let Some(char) = chars.next() {
            let Some(stretch) = stretches.last_mut() else { break };
            match char {
                _ if Some(char) == escape => match chars.next() {
                    Some(literal) => stretch.push(Some(literal)),
                    None => return Err(Fault::new(Code::BadEscape, "LIKE pattern must not end with escape character")),
                },
                '%' => stretches.push(Vec::new()),
                '_' => stretch.push(None),
                _ => stretch.push(Some(char)),
            }
        }
        let stretches = stretches.into_iter().map(|chars| match chars.iter().copied().collect::<Option<String>>() {
            Some(text) => {
                let finder = memmem::Finder::new(&text).into_owned();
                Stretch::Text(text, Box::new(finder))
            }
            None => Stretch::Wild(chars),
        });
        Ok(Self { stretches: stretches.collect(), ignore_case })
    }

    /// Whether the whole text is what the pattern describes.
    pub(in crate::expr) fn matches(&self, text: &str) -> bool {
        if self.ignore_case { self.matches_folded(&text.to_lowercase()) } else { self.matches_folded(text) }
    }

    /// The first stretch stands at the start, the last at the end, and those between at the first place that they find:
    /// taking the first can never make a later one fail.
    fn matches_folded(&self, text: &str) -> bool {
        let Some((first, rest)) = self.stretches.split_first() else { return text.is_empty() };
        let Some(text) = first.strip_start(text) else { return false };
        let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
        let mut text = text;
        for stretch in middle {
            match stretch.skip_past(text) {
                Some(after) => text = after,
                None => return false,
            }
        }
        last.is_end_of(text)
    }
}

impl Stretch {
    fn strip_start<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Text(wanted, _) => text.strip_prefix(wanted.as_str()),
            Self::Wild(wanted) => {
                let mut chars = text.chars();
                wanted.iter().all(|wanted| same(*wanted, chars.next())).then_some(chars.as_str())
            }
        }
    }

    fn skip_past<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Text(wanted, finder) => text.get(finder.find(text.as_bytes())? + wanted.len()..),
            Self::Wild(_) => {
                let starts = text.char_indices().map(|(start, _)| start).chain([text.len()]);
                starts.filter_map(|start| text.get(start..)).find_map(|rest| self.strip_start(rest))
            }
        }
    }

    fn is_end_of(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted, _) => text.ends_with(wanted.as_str()),
            Self::Wild(wanted) => {
                let mut chars = text.chars().rev();
                wanted.iter().rev().all(|wanted| same(*wanted, chars.next()))
            }
        }
    }
}

fn same(wanted: Option<char>, found: Option<char>) -> bool {
    found.is_some() && (wanted.is_none() || wanted == found)
}

/// The escape character that a text names: one, or none when it is empty.
pub(in crate::expr) fn escape(text: &str) -> Result<Option<char>, Fault> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (found, None) => Ok(found),
        _ => Err(Fault::new(Code::BadEscape, "invalid escape string")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn patterns_describe_the_whole_text() {
        for (text, pattern, wanted) in [
            ("abc", "abc", true),
            ("abc", "ab", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "_b_", true),
            ("abc", "____", false),
            ("", "%", true),
            ("", "", true),
            ("", "_", false),
            ("aba", "ab%ba", false),
            ("xaaay", "x%a_y", true),
            ("größe", "gr__e", true),
            ("a%c", r"a\%c", true),
            ("abc", r"a\%c", false),
            ("mississippi", "m%iss%ppi", true),
            ("mississippi", "m%iss%iss%iss%", false),
        ] {
            assert_eq!(Matcher::new(pattern, Some('\\'), false).unwrap().matches(text), wanted, "{text} {pattern}");
        }
        assert!(Matcher::new("GRÖ%", None, true).unwrap().matches("größe"));
        assert_eq!(Matcher::new(r"a\", Some('\\'), false).unwrap_err().code, Code::BadEscape);
    }
}
