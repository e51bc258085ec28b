//! Client: PostgreSQL's protocol for those who have statements of their own: one connection, one statement at a time, rows
//! through COPY in their binary form, encrypted where the server offers it.

mod trouble;
mod address;
mod session;

pub use address::Address;
pub use address::Binding;
pub use address::Encryption;
pub use address::Host;
pub use address::SslMode;
pub use etalon_wire::tls::Roots;
pub use session::Client;
pub use session::Column;
pub use session::Rows;
pub use trouble::ServerError;
pub use trouble::Trouble;
