//! The scanner of SQL: its laws, and where it cuts as another crate's tokenizer does.

use etalon_core::sql::scan::Kind;
use etalon_core::sql::scan::Lexis;
use etalon_core::sql::scan::Problem;
use etalon_core::sql::scan::Quotes;
use etalon_core::sql::scan::Token;
use etalon_core::sql::scan::scan;
use etalon_core::testing::sql::*;
use proptest::prelude::*;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::Location;
use sqlparser::tokenizer::Token as Theirs;
use sqlparser::tokenizer::Tokenizer;

proptest! {
    #[test]
    fn tiles(text in prop_oneof![nearly_sql(), "\\PC{0,40}", "[ -~\\n]{0,40}"]) {
        tokens_tile_the_text(&text);
    }

    #[test]
    fn blanks(text in prop_oneof![nearly_sql(), "[ -~\\n]{0,40}"]) {
        blanks_change_no_token(&text);
    }

    #[test]
    fn quotes(said in "\\PC{0,12}|[a\\\\'\"$\\n]{0,12}") {
        what_is_quoted_is_read_again(&said);
    }

    #[test]
    fn sqlparser(text in nearly_sql()) {
        cuts_as_sqlparser(&text);
    }
}

/// `sqlparser` begins a token where the scanner does and refuses what has no end, but for these differences:
///
/// - it takes a letter behind a number (`1_000`, `0x1F`, `1e`), which PostgreSQL 15 does not;
/// - it cuts runs of operators and points otherwise, or refuses them: PostgreSQL has operators of any characters, `..` and
///   `1..2`, and a point before `_`; and an operator of its own swallows a comment that follows, as a parameter does a `$`;
/// - a text that goes on in the next line is several texts to it, and `U&"…"` is three tokens;
/// - it reads the escapes of texts while it cuts them, finds some in `x'…'`, and takes `b"…"` for bytes;
/// - a `$` that begins nothing is a parameter to it.
fn cuts_as_sqlparser(text: &str) {
    let ours = scan(text, Lexis::Postgres);
    let is_known = |token: &Token<'_>| match token.kind {
        Kind::Text(_) | Kind::Broken(Problem::OpenText) => !token.text.contains('\n'),
        Kind::Bits => !token.text.contains(['\n', '\\']),
        Kind::Broken(problem) => !matches!(problem, Problem::LetterAfterNumber | Problem::LetterAfterParameter),
        Kind::Name(Quotes::Unicode) | Kind::Stray => false,
        _ => true,
    };
    let swallows = |pair: &[Token<'_>]| match pair[0].kind {
        Kind::Operator => pair[1].text.starts_with("--") || pair[1].text.starts_with("/*"),
        Kind::Parameter => pair[1].text.starts_with('$'),
        _ => false,
    };
    if text.contains("..") || text.contains("b\"") || ours.windows(2).any(swallows) || !ours.iter().all(is_known) {
        return;
    }
    let dialect = PostgreSqlDialect {};
    let theirs = Tokenizer::new(&dialect, text).with_unescape(false).tokenize_with_location();
    let is_its_own = |message: &str| {
        ["valid binary operator", "Unexpected character", "hex digit"].iter().any(|fact| message.contains(fact))
    };
    if theirs.as_ref().is_err_and(|error| is_its_own(&error.message)) {
        return;
    }
    let is_broken = ours.iter().any(|token| matches!(token.kind, Kind::Broken(_)));
    assert_eq!(theirs.is_err(), is_broken, "{text:?}: {theirs:?}");
    let Ok(theirs) = theirs else { return };
    let theirs = theirs.into_iter().filter(|token| !matches!(token.token, Theirs::Whitespace(_) | Theirs::EOF));
    let starts = theirs.map(|token| offset(text, token.span.start));
    let is_sign = |at: usize| {
        let token = ours.iter().find(|token| (token.start..token.end()).contains(&at));
        token.is_none_or(|token| matches!(token.kind, Kind::Operator | Kind::Point))
    };
    let starts: Vec<_> = starts.filter(|&at| !is_sign(at)).collect();
    let expected = ours.iter().filter(|token| !token.is_space()).map(|token| token.start);
    assert_eq!(starts, expected.filter(|&at| !is_sign(at)).collect::<Vec<_>>(), "{text:?}: {ours:?}");
}

/// The byte at a line and a column, both counted from 1.
fn offset(text: &str, place: Location) -> usize {
    let line: usize = text.split_inclusive('\n').take(place.line as usize - 1).map(str::len).sum();
    line + text[line..].chars().take(place.column as usize - 1).map(char::len_utf8).sum::<usize>()
}
