//! Imports: which module of a crate names which, read from the text of its files.
//!
//! `use` with groups, and paths that begin with `crate`, `super` or `self`, are resolved to the module that they name. A name
//! that an enclosing module has from elsewhere (`use answer::Answer;`) is followed there. Comments, texts and what is compiled
//! for unit tests alone do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The names from the crate's root to a module; none for the root itself.
pub(super) type Module = Vec<String>;

/// A place at which one module names another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    /// The file, below `src`, with slashes.
    pub(super) file: String,
    /// The module whose code it is.
    pub(super) from: Module,
    /// The module that it names.
    pub(super) to: Module,
}

/// A folder of modules: who imports whom among them, and one of the files that do.
pub(super) type Siblings = BTreeMap<(String, String), String>;

/// The modules of a crate, and their imports.
#[derive(Debug, Default)]
pub(super) struct Crate {
    /// All modules but the root.
    pub(super) modules: BTreeSet<Module>,
    /// All imports, without those of a module's own items.
    pub(super) imports: Vec<Import>,
}

/// A path that a file has.
#[derive(Debug)]
struct Named {
    file: String,
    module: Module,
    path: Vec<String>,
    /// What it is called in its module, where it is a `use`.
    alias: Option<String>,
}

/// Every Rust file below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

impl Crate {
    /// The crate whose files lie below a folder `src`.
    pub(super) fn read(src: &Path) -> Self {
        let text = |path: PathBuf| {
            let name = path.strip_prefix(src).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(&path).unwrap())
        };
        Self::of(&files(src).into_iter().map(text).collect::<Vec<_>>())
    }

    /// The crate of some files: their names below `src`, and their texts.
    fn of(files: &[(String, String)]) -> Self {
        let (mut modules, mut named) = (BTreeSet::new(), Vec::new());
        for (file, text) in files {
            let path = file.trim_end_matches(".rs");
            let module: Module = match path {
                "lib" | "main" => Vec::new(),
                _ => path.split('/').map(str::to_owned).collect(),
            };
            if !module.is_empty() {
                modules.insert(module.clone());
            }
            let tokens = tokens(text);
            let mut reader = Reader { file, tokens: &tokens, at: 0, modules: &mut modules, named: &mut named };
            reader.block(&module);
        }
        let mut imports: Vec<Import> = named
            .iter()
            .filter_map(|one| {
                let to = resolve(&modules, &named, &one.module, &one.path, 0)?;
                Some(Import { file: one.file.clone(), from: one.module.clone(), to })
            })
            .filter(|import| import.from != import.to)
            .collect();
        imports.sort();
        imports.dedup();
        Self { modules, imports }
    }

    /// The imports between the modules of each folder; the crate's root is a folder without a name.
    pub(super) fn siblings(&self) -> BTreeMap<Module, Siblings> {
        let mut folders: BTreeMap<Module, Siblings> = BTreeMap::new();
        for Import { file, from, to } in &self.imports {
            let common = from.iter().zip(to).take_while(|(from, to)| from == to).count();
            if let (Some(one), Some(other)) = (from.get(common), to.get(common)) {
                let siblings = folders.entry(from[..common].to_vec()).or_default();
                siblings.entry((one.clone(), other.clone())).or_insert_with(|| file.clone());
            }
        }
        folders
    }
}

/// The sets of modules that import each other in a circle.
pub(super) fn circles(siblings: &Siblings) -> Vec<BTreeSet<String>> {
    let reached = |start: &String| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![start]);
        while let Some(module) = waiting.pop() {
            for (from, to) in siblings.keys() {
                if from == module && seen.insert(to.clone()) {
                    waiting.push(to);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = siblings.keys().map(|(from, _)| (from, reached(from))).collect();
    let circle = |start: &&String| {
        let others = reach[start].iter().filter(|other| reach.get(other).is_some_and(|back| back.contains(*start)));
        others.cloned().collect::<BTreeSet<String>>()
    };
    let found: BTreeSet<BTreeSet<String>> = reach.keys().map(circle).filter(|circle| !circle.is_empty()).collect();
    found.into_iter().collect()
}

/// The module that a path names in a module; none where it begins with another crate.
fn resolve(
    modules: &BTreeSet<Module>,
    named: &[Named],
    module: &Module,
    path: &[String],
    depth: usize,
) -> Option<Module> {
    let child = |of: &Module, name: &String| {
        let child: Module = of.iter().chain([name]).cloned().collect();
        modules.contains(&child).then_some(child)
    };
    let (mut here, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => (module.clone(), path),
        _ => (child(module, path.first()?)?, &path[1..]),
    };
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(here.pop()?),
            _ => match child(&here, first) {
                Some(child) => here = child,
                None => break,
            },
        }
        rest = after;
    }
    // What an enclosing module has from elsewhere is imported from there.
    if let Some(name) = rest.first().filter(|_| module.starts_with(&here) && depth < 8) {
        let has = |one: &&Named| one.module == here && one.alias.as_ref() == Some(name);
        let elsewhere = named.iter().find(has).and_then(|one| resolve(modules, named, &here, &one.path, depth + 1));
        here = elsewhere.unwrap_or(here);
    }
    Some(here)
}

/// Names and marks of a text; comments and literals are left out.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (length, is_code) = token(rest);
        let (token, after) = rest.split_at(length);
        if is_code {
            found.push(token);
        }
        rest = after;
    }
    found
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The length of the first token, and whether it is a name or a mark.
fn token(text: &str) -> (usize, bool) {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return (until("\n", 0), false);
    }
    if text.starts_with("/*") {
        return (until("*/", 0), false);
    }
    let unprefixed = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = text.len() - unprefixed.len();
    if text[..prefix].ends_with('r') && prefix <= 2 {
        let hashes = unprefixed.len() - unprefixed.trim_start_matches('#').len();
        if unprefixed[hashes..].starts_with('"') {
            return (until(&format!("\"{}", "#".repeat(hashes)), prefix + hashes + 1), false);
        }
    }
    if prefix <= 1 && unprefixed.starts_with('"') {
        return (prefix + quoted(unprefixed, '"'), false);
    }
    let mut letters = unprefixed.chars();
    if prefix <= 1 && letters.next() == Some('\'') {
        let is_letter = letters.next() == Some('\\') || letters.next() == Some('\'');
        return if is_letter { (prefix + quoted(unprefixed, '\''), false) } else { (prefix + 1, false) };
    }
    let name = text.len() - text.trim_start_matches(is_name).len();
    match text.chars().next() {
        _ if name > 0 => (name, true),
        _ if text.starts_with("::") => (2, true),
        Some(mark) => (mark.len_utf8(), !mark.is_whitespace()),
        None => (0, false),
    }
}

/// The length of a literal between two quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if !is_escaped && letter == quote {
            return at + quote.len_utf8();
        }
        is_escaped = !is_escaped && letter == '\\';
    }
    text.len()
}

/// Goes through a file's tokens.
struct Reader<'a> {
    file: &'a str,
    tokens: &'a [&'a str],
    at: usize,
    modules: &'a mut BTreeSet<Module>,
    named: &'a mut Vec<Named>,
}

impl Reader<'_> {
    fn sees(&self, tokens: &[&str]) -> bool {
        self.tokens[self.at..].starts_with(tokens)
    }

    fn next(&mut self) -> Option<&str> {
        self.at += 1;
        self.tokens.get(self.at - 1).copied()
    }

    /// Reads to the end of a module, or of a block in it.
    fn block(&mut self, module: &Module) {
        let is_path = |reader: &Self| reader.tokens.get(reader.at + 1) == Some(&"::");
        while let Some(&token) = self.tokens.get(self.at) {
            match token {
                "#" if self.sees(&["#", "[", "cfg", "(", "test", ")", "]"]) => {
                    self.at += 7;
                    self.skip_item();
                    continue;
                }
                "mod" if self.tokens.get(self.at + 2) == Some(&"{") => {
                    let inner: Module = module.iter().cloned().chain([self.tokens[self.at + 1].to_owned()]).collect();
                    self.modules.insert(inner.clone());
                    self.at += 3;
                    self.block(&inner);
                    continue;
                }
                "use" if !matches!(self.tokens.get(self.at + 1), Some(&"<")) => {
                    self.at += 1;
                    self.tree(module, &[], true);
                    continue;
                }
                "crate" | "super" | "self" if is_path(self) && !self.tokens[..self.at].ends_with(&["::"]) => {
                    self.tree(module, &[], false);
                    continue;
                }
                "{" => {
                    self.at += 1;
                    self.block(module);
                    continue;
                }
                "}" => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads a path, in a `use` with its groups and its other name.
    fn tree(&mut self, module: &Module, before: &[String], is_use: bool) {
        let mut path = before.to_vec();
        let mut alias = None;
        while let Some(&token) = self.tokens.get(self.at) {
            match token {
                "{" if is_use => {
                    self.at += 1;
                    while !matches!(self.tokens.get(self.at), Some(&"}") | None) {
                        self.tree(module, &path, true);
                        if self.sees(&[","]) {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "::" => self.at += 1,
                "*" if is_use => {
                    self.at += 1;
                    break;
                }
                "as" if is_use => {
                    self.at += 1;
                    alias = self.next().map(str::to_owned);
                    break;
                }
                "self" if !path.is_empty() => self.at += 1,
                name if name.starts_with(is_name)
                    && (is_use || path.is_empty() || self.tokens[self.at - 1] == "::") =>
                {
                    path.push(name.to_owned());
                    self.at += 1;
                }
                _ => break,
            }
        }
        let alias = is_use.then(|| alias.or_else(|| path.last().cloned())).flatten();
        self.named.push(Named { file: self.file.to_owned(), module: module.clone(), path, alias });
    }

    /// Passes over what follows an attribute.
    fn skip_item(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.next() {
            match token {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" => depth -= 1,
                "}" => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                ";" if depth == 0 => return,
                _ => {}
            }
        }
    }
}

fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let show = |import: &Import| format!("{} -> {}", import.from.join("::"), import.to.join("::"));
    Crate::of(&files).imports.iter().map(show).collect()
}

#[test]
fn paths_are_resolved_to_the_module_that_they_name() {
    let crate_of = |text| imports(&[("a.rs", "mod c;"), ("a/c.rs", ""), ("a/b.rs", text), ("d.rs", "")]);
    for (text, expected) in [
        ("use crate::d::X;", "a::b -> d"),
        ("use crate::{d::{X, Y}};", "a::b -> d"),
        ("use super::c;", "a::b -> a::c"),
        ("use super::{c::{self, X}};", "a::b -> a::c"),
        ("use super::super::d::*;", "a::b -> d"),
        ("fn f() -> super::c::X<'static> { crate::d::y::<u8>() }", "a::b -> a::c"),
        ("macro! { x = super::c::Y }", "a::b -> a::c"),
    ] {
        assert_eq!(crate_of(text).first().map(String::as_str), Some(expected), "{text}");
    }
    for nothing in [
        "// use super::c;\n/* super::c */ /// super::c",
        "const X: &str = \"use super::c;\"; const Y: &str = r#\"\" super::c \"#; const Z: char = '\"';",
        "#[cfg(test)]\nmod tests { use super::super::c; }\n",
        "#[cfg(test)]\nuse super::c;",
        "use std::d; fn f<'a>() -> impl X + use<'a> { self.c }",
    ] {
        assert!(crate_of(nothing).is_empty(), "{nothing}: {:?}", crate_of(nothing));
    }
}

#[test]
fn what_an_enclosing_module_has_from_elsewhere_is_imported_from_there() {
    let files = [
        ("lib.rs", "mod a; pub use a::c::Deep;"),
        ("a.rs", "mod b; mod c; pub use c::X; use c::Y as Z;"),
        ("a/b.rs", "use super::X; use super::Z;"),
        ("a/c.rs", ""),
        ("d.rs", "use crate::Deep;"),
    ];
    let found = imports(&files);
    assert_eq!(found, ["a -> a::c", "a::b -> a::c", "d -> a::c", " -> a::c"]);
}

#[test]
fn circles_are_found() {
    let siblings = |edges: &[(&str, &str)]| {
        edges.iter().map(|(from, to)| (((*from).to_owned(), (*to).to_owned()), String::new())).collect::<Siblings>()
    };
    assert!(circles(&siblings(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let found = circles(&siblings(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "f"), ("f", "e")]));
    let names: Vec<Vec<_>> = found.iter().map(|circle| circle.iter().map(String::as_str).collect()).collect();
    assert_eq!(names, [vec!["a", "b", "c"], vec!["e", "f"]]);
}
