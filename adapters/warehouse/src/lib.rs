//! Warehouses that a load can go to. They carry out the statements of `etalon_core::warehouse` and decide nothing.

mod bind;
pub mod client;
mod connected;
mod exact;
mod failure;
mod load;
mod port;
mod postgres;
mod sqlite;

pub use connected::Connected;
pub use postgres::Postgres;
pub use sqlite::Answer;
pub use sqlite::AnswerColumn;
pub use sqlite::Sqlite;
