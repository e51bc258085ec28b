//! `etalon dlq redrive`: sends dead letters again as messages.

use clap::Args;
use etalon_driver::letters::Letter;
use serde::Serialize;

use super::Letters;
use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View, how_many};

/// Send dead letters to their functions again
#[derive(Debug, Args)]
pub(super) struct Redrive {
    #[command(flatten)]
    letters: Letters,
    /// Send this body in place of the body of the one letter that is chosen
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// The letters that were sent.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Sent(Vec<Letter>);

impl Verb for Redrive {
    const NAME: &'static str = "redrive";
    type Found = Sent;

    fn carry_out(&self, output: Output) -> Result<Sent, Failure> {
        Ok(Sent(self.letters.remote(output)?.send_again(&self.letters.wanted(), self.body.as_deref())?))
    }
}

impl View for Sent {
    fn table(&self) -> Table {
        let mut table = Table::new(["id", "function"].map(|name| Column::new(name, Kind::Text)).to_vec());
        for letter in &self.0 {
            table.push([letter.id.clone(), letter.function.to_owned()].map(Some).to_vec());
        }
        table
    }

    fn page(&self) -> String {
        match self.0.len() as u64 {
            0 => String::new(),
            letters => format!("sent again: {}\n", how_many(letters, "letter")),
        }
    }

    fn notes(&self) -> Vec<String> {
        match self.0.as_slice() {
            [] => vec!["there is no dead letter that is wanted; nothing was sent".to_owned()],
            _ => vec!["all of Etalon's messages may come twice; what fails again is a letter again".to_owned()],
        }
    }
}
