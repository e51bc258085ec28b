//! Fields: how the cells of each declared field become values.

use crate::transform::Field;
use crate::transform::decode::FieldFormat;
use crate::types::Type;

use super::Compiler;
use super::formats;

impl Compiler<'_> {
    pub(super) fn compile_fields(&mut self) -> Vec<Field> {
        let format = &self.spec.source.format;
        let in_json = format.values_are_json();
        let mut fields = Vec::new();
        for item in &self.spec.source.fields {
            let Some(field) = item.right() else { continue };
            let field_format = match &field.format {
                None if in_json && field.ty == Type::Super => Ok(FieldFormat::Json),
                None => Ok(FieldFormat::Usual),
                Some(said) => formats::field_format(&said.value, field.ty, field.utc, in_json)
                    .map_err(|wrong| self.diagnostics.push(wrong.at(said.span))),
            };
            fields.push(Field {
                name: item.name.value.clone(),
                ty: field.ty,
                format: field_format.unwrap_or(FieldFormat::Usual),
                nulls: format.nulls().to_vec(),
                utc: field.utc,
                sensitive: field.sensitive,
            });
        }
        fields
    }

    /// How the object calls each field.
    pub(super) fn source_names(&self) -> Vec<String> {
        let fields = self.spec.source.fields.iter().filter_map(|item| Some((item, item.right()?)));
        fields.map(|(item, field)| field.source_name.as_ref().unwrap_or(&item.name.value).clone()).collect()
    }
}
