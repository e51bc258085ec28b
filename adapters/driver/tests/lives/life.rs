//! Life: one number makes some days of a pipeline: objects that come, change, return and go, and people who decide.
//!
//! A life is plain data, and every event means something whatever was before it, so that a life that goes wrong can be made
//! smaller by leaving things out.
//!
//! Lives are made in two steps: a plain one, of `append` or `merge` on one machine, and what widens it: the other ways of
//! writing, the functions in place of one machine, pipelines that are renamed or get other columns, and lost ledgers.

use std::fmt;

use etalon_core::error::Error;
use etalon_core::pipeline::{Bounds, Pipeline, Resolved};

use crate::chaos::Chance;

/// Days of a life.
pub const DAYS: u64 = 10;
/// Where the objects are.
pub const PREFIX: &str = "in/";
/// A record that begins with a quote which is never closed.
pub const OPEN: &str = "9,9,\"open\n";
/// Objects that there may be.
const OBJECTS: u64 = 3;

/// A life before it is lived.
#[derive(Debug, Clone)]
pub struct Life {
    pub number: u64,
    pub shape: Shape,
    /// Contents that objects may have. Few, so that they return.
    pub contents: Vec<Content>,
    pub days: Vec<Vec<Happening>>,
}

/// What the pipeline is all its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub write: Write,
    pub on_overwrite: OnOverwrite,
    /// Whether a record may delete its key.
    pub deletes: bool,
    pub place: Place,
    /// Whether contents that are in the table are appended once more unasked.
    pub accepts_doubles: bool,
}

/// Who does what the calls ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One process, over SQLite.
    Laptop,
    /// The three functions, with queues between them, two workers at a time, and messages that come twice; over SQLite, too.
    Functions,
}

/// How rows come into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Append,
    /// Of the rows of a load, the greatest `n` of an `id` is added.
    Dedupe,
    /// The greatest `n` of an `id` stays.
    Merge,
    /// Each `n` of an `id` is a version, and is valid until the next.
    Scd2,
    /// The rows of a run take the place of all.
    Replace,
}

/// What a new version of an object does to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOverwrite {
    Fail,
    Replace,
    Add,
}

/// What can be deployed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deployed {
    pub mapping: Mapping,
    /// Whether two rejects that are more than 40% are too many; else no number is.
    pub limits: bool,
    /// Whether it has its other name, with which it is another pipeline.
    pub is_renamed: bool,
    /// Whether an `id` has a row for each `n`, where rows are merged and none deletes.
    pub has_finer_key: bool,
}

/// What can change rows: another mapping is another fingerprint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// Whether an `n` that begins with an `x` is read without it; else it is a reject.
    pub mends: bool,
    /// Whether a line end always ends a record: an open quote is then a reject, and objects are cut.
    pub cuts: bool,
    /// Whether there is a column `more`, which is the name once more.
    pub extends: bool,
    /// Whether the engine is a newer one, which may write other bytes for the same file.
    pub is_newer: bool,
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
    /// A header, and these records, compressed.
    Packed(Vec<Record>),
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
    /// A good one, which deletes its key where rows may do so.
    Gone,
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
    Write {
        object: u64,
        content: usize,
    },
    /// An object goes.
    Remove {
        object: u64,
    },
    /// An object is called otherwise: it takes the place of what had that name.
    Rename {
        from: u64,
        to: u64,
    },
    Deploy(Deployed),
    /// The table is dropped by hand.
    Drop,
    /// The table is emptied by hand.
    Empty,
    /// The ledger is dropped by hand.
    LoseLedger,
    /// What is kept beside the warehouse is lost.
    LoseStore,
    /// Somebody calls Etalon.
    Call(Call),
}

/// What Etalon is called for. An object is one by name; none means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Run,
    Release(Option<u64>),
    Discard(Option<u64>),
    Undiscard(Option<u64>),
    Redrive(Option<u64>),
    Reload(Option<u64>),
}

/// What happens, and how often Etalon is disturbed before the call comes to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    pub event: Event,
    /// At which call of a port, and how.
    pub faults: Vec<(u64, Fault)>,
}

/// How a call of a port goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    KilledBefore,
    KilledAfter,
    RequestLost,
    AnswerLost,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::KilledBefore, Self::KilledAfter, Self::RequestLost, Self::AnswerLost];
}

/// The bytes of an object that one task reads.
pub const TASK_BYTES: u64 = 30;

impl Life {
    /// The life of a number.
    pub fn new(number: u64) -> Self {
        let chance = &mut Chance::new(number ^ 0xf00d);
        let mut life = Self::plain(number);
        if !chance.one_in(8) {
            life.widen(chance);
        }
        life
    }

    /// The plain life of a number.
    pub fn plain(number: u64) -> Self {
        let chance = &mut Chance::new(number ^ 0x11fe);
        let shape = Shape {
            write: *chance.pick(&[Write::Append, Write::Merge]),
            on_overwrite: *chance.pick(&[OnOverwrite::Fail, OnOverwrite::Replace, OnOverwrite::Add]),
            deletes: false,
            place: Place::Laptop,
            accepts_doubles: true,
        };
        let contents: Vec<Content> = (0..3 + chance.below(3)).map(|_| content(chance)).collect();
        let days = (0..DAYS).map(|_| (0..chance.below(5)).map(|_| happening(chance, contents.len())).collect());
        Self { number, shape, days: days.collect(), contents }
    }

    fn widen(&mut self, chance: &mut Chance) {
        let shape = &mut self.shape;
        shape.write = *chance.pick(&[Write::Append, Write::Dedupe, Write::Merge, Write::Scd2, Write::Replace]);
        shape.deletes = matches!(shape.write, Write::Merge | Write::Scd2) && chance.one_in(2);
        if chance.one_in(3) {
            shape.place = Place::Functions;
        }
        for content in &mut self.contents {
            let (Content::Records(records) | Content::Unclosed(records)) = content else { continue };
            records.iter_mut().filter(|record| record.is == Is::Good).for_each(|record| {
                if chance.one_in(4) {
                    record.is = Is::Gone;
                }
            });
        }
        for day in &mut self.days {
            if !chance.one_in(3) {
                continue;
            }
            let event = match chance.below(8) {
                0 => Event::Empty,
                1 => Event::LoseLedger,
                _ => Event::Deploy(Deployed {
                    mapping: Mapping {
                        mends: chance.one_in(2),
                        cuts: chance.one_in(2),
                        extends: chance.one_in(2),
                        is_newer: chance.one_in(3),
                    },
                    limits: chance.one_in(3),
                    is_renamed: chance.one_in(3),
                    has_finer_key: chance.one_in(4),
                }),
            };
            let at = usize::try_from(chance.below(day.len() as u64 + 1)).unwrap();
            day.insert(at, Happening { event, faults: Vec::new() });
        }
        let chance = &mut Chance::new(self.number ^ 0xd0b1e);
        if matches!(self.shape.write, Write::Append | Write::Dedupe) && chance.one_in(2) {
            self.shape.accepts_doubles = false;
            let plain = self.contents.iter().find_map(|content| match content {
                Content::Records(records) if !records.is_empty() => Some(records.clone()),
                _ => None,
            });
            if let (Some(records), Some(last)) = (plain.filter(|_| chance.one_in(2)), self.contents.last_mut()) {
                *last = Content::Packed(records);
            }
        }
    }

    /// Whether an event can be told apart from nothing where this life is lived.
    pub fn takes(&self, event: Event) -> bool {
        let Shape { write, on_overwrite, deletes, place, .. } = self.shape;
        match event {
            // The functions ask the warehouse for the inputs of a load, and nothing else.
            Event::Drop | Event::Empty | Event::LoseLedger | Event::LoseStore if place == Place::Functions => false,
            // A table may be empty since everything was deleted.
            Event::Empty => !deletes,
            // Two loads, of which the first brings what the second would have beaten, are as one load of both where what is beaten is
            // kept.
            Event::Call(Call::Reload(_)) => {
                let is_one = matches!(write, Write::Append | Write::Replace) || on_overwrite == OnOverwrite::Replace;
                place == Place::Laptop || is_one
            }
            _ => true,
        }
    }

    /// Whether the ledger must tell what was loaded first: which of equal contents that come at once it is, no message tells.
    pub fn has_own_order(&self) -> bool {
        self.shape.place == Place::Functions && !self.shape.accepts_doubles
    }

    /// What is deployed when somebody deploys this.
    pub fn deployed(&self, before: Deployed, deployed: Deployed) -> Deployed {
        Deployed {
            // A table of whole runs is one pipeline's.
            is_renamed: deployed.is_renamed && self.shape.write != Write::Replace,
            // A key of fewer columns may not tell apart what the table has.
            has_finer_key: before.has_finer_key
                || (deployed.has_finer_key && self.shape.write == Write::Merge && !self.shape.deletes),
            ..deployed
        }
    }

    /// The pipeline as it is deployed.
    pub fn pipeline(&self, deployed: Deployed) -> (Resolved, String) {
        let Deployed { mapping, limits, is_renamed, has_finer_key } = deployed;
        let Shape { write, on_overwrite, deletes, place, .. } = self.shape;
        let pipeline = if is_renamed { "others" } else { "things" };
        let source = if place == Place::Laptop { "files: in/*.csv" } else { "s3: s3://bucket/in/" };
        let key = if has_finer_key { "[id, n]" } else { "id" };
        let delete_when = if deletes { ", delete_when: \"upper(name) = 'GONE'\"" } else { "" };
        let write = match write {
            Write::Append | Write::Dedupe => "append".to_owned(),
            Write::Merge => format!("merge, key: {key}, order_by: n{delete_when}"),
            Write::Scd2 => format!("scd2, key: id, order_by: n{delete_when}"),
            Write::Replace => "replace".to_owned(),
        };
        let dedupe = if self.shape.write == Write::Dedupe { "dedupe: { key: id, order_by: n }\n" } else { "" };
        let on_overwrite = match on_overwrite {
            _ if self.shape.write == Write::Replace => "fail",
            OnOverwrite::Fail => "fail",
            OnOverwrite::Replace => "replace",
            OnOverwrite::Add => "add",
        };
        let (n, name) = if mapping.mends {
            ("cast(replace(n, 'x', '') as integer)", "upper(name)")
        } else {
            ("cast(n as integer)", "name")
        };
        let more = if mapping.extends { "  more: { from: name, type: varchar(20) }\n" } else { "" };
        let newlines = !mapping.cuts;
        let limits = if limits { "{ rejects: 40%, at_least: 2 }" } else { "none" };
        let text = format!(
            "etalon: 1\npipeline: {pipeline}\nsource:\n  {source}\n  format: {{ csv: {{ newlines_in_values: {newlines} }} }}\n  on_overwrite: {on_overwrite}\n  \
             fields: {{ id: integer, n: , name: }}\n\
             where: name is distinct from 'skip'\n\
             columns:\n  id: {{ required: true }}\n  n: {{ from: \"{n}\", type: integer, required: true }}\n  \
             name: {{ from: \"{name}\", type: varchar(20) }}\n{more}\
             {dedupe}limits: {limits}\ntarget: {{ table: things, write: {write} }}\n"
        );
        let compile = || Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}\n{text}")).0;
        let pipeline = compile().resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        // A few rows reach every bound.
        let bounds = Bounds { range_bytes: TASK_BYTES, batch_rows: 2, part_bytes: 1, quarantine_bytes: 1 };
        let pipeline = pipeline.with_bounds(bounds);
        let newer = format!("{}n", pipeline.fingerprint());
        let pipeline = if mapping.is_newer { pipeline.kept(compile(), &newer) } else { pipeline };
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
        for (day, events) in self.days.iter().enumerate() {
            for (event, Happening { faults, .. }) in events.iter().enumerate() {
                for fault in 0..faults.len() {
                    let mut less = self.clone();
                    less.days[day][event].faults.remove(fault);
                    smaller.push(less);
                }
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

fn happening(chance: &mut Chance, contents: usize) -> Happening {
    let object = chance.below(OBJECTS);
    let whom = if chance.one_in(2) { None } else { Some(object) };
    let event = match chance.below(40) {
        0..=2 => Event::Remove { object },
        3 => Event::Rename { from: object, to: chance.below(OBJECTS) },
        4..=6 => Event::Deploy(Deployed {
            mapping: Mapping { mends: chance.one_in(2), cuts: chance.one_in(2), ..Mapping::default() },
            limits: chance.one_in(3),
            ..Deployed::default()
        }),
        7..=9 => Event::Call(Call::Run),
        10..=12 => Event::Call(Call::Release(whom)),
        13 | 14 => Event::Call(Call::Discard(whom)),
        15 | 16 => Event::Call(Call::Undiscard(whom)),
        17..=19 => Event::Call(Call::Redrive(whom)),
        20..=22 => Event::Call(Call::Reload(whom)),
        23 if chance.one_in(3) => Event::Drop,
        25 if chance.one_in(3) => Event::LoseStore,
        _ => Event::Write { object, content: usize::try_from(chance.below(contents as u64)).unwrap() },
    };
    let mut faults = Vec::new();
    while matches!(event, Event::Call(_)) && chance.one_in(2) && faults.len() < 4 {
        let most = *chance.pick(&[10, 50, 200]);
        faults.push((chance.below(most), *chance.pick(&Fault::ALL)));
    }
    Happening { event, faults }
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
        (0..1 + chance.below(7)).map(|_| record(chance)).collect()
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
            Self::Records(records) | Self::Unclosed(records) | Self::Packed(records) => records,
            Self::Nothing => &[],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let plain = self.plain_bytes();
        if matches!(self, Self::Packed(_)) { packed(&plain) } else { plain }
    }

    /// Whether one task reads all of it, with this mapping.
    pub fn is_read_at_once(&self, mapping: Mapping) -> bool {
        !mapping.cuts || matches!(self, Self::Packed(_)) || self.plain_bytes().len() as u64 <= TASK_BYTES
    }

    /// What there is to be read.
    pub fn plain_bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        if *self != Self::Nothing {
            text.push_str("id,n,name\n");
        }
        self.records().iter().for_each(|record| text.push_str(&record.to_string()));
        if matches!(self, Self::Unclosed(_)) {
            text.push_str(OPEN);
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

/// The bytes in a gzip that leaves them as they are.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let lengths = [length.to_le_bytes(), (!length).to_le_bytes()];
    let end = [(!crc).to_le_bytes(), u32::from(length).to_le_bytes()];
    [&header[..], lengths.as_flattened(), bytes, end.as_flattened()].concat()
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, n, is } = self;
        match is {
            Is::Good => writeln!(f, "{id},{n},good"),
            Is::Gone => writeln!(f, "{id},{n},gone"),
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
            Self::Rename { from, to } => write!(f, "{} is called {}", name(*from), name(*to)),
            Self::Deploy(deployed) => write!(f, "{deployed:?}"),
            Self::Drop => write!(f, "the table is dropped"),
            Self::Empty => write!(f, "the table is emptied"),
            Self::LoseLedger => write!(f, "the ledger is dropped"),
            Self::LoseStore => write!(f, "the store is lost"),
            Self::Call(call) => {
                let (verb, whom) = call.parts();
                write!(f, "{verb}")?;
                whom.map_or(Ok(()), |object| write!(f, " {}", name(object)))
            }
        }
    }
}

impl Event {
    /// What it is, without whom or what.
    pub fn kind(&self) -> String {
        match self {
            Self::Call(call) => call.parts().0.to_owned(),
            other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_lowercase(),
        }
    }
}

impl Call {
    /// What it is called, and the object.
    fn parts(self) -> (&'static str, Option<u64>) {
        match self {
            Self::Run => ("run", None),
            Self::Release(whom) => ("release", whom),
            Self::Discard(whom) => ("discard", whom),
            Self::Undiscard(whom) => ("undiscard", whom),
            Self::Redrive(whom) => ("redrive", whom),
            Self::Reload(whom) => ("reload", whom),
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.event)?;
        self.faults.iter().try_for_each(|(at, fault)| write!(f, "; {fault:?} {at}"))
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "life {}: {:?}", self.number, self.shape)?;
        let used = |at: usize| {
            let has = |what: &Happening| matches!(what.event, Event::Write { content, .. } if content == at);
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
