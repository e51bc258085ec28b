//! Model: what table, ledger, rejects and held objects must be, in plain words, and nothing of how Etalon does it.
//!
//! An object has versions, one after the other, also where bytes come back. A version is loaded in units: as it was met, and
//! again whenever somebody asked for it. What is in the table is what loads have made, one after the other. A pipeline that
//! is renamed is another one: it meets everything anew, and touches nothing that the first has brought.

use std::collections::{BTreeMap, BTreeSet};

use crate::life::{Call, Content, Deployed, Event, Is, Life, Mapping, OPEN, OnOverwrite, Write, name};

mod doubles;
mod runs;

use runs::Runs;

/// An object, and whose it is: that of the pipeline with its first name, or with its other.
pub type Source = (bool, u64);

/// What must be.
#[derive(Debug)]
pub struct Model<'a> {
    life: &'a Life,
    deployed: Deployed,
    /// What is there to be read.
    objects: BTreeMap<u64, usize>,
    /// What was met of each object, first met first.
    met: BTreeMap<Source, Vec<Version>>,
    /// What was met where whole runs are loaded.
    runs: Runs,
    table: Vec<Row>,
    /// Rows that others have beaten, where they are kept.
    beaten: Vec<Row>,
    /// Whether rows were lost by hand: then nothing is done but a reload of everything.
    is_lost: bool,
    /// Whether the table has rows of which no ledger tells: then nothing is done.
    is_foreign: bool,
    /// Whether what is kept beside the warehouse was lost, and the pipeline of that name has not looked at the ledger since.
    is_bare: [bool; 2],
    /// Whether nothing is in the ledger any more, and the pipeline of that name has not looked at it since.
    is_forgotten: [bool; 2],
    /// What the functions have loaded together in the call, by object and content, first what was loaded first; where it matters.
    in_turn: Option<Vec<BTreeSet<(Source, usize)>>>,
    /// Whether the last call has loaded something.
    has_loaded: bool,
    time: u64,
}

/// A stretch of time in which an object had one content.
#[derive(Debug)]
struct Version {
    content: usize,
    /// When it was met.
    time: u64,
    /// Whether it was not the first.
    overwrites: bool,
    units: Vec<Unit>,
}

impl Version {
    /// Whether it has brought rows, when it was loaded last and since.
    fn has_rows(&self) -> bool {
        let loaded: Vec<&Unit> = self.units.iter().filter(|unit| unit.state == State::Loaded).collect();
        let last = loaded.iter().rposition(|unit| unit.is != Kind::Redrive).unwrap_or_default();
        loaded[last..].iter().any(|unit| !unit.rows.is_empty())
    }
}

/// Rows and rejects that are judged and loaded as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unit {
    is: Kind,
    mapping: Mapping,
    state: State,
    /// The records of a redrive.
    only: BTreeSet<u64>,
    rows: Vec<Row>,
    read: usize,
    /// Bytes of its records, and of those that were rejected.
    bytes: usize,
    rejected_bytes: usize,
    /// Where rejects lie, and whether somebody may still want them.
    rejects: BTreeMap<u64, bool>,
    /// Why it is not whole, if it is not.
    incomplete: Option<Incomplete>,
    /// Whether nothing but its ledger rows is left of it.
    is_bare: bool,
    /// Whether it was held since the table had its rows, and whether it was released since.
    is_double: bool,
    is_told: bool,
    /// Whether it was discarded as such, and brought back: it waits for somebody, whatever the table has by now.
    waits: bool,
    /// When it was loaded, and how many of its rows were inserted.
    loaded_at: u64,
    inserted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Met,
    Reload,
    Redrive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Loaded,
    Held,
    Discarded,
    /// It was held, and another took its place.
    Replaced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incomplete {
    /// Some of it cannot be read with this mapping.
    Unreadable,
    /// The version was not there any more.
    Gone,
}

/// A row of the table, or a delete that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    /// What rows of one key are ordered by: `n`, time of the version, object, offset.
    order: (u64, u64, u64, u64),
    whose: bool,
    id: u64,
    name: String,
    more: Option<String>,
    content: usize,
    deletes: bool,
}

/// What a load brings: the version's object and place, and its unit.
type Loads = Vec<(Source, usize, Unit)>;

impl<'a> Model<'a> {
    pub fn new(life: &'a Life) -> Self {
        Self {
            life,
            deployed: Deployed::default(),
            objects: BTreeMap::new(),
            met: BTreeMap::new(),
            runs: Runs::default(),
            table: Vec::new(),
            beaten: Vec::new(),
            is_lost: false,
            is_foreign: false,
            is_bare: [false; 2],
            is_forgotten: [false; 2],
            in_turn: None,
            has_loaded: false,
            time: 0,
        }
    }

    fn on_overwrite(&self) -> OnOverwrite {
        self.life.shape.on_overwrite
    }

    fn is_whole(&self) -> bool {
        self.life.shape.write == Write::Replace
    }

    /// Whether a source is the pipeline's that is deployed.
    fn is_own(&self, (whose, _): Source) -> bool {
        whose == self.deployed.is_renamed
    }

    /// Tells what the call that is about to happen has loaded together, in which order.
    pub fn loads_in_turn(&mut self, in_turn: Vec<BTreeSet<(Source, usize)>>) {
        self.in_turn = Some(in_turn);
    }

    /// What an event does; whether Etalon refuses it with a word.
    pub fn happen(&mut self, event: Event) -> bool {
        self.time += 1;
        self.has_loaded = false;
        match event {
            Event::Write { object, content } => {
                // Equal bytes are one content.
                let first = self.life.contents.iter().position(|other| *other == self.life.contents[content]);
                self.objects.insert(object, first.unwrap_or(content));
            }
            Event::Remove { object } => drop(self.objects.remove(&object)),
            Event::Rename { from, to } => {
                if let Some(content) = self.objects.remove(&from) {
                    self.objects.insert(to, content);
                }
            }
            Event::Deploy(deployed) => self.deployed = self.life.deployed(self.deployed, deployed),
            Event::Drop | Event::Empty => {
                let is_loaded = match event {
                    Event::Drop => !self.ledger().is_empty(),
                    _ => !self.table.is_empty() && !self.is_foreign,
                };
                self.is_lost |= is_loaded;
                self.is_foreign = false;
                self.table.clear();
                self.beaten.clear();
            }
            Event::LoseLedger => {
                self.is_lost = false;
                self.is_forgotten = [true; 2];
                self.is_foreign |= self.table.iter().any(|row| !row.deletes);
                self.beaten.clear();
                if !self.is_foreign {
                    self.table.clear();
                }
            }
            Event::LoseStore => self.lose_store(),
            Event::Call(_) if self.is_foreign => return true,
            Event::Call(Call::Reload(None)) if self.is_lost => {
                self.is_lost = false;
                self.is_forgotten = [true; 2];
                return self.call(Call::Reload(None));
            }
            Event::Call(_) if self.is_lost => return true,
            Event::Call(call) => return self.call(call),
        }
        false
    }

    fn call(&mut self, call: Call) -> bool {
        if self.is_most_likely_renamed(call) {
            return true;
        }
        self.look_at_ledger();
        match call {
            _ if self.is_whole() => self.call_whole(call),
            Call::Run => self.list(None),
            Call::Reload(whom) => self.list(Some(whom)),
            // Rows of a file are compared with each other, so that none is added.
            Call::Redrive(_) if self.life.shape.write == Write::Dedupe => true,
            Call::Redrive(whom) => {
                self.redrive(whom);
                false
            }
            Call::Release(whom) => self.decide(whom, State::Held, State::Loaded),
            Call::Discard(whom) => self.decide(whom, State::Held, State::Discarded),
            Call::Undiscard(whom) => self.decide(whom, State::Discarded, State::Held),
        }
    }

    /// What the ledger does not have is not loaded; what was met is known as long as the store tells of it.
    fn look_at_ledger(&mut self) {
        let whose = self.deployed.is_renamed;
        let is_bare = std::mem::take(&mut self.is_bare[usize::from(whose)]);
        if std::mem::take(&mut self.is_forgotten[usize::from(whose)]) {
            self.met.retain(|(other, _), _| *other != whose || !is_bare);
            for (_, versions) in self.met.iter_mut().filter(|((other, _), _)| *other == whose) {
                for version in versions {
                    version.units.retain(|unit| unit.state != State::Loaded);
                }
            }
            self.runs.forget();
        }
    }

    /// What is loaded is known from the ledger; who was held is met again, and what was rejected is not known any more.
    fn lose_store(&mut self) {
        self.is_bare = [true; 2];
        for versions in self.met.values_mut() {
            for version in versions.iter_mut() {
                version.units.retain(|unit| unit.state == State::Loaded);
                for unit in &mut version.units {
                    unit.rejects.clear();
                    unit.is_bare = true;
                }
            }
            versions.retain(|version| !version.units.is_empty());
        }
        self.runs.lose_store();
    }

    /// Everything that is there, or is wanted, and is not the version that was met last, is met, judged and, unless it is
    /// held, loaded. `again` says whether what is loaded is loaded again.
    fn list(&mut self, again: Option<Option<u64>>) -> bool {
        let wanted = again.flatten();
        let mut loads = Vec::new();
        for (object, content) in self.objects.clone() {
            if wanted.is_some_and(|wanted| wanted != object) {
                continue;
            }
            let object = (self.deployed.is_renamed, object);
            let comes_back = self.comes_back(object, content);
            let versions = self.met.entry(object).or_default();
            if let Some(place) = comes_back {
                // It is what the table has, and nothing that came between is.
                let version = versions.remove(place);
                versions.push(version);
            } else if versions.last().is_none_or(|last| last.content != content) {
                let overwrites = !versions.is_empty();
                versions.push(Version { content, time: self.time, overwrites, units: Vec::new() });
            }
            let current = versions.len() - 1;
            let units = &versions[current].units;
            let is_loaded = units.iter().any(|unit| unit.state == State::Loaded);
            let mut planned = match again {
                Some(_) if is_loaded => Some(Kind::Reload),
                _ => {
                    let is_whole = |unit: &&Unit| unit.is != Kind::Redrive;
                    units.iter().filter(is_whole).all(|unit| unit.state == State::Replaced).then_some(Kind::Met)
                }
            };
            // What is held gives way to what is there now, or to a mended mapping; or it is judged again.
            for place in 0..=current {
                for at in 0..self.met[&object][place].units.len() {
                    let unit = &self.met[&object][place].units[at];
                    let is_mended = unit.mapping != self.deployed.mapping || unit.incomplete == Some(Incomplete::Gone);
                    let gives_way = match self.on_overwrite() {
                        _ if unit.state != State::Held => continue,
                        _ if place == current && unit.is == Kind::Redrive => planned.is_some() || !is_loaded,
                        _ if place == current && is_mended => {
                            planned = Some(unit.is);
                            true
                        }
                        _ if place == current => planned == Some(Kind::Reload),
                        OnOverwrite::Add => false,
                        OnOverwrite::Fail => unit.is != Kind::Redrive,
                        OnOverwrite::Replace => true,
                    };
                    if gives_way {
                        self.unit(object, place, at).state = State::Replaced;
                    } else if unit.mapping == self.deployed.mapping && !unit.waits && self.judge(object, place, unit) {
                        self.unit(object, place, at).state = State::Loaded;
                        loads.push((object, place, self.met[&object][place].units[at].clone()));
                    }
                }
            }
            if let Some(is) = planned {
                loads.extend(self.bring(object, current, self.read_version(object, current, is, BTreeSet::new())));
            }
        }
        self.hold_doubled(&mut loads);
        self.load(&loads);
        wanted.is_some_and(|wanted| !self.objects.contains_key(&wanted))
    }

    /// The version that is loaded of an object, if it has these bytes and another was met since.
    fn comes_back(&self, object: Source, content: usize) -> Option<usize> {
        let versions = self.met.get(&object).filter(|_| self.on_overwrite() == OnOverwrite::Fail)?;
        let is_loaded = |version: &Version| version.units.iter().any(|unit| unit.state == State::Loaded);
        let last = versions.iter().rposition(is_loaded)?;
        (versions[last].content == content && last + 1 < versions.len()).then_some(last)
    }

    fn unit(&mut self, object: Source, place: usize, at: usize) -> &mut Unit {
        &mut self.met.get_mut(&object).unwrap()[place].units[at]
    }

    /// Adds a unit to a version, and gives it where it is loaded.
    fn bring(&mut self, object: Source, place: usize, mut unit: Unit) -> Option<(Source, usize, Unit)> {
        unit.state = if self.judge(object, place, &unit) { State::Loaded } else { State::Held };
        self.met.get_mut(&object).unwrap()[place].units.push(unit.clone());
        (unit.state == State::Loaded).then_some((object, place, unit))
    }

    fn read_version(&self, object: Source, place: usize, is: Kind, only: BTreeSet<u64>) -> Unit {
        let Version { content, time, .. } = self.met[&object][place];
        self.read(object, content, time, is, only)
    }

    /// What the mapping makes of a version, or of some of its records.
    fn read(&self, (whose, object): Source, version: usize, time: u64, is: Kind, only: BTreeSet<u64>) -> Unit {
        let mapping = self.deployed.mapping;
        let content = &self.life.contents[version];
        let (rows, rejects) = (Vec::new(), BTreeMap::new());
        let mut unit = Unit {
            is,
            mapping,
            state: State::Held,
            only,
            rows,
            read: 0,
            bytes: 0,
            rejected_bytes: 0,
            rejects,
            incomplete: None,
            is_bare: false,
            is_double: false,
            is_told: false,
            waits: false,
            loaded_at: 0,
            inserted: 0,
        };
        if self.objects.get(&object) != Some(&version) {
            unit.incomplete = Some(Incomplete::Gone);
            return unit;
        }
        // An open quote begins a last record, which is a reject.
        let records = content.records().iter().map(Some).chain([None]);
        for (record, offset) in records.zip(content.offsets()) {
            if is == Kind::Redrive && !unit.only.contains(&offset) {
                continue;
            }
            let bytes = record.map_or(OPEN.len(), |record| record.to_string().len());
            unit.read += 1;
            unit.bytes += bytes;
            let name = match record.map(|record| record.is) {
                Some(Is::Good) => "good",
                Some(Is::Gone) => "gone",
                Some(Is::Mendable) if mapping.mends => "mended",
                Some(Is::Filtered) => continue,
                Some(Is::Mendable | Is::Wrong) | None => {
                    unit.rejects.insert(offset, true);
                    unit.rejected_bytes += bytes;
                    continue;
                }
            };
            let Some(record) = record else { continue };
            unit.rows.push(Row {
                order: (record.n, time, object, offset),
                whose,
                id: record.id,
                name: if mapping.mends { name.to_uppercase() } else { name.to_owned() },
                more: mapping.extends.then(|| name.to_owned()),
                content: version,
                deletes: self.life.shape.deletes && record.is == Is::Gone,
            });
        }
        let is_whole = match content {
            Content::Records(_) | Content::Packed(_) => true,
            Content::Unclosed(_) => mapping.cuts,
            Content::Nothing => false,
        };
        unit.incomplete = (!is_whole).then_some(Incomplete::Unreadable);
        unit
    }

    /// Whether a unit may be loaded.
    fn judge(&self, object: Source, place: usize, unit: &Unit) -> bool {
        let rejected = unit.rejects.len();
        let are_all = rejected > 0 && rejected == unit.read;
        let is_much = rejected * 10 > unit.read * 4 || unit.rejected_bytes * 10 > unit.bytes * 4;
        let are_many = self.deployed.limits && rejected >= 2 && is_much;
        let is_loaded = |version: &&Version| version.units.iter().any(|unit| unit.state == State::Loaded);
        let before = self.met[&object][..place].iter().rposition(|version| is_loaded(&version));
        let overwritten = before.map(|before| &self.met[&object][before]);
        let is_refused = unit.is == Kind::Met
            && match self.on_overwrite() {
                OnOverwrite::Fail => overwritten.is_some(),
                // One without records does not take the place of rows unasked.
                OnOverwrite::Replace => unit.read == 0 && overwritten.is_some_and(Version::has_rows),
                // One that is compressed anew would bring the same rows.
                OnOverwrite::Add => before.is_some_and(|before| self.is_same(object, place, unit, before)),
            };
        let is_brought_again = unit.is == Kind::Redrive;
        unit.incomplete.is_none() && (is_brought_again || !(are_all || are_many || is_refused))
    }

    /// One load: rows that are replaced go, and then rows come. A row that was beaten by one that goes comes back where it was
    /// kept.
    fn load(&mut self, loads: &Loads) {
        self.has_loaded |= !loads.is_empty();
        let mut bared = Vec::new();
        for (object, place, unit) in loads {
            let version = &self.met[object][*place];
            let replaces =
                self.on_overwrite() == OnOverwrite::Replace && version.overwrites && unit.is != Kind::Redrive;
            let goes = |row: &mut Row| {
                let (_, time, source, _) = row.order;
                let is_before = replaces && time < version.time;
                let is_again = unit.is == Kind::Reload && time == version.time;
                (row.whose, source) == *object && (is_before || is_again)
            };
            let gone: Vec<Row> = self.table.extract_if(.., goes).collect();
            self.beaten.retain(|row| !goes(&mut row.clone()));
            bared.extend(gone.iter().map(|row| self.key(row)));
        }
        let mut back = std::mem::take(&mut self.beaten);
        let stays = |row: &Row| self.key(row).is_none() || !bared.contains(&self.key(row));
        (self.beaten, back) = back.into_iter().partition(stays);
        let mut rows: Vec<(Mapping, Row)> = Vec::new();
        for (object, place, unit) in loads {
            // An old version that comes late is replaced at once.
            let later = &self.met[object][place + 1..];
            let is_loaded = |version: &Version| version.units.iter().any(|unit| unit.state == State::Loaded);
            if self.on_overwrite() != OnOverwrite::Replace || !later.iter().any(is_loaded) {
                rows.extend(unit.rows.iter().map(|row| (unit.mapping, row.clone())));
            }
        }
        if self.life.shape.write == Write::Dedupe {
            // The rows of an object are compared with each other.
            rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.order));
            let mut seen = BTreeSet::new();
            rows.retain(|(mapping, row)| seen.insert((*mapping, row.whose, row.order.1, row.order.2, row.id)));
        }
        for (object, place, unit) in loads {
            let brings = |row: &Row| row.order.1 == self.met[object][*place].time && unit.rows.contains(row);
            let inserted = rows.iter().filter(|(mapping, row)| *mapping == unit.mapping && brings(row)).count();
            let (rows, now) = (unit.rows.clone(), self.time);
            let is_it = |other: &&mut Unit| other.is == unit.is && other.mapping == unit.mapping && other.rows == rows;
            let units = &mut self.met.get_mut(object).unwrap()[*place].units;
            if let Some(unit) = units.iter_mut().rev().filter(|unit| unit.state == State::Loaded).find(is_it) {
                (unit.loaded_at, unit.inserted) = (now, inserted);
            }
        }
        for row in back.into_iter().chain(rows.into_iter().map(|(_, row)| row)) {
            let key = self.key(&row);
            let is_same = |there: &Row| key.is_some() && self.key(there) == key;
            let Some(at) = self.table.iter().position(is_same) else {
                self.table.push(row);
                continue;
            };
            let beaten = match self.table[at].order < row.order {
                true => std::mem::replace(&mut self.table[at], row),
                false => row,
            };
            if self.on_overwrite() == OnOverwrite::Replace {
                self.beaten.push(beaten);
            }
        }
    }

    /// What rows have in common of which the table has one, if it has one of several.
    fn key(&self, row: &Row) -> Option<(u64, Option<u64>)> {
        match self.life.shape.write {
            Write::Merge if !self.deployed.has_finer_key => Some((row.id, None)),
            Write::Merge | Write::Scd2 => Some((row.id, Some(row.order.0))),
            Write::Append | Write::Dedupe | Write::Replace => None,
        }
    }

    /// A decision about the units of an object, or about all, that are in a state. It is refused where an object has none, or
    /// where one is named that is not whole and is to be loaded as if it were.
    fn decide(&mut self, whom: Option<u64>, from: State, to: State) -> bool {
        let mut chosen = Vec::new();
        for (object, versions) in self.met.iter().filter(|(object, _)| self.is_own(**object)) {
            for (place, version) in versions.iter().enumerate() {
                let is_chosen = |unit: &Unit| unit.state == from && whom.is_none_or(|whom| whom == object.1);
                let units = version.units.iter().enumerate().filter(|(_, unit)| is_chosen(unit));
                chosen.extend(units.map(|(at, unit)| (*object, place, at, unit.incomplete.is_some())));
            }
        }
        let releases = to == State::Loaded;
        // A version that another has followed stays discarded where only one may be in the table, and one whose contents came again.
        let is_followed = |object: &Source, place: usize| {
            let (versions, adds) = (&self.met[object], self.on_overwrite() == OnOverwrite::Add);
            let is_it = |later: &Version| !adds || later.content == versions[place].content;
            from == State::Discarded && versions[place + 1..].iter().any(is_it)
        };
        let is_left = |(object, place, _, incomplete): &(Source, usize, usize, bool)| {
            (releases && *incomplete) || is_followed(object, *place)
        };
        if whom.is_some() && (chosen.is_empty() || chosen.iter().any(is_left)) {
            return true;
        }
        chosen.retain(|one| !is_left(one));
        let mut loads = Vec::new();
        for (object, place, at, _) in chosen {
            let unit = self.unit(object, place, at);
            (unit.state, unit.is_told) = (to, releases && unit.is_double);
            unit.waits = from == State::Discarded && unit.is_double;
            loads.push((object, place, self.met[&object][place].units[at].clone()));
        }
        if releases {
            self.hold_doubled(&mut loads);
            self.load(&loads);
        }
        false
    }

    /// Open rejects that another mapping than this one has made are read again, where what they are of is loaded.
    fn redrive(&mut self, whom: Option<u64>) {
        let mut loads = Vec::new();
        let is_wanted = |object: &Source| self.is_own(*object) && whom.is_none_or(|whom| whom == object.1);
        let objects: Vec<Source> = self.met.keys().copied().filter(is_wanted).collect();
        for object in objects {
            for place in 0..self.met[&object].len() {
                let Some(live) = self.live(object, place) else { continue };
                let version = &mut self.met.get_mut(&object).unwrap()[place];
                let is_there = self.objects.get(&object.1) == Some(&version.content);
                let units = &mut version.units;
                if units[live[0]].state != State::Loaded || !is_there {
                    continue;
                }
                // One that is held and was made with another mapping, or could not be read, is sent again.
                let is_undone = |unit: &Unit| {
                    let is_mended = unit.mapping != self.deployed.mapping;
                    let is_gone = unit.incomplete == Some(Incomplete::Gone);
                    unit.is == Kind::Redrive && unit.state == State::Held && (is_mended || is_gone)
                };
                let mut again = Vec::new();
                for unit in units.iter_mut().filter(|unit| is_undone(unit)) {
                    unit.state = State::Replaced;
                    unit.rejects.clear();
                    again.push(unit.only.clone());
                }
                let mut records = BTreeSet::new();
                for at in live.into_iter().filter(|_| again.is_empty()) {
                    let unit = &mut units[at];
                    if unit.mapping != self.deployed.mapping {
                        let open = unit.rejects.iter_mut().filter(|(_, is_open)| **is_open);
                        records.extend(open.map(|(offset, is_open)| {
                            *is_open = false;
                            *offset
                        }));
                    }
                }
                again.extend((!records.is_empty()).then_some(records));
                for records in again {
                    loads.extend(self.bring(object, place, self.read_version(object, place, Kind::Redrive, records)));
                }
            }
        }
        self.load(&loads);
    }

    /// The unit of a version whose rejects somebody may want, and those by which some of them were sent again.
    fn live(&self, object: Source, place: usize) -> Option<Vec<usize>> {
        let versions = &self.met[&object];
        let is_loaded = |unit: &&Unit| unit.state == State::Loaded;
        let mut later = versions[place + 1..].iter().flat_map(|version| &version.units);
        if self.on_overwrite() == OnOverwrite::Replace && later.any(|unit| is_loaded(&unit)) {
            return None;
        }
        let units = &versions[place].units;
        let is_whole = |unit: &Unit| unit.is != Kind::Redrive;
        let live = units.iter().rposition(|unit| is_whole(unit) && unit.state == State::Loaded && !unit.is_bare);
        let live = live.or_else(|| units.iter().rposition(|unit| is_whole(unit) && unit.state == State::Held))?;
        let counts = |unit: &Unit| unit.state != State::Discarded;
        let again = (live + 1..units.len()).filter(|&at| units[at].is == Kind::Redrive && counts(&units[at]));
        Some([live].into_iter().chain(again).collect())
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = (Source, usize, &Unit)> {
        let met = self.met.iter().flat_map(|(object, versions)| {
            let units = versions.iter().flat_map(|version| version.units.iter().map(|unit| (version.content, unit)));
            units.map(|(content, unit)| (*object, content, unit))
        });
        met.chain(self.runs.units()).filter(move |(.., unit)| unit.state == state)
    }

    /// What must be in the table: a line a row.
    pub fn rows(&self) -> Vec<String> {
        let shown = self.table.iter().filter(|row| !row.deletes).map(|row| {
            let (n, _, object, offset) = row.order;
            let (id, name, content) = (row.id, &row.name, row.content);
            let more = row.more.as_deref().unwrap_or_default();
            let whose = if row.whose { "others" } else { "things" };
            let mut line = format!(
                "{id} {n} {name} {more} of {whose} {} content {content} at {offset}",
                crate::life::name(object)
            );
            if self.life.shape.write == Write::Scd2 {
                let later = self.table.iter().filter(|other| other.id == row.id && other.order.0 > n);
                let to = later.map(|other| other.order.0).min();
                line += &to.map_or_else(|| " is current".to_owned(), |to| format!(" until {to}"));
            }
            line
        });
        let mut rows: Vec<String> = shown.collect();
        rows.sort();
        rows
    }

    /// Whether nobody knows what the table has.
    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// What is in the ledger: object, content, rows. What was loaded again by a call that was disturbed may be there twice.
    pub fn ledger(&self) -> BTreeSet<(String, usize, u64)> {
        let loaded = self.in_state(State::Loaded);
        let loaded = loaded.filter(|((whose, _), ..)| !self.is_forgotten[usize::from(*whose)]);
        loaded.map(|((_, object), content, unit)| (name(object), content, unit.rows.len() as u64)).collect()
    }

    /// What waits for a decision, of the pipeline with either name.
    pub fn held(&self) -> Vec<(String, usize)> {
        let held = self.in_state(State::Held).map(|((_, object), content, _)| (name(object), content));
        let mut held: Vec<_> = held.collect();
        held.sort();
        held
    }

    /// Whether the last call has loaded something.
    pub fn has_loaded(&self) -> bool {
        self.has_loaded
    }

    /// Whether something of the pipeline that is deployed waits for a decision.
    pub fn has_held(&self) -> bool {
        self.in_state(State::Held).any(|(object, ..)| self.is_own(object))
    }

    /// The rejects that somebody may still want, of the pipeline that is deployed: object, content, offset.
    pub fn open(&self) -> Vec<(String, usize, u64)> {
        let live = self.met.iter().filter(|(object, _)| self.is_own(**object)).flat_map(|(object, versions)| {
            versions.iter().enumerate().flat_map(move |(place, version)| {
                let live = self.live(*object, place).into_iter().flatten();
                live.map(move |at| (*object, version.content, &version.units[at]))
            })
        });
        let mut open = Vec::new();
        for ((_, object), content, unit) in live.chain(self.runs.live()) {
            let rejects = unit.rejects.iter().filter(|(_, is_open)| **is_open);
            open.extend(rejects.map(|(offset, _)| (name(object), content, *offset)));
        }
        open.sort();
        open
    }
}
