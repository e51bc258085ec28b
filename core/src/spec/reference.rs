//! The reference page of the pipeline file, generated from the rows that read it.

use std::fmt::Write;

use super::form::{Hint, list};
use super::outline::{MappingOutline, Need, Outline, each_mapping};

/// The reference of a file, in Markdown, after an introduction.
pub(crate) fn reference(introduction: &str, root: &MappingOutline) -> String {
    let mut page = introduction.to_owned();
    each_mapping(root, &mut |mapping| {
        let mut told = String::new();
        section(&mut told, mapping);
        // What several have in common is told once.
        if !page.contains(&told) {
            page.push_str(&told);
        }
    });
    page
}

fn section(page: &mut String, mapping: &MappingOutline) {
    let title = if mapping.title.contains(' ') {
        let mut letters = mapping.title.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    } else {
        format!("`{}`", mapping.title)
    };
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {title}\n\n{}\n", mapping.doc);
    if !mapping.one_of.is_empty() {
        let keys = list(mapping.one_of.iter().copied());
        let _ = writeln!(page, "Exactly one of {keys} must be there.");
    }
    if mapping.keys.is_empty() {
        return;
    }
    page.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in &mapping.keys {
        let need = match key.need {
            Need::Required => "required".to_owned(),
            Need::Optional => String::new(),
            Need::Default(usual) => format!("`{usual}`"),
        };
        let (name, doc) = (key.name, &key.doc);
        let _ = writeln!(page, "| `{name}` | {} | {need} | {doc}{} |", value(&key.value), words(&key.value));
    }
}

fn value(outline: &Outline) -> String {
    match outline {
        Outline::One(form) => form.noun.to_owned(),
        Outline::List(form) => format!("a list; each, {}", form.noun),
        Outline::OneOrMany(form) => format!("{}, or a list", form.noun),
        Outline::Mapping(mapping) => format!("a mapping: [{}]({})", mapping.title, anchor(mapping)),
        Outline::Either(form, mapping) => {
            format!("{}, or a mapping: [{}]({})", form.noun, mapping.title, anchor(mapping))
        }
        Outline::Named(named) => format!("a mapping of names; each, {}", value(&named.value)),
        Outline::Any(whose) => format!("a mapping with {whose}"),
    }
}

fn anchor(mapping: &MappingOutline) -> String {
    format!("#{}", mapping.title.replace(' ', "-").replace('\'', ""))
}

/// The words of a choice, with what they mean.
fn words(outline: &Outline) -> String {
    let (Outline::One(form) | Outline::Either(form, _)) = outline else { return String::new() };
    let (Hint::Words(words) | Hint::WordsOrText(words)) = &form.hint else { return String::new() };
    let meanings: Vec<String> = words.iter().map(|(word, doc)| format!("`{word}`: {doc}")).collect();
    format!(" {}.", meanings.join("; "))
}
