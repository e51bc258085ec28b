//! Model: what table, ledger, rejects and held objects must be, in plain words, and nothing of how Etalon does it.
//!
//! An object has versions, one after the other, also where bytes come back. A version is loaded in units: as it was met, and
//! again whenever somebody asked for it. What is in the table is what its loaded units have made, load after load.

use std::collections::BTreeMap;

use crate::life::{Content, Event, Is, Life, Mapping, OnOverwrite, Write, name};

/// What must be.
#[derive(Debug)]
pub struct Model<'a> {
    life: &'a Life,
    mapping: Mapping,
    /// What is there to be read.
    objects: BTreeMap<u64, usize>,
    /// What was met of each object, first met first.
    met: BTreeMap<u64, Vec<Version>>,
    pub table: Vec<Row>,
    /// Runs so far: what is met earlier has the lesser time.
    time: u64,
}

/// A stretch of time in which an object had one content.
#[derive(Debug)]
struct Version {
    content: usize,
    time: u64,
    units: Vec<Unit>,
}

/// Rows and rejects that are judged and loaded as a whole.
#[derive(Debug)]
pub struct Unit {
    pub object: u64,
    pub content: usize,
    pub state: State,
    pub rows: Vec<Row>,
    pub rejects: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Loaded,
    Held,
    /// It was held, and a newer one took its place.
    Replaced,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What rows of one key are ordered by: `n`, time, object, offset.
    pub order: (u64, u64, u64, u64),
    pub id: u64,
    pub name: String,
    /// The content of the object that it is of, and the place of the version among the object's.
    pub version: (usize, usize),
}

impl<'a> Model<'a> {
    pub fn new(life: &'a Life, mapping: Mapping) -> Self {
        Self { life, mapping, objects: BTreeMap::new(), met: BTreeMap::new(), table: Vec::new(), time: 0 }
    }

    /// What an event does.
    pub fn happen(&mut self, event: Event) {
        match event {
            Event::Write { object, content } => {
                // Equal bytes are one content.
                let first = self.life.contents.iter().position(|other| *other == self.life.contents[content]);
                self.objects.insert(object, first.unwrap_or(content));
            }
            Event::Remove { object } => drop(self.objects.remove(&object)),
            Event::Run => self.run(),
        }
    }

    /// Everything that is there and is not the version that was met last is met, judged and, unless it is held, loaded.
    fn run(&mut self) {
        self.time += 1;
        let mut loads = Vec::new();
        for (object, content) in self.objects.clone() {
            let versions = self.met.entry(object).or_default();
            if versions.last().is_some_and(|last| last.content == content) {
                continue;
            }
            // What was held gives way to what is there now, where one version is all that may be there.
            for unit in versions.iter_mut().flat_map(|version| &mut version.units) {
                if unit.state == State::Held && self.life.shape.on_overwrite != OnOverwrite::Add {
                    unit.state = State::Replaced;
                }
            }
            let overwrites = versions.iter().flat_map(|version| &version.units).any(|unit| unit.state == State::Loaded);
            let is_refused = overwrites && self.life.shape.on_overwrite == OnOverwrite::Fail;
            versions.push(Version { content, time: self.time, units: Vec::new() });
            let position = versions.len() - 1;
            let mut unit = self.read(object, position);
            if is_refused {
                unit.state = State::Held;
            }
            if unit.state == State::Loaded {
                loads.push((object, position, unit.rows.clone()));
            }
            self.met.get_mut(&object).unwrap()[position].units.push(unit);
        }
        self.load(loads);
    }

    /// What the mapping makes of a version.
    fn read(&self, object: u64, position: usize) -> Unit {
        let version = &self.met[&object][position];
        let content = &self.life.contents[version.content];
        let mut unit = Unit { object, content: version.content, state: State::Loaded, rows: vec![], rejects: vec![] };
        for (record, offset) in content.records().iter().zip(content.offsets()) {
            let name = match record.is {
                Is::Good if self.mapping.mends => "GOOD",
                Is::Good => "good",
                Is::Mendable if self.mapping.mends => "MENDED",
                Is::Filtered => continue,
                Is::Mendable | Is::Wrong => {
                    unit.rejects.push(offset);
                    continue;
                }
            };
            unit.rows.push(Row {
                order: (record.n, version.time, object, offset),
                id: record.id,
                name: name.to_owned(),
                version: (version.content, position),
            });
        }
        // Nothing without a header, and nothing with an open quote is whole. A version without a good record is no success.
        let all_rejected = unit.rejects.len() == content.records().len() && !unit.rejects.is_empty();
        if !matches!(content, Content::Records(_)) || all_rejected {
            unit.state = State::Held;
        }
        if matches!(content, Content::Unclosed(_)) {
            unit.rejects.extend(content.offsets().last());
        }
        unit
    }

    /// One load: rows of versions that are replaced go, and then rows come. A row that was beaten by one that goes does not
    /// come back.
    fn load(&mut self, loads: Vec<(u64, usize, Vec<Row>)>) {
        if self.life.shape.on_overwrite == OnOverwrite::Replace {
            for (object, position, _) in &loads {
                self.table.retain(|row| row.order.2 != *object || row.version.1 >= *position);
            }
        }
        for row in loads.into_iter().flat_map(|(_, _, rows)| rows) {
            let same_key = |there: &&mut Row| self.life.shape.write == Write::Merge && there.id == row.id;
            match self.table.iter_mut().find(same_key) {
                Some(there) if there.order < row.order => *there = row,
                Some(_) => {}
                None => self.table.push(row),
            }
        }
    }

    fn units(&self) -> impl Iterator<Item = &Unit> {
        self.met.values().flatten().flat_map(|version| &version.units)
    }

    /// What is in the ledger: object, content, rows.
    pub fn ledger(&self) -> Vec<(String, usize, u64)> {
        let loaded = self.units().filter(|unit| unit.state == State::Loaded);
        let mut rows: Vec<_> = loaded.map(|unit| (name(unit.object), unit.content, unit.rows.len() as u64)).collect();
        rows.sort();
        rows
    }

    /// What waits for a decision.
    pub fn held(&self) -> Vec<(String, usize)> {
        let held = self.units().filter(|unit| unit.state == State::Held);
        let mut held: Vec<_> = held.map(|unit| (name(unit.object), unit.content)).collect();
        held.sort();
        held
    }

    /// The rejects that somebody may still want: object, content, offset.
    pub fn open(&self) -> Vec<(String, usize, u64)> {
        let mut open = Vec::new();
        for versions in self.met.values() {
            for (position, version) in versions.iter().enumerate() {
                let is_loaded = |unit: &Unit| unit.state == State::Loaded;
                let later = versions[position + 1..].iter().flat_map(|version| &version.units);
                if self.life.shape.on_overwrite == OnOverwrite::Replace && later.into_iter().any(is_loaded) {
                    continue;
                }
                let live = version.units.iter().rfind(|unit| is_loaded(unit));
                let live = live.or_else(|| version.units.iter().rfind(|unit| unit.state == State::Held));
                if let Some(unit) = live {
                    open.extend(unit.rejects.iter().map(|offset| (name(unit.object), unit.content, *offset)));
                }
            }
        }
        open.sort();
        open
    }
}
