//! `etalon check`: everything that is wrong with a pipeline file, before a byte is read.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use etalon_core::diagnostic::Diagnostic;
use etalon_core::pipeline::Pipeline;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Form, Output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pipeline file
    pipeline: PathBuf,
    /// How to write the diagnostics
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

/// A diagnostic with its place as people count: lines and columns from 1.
#[derive(Serialize)]
struct Placed<'a> {
    line: usize,
    column: usize,
    #[serde(flatten)]
    diagnostic: &'a Diagnostic,
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    if arguments.output != Form::Json {
        let loaded = super::load(&arguments.pipeline, output)?;
        let pipeline = &loaded.pipeline;
        let columns = pipeline.columns();
        output.note(&format!("{}: {} is right", arguments.pipeline.display(), pipeline.name));
        let rows: Vec<Vec<Option<String>>> = columns
            .iter()
            .map(|(name, ty, required)| {
                let required = if *required { "required" } else { "" };
                vec![Some(name.clone()), Some(ty.to_string()), Some(required.to_owned())]
            })
            .collect();
        let header = ["column".to_owned(), "type".to_owned(), String::new()];
        return output.data(&crate::output::table(&header, &[false; 3], &rows));
    }
    let text = fs::read_to_string(&arguments.pipeline).map_err(|error| Failure::file(&arguments.pipeline, &error))?;
    let compiled = Pipeline::compile(&text);
    let (diagnostics, is_right) = match &compiled {
        Ok((_, warnings)) => (warnings, true),
        Err(errors) => (errors, false),
    };
    let placed: Vec<Placed<'_>> = diagnostics
        .iter()
        .map(|diagnostic| {
            let before = &text[..text.floor_char_boundary(diagnostic.span.start)];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            Placed {
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                diagnostic,
            }
        })
        .collect();
    output.json(&placed)?;
    if is_right { Ok(()) } else { Err(Failure::Pipeline(String::new())) }
}
