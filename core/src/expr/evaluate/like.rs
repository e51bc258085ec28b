//! Like: SQL's patterns, `%` for any characters and `_` for one.

use memchr::memmem;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::functions::small;

/// Most characters of a text that are compared with those of a pattern, so that a row does not take seconds.
const STEPS_MAX: u64 = 1 << 26;

/// A pattern, made ready.
#[derive(Debug, Clone)]
pub(in crate::expr) struct Matcher {
    /// The stretches between the `%`, in order.
    stretches: Vec<Stretch>,
    /// Whether the last stretch ends in an escape with nothing behind it.
    is_open: bool,
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
    pub(in crate::expr) fn new(pattern: &str, escape: Option<char>, ignore_case: bool) -> Self {
        let fold = |char| if ignore_case { small(char) } else { char };
        let mut stretches = vec![Vec::new()];
        let mut is_open = false;
        let mut chars = pattern.chars();
        while let Some(char) = chars.next() {
            let Some(stretch) = stretches.last_mut() else { break };
            match char {
                _ if Some(char) == escape => match chars.next() {
                    Some(literal) => stretch.push(Some(fold(literal))),
                    None => is_open = true,
                },
                '%' => stretches.push(Vec::new()),
                '_' => stretch.push(None),
                _ => stretch.push(Some(fold(char))),
            }
        }
        let stretches = stretches.into_iter().map(|chars| match chars.iter().copied().collect::<Option<String>>() {
            Some(text) => {
                let finder = memmem::Finder::new(&text).into_owned();
                Stretch::Text(text, Box::new(finder))
            }
            None => Stretch::Wild(chars),
        });
        Self { stretches: stretches.collect(), is_open, ignore_case }
    }

    /// Whether the whole text is what the pattern describes.
    pub(in crate::expr) fn matches(&self, text: &str) -> Result<bool, Fault> {
        match self.ignore_case {
            true => self.matches_folded(&text.chars().map(small).collect::<String>()),
            false => self.matches_folded(text),
        }
    }

    /// The first stretch stands at the start, the last at the end, and those between at the first place that they find:
    /// taking the first can never make a later one fail.
    fn matches_folded(&self, text: &str) -> Result<bool, Fault> {
        let Some((first, rest)) = self.stretches.split_first() else { return Ok(text.is_empty()) };
        let Some(mut text) = first.strip_start(text) else { return Ok(false) };
        let Some((last, middle)) = rest.split_last() else {
            return if self.is_open && !text.is_empty() { Err(open()) } else { Ok(text.is_empty() && !self.is_open) };
        };
        let mut steps = STEPS_MAX;
        for stretch in middle {
            match stretch.skip_past(text, &mut steps)? {
                Some(after) => text = after,
                None => return Ok(false),
            }
        }
        if !self.is_open {
            return Ok(last.is_end_of(text));
        }
        // The match gets to the escape where there is more text, or where nothing but `_` stands before it; at the end of the
        // text it is not looked for.
        match last.skip_past(text, &mut steps)? {
            Some(after) if !after.is_empty() || (last.is_any() && !text.is_empty()) => Err(open()),
            _ => Ok(false),
        }
    }
}

fn open() -> Fault {
    Fault::new(Code::BadEscape, "LIKE pattern must not end with escape character")
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

    /// What follows the first place at which the stretch stands. Where `_` is in it, each place is tried, and each character
    /// that is compared is a step.
    fn skip_past<'a>(&self, text: &'a str, steps: &mut u64) -> Result<Option<&'a str>, Fault> {
        let wanted = match self {
            Self::Text(wanted, finder) => {
                let found = finder.find(text.as_bytes());
                return Ok(found.and_then(|found| text.get(found + wanted.len()..)));
            }
            Self::Wild(wanted) => wanted,
        };
        let starts = text.char_indices().map(|(start, _)| start).chain([text.len()]);
        for rest in starts.filter_map(|start| text.get(start..)) {
            let mut chars = rest.chars();
            let equal = wanted.iter().take_while(|wanted| same(**wanted, chars.next())).count();
            if equal == wanted.len() {
                return Ok(Some(chars.as_str()));
            }
            let left = u64::try_from(equal + 1).ok().and_then(|used| steps.checked_sub(used));
            *steps = left.ok_or_else(|| Fault::new(Code::ResultTooLong, "too many steps of a LIKE pattern"))?;
        }
        Ok(None)
    }

    /// Whether any characters will do.
    fn is_any(&self) -> bool {
        match self {
            Self::Text(wanted, _) => wanted.is_empty(),
            Self::Wild(wanted) => wanted.iter().all(Option::is_none),
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
    fn the_work_of_a_row_is_bounded() {
        let text = "a".repeat(1 << 20);
        let ask = |pattern: &str| Matcher::new(pattern, Some('\\'), false).matches(&text).map_err(|fault| fault.code);
        // 100,000 stretches are each found where the last one ended.
        assert_eq!(ask(&"%a".repeat(100_000)), Ok(true));
        assert_eq!(ask(&"%_a".repeat(100_000)), Ok(true));
        // A million places, at each of which a thousand characters are equal.
        assert_eq!(ask(&format!("%_{}b%", "a".repeat(1_000))), Err(Code::ResultTooLong));
        assert_eq!(ask(&format!("%_{}b%", "a".repeat(10))), Ok(false));
    }

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
            assert_eq!(Matcher::new(pattern, Some('\\'), false).matches(text), Ok(wanted), "{text} {pattern}");
        }
        assert_eq!(Matcher::new("GRÖ%", None, true).matches("größe"), Ok(true));
        // Only what is written as it is escapes, also where letter case does not count.
        assert_eq!(Matcher::new("AaXx", Some('X'), true).matches("aax"), Ok(true));
        assert_eq!(Matcher::new("%Σ", None, true).matches("ΟΔΟΣ"), Ok(true));
    }

    #[test]
    fn an_open_escape_is_a_fault_where_the_match_gets_to_it() {
        for (text, pattern, wanted) in [
            ("ab", r"a\", None),
            ("a", r"a\", Some(false)),
            ("b", r"a\", Some(false)),
            ("", r"\", Some(false)),
            ("", r"%\", Some(false)),
            ("", r"%_\", Some(false)),
            ("a", r"%_\", None),
            ("ab", r"%b\", Some(false)),
            ("ab", r"ab%\", Some(false)),
            ("ab", r"%b%\", Some(false)),
            ("ab", r"a%\", None),
            ("abc", r"%b\", None),
            ("abc", r"%x%c\", Some(false)),
            ("a%", r"a%\", None),
        ] {
            let found = Matcher::new(pattern, Some('\\'), false).matches(text);
            assert_eq!(found.map_err(|fault| fault.code), wanted.ok_or(Code::BadEscape), "{text} {pattern}");
        }
    }
}
