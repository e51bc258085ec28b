//! `etalon explain`: says what a code means, with an example and what to do. The text is that of the page of codes.

use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View};

/// The page of codes, which is made from the registry.
const PAGE: &str = include_str!("../../../../docs/reference/codes.md");

/// Explain a code of an error, a warning or a reject, with an example and what to do
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code, such as `R301`
    code: String,
    #[command(flatten)]
    written: Written,
}

/// The section of a code.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    code: String,
    text: &'static str,
}

impl Verb for Explain {
    const NAME: &'static str = "explain";
    type Found = Explained;

    fn carry_out(&self, _: Output) -> Result<Explained, Failure> {
        let code = self.code.to_ascii_uppercase();
        let text = section(&code).ok_or_else(|| {
            let known: Vec<&str> = headings().map(|(code, _)| code).collect();
            Failure::arguments(format!("{}: there is no such code", self.code))
                .with_help(&format!("the codes are: {}", known.join(", ")))
        })?;
        Ok(Explained { code, text })
    }
}

/// The codes that have a section, and the byte behind each heading.
fn headings() -> impl Iterator<Item = (&'static str, usize)> {
    let is_code = |text: &str| matches!(text.as_bytes(), [b'E' | b'W' | b'R', digits @ ..] if digits.iter().all(u8::is_ascii_digit));
    let mut behind = 0;
    PAGE.split_inclusive('\n').filter_map(move |line| {
        behind += line.len();
        let code = line.strip_prefix('#')?.trim_start_matches('#').trim();
        is_code(code).then_some((code, behind))
    })
}

/// What stands below the heading of a code, up to the next heading.
fn section(code: &str) -> Option<&'static str> {
    let (_, start) = headings().find(|(one, _)| *one == code)?;
    let rest = PAGE.get(start..)?;
    let end = rest.find("\n## ").into_iter().chain(rest.find("\n### ")).min().unwrap_or(rest.len());
    rest.get(..end).map(str::trim)
}

impl View for Explained {
    fn table(&self) -> Table {
        let mut table = Table::new(["code", "text"].map(|name| Column::new(name, Kind::Text)).to_vec());
        table.push(vec![Some(self.code.clone()), Some(self.text.to_owned())]);
        table
    }

    fn page(&self) -> String {
        format!("{}\n", self.text)
    }
}

#[cfg(test)]
mod tests {
    use etalon_core::diagnostic::ROW_EXAMPLES;

    use super::*;

    #[test]
    fn each_code_is_explained_up_to_the_next() {
        for example in ROW_EXAMPLES {
            let section = section(example.code.text()).unwrap();
            assert!(section.contains(example.remedy), "{section}");
            assert!(!section.contains("\n#"), "{section}");
        }
        assert_eq!(section("R999"), None);
    }
}
