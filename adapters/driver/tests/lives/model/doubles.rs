//! Doubles: what is held since the table has its rows already: equal contents below another name, or of the pipeline with its
//! other name, which most likely is this one.

use super::{Kind, Loads, Model, Source, State, Unit};
use crate::life::{Call, Content, OnOverwrite, Place, Write};

/// A unit that the ledger tells of: its object, the place of its version, and itself.
type Told<'a> = (Source, usize, &'a Unit);

/// What brings a unit into the table.
type Load = (Source, usize, Unit);

/// The contents of a version of which the table has rows.
type Standing<'a> = (Source, usize, Known<'a>);

/// Contents, and whether the digest of their bytes, uncompressed, is known.
#[derive(Clone, Copy)]
struct Known<'a> {
    content: &'a Content,
    has_digest: bool,
}

impl Known<'_> {
    /// Whether they are found to be equal: stored alike, or alike when they are not compressed.
    fn is_equal(self, other: Self) -> bool {
        let are_known = self.has_digest && other.has_digest;
        self.content == other.content || (are_known && self.content.plain_bytes() == other.content.plain_bytes())
    }
}

impl<'a> Model<'a> {
    /// Whether equal contents are held where they would be appended.
    fn tells_doubles(&self) -> bool {
        !self.life.shape.accepts_doubles && matches!(self.life.shape.write, Write::Append | Write::Dedupe)
    }

    fn in_ledger(&self) -> impl Iterator<Item = Told<'_>> {
        let all = self.met.iter().filter(|((whose, _), _)| !self.is_forgotten[usize::from(*whose)]);
        let units = all.flat_map(|(object, versions)| {
            versions
                .iter()
                .enumerate()
                .flat_map(move |(place, version)| version.units.iter().map(move |unit| (*object, place, unit)))
        });
        units.filter(|(.., unit)| unit.state == State::Loaded)
    }

    /// Whether the pipeline has loaded nothing, and the one with its other name what is there, with the same mapping, or what was
    /// there under the same name: then nothing is done.
    pub(super) fn is_most_likely_renamed(&self, call: Call) -> bool {
        let is_asked = matches!(call, Call::Run | Call::Reload(_));
        // The functions hold each object.
        if !self.tells_doubles() || !is_asked || self.life.shape.place == Place::Functions {
            return false;
        }
        let has_own = self.in_ledger().any(|(object, ..)| self.is_own(object));
        !has_own
            && self.in_ledger().any(|told| {
                let ((whose, object), place, unit) = told;
                let Some(content) = self.objects.get(&object) else { return false };
                let is_as_it_was = *content == self.met[&(whose, object)][place].content;
                // With other contents it is known by the record of its versions.
                let is_known = || !self.is_bare[usize::from(whose)] && self.stands(told, |_| false);
                let is_one = if is_as_it_was { unit.mapping == self.deployed.mapping } else { is_known() };
                is_one && unit.inserted > 0
            })
    }

    /// Holds what would be in the table twice, in the order in which it is loaded. Rows that the load removes do not count.
    pub(super) fn hold_doubled(&mut self, loads: &mut Loads) {
        if !self.tells_doubles() || self.on_overwrite() == OnOverwrite::Add {
            return;
        }
        // What takes the place of rows comes first.
        loads.sort_by_key(|load| self.turn(load));
        let about = |loads: &Loads, (object, place, unit): &Told<'_>| {
            loads.iter().any(|(other, at, load)| (other, at) == (object, place) && load == *unit)
        };
        let standing: Vec<Standing<'a>> = self
            .in_ledger()
            .filter(|told| {
                !about(loads, told) && !told.2.rows.is_empty() && self.stands(*told, |told| about(loads, told))
            })
            .map(|(object, place, unit)| (object, place, self.known(object, place, unit)))
            .collect();
        let is_renamed = self.is_renamed(loads);
        let mut there = standing;
        let ledger = self.in_ledger().filter(|told| !about(loads, told) && !told.2.rows.is_empty());
        let past: Vec<Standing<'a>> =
            ledger.map(|(object, place, unit)| (object, place, self.known(object, place, unit))).collect();
        let Some(in_turn) = self.in_turn.take() else {
            *loads = self.hold_together(std::mem::take(loads), &mut there, &past, is_renamed);
            return;
        };
        // What was not loaded was held when the table had its rows, at some time.
        let mut left = std::mem::take(loads);
        let mut ever_there = there.clone();
        for together in in_turn {
            let content = |object: &Source, place: usize| self.met[object][place].content;
            let (now, rest): (Loads, Loads) =
                left.into_iter().partition(|(object, place, _)| together.contains(&(*object, content(object, *place))));
            left = rest;
            loads.extend(self.hold_together(now, &mut there, &past, is_renamed));
            ever_there.extend(there.iter().copied());
        }
        for load in left {
            if self.is_double(&load, (&ever_there, &past, &[]), is_renamed) {
                self.hold(&load);
            } else {
                loads.push(load);
            }
        }
    }

    /// Holds what would be in the table twice of what is loaded together, and gives the rest. What is there is then what is there
    /// after the load.
    fn hold_together(
        &mut self,
        mut loads: Loads,
        there: &mut Vec<Standing<'a>>,
        past: &[Standing<'a>],
        is_renamed: bool,
    ) -> Loads {
        let mut all_held = Loads::new();
        loop {
            let mut after = self.left_by(&loads, there);
            let mut held = Loads::new();
            for load in &loads {
                let (object, place, unit) = load;
                if self.is_double(load, (&after, past, &loads), is_renamed) {
                    held.push(load.clone());
                } else if !unit.rows.is_empty() {
                    after.push((*object, *place, self.known(*object, *place, unit)));
                }
            }
            // What is held takes the place of nothing: then others may be there still.
            if held.is_empty() {
                break;
            }
            loads.retain(|load| !held.contains(load));
            all_held.extend(held);
        }
        // What was held because of something that is held itself is loaded.
        loads.sort_by_key(|load| self.turn(load));
        all_held.sort_by_key(|load| self.turn(load));
        loop {
            let freed = all_held.iter().position(|load| {
                let with: Loads = loads.iter().chain([load]).cloned().collect();
                let mut after = self.left_by(&with, there);
                after.extend(self.brought(&loads));
                !self.is_double(load, (&after, past, &with), is_renamed)
            });
            let Some(freed) = freed else { break };
            loads.push(all_held.remove(freed));
        }
        all_held.iter().for_each(|load| self.hold(load));
        let mut after = self.left_by(&loads, there);
        after.extend(self.brought(&loads));
        *there = after;
        loads
    }

    fn brought(&self, loads: &Loads) -> Vec<Standing<'a>> {
        let brings = loads.iter().filter(|(.., unit)| !unit.rows.is_empty());
        brings.map(|(object, place, unit)| (*object, *place, self.known(*object, *place, unit))).collect()
    }

    /// What comes first of what is loaded together: what takes the place of rows.
    fn turn(&self, (object, place, unit): &Load) -> (bool, u64, u64) {
        (!self.replaces(*object, *place, unit), self.met[object][*place].time, object.1)
    }

    /// What is there still when these are loaded.
    fn left_by(&self, loads: &Loads, there: &[Standing<'a>]) -> Vec<Standing<'a>> {
        let goes = |(object, place): (Source, usize)| {
            loads.iter().any(|(other, at, unit)| {
                let is_again = unit.is == Kind::Reload && *at == place;
                *other == object && (is_again || (place < *at && self.replaces_before(*other, *at, unit)))
            })
        };
        there.iter().filter(|(object, place, _)| !goes((*object, *place))).copied().collect()
    }

    /// Whether what is loaded for the first time is there already: among what is there after the load, what was ever there, and all
    /// that is loaded with it.
    fn is_double(
        &self,
        (object, place, unit): &Load,
        (there, past, loads): (&[Standing<'a>], &[Standing<'a>], &[Load]),
        is_renamed: bool,
    ) -> bool {
        let content = self.known(*object, *place, unit);
        let is_one = |other: Source| other.0 == object.0 || (other.1 == object.1 && is_renamed);
        let is_it = |(other, at, loaded): &Standing<'a>| {
            loaded.is_equal(content) && (*other, *at) != (*object, *place) && is_one(*other)
        };
        if unit.is != Kind::Met || unit.rows.is_empty() || unit.is_told {
            return false;
        }
        // An object that was never loaded, and was a copy before: it has grown, and its original may have, too.
        let versions = &self.met[object][..*place];
        let was_loaded = versions.iter().flat_map(|version| &version.units).any(|unit| unit.state == State::Loaded);
        let has_rows = |other: Source| {
            there.iter().any(|(standing, ..)| *standing == other)
                || loads.iter().any(|(load, _, unit)| *load == other && !unit.rows.is_empty())
        };
        let is_original = |(other, _, loaded): &Standing<'a>, was: Known<'a>| {
            loaded.is_equal(was) && *other != *object && is_one(*other) && has_rows(*other)
        };
        let was_copy = |(place, unit): (usize, &Unit)| {
            let was = self.known(*object, place, unit);
            !unit.rows.is_empty() && there.iter().chain(past).any(|other| is_original(other, was))
        };
        let mut earlier = versions.iter().enumerate();
        there.iter().any(is_it)
            || !was_loaded && earlier.any(|(place, version)| version.units.iter().any(|unit| was_copy((place, unit))))
    }

    fn hold(&mut self, (object, place, unit): &Load) {
        let units = &mut self.met.get_mut(object).unwrap()[*place].units;
        for unit in units.iter_mut().filter(|other| *other == unit) {
            (unit.state, unit.is_double) = (State::Held, true);
        }
    }

    /// Whether a version takes the place of those before.
    fn overwrites(&self, object: Source, place: usize) -> bool {
        self.on_overwrite() == OnOverwrite::Replace && self.met[&object][place].overwrites
    }

    fn replaces(&self, object: Source, place: usize, unit: &Unit) -> bool {
        unit.is == Kind::Reload || self.replaces_before(object, place, unit)
    }

    /// Whether a unit takes the place of the versions before its own.
    fn replaces_before(&self, object: Source, place: usize, unit: &Unit) -> bool {
        unit.is != Kind::Redrive && self.overwrites(object, place)
    }

    /// Whether a version has the bytes of the one before, compressed anew.
    pub(super) fn is_same(&self, object: Source, place: usize, unit: &Unit, before: usize) -> bool {
        let is_loaded = |unit: &&Unit| unit.state == State::Loaded;
        let (now, then) = (self.met[&object][place].content, self.met[&object][before].content);
        let mut loaded = self.met[&object][before].units.iter().filter(is_loaded);
        let known = self.known(object, place, unit);
        now != then && loaded.any(|unit| known.is_equal(self.known(object, before, unit)))
    }

    /// What the ledger knows of the contents that a unit has read.
    fn known(&self, object: Source, place: usize, unit: &Unit) -> Known<'a> {
        let content = &self.life.contents[self.met[&object][place].content];
        Known { content, has_digest: content.is_read_at_once(unit.mapping) }
    }

    /// Whether the rows of a unit are there still, but for what is about to come.
    fn stands(&self, (object, place, unit): Told<'_>, comes: impl Fn(&Told<'_>) -> bool) -> bool {
        let versions = &self.met[&object];
        let is_loaded = |place: usize, unit: &Unit| unit.state == State::Loaded && !comes(&(object, place, unit));
        let is_replaced_by = |later: usize| {
            let is_whole = |unit: &Unit| unit.is != Kind::Redrive && is_loaded(later, unit);
            versions[later].units.iter().any(is_whole)
        };
        let is_replaced =
            self.on_overwrite() == OnOverwrite::Replace && (place + 1..versions.len()).any(is_replaced_by);
        let units = &versions[place].units;
        let at = units.iter().position(|other| std::ptr::eq(other, unit)).unwrap_or_default();
        !is_replaced && !units[at + 1..].iter().any(|unit| unit.is == Kind::Reload && is_loaded(place, unit))
    }

    /// Whether the pipeline with the other name has loaded nothing since this one has begun, and nothing that it has in the table was
    /// loaded by both.
    fn is_renamed(&self, loads: &Loads) -> bool {
        let is_new = |told: &Told<'_>| loads.iter().any(|(object, place, unit)| (*object, *place, unit) == *told);
        let (own, others): (Vec<_>, Vec<_>) =
            self.in_ledger().filter(|told| !is_new(told)).partition(|(object, ..)| self.is_own(*object));
        let began = own.iter().map(|(.., unit)| unit.loaded_at).min();
        let ended = others.iter().map(|(.., unit)| unit.loaded_at).max();
        let is_shared = |one: &Told<'_>, other: &Told<'_>| {
            one.0.1 == other.0.1
                && self.stands(*other, |_| false)
                && self.known(one.0, one.1, one.2).is_equal(self.known(other.0, other.1, other.2))
                && one.2.inserted.min(other.2.inserted) > 0
        };
        began.is_none_or(|began| ended.is_none_or(|ended| ended < began))
            && !own.iter().any(|one| others.iter().any(|other| is_shared(one, other)))
    }
}
