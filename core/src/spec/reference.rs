//! The reference page of the pipeline file, made from the table of shapes.

use std::fmt::Write;

use super::form::Form;
use super::shape::{Mapping, Need, Shape, each_mapping};

/// The reference of the pipeline file, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# The pipeline file\n\n\
         Made from the table that reads the file; do not edit. What the words mean exactly, and how to use them, is in the guide.\n\n\
         The file is YAML 1.2. Every text is taken as written and read by its place: `NO` is a text and `1.10` keeps its zero.\n\
         Anchors, aliases, merge keys and tags are not part of the format.\n",
    );
    each_mapping(&mut |mapping| section(&mut page, mapping));
    page
}

fn section(page: &mut String, mapping: &Mapping) {
    let title = if mapping.title.contains(' ') {
        let mut letters = mapping.title.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    } else {
        format!("`{}`", mapping.title)
    };
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {title}\n\n{}\n", mapping.doc);
    if !mapping.one_of.is_empty() {
        let keys = super::form::list(mapping.one_of.iter().copied());
        let _ = writeln!(page, "Exactly one of {keys} must be there.");
    }
    if mapping.keys.is_empty() {
        return;
    }
    page.push_str("\n| key | value | if not said | what it says |\n|---|---|---|---|\n");
    for key in mapping.keys {
        let need = match key.need {
            Need::Required => "required".to_owned(),
            Need::Optional => String::new(),
            Need::Default(usual) => format!("`{usual}`"),
        };
        let _ =
            writeln!(page, "| `{}` | {} | {need} | {}{} |", key.name, value(&key.shape), key.doc, words(&key.shape));
    }
}

fn value(shape: &Shape) -> String {
    match shape {
        Shape::One(form) => form.noun().to_owned(),
        Shape::List(form) => format!("a list; each, {}", form.noun()),
        Shape::OneOrMany(form) => format!("{}, or a list", form.noun()),
        Shape::Mapping(mapping) => format!("a mapping: [{}]({})", mapping.title, anchor(mapping)),
        Shape::Either(form, mapping) => {
            format!("{}, or a mapping: [{}]({})", form.noun(), mapping.title, anchor(mapping))
        }
        Shape::Named(named) => format!("a mapping of names; each, {}", value(&named.value)),
    }
}

fn anchor(mapping: &Mapping) -> String {
    format!("#{}", mapping.title.replace(' ', "-"))
}

/// The words of a choice, with what they mean.
fn words(shape: &Shape) -> String {
    let (Shape::One(Form::Choice(words)) | Shape::Either(Form::Choice(words), _)) = shape else { return String::new() };
    let meanings: Vec<String> = words.iter().map(|(word, doc)| format!("`{word}`: {doc}")).collect();
    format!(" {}.", meanings.join("; "))
}
