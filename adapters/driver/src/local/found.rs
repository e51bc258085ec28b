//! Found: the files that paths and globs match, as in a shell. Links are followed, and a file has one name, however it is
//! reached: two names would be two sources. A link to a file has its own name, since it may lead to another file tomorrow,
//! unless the file itself is found too; a link to a folder has the name of the folder. A file that matches and cannot be read
//! is refused, by name: nobody would notice rows that are left out silently.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::source::{Names, files};

use super::failed;

/// The names, from `folder`, of the files that match any of the patterns, which start from `start`.
pub(super) fn find(folder: &Path, start: &Path, patterns: &[String]) -> Result<BTreeSet<String>, Error> {
    files::names(patterns)?;
    let folder = real(folder)?;
    let mut search = Search::default();
    for pattern in patterns {
        search.seen.clear();
        let (root, parts) = Part::all(pattern)?;
        let start = root.unwrap_or(start);
        let found =
            search.follow(&Place { shown: start.to_owned(), named: real(start)?, real: real(start)? }, &parts)?;
        if !found && parts.iter().all(|part| matches!(part, Part::Plain(_))) {
            return Err(no_file(&start.join(pattern)));
        }
    }
    let named = search.files.iter().map(|(file, names)| if names.contains(file) { Some(file) } else { names.first() });
    named.flatten().map(|file| name(&folder, file)).collect()
}

/// The name, from `folder`, of the file or link at a path, which is there.
pub(super) fn name_of(folder: &Path, path: &Path) -> Result<String, Error> {
    let file = match (path.parent(), path.file_name()) {
        (Some(parent), Some(file)) if fs::metadata(path).is_ok() => real(parent)?.join(file),
        _ => real(path)?,
    };
    name(&real(folder)?, &file)
}

/// The name, from `folder`, of the file to which a link leads; nothing if there is no link at that path.
pub(super) fn file_of(folder: &Path, path: &Path) -> Result<Option<String>, Error> {
    if !fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        return Ok(None);
    }
    name(&real(folder)?, &real(path)?).map(Some)
}

/// A part of a pattern, between slashes.
enum Part {
    /// The name itself.
    Plain(String),
    /// `**`: any number of folders.
    Folders,
    /// A glob over names.
    Wild(Names),
}

impl Part {
    /// The parts of a pattern, and the root where it begins there.
    fn all(pattern: &str) -> Result<(Option<&'static Path>, Vec<Self>), Error> {
        let texts: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let mut parts = Vec::new();
        for text in &texts {
            parts.push(match *text {
                "**" => Self::Folders,
                text if text.contains(['*', '?', '[']) => Self::Wild(files::names(&[text.to_owned()])?),
                text => Self::Plain(text.to_owned()),
            });
        }
        if texts.last() == Some(&"**") {
            parts.push(Self::Wild(files::names(&["*".to_owned()])?));
        }
        Ok((pattern.starts_with('/').then_some(Path::new("/")), parts))
    }
}

/// A file or folder: as the pattern leads to it, what it is called in the folder where it is found, and where it is.
struct Place {
    shown: PathBuf,
    named: PathBuf,
    real: PathBuf,
}

impl Place {
    /// What is there of a name; nothing if there is nothing of that name.
    fn below(&self, name: &OsStr) -> Result<Option<Self>, Error> {
        let (shown, path) = (self.shown.join(name), self.real.join(name));
        match fs::canonicalize(&path) {
            Ok(real) => Ok(Some(Self { shown, named: path, real })),
            Err(error) if is_absent(&error) && fs::symlink_metadata(&path).is_err() => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = format!("{}: this is a link to what is not there", shown.display());
                Err(Error::new(ErrorKind::NotFound, message))
            }
            Err(error) => Err(failed(&shown, &error)),
        }
    }

    /// What lies in a folder whose name a pattern takes, and whether it is a folder.
    fn entries(&self, takes: impl Fn(&str) -> bool) -> Result<Vec<(Self, bool)>, Error> {
        let entries = match fs::read_dir(&self.real) {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            entries => entries.map_err(|error| failed(&self.shown, &error))?,
        };
        let mut taken = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| failed(&self.shown, &error))?;
            let file = entry.file_name();
            if !takes(&file.to_string_lossy()) {
                continue;
            }
            let kind = entry.file_type().map_err(|error| failed(&entry.path(), &error))?;
            // Only of a link one must ask where it leads.
            if !kind.is_symlink() {
                let place = Self { shown: self.shown.join(&file), named: entry.path(), real: entry.path() };
                taken.push((place, kind.is_dir()));
            } else if let Some(place) = self.below(&file)? {
                let is_folder = place.real.is_dir();
                taken.push((place, is_folder));
            }
        }
        Ok(taken)
    }
}

#[derive(Default)]
struct Search {
    /// The files that were found, by where they are, and what they are called there.
    files: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// The folders that were entered, each with the number of parts that were left: links may lead there again.
    seen: HashSet<(PathBuf, usize)>,
}

impl Search {
    /// Follows the rest of a pattern from a place. Whether anything was found.
    fn follow(&mut self, place: &Place, parts: &[Part]) -> Result<bool, Error> {
        let Some((part, rest)) = parts.split_first() else { return self.take(place) };
        let mut found = false;
        match part {
            Part::Plain(name) => {
                if let Some(next) = place.below(OsStr::new(name))? {
                    found = self.follow(&next, rest)?;
                }
            }
            Part::Folders => {
                if !self.seen.insert((place.real.clone(), parts.len())) {
                    return Ok(false);
                }
                found = self.follow(place, rest)?;
                for (next, is_folder) in place.entries(|name| !name.starts_with('.'))? {
                    // A link to a folder that leads here would bring what lies beside.
                    if is_folder && !place.real.starts_with(&next.real) {
                        found |= self.follow(&next, parts)?;
                    }
                }
            }
            Part::Wild(names) => {
                for (next, is_folder) in place.entries(|name| names.include(name))? {
                    if is_folder != rest.is_empty() {
                        found |= self.follow(&next, rest)?;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Takes a file; a folder of that name is passed over.
    fn take(&mut self, place: &Place) -> Result<bool, Error> {
        let kind = fs::metadata(&place.real).map_err(|error| failed(&place.shown, &error))?;
        if kind.is_file() {
            utf8(&place.shown, &place.shown)?;
            self.files.entry(place.real.clone()).or_default().insert(place.named.clone());
        } else if !kind.is_dir() {
            let message = format!(
                "{}: this is not a regular file (a pipe or a device, say); write its bytes to a file first",
                place.shown.display()
            );
            return Err(Error::new(ErrorKind::Refused, message));
        }
        Ok(kind.is_file())
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Where a folder or file is, without links.
fn real(path: &Path) -> Result<PathBuf, Error> {
    let path = if path == Path::new("") { Path::new(".") } else { path };
    fs::canonicalize(path).map_err(|error| failed(path, &error))
}

/// The name of a file from a folder; both without links.
fn name(folder: &Path, file: &Path) -> Result<String, Error> {
    let shared = folder.components().zip(file.components()).take_while(|(left, right)| left == right).count();
    let up = folder.components().skip(shared).map(|_| Ok(".."));
    let down = file.components().skip(shared).map(|part| utf8(Path::new(part.as_os_str()), file));
    Ok(up.chain(down).collect::<Result<Vec<_>, _>>()?.join("/"))
}

/// A path, or a part of it, as a text.
fn utf8<'a>(part: &'a Path, path: &Path) -> Result<&'a str, Error> {
    let refused = || {
        let message = format!("{}: the name is not UTF-8; rename it", path.display());
        Error::new(ErrorKind::Refused, message)
    };
    part.to_str().ok_or_else(refused)
}

/// Why a path is not one of a file that can be read.
fn no_file(path: &Path) -> Error {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Error::new(
            ErrorKind::Refused,
            format!("{shown}: this is a folder; name a file in it, or a glob such as `*.csv`"),
        ),
        Err(error) if error.kind() != io::ErrorKind::NotFound => failed(path, &error),
        _ => Error::new(ErrorKind::NotFound, format!("{shown}: there is no such file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files, each of which holds its name.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn found(folder: &Path, patterns: &[&str]) -> Result<Vec<String>, String> {
        from(folder, folder, patterns)
    }

    fn from(folder: &Path, start: &Path, patterns: &[&str]) -> Result<Vec<String>, String> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        find(folder, start, &patterns).map(|names| names.into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_found_as_a_shell_would_find_them() {
        let folder = folder(&["a.csv", "in/b.csv", "in/c.json", "in/late/d.csv", ".etalon/e.csv", ".f.csv"]);
        let here = folder.path();
        assert_eq!(found(here, &["*.csv"]).unwrap(), ["a.csv"]);
        assert_eq!(found(here, &["*"]).unwrap(), ["a.csv"]);
        assert_eq!(found(here, &["./in//b.csv", "in/*"]).unwrap(), ["in/b.csv", "in/c.json"]);
        assert_eq!(found(here, &["in/**/*.csv"]).unwrap(), ["in/b.csv", "in/late/d.csv"]);
        assert_eq!(found(here, &["**"]).unwrap(), ["a.csv", "in/b.csv", "in/c.json", "in/late/d.csv"]);
        assert_eq!(found(here, &["**/*.csv"]).unwrap(), ["a.csv", "in/b.csv", "in/late/d.csv"]);
        assert_eq!(found(here, &["*/*/d.csv", "*/x.csv"]).unwrap(), ["in/late/d.csv"]);
        assert_eq!(found(here, &[".*.csv", "x.*", "nowhere/*"]).unwrap(), [".f.csv"]);
        let absolute = here.join("in/?.csv").to_string_lossy().into_owned();
        assert_eq!(found(here, &[&absolute]).unwrap(), ["in/b.csv"]);
    }

    #[test]
    fn one_file_has_one_name_however_it_is_spelt() {
        let folder = folder(&["de/in/a.csv", "at/a.csv"]);
        let de = folder.path().join("de");
        let absolute = de.join("in/a.csv").to_string_lossy().into_owned();
        for pattern in ["in/a.csv", "./in/../in/a.csv", "../de/in/a.csv", "../*/in/*.csv", &absolute] {
            assert_eq!(found(&de, &[pattern]).unwrap(), ["in/a.csv"], "{pattern}");
        }
        assert_eq!(from(&de, folder.path(), &["de/in/*.csv", "at/**/a.csv"]).unwrap(), ["../at/a.csv", "in/a.csv"]);
    }

    #[test]
    fn what_is_no_file_is_told_as_what_it_is() {
        let folder = folder(&["in/a.csv"]);
        let (here, shown) = (folder.path(), folder.path().display());
        assert_eq!(found(here, &["b.csv"]).unwrap_err(), format!("{shown}/b.csv: there is no such file"));
        let is_folder = format!("{shown}/in: this is a folder; name a file in it, or a glob such as `*.csv`");
        assert_eq!(found(here, &["in"]).unwrap_err(), is_folder);
        assert_eq!(found(here, &["b*.csv"]).unwrap(), [""; 0]);
        assert!(found(here, &["in/["]).is_err());
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;
        use std::os::unix::net::UnixListener;

        use super::*;

        #[test]
        fn a_file_that_links_lead_to_is_one_file() {
            let folder = folder(&["in/a.csv"]);
            let here = folder.path();
            symlink("in", here.join("alias")).unwrap();
            symlink("in/a.csv", here.join("latest.csv")).unwrap();
            assert_eq!(found(here, &["*/*.csv", "**/*.csv", "*.csv", "alias/a.csv"]).unwrap(), ["in/a.csv"]);
            assert_eq!(found(here, &["*.csv"]).unwrap(), ["latest.csv"]);
            assert_eq!(found(here, &["*.csv", "in/*"]).unwrap(), ["in/a.csv"]);
            symlink("in/a.csv", here.join("again.csv")).unwrap();
            assert_eq!(found(here, &["*.csv"]).unwrap(), ["again.csv"]);
            let file = |name: &str| file_of(here, &here.join(name)).unwrap();
            assert_eq!([file("latest.csv"), file("in/a.csv")], [Some("in/a.csv".to_owned()), None]);
            assert_eq!(name_of(here, &here.join("alias/a.csv")).unwrap(), "in/a.csv");
            assert_eq!(name_of(here, &here.join("latest.csv")).unwrap(), "latest.csv");
            assert_eq!(found(&here.join("alias"), &["a.csv"]).unwrap(), ["a.csv"]);
            assert_eq!(from(&here.join("in"), here, &["alias/*"]).unwrap(), ["a.csv"]);
        }

        #[test]
        fn a_folder_that_leads_back_is_not_entered_again() {
            let folder = folder(&["in/a.csv", "out/b.csv", "c.csv"]);
            let here = folder.path();
            symlink(here, here.join("in/back")).unwrap();
            symlink(here.join("out"), here.join("in/out")).unwrap();
            symlink(here.join("in"), here.join("out/in")).unwrap();
            assert_eq!(found(here, &["in/**/*.csv"]).unwrap(), ["in/a.csv", "out/b.csv"]);
        }

        #[test]
        fn what_matches_and_cannot_be_read_is_refused_by_name() {
            let folder = folder(&["a.csv"]);
            let (here, shown) = (folder.path(), folder.path().display());
            let _listener = UnixListener::bind(here.join("s.pipe")).unwrap();
            let refused = format!(
                "{shown}/s.pipe: this is not a regular file (a pipe or a device, say); write its bytes to a file first"
            );
            assert_eq!(found(here, &["*.pipe"]).unwrap_err(), refused);
            assert!(found(here, &["/dev/zero"]).unwrap_err().starts_with("/dev/zero: this is not a regular file"));
            symlink("nowhere", here.join("l.csv")).unwrap();
            let dangling = format!("{shown}/l.csv: this is a link to what is not there");
            for pattern in ["l.csv", "*.csv", "**/*.csv", "*/b.csv"] {
                assert_eq!(found(here, &[pattern]).unwrap_err(), dangling, "{pattern}");
            }
            assert_eq!(found(here, &["a*.csv"]).unwrap(), ["a.csv"]);
        }

        #[test]
        fn a_name_that_is_not_utf_8_is_refused_where_it_matches() {
            let folder = folder(&["a.csv"]);
            let here = folder.path();
            let latin = OsStr::from_bytes(b"caf\xe9");
            fs::create_dir(here.join(latin)).unwrap();
            fs::write(here.join(latin).join("b.csv"), "").unwrap();
            let refused = format!("{}/caf\u{fffd}/b.csv: the name is not UTF-8; rename it", here.display());
            assert_eq!(found(here, &["*/*.csv"]).unwrap_err(), refused);
            assert_eq!(found(here, &["**/*.csv"]).unwrap_err(), refused);
            assert_eq!(found(here, &["*.csv"]).unwrap(), ["a.csv"]);
            symlink(latin, here.join("in")).unwrap();
            assert!(found(here, &["in/b.csv"]).is_err());
        }
    }
}
