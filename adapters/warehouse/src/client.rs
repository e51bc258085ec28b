//! Client: PostgreSQL's protocol for those who have statements of their own: one connection, one statement at a time, rows
//! through COPY in their binary form.

pub use crate::postgres::address::Address;
pub use crate::postgres::address::Encryption;
pub use crate::postgres::address::Host;
pub use crate::postgres::connection::Column;
pub use crate::postgres::connection::Connection;
pub use crate::postgres::connection::Rows;
pub use crate::postgres::connection::ServerError;
pub use crate::postgres::connection::Trouble;
pub use crate::postgres::encode::HEADER;
pub use crate::postgres::encode::TRAILER;
pub use crate::postgres::encode::Unfit;
pub use crate::postgres::encode::write;
