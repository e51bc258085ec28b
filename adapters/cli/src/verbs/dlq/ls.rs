//! `etalon dlq ls`: lists the dead letters.

use clap::Args;
use etalon_driver::letters::Letter;
use serde::Serialize;

use super::{Letters, reason};
use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View};

/// List dead letters, with the reasons
#[derive(Debug, Args)]
pub(super) struct Ls {
    #[command(flatten)]
    letters: Letters,
    #[command(flatten)]
    written: Written,
}

/// The letters.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Listed(Vec<Letter>);

impl Verb for Ls {
    const NAME: &'static str = "ls";
    type Found = Listed;

    fn carry_out(&self, output: Output) -> Result<Listed, Failure> {
        Ok(Listed(self.letters.remote(output)?.letters(&self.letters.wanted())?))
    }
}

impl View for Listed {
    fn table(&self) -> Table {
        let mut table = Table::new(["id", "function", "reason"].map(|name| Column::new(name, Kind::Text)).to_vec());
        for letter in &self.0 {
            table.push([letter.id.clone(), letter.function.to_owned(), reason(&letter.reason)].map(Some).to_vec());
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        match self.0.as_slice() {
            [] => vec!["there is no dead letter".to_owned()],
            _ => vec!["`etalon dlq show` has all of what they say".to_owned()],
        }
    }
}
