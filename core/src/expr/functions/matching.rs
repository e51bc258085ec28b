//! `~ ~* !~ !~*` and `SIMILAR TO`: whether a text matches a regular expression.
//!
//! They only say whether there is a match, so it does not matter which of several matches is found.

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use super::regexp;
use super::regexp::Search;
use crate::column::Column;
use crate::expr::evaluate::like;
use crate::expr::regexp::Options;
use crate::expr::regexp::similar;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[MATCHES_ANY_CASE, DIFFERS, DIFFERS_ANY_CASE, SIMILAR];

/// `text ~ pattern`, which stands with the other meaning of its sign.
pub(super) const MATCHES: Signature = between(|call| matches(call, false, false));

const MATCHES_ANY_CASE: Function = Function {
    name: "~*",
    aliases: &[],
    doc: "Whether a regular expression matches a text somewhere, in any letter case",
    signatures: &[between(|call| matches(call, true, false))],
    examples: &[("'Thomas' ~* '^t.*MAS$'", "true"), ("'abc' ~* null", "NULL")],
};

const DIFFERS: Function = Function {
    name: "!~",
    aliases: &[],
    doc: "Whether a regular expression matches a text nowhere",
    signatures: &[between(|call| matches(call, false, true))],
    examples: &[("'thomas' !~ '[0-9]'", "true"), ("'abc' !~ 'b|d'", "false")],
};

const DIFFERS_ANY_CASE: Function = Function {
    name: "!~*",
    aliases: &[],
    doc: "Whether a regular expression matches a text nowhere, in any letter case",
    signatures: &[between(|call| matches(call, true, true))],
    examples: &[("'Thomas' !~* 't.*max'", "true")],
};

const SIMILAR: Function = Function {
    name: "similar to",
    aliases: &[],
    doc: "Whether a pattern of SQL matches the whole text: `%` and `_` as for LIKE, and `| * + ? {n,m} ( ) [ ]`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, similar)
            .returns(|arguments| regexp::readable_similar(arguments, Type::Boolean)),
        Signature::new(&[Kind::Text, Kind::Text, Kind::Text], Type::Boolean, similar)
            .returns(|arguments| regexp::readable_similar(arguments, Type::Boolean))
            .constants(&[(2, regexp::ESCAPE)]),
    ],
    examples: &[
        ("'abc' similar to '%(b|d)%'", "true"),
        ("'abc' similar to '(b|c)%'", "false"),
        ("'abcd%' similar to '_bcd#%' escape '#'", "true"),
        ("'aaa' not similar to '[b-z]{3}'", "true"),
        ("'abc' similar to '_bc' escape '##'", "R317"),
    ],
};

const fn between(kernel: fn(&Call<'_>) -> Column) -> Signature {
    Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, kernel).returns(regexp::readable_boolean)
}

fn matches(call: &Call<'_>, ignore_case: bool, negated: bool) -> Column {
    let search = Search::new(call, "");
    let options = Options { ignore_case, ..Options::default() };
    call.map_rows::<call::Boolean>(|row| {
        search.with(call.text(1, row), options, |pattern| Ok(Some(pattern.is_match(call.text(0, row))? != negated)))
    })
}

fn similar(call: &Call<'_>) -> Column {
    let search = Search::new(call, "");
    call.map_rows::<call::Boolean>(|row| {
        let escape = if call.arguments.len() > 2 { like::escape(call.text(2, row))? } else { Some('\\') };
        let regular = similar::regular(call.text(1, row), escape)?;
        search.with(&regular, Options::default(), |pattern| pattern.is_match(call.text(0, row)).map(Some))
    })
}
