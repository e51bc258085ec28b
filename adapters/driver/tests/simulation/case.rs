//! Cases: a pipeline, the objects that come, what is done to them, and when.

use std::collections::BTreeMap;

use etalon_core::error::Error;
use etalon_core::pipeline::{Bounds, Pipeline};
use etalon_core::plan::sha256;
use etalon_core::source::Names;
use etalon_driver::deployed::Deployed;

use crate::chaos::Chance;

pub const MINUTE: i64 = 60 * 1_000_000;
pub const PREFIX: &str = "in/";

/// Everything that chance decides before the world begins.
#[derive(Debug)]
pub struct Case {
    /// Nothing changes on the way, and every run has one batch time, so that all orders of events give the same table.
    pub is_calm: bool,
    pub merges: bool,
    /// A run takes the place of all rows.
    pub whole_runs: bool,
    pub on_overwrite: &'static str,
    /// The pipeline as it is first deployed, and as it is later.
    pub deployed: [Deployed; 2],
    /// What happens, in order of time.
    pub events: Vec<(i64, Happening)>,
    /// Every version of every object that there ever is, by name and version.
    pub versions: BTreeMap<(String, String), Vec<Record>>,
    /// The source that the warehouse never takes.
    pub refused: Option<String>,
    /// Bodies that nobody can use.
    pub poison: Vec<String>,
}

#[derive(Debug, Clone)]
pub enum Happening {
    /// An object is written.
    Write(String, Vec<u8>),
    /// A run begins over the prefix; its message may come twice.
    List { run: u64, batch_time: i64, backfill: bool },
    /// An object's own event.
    Event { object: String, batch_time: i64 },
    /// The later pipeline is deployed.
    Deploy,
    /// A message that nobody can use: to starts, tasks or loads.
    Poison(usize, String),
}

/// A record of an object.
#[derive(Debug, Clone)]
pub struct Record {
    pub offset: i64,
    pub is: Is,
}

/// What becomes of a record.
#[derive(Debug, Clone)]
pub enum Is {
    Good { id: i64, n: i64, name: String },
    Filtered,
    Rejected,
}

fn pipeline(whole_runs: bool, merges: bool, on_overwrite: &str, limits: bool, later: bool) -> Deployed {
    let write = match (whole_runs, merges) {
        (true, _) => "replace, allow_empty: true",
        (_, true) => "merge, key: id, order_by: n",
        _ => "append",
    };
    let on_overwrite = if whole_runs { "replace" } else { on_overwrite };
    let limits = if limits { "limits: { rejects: 40%, at_least: 2 }\n" } else { "" };
    let from = if later { "upper(name)" } else { "name" };
    let text = format!(
        "etalon: 1\npipeline: things\nsource:\n  s3: s3://bucket/in/\n  format: {{ csv: {{ newlines_in_values: false }} }}\n  \
         on_overwrite: {on_overwrite}\n  fields: {{ id: integer, n: integer, name: }}\n\
         where: name is distinct from 'skip'\n\
         columns:\n  id: {{ required: true }}\n  n: {{ required: true }}\n  name: {{ from: {from}, type: varchar(20) }}\n\
         {limits}target: {{ table: things, write: {write} }}\n"
    );
    let (pipeline, _) = Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
    Deployed { pipeline, text, inputs: Names::default() }
}

impl Case {
    pub fn new(seed: u64) -> Self {
        let chance = &mut Chance::new(seed ^ 0xca5e);
        let whole_runs = chance.one_in(5);
        let merges = !whole_runs && chance.one_in(2);
        let overwrites = chance.one_in(2);
        let on_overwrite = if overwrites { *chance.pick(&["fail", "replace", "add"]) } else { "fail" };
        let limits = chance.one_in(3);
        let changes = chance.one_in(2);
        let range_bytes = *chance.pick(&[1 << 20, 1 << 20, 40, 90]);
        // A few rows reach the bounds of parts and of quarantine.
        let small = Bounds { batch_rows: 2, part_bytes: 1, quarantine_bytes: 1, range_bytes };
        let bounds = if chance.one_in(2) { small } else { Bounds { range_bytes, ..Bounds::default() } };
        let deployed = [false, true].map(|later| {
            let mut deployed = pipeline(whole_runs, merges, on_overwrite, limits, later);
            deployed.pipeline = deployed.pipeline.with_bounds(bounds);
            deployed
        });
        let sources: Vec<String> = (0..=1 + chance.below(4)).map(|at| format!("{PREFIX}{at}.csv")).collect();
        let refused = chance.one_in(5).then(|| chance.pick(&sources).clone());

        // What a run brings together depends on the order of events, and so does what is held.
        let is_calm = !overwrites && !changes && !whole_runs;
        let mut case = Self {
            is_calm,
            whole_runs,
            merges,
            on_overwrite,
            deployed,
            events: Vec::new(),
            versions: BTreeMap::new(),
            refused,
            poison: Vec::new(),
        };
        let time = |chance: &mut Chance| i64::try_from(chance.below(30)).unwrap() * MINUTE;
        let batch_time = |at: i64| if is_calm { 0 } else { at };
        for (position, source) in sources.iter().enumerate() {
            let writes = if overwrites && chance.one_in(2) { 2 + i64::from(chance.one_in(2)) } else { 1 };
            let mut first = None;
            for write in 0..writes {
                let at = time(chance) + write * MINUTE;
                // Content that comes back.
                let again = first.clone().filter(|_| write == 2 && chance.one_in(2));
                let bytes = again.unwrap_or_else(|| case.object(source, position, write, chance));
                first.get_or_insert_with(|| bytes.clone());
                case.events.push((at, Happening::Write(source.clone(), bytes)));
                if !whole_runs && chance.one_in(2) {
                    let batch_time = batch_time(at);
                    case.events.push((at + 1, Happening::Event { object: source.clone(), batch_time }));
                }
            }
        }
        for run in 0..1 + chance.below(4) {
            let at = time(chance);
            // What a doubled message of a backfill leaves in the lineage depends on when it comes.
            let backfill = !is_calm && chance.one_in(4);
            for _ in 0..1 + chance.below(2) {
                case.events.push((at, Happening::List { run, batch_time: batch_time(at), backfill }));
            }
        }
        if changes {
            case.events.push((time(chance), Happening::Deploy));
        }
        let input = "0".repeat(32);
        let poisons = [
            (0, "not json".to_owned()),
            (
                0,
                "{\"version\":1,\"pipeline\":\"others\",\"run\":\"r\",\"batch_time\":0,\"work\":{\"prefix\":\"x\"}}"
                    .to_owned(),
            ),
            (1, "{\"version\":99,\"input\":\"new\"}".to_owned()),
            (1, format!("{{\"version\":1,\"input\":\"{input}\",\"generation\":0,\"range\":0}}")),
            (2, "{\"version\":1,\"table\":\"others\"}".to_owned()),
        ];
        if chance.one_in(3) {
            let (queue, body) = chance.pick(&poisons).clone();
            case.poison.push(body.clone());
            case.events.push((time(chance), Happening::Poison(queue, body)));
        }
        case.events.sort_by_key(|(at, _)| *at);
        case
    }

    fn object(&mut self, source: &str, position: usize, write: i64, chance: &mut Chance) -> Vec<u8> {
        // Where a version's rows may be deleted, sources share no keys: what was updated away is not brought back.
        let base = if self.on_overwrite == "replace" { 100 * i64::try_from(position).unwrap() } else { 0 };
        let mut bytes = b"id,n,name\n".to_vec();
        let mut records = Vec::new();
        for row in 0..1 + chance.below(9) {
            let offset = i64::try_from(bytes.len()).unwrap();
            let (id, n) = (base + i64::try_from(chance.below(6)).unwrap(), i64::try_from(chance.below(5)).unwrap());
            let name = format!("{}{write}{row}", chance.pick(&["a", "b", "c"]));
            let (line, is) = match chance.below(8) {
                0 => (format!("{id},{n},skip\n"), Is::Filtered),
                1 => (format!("x{id},{n},{name}\n"), Is::Rejected),
                _ => (format!("{id},{n},{name}\n"), Is::Good { id, n, name }),
            };
            bytes.extend_from_slice(line.as_bytes());
            records.push(Record { offset, is });
        }
        self.versions.insert((source.to_owned(), sha256(&bytes)), records);
        bytes
    }
}
