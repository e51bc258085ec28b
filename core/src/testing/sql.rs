//! Laws of the scanner of SQL: any text can be scanned, and what `quote` writes reads back.

use proptest::prelude::Strategy;
use proptest::prelude::prop;

use crate::sql::quote::Identifier;
use crate::sql::scan::Kind;
use crate::sql::scan::Lexis;
use crate::sql::scan::scan;
use crate::sql::unquote::unquote;

/// Texts of words, quotes, signs and numbers, of which many are SQL.
pub fn nearly_sql() -> impl Strategy<Value = String> {
    const WORDS: [&str; 64] = [
        "a",
        "select",
        "ß",
        "_x",
        "a$1",
        "\"a\"",
        "\"A \"\"b\"",
        "\"",
        "u&\"d\\0061\"",
        "'a'",
        "'it''s'",
        "'",
        "'\\'",
        "e'\\''",
        "E'\\x41\\n\\u00fc'",
        "n'a'",
        "U&'\\0061'",
        "uescape",
        "$$a'$$",
        "$t$ $$ $t$",
        "$t$",
        "$$",
        "$1",
        "$",
        "b'01'",
        "x'1F'",
        "1",
        "12.5",
        "1.",
        ".5",
        "1e5",
        "2.5E-3",
        "1..2",
        "1e",
        "0x1F",
        "1_000",
        "+",
        "-",
        "*",
        "/",
        "<=",
        "<>",
        "!=",
        "||",
        "::",
        ":=",
        "->>",
        "@>",
        "~*",
        "!~~*",
        "<-",
        "@-",
        "*/",
        "/*",
        "/* c */",
        "/* /* n */ */",
        "--",
        "-- c\n",
        "(",
        ")",
        ",",
        ";",
        ".",
        ":",
    ];
    const BETWEEN: [&str; 5] = ["", " ", "\n", "\t \n", " -- c\n"];
    let piece = (prop::sample::select(&WORDS[..]), prop::sample::select(&BETWEEN[..]));
    let pieces = prop::collection::vec(piece, 0..10);
    pieces.prop_map(|pieces| pieces.into_iter().flat_map(|(word, between)| [word, between]).collect())
}

/// Tokens have bytes, follow one another without a gap, and end with the text; each is what it is without the others, too.
pub fn tokens_tile_the_text(text: &str) {
    for lexis in [Lexis::Postgres, Lexis::Sqlite] {
        let tokens = scan(text, lexis);
        let mut end = 0;
        for token in &tokens {
            assert_eq!(token.start, end, "{lexis:?} {text:?}");
            assert!(!token.text.is_empty(), "{lexis:?} {text:?}");
            assert_eq!(&text[token.start..token.end()], token.text);
            end = token.end();
            let alone = scan(token.text, lexis);
            assert!(matches!(alone.as_slice(), [one] if one.kind == token.kind), "{lexis:?} {text:?}: {alone:?}");
            // Never a panic, whatever the token is.
            let _ = unquote(token, '\\');
        }
        assert_eq!(end, text.len(), "{lexis:?} {text:?}");
    }
}

/// Blanks between the tokens do not change them, unless something has no end.
pub fn blanks_change_no_token(text: &str) {
    for lexis in [Lexis::Postgres, Lexis::Sqlite] {
        let said = |text: &str| -> Vec<(Kind, String)> {
            let tokens = scan(text, lexis).into_iter().filter(|token| !token.is_space());
            tokens.map(|token| (token.kind, token.text.to_owned())).collect()
        };
        let tokens = said(text);
        let spaced: String = tokens.iter().map(|(_, text)| format!("{text} ")).collect();
        if !tokens.iter().any(|(kind, _)| matches!(kind, Kind::Broken(_))) {
            assert_eq!(said(&spaced), tokens, "{lexis:?} {text:?}");
        }
    }
}

/// A name, and a text in each way of quoting, say what was written.
pub fn what_is_quoted_is_read_again(said: &str) {
    let only = |text: &str, lexis| {
        let tokens = scan(text, lexis);
        assert_eq!(tokens.len(), 1, "{text:?}: {tokens:?}");
        tokens.first().map(|token| unquote(token, '\\'))
    };
    let name: String = said.chars().filter(|letter| !letter.is_control()).collect();
    if !name.is_empty() {
        let written = Identifier::found(said).to_string();
        assert_eq!(only(&written, Lexis::Postgres), Some(Ok(name.clone())));
        assert_eq!(only(&written, Lexis::Sqlite), Some(Ok(name)));
    }
    let said: String = said.chars().filter(|&letter| letter != '\0').collect();
    let doubled = said.replace('\'', "''");
    let each = |write: fn(char) -> String| said.chars().map(write).collect::<String>();
    let bytes = |write: fn(u8) -> String| said.bytes().map(write).collect::<String>();
    for written in [
        format!("'{doubled}'"),
        format!("N'{doubled}'"),
        format!("E'{}'", doubled.replace('\\', "\\\\")),
        format!("E'{}'", each(|letter| format!("\\U{:08x}", u32::from(letter)))),
        format!("E'{}'", bytes(|byte| format!("\\x{byte:02X}"))),
        format!("E'{}'", bytes(|byte| format!("\\{byte:03o}"))),
        format!("U&'{}'", doubled.replace('\\', "\\\\")),
        format!("U&'{}'", each(|letter| format!("\\+{:06X}", u32::from(letter)))),
        format!("U&'{}'", said.encode_utf16().map(|unit| format!("\\{unit:04x}")).collect::<String>()),
        format!("$text${said}$text$"),
    ] {
        if written.starts_with('$') && said.contains("$text") {
            continue;
        }
        assert_eq!(only(&written, Lexis::Postgres), Some(Ok(said.clone())), "{written:?}");
    }
}
