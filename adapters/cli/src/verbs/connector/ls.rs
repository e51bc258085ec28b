//! `etalon connector ls`: the streams of a manifest, what each needs, and which are refused and why.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use etalon_core::source::connector::{Connector, NamedBy};
use serde::Serialize;

use crate::arguments::Written;
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View};

/// List the streams of a connector manifest: how each is read, and which are refused and why
#[derive(Debug, Args)]
pub(super) struct Ls {
    /// The manifest: a declarative connector in YAML
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    #[command(flatten)]
    written: Written,
}

/// The streams, in the order of the manifest.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Listed(Vec<Stream>);

#[derive(Debug, Serialize)]
struct Stream {
    stream: String,
    /// `whole`: each time from its beginning; `incremental`: what came since; `refused`; `template`: there are as many streams of it as
    /// the configuration or the server says.
    read: &'static str,
    /// The streams whose records it is asked for by.
    parents: Vec<String>,
    /// The keys of the configuration that it and its parents take.
    config: Vec<String>,
    /// What it asks for that is not there.
    missing: Vec<String>,
    /// What the manifest says of it that means nothing.
    ignored: Vec<String>,
    /// Who says which streams a template gives: `configuration` or `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    named_by: Option<&'static str>,
}

impl Verb for Ls {
    const NAME: &'static str = "ls";
    type Found = Listed;

    fn carry_out(&self, _: Output) -> Result<Listed, Failure> {
        let text = fs::read_to_string(&self.manifest).map_err(|error| Failure::file(&self.manifest, &error))?;
        let connector = Connector::read(&text)
            .map_err(|error| Failure::environment(format!("{}: {error}", self.manifest.display())))?;
        let owned = |texts: &[String]| texts.to_vec();
        let streams = connector.streams().map(|listed| Stream {
            stream: listed.name.to_owned(),
            read: match (listed.missing, listed.named_by, listed.is_incremental) {
                ([], Some(_), _) => "template",
                ([], None, true) => "incremental",
                ([], None, false) => "whole",
                _ => "refused",
            },
            named_by: listed.named_by.map(|by| match by {
                NamedBy::Config => "configuration",
                NamedBy::Server => "server",
            }),
            parents: listed.parents.iter().map(|parent| (*parent).to_owned()).collect(),
            config: owned(listed.config),
            missing: owned(listed.missing),
            ignored: owned(listed.ignored),
        });
        Ok(Listed(streams.collect()))
    }
}

impl View for Listed {
    fn table(&self) -> Table {
        let columns = ["stream", "read", "parents", "config", "missing"].map(|name| Column::new(name, Kind::Text));
        let mut table = Table::new(columns.into());
        for stream in &self.0 {
            let texts = [
                &stream.stream,
                stream.read,
                &stream.parents.join(", "),
                &stream.config.join(", "),
                &stream.missing.join("; "),
            ];
            table.push(texts.map(|text| (!text.is_empty()).then(|| text.to_owned())).into());
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let refused = self.0.iter().filter(|stream| !stream.missing.is_empty()).count();
        let mut notes = vec![format!("{} streams, {refused} of them refused", self.0.len())];
        for stream in &self.0 {
            if let Some(by) = stream.named_by {
                notes.push(format!(
                    "`{}` is a template: the {by} says which streams there are; name one of them, as the {by} does",
                    stream.stream
                ));
            }
        }
        let mut ignored: Vec<&String> = self.0.iter().flat_map(|stream| &stream.ignored).collect();
        ignored.sort();
        ignored.dedup();
        notes
            .extend(ignored.into_iter().map(|what| format!("passed over, since the format has no such thing: {what}")));
        notes
    }
}
