//! Page: the reference page of all codes, generated from the registry and the examples. It shows what a user sees.

use std::fmt::Write;

use super::example::EXAMPLES;
use super::row_example::{ROW_EXAMPLES, RowExample};
use super::{Code, Diagnostic};

/// The reference of all codes, in Markdown. `check` gives the diagnostics of a pipeline file, `reject` the codes and facts
/// that an object gets.
pub fn reference(
    check: impl Fn(&str) -> Vec<Diagnostic>,
    reject: impl Fn(&RowExample) -> Vec<(Code, String)>,
) -> String {
    let mut page = String::from(
        "# Codes\n\n\
         This page lists the codes of all diagnostics and rejects. It is generated; do not edit. \
         A code never changes its meaning.\n\n\
         `E1…` are mistakes in the form of a pipeline file, `E2…` mistakes in its expressions and rules, `W…` warnings about\n\
         either. `R3…` and `R4…` are the reasons why a row or a record is rejected. Each example is a part of a file; the\n\
         rest of the file is right. An example of a reject also has the object that is read.\n",
    );
    let (file, rows): (Vec<Code>, Vec<Code>) = Code::ALL.iter().partition(|code| !code.text().starts_with('R'));
    for code in file {
        // Writing to a string cannot fail, here and below.
        let _ = write!(page, "\n## {code}\n\n{}\n", code.meaning());
        for example in EXAMPLES.iter().filter(|example| example.code == code) {
            let _ = write!(page, "\n```yaml\n{}```\n", example.part);
            let file = example.file();
            if let Some(shown) = check(&file).iter().find(|diagnostic| diagnostic.code == code) {
                let _ = write!(page, "\n```text\n{}```\n", shown.render("orders.yaml", &file));
            }
            let _ = write!(page, "\n{}\n", example.remedy);
        }
    }
    page.push_str(
        "\n## Rejects\n\nThe SQLSTATE is that of PostgreSQL's error for the same fault. In an object, `…` stands for more text than a\n\
         record may have, and `\u{fffd}` for a byte that is not UTF-8.\n",
    );
    for code in rows {
        let state = code.sqlstate().map(|state| format!(" SQLSTATE {state}.")).unwrap_or_default();
        let _ = write!(page, "\n### {code}\n\n{}{state}\n", code.meaning());
        for example in ROW_EXAMPLES.iter().filter(|example| example.code == code) {
            if !example.part.is_empty() {
                let _ = write!(page, "\n```yaml\n{}```\n", example.part);
            }
            let _ = write!(page, "\n```text\n{}```\n", example.object);
            if let Some((_, fact)) = reject(example).iter().find(|(found, _)| *found == code) {
                let _ = write!(page, "\n```text\n{code} {fact}\n```\n");
            }
            let _ = write!(page, "\n{}\n", example.remedy);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_file_has_one_example_in_the_order_of_the_registry() {
        let codes: Vec<Code> = Code::ALL.iter().copied().filter(|code| !code.text().starts_with('R')).collect();
        assert_eq!(EXAMPLES.iter().map(|example| example.code).collect::<Vec<_>>(), codes);
    }

    #[test]
    fn every_code_of_a_reject_has_one_example_in_the_order_of_the_registry() {
        let codes: Vec<Code> = Code::ALL.iter().copied().filter(|code| code.text().starts_with('R')).collect();
        assert_eq!(ROW_EXAMPLES.iter().map(|example| example.code).collect::<Vec<_>>(), codes);
    }
}
