//! Listing: the objects of a source, page by page: it says which page it needs, and its driver pushes it.

use std::collections::VecDeque;

use crate::plan::Object;

use super::Names;

/// Objects of one page.
const PAGE_OBJECTS: usize = 1000;

/// Lists the objects that names mean, in the order of their names.
#[derive(Debug)]
pub struct Listing<'a> {
    names: &'a Names,
    prefix: &'a str,
    /// The last name that is done with.
    after: Option<String>,
    /// The object that was handed out last.
    out: Option<String>,
    page: VecDeque<Object>,
    is_last: bool,
}

/// What a listing needs, or has.
#[derive(Debug, PartialEq, Eq)]
pub enum ListStep {
    /// Push the first objects, at most so many, whose names begin with the prefix and come after the last name that is done
    /// with ([`Listing::after`]), in order. Fewer may be pushed; none means that there are no more.
    NeedsPage {
        /// What the names begin with.
        prefix: String,
        /// The name after which they come.
        after: Option<String>,
        /// The most objects of the page.
        most: usize,
    },
    /// The next object.
    Object(Object),
    /// There are no more objects.
    Finished,
}

impl<'a> Listing<'a> {
    /// Lists the named objects that begin with `prefix` and come after `after`.
    pub fn new(names: &'a Names, prefix: &'a str, after: Option<String>) -> Self {
        Self { names, prefix, after, out: None, page: VecDeque::new(), is_last: false }
    }

    /// Lists all named objects.
    pub fn all(names: &'a Names) -> Self {
        Self::new(names, names.prefix(), None)
    }

    /// Says what comes next. With the call, the object that was handed out before is done with.
    pub fn step(&mut self) -> ListStep {
        if let Some(done) = self.out.take() {
            self.after = Some(done);
        }
        while let Some(object) = self.page.pop_front() {
            if self.names.include(&object.name) {
                self.out = Some(object.name.clone());
                return ListStep::Object(object);
            }
            self.after = Some(object.name);
        }
        if self.is_last {
            return ListStep::Finished;
        }
        ListStep::NeedsPage { prefix: self.prefix.to_owned(), after: self.after.clone(), most: PAGE_OBJECTS }
    }

    /// Gives the page that [`ListStep::NeedsPage`] asked for.
    pub fn push(&mut self, page: Vec<Object>) {
        // A page may lack what has gone since, so only an empty one is the last.
        self.is_last = page.is_empty();
        self.page = page.into();
    }

    /// The last name that is done with: a listing after it brings the rest.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists in pages of at most `most`; gives the names, and how many pages were asked for.
    fn list(there: &[&str], names: &Names, after: Option<&str>, most: usize) -> (Vec<String>, usize) {
        let mut listing = Listing::new(names, names.prefix(), after.map(str::to_owned));
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            match listing.step() {
                ListStep::NeedsPage { prefix, after, .. } => {
                    pages += 1;
                    let names = there.iter().filter(|name| name.starts_with(&prefix));
                    let names = names.filter(|name| after.as_deref().is_none_or(|after| **name > after)).take(most);
                    let object = |name: &&str| Object { name: (*name).to_owned(), version: "v".to_owned(), size: 1 };
                    listing.push(names.map(object).collect());
                }
                ListStep::Object(object) => found.push(object.name),
                ListStep::Finished => return (found, pages),
            }
        }
    }

    #[test]
    fn any_page_size_lists_the_same_objects() {
        let there = ["a.csv", "b.json", "c.csv", "d/", "e.csv", "f.json"];
        let names = super::super::files::names(&["*.csv".to_owned()]).unwrap();
        for most in 1..8 {
            let (found, pages) = list(&there, &names, None, most);
            assert_eq!(found, ["a.csv", "c.csv", "e.csv"]);
            assert_eq!(pages, there.len().div_ceil(most) + 1);
        }
        assert_eq!(list(&there, &names, Some("a.csv"), 2).0, ["c.csv", "e.csv"]);
    }

    #[test]
    fn what_is_handed_out_is_not_done_with_before_the_next_step() {
        let names = Names::beginning("");
        let mut listing = Listing::all(&names);
        let object = |name: &str| Object { name: name.to_owned(), version: "v".to_owned(), size: 1 };
        listing.step();
        listing.push(vec![object("a"), object("b")]);
        assert_eq!((listing.step(), listing.after()), (ListStep::Object(object("a")), None));
        assert_eq!((listing.step(), listing.after()), (ListStep::Object(object("b")), Some("a")));
    }
}
