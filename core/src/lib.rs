//! The crate that makes all decisions of Etalon: pure functions and state machines, without I/O, clock, random numbers,
//! environment, threads or async.
//!
//! The modules, in reading order:
//!
//! | module | what it is |
//! |---|---|
//! | [`types`] | the types that columns have |
//! | [`diagnostic`] | what is wrong with a pipeline file, and the codes of all that can be wrong |
//! | [`error`] | what a file, a disk, a network or a warehouse did not do |
//! | [`sql`] | the words of SQL: scanned, read, written |
//! | [`mod@column`] | values of one type, with the fault of each row that has none |
//! | [`records`] | what a format read: cells that point into the bytes |
//! | [`reject`] | a record that is not loaded, with all its reasons |
//! | [`receipt`] | what one task did, in numbers that balance; written last |
//! | [`value`] | a value of each type: read from a text, computed with, printed |
//! | [`spec`] | how a file of YAML is read, with the place of everything in it |
//! | [`expr`] | SQL scalar expressions: parsed, checked, evaluated over columns |
//! | [`plan`] | an object becomes an input, an input becomes tasks |
//! | [`source`] | which objects there are: names, and a listing of them page by page |
//! | [`mod@format`] | bytes in, records out |
//! | `transform` | records in, accepted rows and rejects out: fields, `where`, columns, rules |
//! | [`stage`] | accepted rows in, parts of Parquet or CSV out |
//! | [`warehouse`] | the statements that bring staged rows into a table |
//! | [`protocol`] | what the steps say to each other and keep between calls, and what a loader does next |
//! | [`pipeline`] | all of it together: a file is compiled, an object planned, a task run, its receipts judged |
//! | [`deploy`] | what a pipeline is in an account: functions, settings, queues, rights, retention |
//!
//! Begin at [`pipeline::Pipeline`]: it compiles a pipeline file into a checked pipeline, or returns every mistake with its
//! place. The pipeline plans an object and runs the tasks of the plan. A task asks for bytes, and gives staged rows, rejects
//! and a receipt.
//!
//! ```
//! use etalon_core::pipeline::{Pipeline, Run, Step, TaskOutput};
//! use etalon_core::plan::Object;
//!
//! let file = "
//! etalon: 1
//! pipeline: people
//! source: { files: people.csv, format: csv, fields: { id: integer, name: } }
//! columns:
//!   id: required
//!   name: { from: upper(trim(name)), type: varchar(20) }
//! target: { table: people, write: append }
//! stage: csv
//! ";
//! let (pipeline, _warnings) = Pipeline::compile(file).map_err(|mistakes| format!("{mistakes:?}"))?;
//!
//! let bytes = b"id,name\n1, Ada\nx,Grace\n";
//! let object = Object { name: "people.csv".to_owned(), version: "v1".to_owned(), size: bytes.len() as u64 };
//! for task in pipeline.plan(&object, 0).tasks() {
//!     let mut run = pipeline.task(&task);
//!     loop {
//!         match run.step().map_err(|error| error.to_string())? {
//!             Step::NeedsData(range) => run.push(&bytes[range.start as usize..range.end as usize]),
//!             Step::Has(TaskOutput::Part(part, _bytes)) => assert_eq!(part.rows, 1),
//!             Step::Has(TaskOutput::Quarantine(_, lines)) => {
//!                 assert!(String::from_utf8_lossy(&lines).contains("is not a whole number for integer"));
//!             }
//!             Step::Has(TaskOutput::Finished(receipt)) => {
//!                 assert_eq!((receipt.counts.read, receipt.counts.staged, receipt.counts.quarantined), (2, 1, 1));
//!                 break;
//!             }
//!         }
//!     }
//! }
//!
//! let mistakes = Pipeline::compile(&file.replace("trim(name)", "trim(nme)")).err().unwrap_or_default();
//! assert_eq!(mistakes[0].message, "there is no `nme` here");
//! # Ok::<(), String>(())
//! ```
//!
//! The stages do not import each other; only `pipeline` imports them all. All state machines have the same two methods: `step`
//! says what the machine needs or has, `push` gives it what it asked for.
//!
//! There are three kinds of failure: a mistake in the pipeline file is a [`diagnostic::Diagnostic`], a bad row is a
//! [`reject::Reject`] (a [`column::Fault`] before it is judged), a failure of the environment is an [`error::Error`]. A bug of
//! ours is a panic.

pub mod types;
pub mod diagnostic;
pub mod error;
pub mod sql;
pub mod column;
pub mod records;
pub mod reject;
pub mod receipt;
pub mod value;
pub mod spec;
pub mod expr;
pub mod plan;
pub mod source;
pub mod format;
mod transform;
pub mod stage;
pub mod warehouse;
pub mod protocol;
pub mod pipeline;
pub mod deploy;
#[cfg(feature = "testing")]
pub mod testing;
