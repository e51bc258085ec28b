//! Life: one number makes some days of a pipeline: objects that come, change, return and go, and people who decide.
//!
//! A life is plain data, and every event means something whatever was before it, so that a life that goes wrong can be made
//! smaller by leaving things out.

use std::fmt;

use etalon_core::error::Error;
use etalon_core::pipeline::{Pipeline, Resolved};

use crate::chaos::Chance;

/// Days of a life.
pub const DAYS: u64 = 10;
/// Where the objects are.
pub const PREFIX: &str = "in/";
/// Objects that there may be.
const OBJECTS: u64 = 3;

/// A life before it is lived.
#[derive(Debug, Clone)]
pub struct Life {
    pub number: u64,
    pub shape: Shape,
    /// Contents that objects may have. Few, so that they return.
    pub contents: Vec<Content>,
    pub days: Vec<Vec<Event>>,
}

/// What the pipeline is all its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub write: Write,
    pub on_overwrite: OnOverwrite,
}

/// How rows come into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Append,
    /// The greatest `n` of an `id` stays.
    Merge,
}

/// What a new version of an object does to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOverwrite {
    Fail,
    Replace,
    Add,
}

/// What can be deployed anew: the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// Whether an `n` that begins with an `x` is read without it; else it is a reject.
    pub mends: bool,
}

/// The bytes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A header, and these records.
    Records(Vec<Record>),
    /// Not even a header.
    Nothing,
    /// A header, these records, and a quote that is never closed.
    Unclosed(Vec<Record>),
}

/// A record of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    pub id: u64,
    pub n: u64,
    pub is: Is,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Good,
    Filtered,
    /// `n` is not a number, until the mapping is mended.
    Mendable,
    /// `id` is not a number.
    Wrong,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An object is written, with one of the contents.
    Write { object: u64, content: usize },
    /// An object goes.
    Remove { object: u64 },
    /// Everything that is new is loaded.
    Run,
}

impl Life {
    /// The life of a number.
    pub fn new(number: u64) -> Self {
        let chance = &mut Chance::new(number ^ 0x11fe);
        let shape = Shape {
            write: *chance.pick(&[Write::Append, Write::Merge]),
            on_overwrite: *chance.pick(&[OnOverwrite::Fail, OnOverwrite::Replace, OnOverwrite::Add]),
        };
        let contents: Vec<Content> = (0..3 + chance.below(3)).map(|_| content(chance)).collect();
        let event = |chance: &mut Chance| {
            let object = chance.below(OBJECTS);
            match chance.below(8) {
                0 => Event::Remove { object },
                1 => Event::Run,
                _ => Event::Write { object, content: usize::try_from(chance.below(contents.len() as u64)).unwrap() },
            }
        };
        let days = (0..DAYS).map(|_| (0..chance.below(4)).map(|_| event(chance)).collect()).collect();
        Self { number, shape, contents, days }
    }

    /// The pipeline with a mapping.
    pub fn pipeline(&self, mapping: Mapping) -> (Resolved, String) {
        let Shape { write, on_overwrite } = self.shape;
        let write = match write {
            Write::Append => "append",
            Write::Merge => "merge, key: id, order_by: n",
        };
        let on_overwrite = match on_overwrite {
            OnOverwrite::Fail => "fail",
            OnOverwrite::Replace => "replace",
            OnOverwrite::Add => "add",
        };
        let (n, name) = if mapping.mends {
            ("cast(replace(n, 'x', '') as integer)", "upper(name)")
        } else {
            ("cast(n as integer)", "name")
        };
        let text = format!(
            "etalon: 1\npipeline: things\nsource:\n  files: in/*.csv\n  format: csv\n  on_overwrite: {on_overwrite}\n  \
             fields: {{ id: integer, n: , name: }}\n\
             where: name is distinct from 'skip'\n\
             columns:\n  id: {{ required: true }}\n  n: {{ from: \"{n}\", type: integer, required: true }}\n  \
             name: {{ from: \"{name}\", type: varchar(20) }}\n\
             limits: none\ntarget: {{ table: things, write: {write} }}\n"
        );
        let (pipeline, _) = Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}\n{text}"));
        let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        (pipeline, text)
    }

    /// The same life without some part of it, in all ways that leave out one thing; the greatest parts first.
    pub fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        for day in 0..self.days.len() {
            let mut less = self.clone();
            less.days.remove(day);
            smaller.push(less);
        }
        for (day, events) in self.days.iter().enumerate() {
            for event in 0..events.len() {
                let mut less = self.clone();
                less.days[day].remove(event);
                smaller.push(less);
            }
        }
        for (at, content) in self.contents.iter().enumerate() {
            let (Content::Records(records) | Content::Unclosed(records)) = content else { continue };
            for record in 0..records.len() {
                let mut less = self.clone();
                if let Content::Records(records) | Content::Unclosed(records) = &mut less.contents[at] {
                    records.remove(record);
                }
                smaller.push(less);
            }
        }
        smaller
    }
}

/// The name of an object.
pub fn name(object: u64) -> String {
    format!("{PREFIX}{}.csv", ["a", "b", "c"][usize::try_from(object).unwrap()])
}

fn content(chance: &mut Chance) -> Content {
    let records = |chance: &mut Chance| {
        let record = |chance: &mut Chance| Record {
            id: chance.below(5),
            n: chance.below(4),
            is: match chance.below(8) {
                0 => Is::Filtered,
                1 => Is::Mendable,
                2 => Is::Wrong,
                _ => Is::Good,
            },
        };
        (0..1 + chance.below(4)).map(|_| record(chance)).collect()
    };
    match chance.below(8) {
        0 => Content::Records(Vec::new()),
        1 => Content::Nothing,
        2 => Content::Unclosed(records(chance)),
        _ => Content::Records(records(chance)),
    }
}

impl Content {
    pub fn records(&self) -> &[Record] {
        match self {
            Self::Records(records) | Self::Unclosed(records) => records,
            Self::Nothing => &[],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        if *self != Self::Nothing {
            text.push_str("id,n,name\n");
        }
        self.records().iter().for_each(|record| text.push_str(&record.to_string()));
        if matches!(self, Self::Unclosed(_)) {
            text.push_str("9,9,\"open\n");
        }
        text.into_bytes()
    }

    /// The offset of each record, and, where a quote is never closed, of what it begins.
    pub fn offsets(&self) -> Vec<u64> {
        let mut offset = "id,n,name\n".len() as u64;
        let mut offsets = Vec::new();
        for record in self.records() {
            offsets.push(offset);
            offset += record.to_string().len() as u64;
        }
        if matches!(self, Self::Unclosed(_)) {
            offsets.push(offset);
        }
        offsets
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, n, is } = self;
        match is {
            Is::Good => writeln!(f, "{id},{n},good"),
            Is::Filtered => writeln!(f, "{id},{n},skip"),
            Is::Mendable => writeln!(f, "{id},x{n},mended"),
            Is::Wrong => writeln!(f, "x{id},{n},wrong"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { object, content } => write!(f, "{} is content {content}", name(*object)),
            Self::Remove { object } => write!(f, "{} goes", name(*object)),
            Self::Run => write!(f, "run"),
        }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "life {}: {:?}, on_overwrite: {:?}", self.number, self.shape.write, self.shape.on_overwrite)?;
        let used = |at: usize| {
            let has = |event: &Event| matches!(event, Event::Write { content, .. } if *content == at);
            self.days.iter().flatten().any(has)
        };
        for (at, content) in self.contents.iter().enumerate().filter(|(at, _)| used(*at)) {
            writeln!(f, "  content {at}: {:?}", String::from_utf8_lossy(&content.bytes()))?;
        }
        for (day, events) in self.days.iter().enumerate() {
            writeln!(f, "  day {}", day + 1)?;
            events.iter().try_for_each(|event| writeln!(f, "    {event}"))?;
            writeln!(f, "    run")?;
        }
        Ok(())
    }
}
