//! Client: PostgreSQL's protocol for those who have statements of their own: one connection, one statement at a time, rows
//! through COPY in their binary form, encrypted where the server offers it.

mod trouble;
mod socket;
mod tls;
mod address;
mod session;

pub use address::Address;
pub use address::Binding;
pub use address::Encryption;
pub use address::Host;
pub use address::SslMode;
pub use session::Client;
pub use session::Column;
pub use session::Rows;
pub use tls::Roots;
pub use trouble::ServerError;
pub use trouble::Trouble;
