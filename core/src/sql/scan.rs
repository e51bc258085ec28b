//! Scan: splits SQL text into tokens, by PostgreSQL's lexical rules.
//!
//! The tokens cover the text without gaps: blanks, comments and characters that are not SQL are tokens too. So any text can be
//! scanned, and joining the tokens gives the text again. The rules, from section 4.1 of PostgreSQL 15's manual and from its
//! scanner:
//!
//! ```text
//! blank       (space | tab | line feed | carriage return | form feed)+
//! comment     '--' to the end of the line | '/*' … '*/', nested
//! word        letter (letter | digit | '$')*               a letter is a-z, A-Z, '_' or any character beyond ASCII
//! name        '"' … '"' | U&'"' … '"'                      '""' inside stands for one
//! text        quoted | E quoted | U&quoted | N quoted | '$' tag? '$' … '$' tag? '$'
//! bits        B quoted | X quoted
//! quoted      ''' … ''' (line-blank ''' … ''')*            ''' doubled inside stands for one; in E also '\''
//! line-blank  blanks and '--' comments with a line end among them
//! number      (digit+ ('.' digit*)? | '.' digit+) ([eE] [+-]? digit+)?      no letter may follow; '1..' is 1 and '..'
//! parameter   '$' digit+                                                    no letter may follow
//! operator    one or more of  + - * / < > = ~ ! @ # % ^ & | ` ?
//!             It ends before '--' and '/*'. It ends in + or - only if it has one of  ~ ! @ # % ^ & | ` ?
//! point       :: | := | .. | one of  ( ) [ ] , ; : .
//! ```
//!
//! `0x1F` and `1_000` are not numbers in PostgreSQL 15, because a letter follows the digits.
//!
//! [`Lexis::Sqlite`] says where SQLite's rules differ.

use std::fmt;

/// Whose lexical rules cut the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lexis {
    /// PostgreSQL's, and Redshift's.
    Postgres,
    /// SQLite's: comments do not nest, no text has a letter before it but `X'…'`, `$name` is a parameter, and names also
    /// stand in backticks and brackets.
    Sqlite,
}

/// A piece of SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// It, as written.
    pub text: &'a str,
    /// Its first byte in the whole text.
    pub start: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Blanks and line ends.
    Blank,
    /// `-- …` without the line end, or `/* … */`.
    Comment,
    /// A name or a word of the language, without quotes.
    Word,
    /// A name between quotes.
    Name(Quotes),
    /// A text.
    Text(Quotes),
    /// `B'…'` or `X'…'`.
    Bits,
    /// An unsigned number.
    Number,
    /// `$1`.
    Parameter,
    /// `+`, `<=`, `||`.
    Operator,
    /// `(`, `,`, `::` and what else separates.
    Point,
    /// A character that stands in no SQL outside of quotes.
    Stray,
    /// Something that has no end, or a wrong one.
    Broken(Problem),
}

/// How a name or a text is quoted, and so what stands for what inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quotes {
    /// `'…'`, `"…"`: only the doubled quote is special.
    Plain,
    /// `E'…'`: backslashes escape.
    Escapes,
    /// `U&'…'`, `U&"…"`: an escape character stands before the digits of a character.
    Unicode,
    /// `N'…'`: a text of fixed length.
    National,
    /// `$tag$…$tag$`: nothing is special.
    Dollars,
}

/// What is wrong with a broken token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// A text whose quote is not closed.
    OpenText,
    /// A name whose quote is not closed.
    OpenName,
    /// A `/*` that no `*/` closes.
    OpenComment,
    /// A letter that follows a number.
    LetterAfterNumber,
    /// A letter that follows a parameter.
    LetterAfterParameter,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenText => "the text that begins here has no closing quote",
            Self::OpenName => "the name that begins here has no closing quote",
            Self::OpenComment => "the comment that begins here has no `*/`",
            Self::LetterAfterNumber => "a letter follows a number",
            Self::LetterAfterParameter => "a letter follows a parameter",
        })
    }
}

impl Token<'_> {
    /// The byte after its last in the whole text.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it separates other tokens and says nothing itself.
    pub fn is_space(&self) -> bool {
        matches!(self.kind, Kind::Blank | Kind::Comment)
    }

    /// Whether it is this word, in any letter case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this operator or point.
    pub fn is_sign(&self, sign: &str) -> bool {
        matches!(self.kind, Kind::Operator | Kind::Point) && self.text == sign
    }
}

/// The tokens of a text, from its first byte to its last.
pub fn scan(text: &str, lexis: Lexis) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = first(rest, lexis);
        let length = length.max(1);
        tokens.push(Token { kind, text: rest.get(..length).unwrap_or(rest), start });
        start += length;
    }
    tokens
}

/// The first token of a text that is not empty: what it is, and its bytes.
fn first(text: &str, lexis: Lexis) -> (Kind, usize) {
    let mut letters = text.chars();
    let Some(letter) = letters.next() else { return (Kind::Stray, 0) };
    let next = letters.next();
    let quoted = |kind: fn(Quotes) -> Kind, quotes, prefix| {
        let open = if matches!(kind(quotes), Kind::Name(_)) { Problem::OpenName } else { Problem::OpenText };
        match quoted_bytes(text, prefix, quotes == Quotes::Escapes, lexis) {
            Some(length) => (kind(quotes), length),
            None => (Kind::Broken(open), text.len()),
        }
    };
    match (letter, next) {
        _ if is_blank(letter) => (Kind::Blank, run(text, is_blank)),
        ('-', Some('-')) => (Kind::Comment, run(text, |letter| !is_line_end(letter))),
        ('/', Some('*')) => match comment_bytes(text, lexis) {
            Some(length) => (Kind::Comment, length),
            None => (Kind::Broken(Problem::OpenComment), text.len()),
        },
        ('\'', _) => quoted(Kind::Text, Quotes::Plain, 0),
        ('"', _) => quoted(Kind::Name, Quotes::Plain, 0),
        ('`' | '[', _) if lexis == Lexis::Sqlite => {
            let close = if letter == '[' { ']' } else { '`' };
            match text.get(1..).and_then(|rest| rest.find(close)) {
                Some(at) => (Kind::Name(Quotes::Plain), 1 + at + 1),
                None => (Kind::Broken(Problem::OpenName), text.len()),
            }
        }
        ('x' | 'X', Some('\'')) => quoted(|_| Kind::Bits, Quotes::Plain, 1),
        ('b' | 'B', Some('\'')) if lexis == Lexis::Postgres => quoted(|_| Kind::Bits, Quotes::Plain, 1),
        ('e' | 'E', Some('\'')) if lexis == Lexis::Postgres => quoted(Kind::Text, Quotes::Escapes, 1),
        ('n' | 'N', Some('\'')) if lexis == Lexis::Postgres => quoted(Kind::Text, Quotes::National, 1),
        ('u' | 'U', Some('&')) if lexis == Lexis::Postgres && text.get(2..3) == Some("'") => {
            quoted(Kind::Text, Quotes::Unicode, 2)
        }
        ('u' | 'U', Some('&')) if lexis == Lexis::Postgres && text.get(2..3) == Some("\"") => {
            quoted(Kind::Name, Quotes::Unicode, 2)
        }
        _ if is_letter(letter) => {
            (Kind::Word, run(text, |letter| is_letter(letter) || letter.is_ascii_digit() || letter == '$'))
        }
        ('0'..='9', _) | ('.', Some('0'..='9')) => number(text, lexis),
        ('$', _) => dollar(text, lexis),
        (':', Some(':' | '=')) | ('.', Some('.')) => (Kind::Point, 2),
        ('(' | ')' | '[' | ']' | ',' | ';' | ':' | '.', _) => (Kind::Point, 1),
        _ if is_operator(letter) => (Kind::Operator, operator_bytes(text)),
        _ => (Kind::Stray, letter.len_utf8()),
    }
}

/// The bytes of the letters at the start that belong to something.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\r')
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii()
}

fn is_operator(letter: char) -> bool {
    "+-*/<>=".contains(letter) || is_special(letter)
}

/// Whether an operator with this letter may end in a sign.
fn is_special(letter: char) -> bool {
    "~!@#%^&|`?".contains(letter)
}

fn comment_bytes(text: &str, lexis: Lexis) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let step = rest.find(['/', '*'])?;
        let rest = rest.get(step..)?;
        let opens = rest.starts_with("/*") && (depth == 0 || lexis == Lexis::Postgres);
        let closes = depth > 0 && rest.starts_with("*/");
        depth = depth + usize::from(opens) - usize::from(closes);
        at += step + if opens || closes { 2 } else { 1 };
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The bytes of a quoted token behind the letters before its quote; `None` if it has no end.
fn quoted_bytes(text: &str, prefix: usize, escapes: bool, lexis: Lexis) -> Option<usize> {
    let mut end = prefix;
    loop {
        end += segment_bytes(text.get(end..)?, escapes)?;
        let rest = text.get(end..)?;
        // Only texts go on behind a line end.
        let goes_on = lexis == Lexis::Postgres && text.get(prefix..)?.starts_with('\'');
        match continuation_bytes(rest).filter(|_| goes_on) {
            Some(length) => end += length,
            None => return Some(end),
        }
    }
}

/// The bytes from a quote to the one that closes it; `None` if none does.
pub(super) fn segment_bytes(text: &str, escapes: bool) -> Option<usize> {
    let quote = *text.as_bytes().first()?;
    let mut at = 1;
    loop {
        let step = text.get(at..)?.bytes().position(|byte| byte == quote || (escapes && byte == b'\\'))?;
        at += step;
        let follows = text.as_bytes().get(at + 1);
        match text.as_bytes().get(at)? {
            b'\\' => at += 1 + text.get(at + 1..)?.chars().next()?.len_utf8(),
            _ if follows == Some(&quote) => at += 2,
            _ => return Some(at + 1),
        }
    }
}

/// The bytes of blanks and comments, with a line end among them, between a quoted text and the quote of its next part.
pub(super) fn continuation_bytes(text: &str) -> Option<usize> {
    let mut has_line_end = false;
    let mut rest = text;
    loop {
        let blanks = run(rest, is_blank);
        has_line_end |= rest.get(..blanks)?.contains(is_line_end);
        rest = rest.get(blanks..)?;
        match rest.starts_with("--") {
            // Behind the comment stands a line end.
            true => rest = rest.get(run(rest, |letter| !is_line_end(letter))..)?,
            false => return (has_line_end && rest.starts_with('\'')).then_some(text.len() - rest.len()),
        }
    }
}

fn number(text: &str, lexis: Lexis) -> (Kind, usize) {
    let digits = |at: usize| text.get(at..).map_or(0, |rest| run(rest, |letter| letter.is_ascii_digit()));
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let mut end = digits(0);
    if byte(end) == Some(b'.') && !(end > 0 && byte(end + 1) == Some(b'.')) {
        end += 1 + digits(end + 1);
    }
    if matches!(byte(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    behind(text, end, Kind::Number, Problem::LetterAfterNumber, lexis)
}

fn dollar(text: &str, lexis: Lexis) -> (Kind, usize) {
    let behind_sign = text.get(1..).unwrap_or_default();
    let digits = run(behind_sign, |letter| letter.is_ascii_digit());
    if digits > 0 {
        return behind(text, 1 + digits, Kind::Parameter, Problem::LetterAfterParameter, lexis);
    }
    let tag = run(behind_sign, |letter| is_letter(letter) || letter.is_ascii_digit());
    if lexis == Lexis::Sqlite && tag > 0 {
        return (Kind::Parameter, 1 + tag);
    }
    let Some(delimiter) = text.get(..tag + 2).filter(|delimiter| delimiter.ends_with('$') && lexis == Lexis::Postgres)
    else {
        return (Kind::Stray, 1);
    };
    match text.get(delimiter.len()..).and_then(|rest| rest.find(delimiter)) {
        Some(inside) => (Kind::Text(Quotes::Dollars), inside + 2 * delimiter.len()),
        None => (Kind::Broken(Problem::OpenText), text.len()),
    }
}

/// A token that ends at a place unless a letter follows.
fn behind(text: &str, end: usize, kind: Kind, problem: Problem, lexis: Lexis) -> (Kind, usize) {
    let rest = text.get(end..).unwrap_or_default();
    match run(rest, |letter| is_letter(letter) || letter.is_ascii_digit()) {
        0 => (kind, end),
        // SQLite's own numbers, such as `0x1F`.
        more if lexis == Lexis::Sqlite => (kind, end + more),
        _ if !rest.starts_with(is_letter) => (kind, end),
        more => (Kind::Broken(problem), end + more),
    }
}

fn operator_bytes(text: &str) -> usize {
    let whole = run(text, is_operator);
    let operator = text.get(..whole).unwrap_or_default();
    let comment = ["--", "/*"].into_iter().filter_map(|begin| operator.find(begin)).min();
    let operator = operator.get(..comment.unwrap_or(whole)).unwrap_or_default();
    let trimmed = operator.trim_end_matches(['+', '-']);
    match trimmed.contains(is_special) {
        true => operator.len(),
        // An operator of signs alone is the first of them.
        false => trimmed.len().max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens without blanks, each with the first letter of what it is.
    fn cut(text: &str, lexis: Lexis) -> String {
        let letter = |kind| match kind {
            Kind::Comment => 'c',
            Kind::Word => 'w',
            Kind::Name(_) => 'n',
            Kind::Text(_) => 't',
            Kind::Bits => 'b',
            Kind::Number => '1',
            Kind::Parameter => '$',
            Kind::Operator => 'o',
            Kind::Point => 'p',
            Kind::Stray => 's',
            Kind::Broken(_) => '!',
            Kind::Blank => ' ',
        };
        let tokens = scan(text, lexis).into_iter().filter(|token| token.kind != Kind::Blank);
        tokens.map(|token| format!("{}:{} ", letter(token.kind), token.text)).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn postgresql_cuts_so() {
        for (text, tokens) in [
            ("1e5 .5 1.5e-3 1. 1..2", "1:1e5 1:.5 1:1.5e-3 1:1. 1:1 p:.. 1:2"),
            ("1e 0x1F 1_000 1.a $1a", "!:1e !:0x1F !:1_000 !:1.a !:$1a"),
            ("a.5 a$b _1 größe", "w:a 1:.5 w:a$b w:_1 w:größe"),
            ("1>=-1 2*-3 a<-b", "1:1 o:>= o:- 1:1 1:2 o:* o:- 1:3 w:a o:< o:- w:b"),
            ("a@-b a!=-1 +-+", "w:a o:@- w:b w:a o:!=- 1:1 o:+ o:- o:+"),
            ("a*/**/b --c\n-1", "w:a o:* c:/**/ w:b c:--c o:- 1:1"),
            ("/* /* */ */ x /* /* */", "c:/* /* */ */ w:x !:/* /* */"),
            ("x::int a:=1 f(y=>2)[1]", "w:x p::: w:int w:a p::= 1:1 w:f p:( w:y o:=> 1:2 p:) p:[ 1:1 p:]"),
            ("'a' 'b'", "t:'a' t:'b'"),
            ("'a'\n'b' 'c", "t:'a'\n'b' !:'c"),
            (r"'\' E'\'' x'1F' N'a' e", r"t:'\' t:E'\'' b:x'1F' t:N'a' w:e"),
            ("U&'a' u&\"b\" u&b", "t:U&'a' n:u&\"b\" w:u o:& w:b"),
            ("$$'$$ $a$ $$ $a$ $1 $ $b$", "t:$$'$$ t:$a$ $$ $a$ $:$1 s:$ !:$b$"),
            ("{\\", "s:{ s:\\"),
        ] {
            assert_eq!(cut(text, Lexis::Postgres), tokens, "{text}");
        }
    }

    #[test]
    fn sqlite_cuts_so() {
        for (text, tokens) in [
            ("/* /* */ x", "c:/* /* */ w:x"),
            ("E'\\' x'1F' 'a'\n'b'", "w:E t:'\\' b:x'1F' t:'a' t:'b'"),
            ("`a b` [c]]", "n:`a b` n:[c] p:]"),
            ("$a $1 0x1F", "$:$a $:$1 1:0x1F"),
        ] {
            assert_eq!(cut(text, Lexis::Sqlite), tokens, "{text}");
        }
    }
}
