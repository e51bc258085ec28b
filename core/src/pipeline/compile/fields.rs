//! Fields: how the cells of each declared field become values.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::pipeline::file::ZoneSpec;
use crate::transform::Field;
use crate::transform::decode::FieldFormat;
use crate::types::Type;
use crate::value::datetime::zone::{LocalZone, Zone};
use crate::value::format::Words;

use super::Compiler;
use super::formats;

/// The zone that a field names, which the form of its key has found.
fn local_zone(said: &ZoneSpec) -> Option<LocalZone> {
    let zone = Zone::of_place(&said.name)?;
    Some(LocalZone { name: said.name.clone(), zone, ambiguous: said.ambiguous })
}

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
                Some(said) => formats::field_format(&said.value, field.ty, field.zone.is_some(), in_json)
                    .map_err(|wrong| self.diagnostics.push(wrong.at(said.span))),
            };
            let field_format = field_format.unwrap_or(FieldFormat::Usual);
            if let (FieldFormat::Words(words), Some(said)) = (&field_format, &field.format) {
                self.check_words(words, said.span);
            }
            if let Some(zone) = &field.zone {
                self.check_zone(zone.span, field.ty, &field_format);
            }
            fields.push(Field {
                name: item.name.value.clone(),
                ty: field.ty,
                format: field_format,
                nulls: format.nulls().to_vec(),
                zone: field.zone.as_ref().and_then(|zone| local_zone(&zone.value)),
                sensitive: field.sensitive,
            });
        }
        fields
    }

    /// A word that is NULL is never read.
    fn check_words(&mut self, words: &Words, span: Span) {
        let nulls = self.spec.source.format.nulls();
        if let Some(word) = words.yes.iter().chain(&words.no).find(|word| nulls.contains(word)) {
            let message = format!("`{word}` is among `nulls`, so that it is read as NULL");
            self.error(Code::Conflict, span, message, "take it out of one of the two");
        }
    }

    /// What is about the names of an object's fields means nothing where they have none.
    pub(super) fn check_names(&mut self) {
        let source = &self.spec.source;
        // The columns of a database are asked for by name.
        if source.format.has_header() || source.format.values_are_json() || source.location.lands() {
            return;
        }
        let help = "leave it out: without a header, fields are told apart by their places";
        let names = source.fields.iter().filter_map(|item| item.right()?.source_name.as_ref());
        for name in names {
            let message = "`name` is how a header calls the field, and there is none";
            self.diagnostics.push(Diagnostic::error(Code::Conflict, name.span, message).with_help(help));
        }
        if let Some(span) = source.contract_span {
            let message = "`contract` is about fields that a header has and the pipeline does not, and there is none";
            let help = "leave it out: a record with other than the declared number of fields is rejected";
            self.error(Code::Conflict, span, message, help);
        }
    }

    /// A zone is for texts that may have no offset.
    fn check_zone(&mut self, span: Span, ty: Type, format: &FieldFormat) {
        let message = match format {
            _ if ty != Type::Timestamptz => format!("a field of type {ty} has no zone"),
            FieldFormat::Rfc3339 => "RFC 3339 has an offset in every text, so that no zone is needed".to_owned(),
            FieldFormat::Epoch(_) => "a count since 1970 is in UTC, so that no zone is needed".to_owned(),
            FieldFormat::Pattern(pattern) if pattern.has_offset() => {
                "the pattern has an offset in every text, so that no zone is needed".to_owned()
            }
            _ => return,
        };
        self.error(Code::Conflict, span, message, "leave `timezone` out; `at time zone` puts a time into a zone");
    }

    /// Whether a header may lack each field. Where there is no header that could, the word would mean nothing.
    pub(super) fn optional_fields(&mut self) -> Vec<bool> {
        let has_header = self.spec.source.format.has_header();
        let fields: Vec<_> = self.spec.source.fields.iter().filter_map(|item| item.right()).collect();
        if let Some(span) = fields.iter().find_map(|field| field.optional).filter(|_| !has_header) {
            let message = "`optional` is about a header, and there is none";
            let help = "leave it out: in JSON Lines any field may be absent; in CSV without a header see `fill_record`";
            self.error(Code::Conflict, span, message, help);
        }
        fields.iter().map(|field| field.optional.is_some()).collect()
    }

    /// How the object calls each field.
    pub(super) fn source_names(&self) -> Vec<String> {
        let fields = self.spec.source.fields.iter().filter_map(|item| Some((item, item.right()?)));
        fields.map(|(item, field)| field.source_name.as_ref().unwrap_or(&item.name).value.clone()).collect()
    }
}
