//! Resolved: a pipeline in which the `${…}` have their values, so that the name of its table is known. Core has the grammar of
//! placeholders, adapters know the values. All code that writes to a table takes a [`Resolved`].

use std::ops::Deref;

use super::file::{is_table, table_parts};
use super::{Bounds, Pipeline};
use crate::error::{Error, ErrorKind};
use crate::spec::{Filled, Placeholder, placeholder};
use crate::warehouse::Table;

/// A pipeline with the name of its table. It can do whatever a [`Pipeline`] can, and nobody changes it either.
#[derive(Debug, Clone)]
pub struct Resolved {
    pipeline: Pipeline,
    table: Table,
}

impl Pipeline {
    /// What the name of the table asks for, where it stands, in order. It asks for no secret.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder<'_>> {
        let names = self.table.schema.iter().chain([&self.table.name]);
        names.flat_map(|name| placeholder::placeholders(name))
    }

    /// The pipeline with the name of its table; `value` is asked for each placeholder where it stands.
    ///
    /// The error is that of `value`, or says that the name is none with these values.
    pub fn resolve<E: From<Error>>(
        self,
        value: impl FnMut(Placeholder<'_>) -> Result<String, E>,
    ) -> Result<Resolved, E> {
        let written = full_name(&self.table);
        let name = Filled::new(&written, value)?;
        if !is_table(name.reveal()) {
            let message = format!("`{written}` is `{name}`, which is not `schema.table` or `table`");
            return Err(Error::new(ErrorKind::Refused, message).into());
        }
        let (schema, name) = table_parts(name.reveal());
        let table = Table { schema, name, ..self.table.clone() };
        Ok(Resolved { pipeline: self, table })
    }
}

impl Resolved {
    /// The table that it loads.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The name of the table: `schema.table` or `table`.
    pub fn table_name(&self) -> String {
        full_name(&self.table)
    }

    /// A pipeline of an earlier file that was kept under a fingerprint, with the name of this one's table: the file does not know
    /// in which environment it is. It has that fingerprint, also where a file of its words would have another by now: what was
    /// planned with it is mapped as it was planned. Its rows are told apart by the key that the table has now.
    #[must_use]
    pub fn kept(&self, pipeline: Pipeline, fingerprint: &str) -> Self {
        let pipeline = Pipeline { fingerprint: fingerprint.to_owned(), ..pipeline };
        let (schema, name) = (self.table.schema.clone(), self.table.name.clone());
        let write = self.table.write_mapped_for(&pipeline.table);
        let table = Table { schema, name, write, ..pipeline.table.clone() };
        Self { pipeline, table }.with_bounds(self.pipeline.bounds)
    }

    /// The pipeline with other bounds than everybody's.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Self { pipeline: Pipeline { bounds, ..self.pipeline }, ..self }
    }
}

impl Deref for Resolved {
    type Target = Pipeline;

    fn deref(&self) -> &Pipeline {
        &self.pipeline
    }
}

/// `schema.table` or `table`.
fn full_name(table: &Table) -> String {
    match &table.schema {
        Some(schema) => format!("{schema}.{}", table.name),
        None => table.name.clone(),
    }
}
