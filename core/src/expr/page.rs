//! Page: the reference of the functions, generated from their table.

use std::fmt::Write as _;

use super::functions;
use super::functions::Function;
use super::functions::Kind;
use super::functions::Returns;
use super::functions::Signature;

/// The forms of SQL that look like functions and are none: their arguments have one type in common, or are not all reached.
const FORMS: &[(&str, &str)] = &[
    ("coalesce(a, b, …)", "The first value that is not NULL; those after it are not evaluated. Also `nvl(a, b)`"),
    ("nullif(a, b)", "`a`, or NULL where it equals `b`"),
    ("greatest(a, b, …)", "The greatest value, NULLs passed over"),
    ("least(a, b, …)", "The least value, NULLs passed over"),
    ("nvl2(a, b, c)", "`b` where `a` is not NULL, else `c`; only that is evaluated"),
    (
        "decode(a, search, result, …, default)",
        "The result after the first search that equals `a`, NULL equal to NULL; else the default, or NULL",
    ),
    ("try_cast(a as type)", "As `cast`, but NULL where the value cannot become one of the type"),
];

/// The page of the functions, in Markdown.
pub fn page() -> String {
    let mut all: Vec<&Function> = functions::all()
        .filter(|function| function.name.starts_with(|char: char| char.is_ascii_alphabetic()))
        .collect();
    all.sort_by_key(|function| function.name);
    let mut page = String::from(
        "# Functions\n\nThis page lists the functions that an expression can call. It is generated; do not edit. Every example is a \
         test. A result is the text of the value, or NULL, or the code of a fault, which rejects the row. If an argument is NULL, \
         the result is NULL, unless the function says otherwise.\n\n\
         ## Forms\n\n",
    );
    for (form, doc) in FORMS {
        let _ = writeln!(page, "- `{form}`: {doc}.");
    }
    for function in all {
        let _ = write!(page, "\n## {}\n\n{}.", function.name, function.doc);
        if !function.aliases.is_empty() {
            let names: Vec<_> = function.aliases.iter().map(|name| format!("`{name}`")).collect();
            let _ = write!(page, " Also named {}.", names.join(", "));
        }
        page.push_str("\n\n```text\n");
        for signature in function.signatures.iter().filter(|signature| !is_refused(signature)) {
            let _ = writeln!(page, "{}", signature_text(function.name, signature));
        }
        page.push_str("```\n");
        if !function.examples.is_empty() {
            page.push_str("\n| Expression | Result |\n|---|---|\n");
        }
        for (expression, result) in function.examples {
            let _ = writeln!(page, "| {} | {} |", cell(expression), cell(result));
        }
    }
    page
}

/// Whether PostgreSQL has the signature and Etalon refuses it.
fn is_refused(signature: &Signature) -> bool {
    std::ptr::fn_addr_eq(signature.kernel, functions::nothing as fn(&functions::Call<'_>) -> crate::column::Column)
}

fn signature_text(name: &str, signature: &Signature) -> String {
    let kinds: Vec<_> = signature.arguments.iter().map(|kind| kind_text(*kind)).collect();
    let dots = if signature.variadic { ", …" } else { "" };
    let returns = match signature.returns {
        Returns::Type(ty) => format!(" → {ty}"),
        Returns::Rule(_) => String::new(),
    };
    format!("{name}({}{dots}){returns}", kinds.join(", "))
}

fn kind_text(kind: Kind) -> String {
    match kind {
        Kind::Any => "any".to_owned(),
        kind => kind.ty().to_string(),
    }
}

/// A text as code in a cell of a table.
fn cell(text: &str) -> String {
    let text = text.replace('|', r"\|").replace('\n', " ");
    match text.as_str() {
        "" => "(empty)".to_owned(),
        _ if text.contains('`') => format!("`` {text} ``"),
        _ => format!("`{text}`"),
    }
}
