//! Scan: the tokens of a path.

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a word of the language, as it is written.
    Word(String),
    /// `"…"`.
    Text(String),
    /// A number with a point or an exponent.
    Number(String),
    /// A whole number.
    Whole(String),
    /// `$name`.
    Variable(String),
    /// An operator, or another sign.
    Sign(&'static str),
}

/// What stands for itself, the longer first.
const SIGNS: [&str; 29] = [
    "&&", "||", "**", "<=", "<>", "==", ">=", "!=", "<", ">", "!", "?", "%", "$", ".", "[", "]", "{", "}", "(", ")",
    "@", "#", ",", "*", ":", "-", "+", "/",
];

/// The fault of a text that is no path.
pub(super) fn syntax(text: &str, fact: &str) -> Fault {
    Fault::new(Code::BadForm, format!("{} is no JSON path: {fact}", quote(text.as_bytes())))
}

/// The tokens of a text.
pub(super) fn scan(text: &str) -> Result<Vec<Token>, Fault> {
    let mut scanner = Scanner { text, rest: text };
    let mut tokens = Vec::new();
    loop {
        scanner.pass_blanks()?;
        let Some(char) = scanner.rest.chars().next() else { return Ok(tokens) };
        let has_digit_behind = scanner.rest.chars().nth(1).is_some_and(|char| char.is_ascii_digit());
        tokens.push(match char {
            '"' => Token::Text(scanner.quoted()?),
            '0'..='9' => scanner.number()?,
            '.' if has_digit_behind => scanner.number()?,
            '$' => {
                scanner.rest = scanner.rest.get(1..).unwrap_or_default();
                match scanner.rest.chars().next() {
                    Some('"') => Token::Variable(scanner.quoted()?),
                    Some(next) if is_name(next) => Token::Variable(scanner.word()?),
                    _ => Token::Sign("$"),
                }
            }
            char if is_name(char) => Token::Word(scanner.word()?),
            _ => {
                let sign = SIGNS.into_iter().find(|sign| scanner.rest.starts_with(sign));
                let sign = sign.ok_or_else(|| scanner.wrong(&format!("`{char}` is not expected")))?;
                scanner.rest = scanner.rest.get(sign.len()..).unwrap_or_default();
                Token::Sign(sign)
            }
        });
    }
}

/// Whether a character may stand in a name; a backslash begins an escape there.
fn is_name(char: char) -> bool {
    !matches!(char, ' ' | '\t' | '\n' | '\r' | '\x0c' | '"') && !"?%$.[]{}()|&!=<>@#,*:-+/".contains(char)
}

struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Scanner<'_> {
    fn wrong(&self, fact: &str) -> Fault {
        syntax(self.text, fact)
    }

    /// Passes over blanks and comments.
    fn pass_blanks(&mut self) -> Result<(), Fault> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
            let Some(comment) = self.rest.strip_prefix("/*") else { return Ok(()) };
            let (_, after) = comment.split_once("*/").ok_or_else(|| self.wrong("a comment is not closed"))?;
            self.rest = after;
        }
    }

    /// `(0|[1-9][0-9]*)`, with a fraction and an exponent or without.
    fn number(&mut self) -> Result<Token, Fault> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let whole = digits(0);
        let mut end = whole;
        let mut is_whole = true;
        if bytes.get(end) == Some(&b'.') {
            end += 1 + digits(end + 1);
            is_whole = false;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let count = digits(end + 1 + sign);
            if count > 0 {
                end += 1 + sign + count;
                is_whole = false;
            }
        }
        let (number, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        let has_zero_first = whole > 1 && number.starts_with('0');
        if has_zero_first || rest.starts_with(is_name) {
            return Err(self.wrong("a number is followed by something else"));
        }
        self.rest = rest;
        Ok(if is_whole { Token::Whole(number.to_owned()) } else { Token::Number(number.to_owned()) })
    }

    fn word(&mut self) -> Result<String, Fault> {
        let mut word = String::new();
        while let Some(char) = self.rest.chars().next().filter(|&char| is_name(char)) {
            self.character(char, &mut word)?;
        }
        Ok(word)
    }

    fn quoted(&mut self) -> Result<String, Fault> {
        let mut text = String::new();
        self.rest = self.rest.strip_prefix('"').unwrap_or(self.rest);
        loop {
            match self.rest.chars().next() {
                None => return Err(self.wrong("a quote is not closed")),
                Some('"') => {
                    self.rest = self.rest.get(1..).unwrap_or_default();
                    return Ok(text);
                }
                Some(char) => self.character(char, &mut text)?,
            }
        }
    }

    /// A character of a name or a quoted text, or what its escape stands for.
    fn character(&mut self, char: char, out: &mut String) -> Result<(), Fault> {
        self.rest = self.rest.get(char.len_utf8()..).unwrap_or_default();
        if char != '\\' {
            out.push(char);
            return Ok(());
        }
        let escaped = self.rest.chars().next().ok_or_else(|| self.wrong("a backslash stands at the end"))?;
        self.rest = self.rest.get(escaped.len_utf8()..).unwrap_or_default();
        out.push(match escaped {
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => {
                let unit = self.hexadecimal(2, 2)?;
                self.scalar(unit)?
            }
            'u' => {
                let first = self.unit()?;
                let code = match first {
                    0xd800..=0xdbff => {
                        self.rest = self.rest.strip_prefix("\\u").ok_or_else(|| self.half())?;
                        let second = self.unit()?;
                        if !(0xdc00..=0xdfff).contains(&second) {
                            return Err(self.half());
                        }
                        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => first,
                };
                self.scalar(code)?
            }
            other => other,
        });
        Ok(())
    }

    fn half(&self) -> Fault {
        Fault::new(Code::NotAValue, format!("{} has half a character", quote(self.text.as_bytes())))
    }

    fn scalar(&self, code: u32) -> Result<char, Fault> {
        match char::from_u32(code) {
            Some('\0') => Err(Fault::new(Code::NoCharacter, "\\u0000 in a JSON path is no character of a text")),
            Some(char) => Ok(char),
            None => Err(self.half()),
        }
    }

    /// Four digits, or one to six in braces.
    fn unit(&mut self) -> Result<u32, Fault> {
        let Some(rest) = self.rest.strip_prefix('{') else { return self.hexadecimal(4, 4) };
        self.rest = rest;
        let unit = self.hexadecimal(1, 6)?;
        self.rest = self.rest.strip_prefix('}').ok_or_else(|| self.wrong("an escape is not closed"))?;
        Ok(unit)
    }

    fn hexadecimal(&mut self, least: usize, most: usize) -> Result<u32, Fault> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        let (digits, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| count >= least);
        number.ok_or_else(|| self.wrong("an escape has too few digits"))
    }
}
