//! `etalon dlq show`: shows the content of dead letters, and their reasons.

use clap::Args;
use etalon_driver::letters::Letter;
use serde::Serialize;

use super::{Letters, reason};
use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View};

/// Show the content of dead letters, and the reasons
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    letters: Letters,
    #[command(flatten)]
    written: Written,
}

/// The letters.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Shown(Vec<Letter>);

impl Verb for Show {
    const NAME: &'static str = "show";
    type Found = Shown;

    fn carry_out(&self, output: Output) -> Result<Shown, Failure> {
        Ok(Shown(self.letters.remote(output)?.letters(&self.letters.wanted())?))
    }
}

impl View for Shown {
    fn table(&self) -> Table {
        let columns = ["id", "function", "reason", "body"].map(|name| Column::new(name, Kind::Text));
        let mut table = Table::new(columns.to_vec());
        for Letter { id, function, reason, body, .. } in &self.0 {
            table.push(vec![Some(id.clone()), Some((*function).to_owned()), reason.clone(), Some(body.clone())]);
        }
        table
    }

    fn page(&self) -> String {
        let shown = |letter: &Letter| {
            let Letter { id, function, body, .. } = letter;
            format!("{id} of {function}\n    {}\n    {body}\n", reason(&letter.reason))
        };
        self.0.iter().map(shown).collect()
    }

    fn notes(&self) -> Vec<String> {
        match self.0.as_slice() {
            [] => vec!["there is no dead letter".to_owned()],
            _ => Vec::new(),
        }
    }
}
