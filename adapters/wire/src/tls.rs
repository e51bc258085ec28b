//! Tls: an encrypted stream to a server, and how the server's identity is checked.
//!
//! A certificate is checked as the address says: not at all, by the authority that signed it, or also by the name that it is
//! for. The signature of the handshake is always checked, which proves that the server has the key of its certificate: without
//! that, binding a password to the certificate would prove nothing.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use etalon_core::warehouse::calendar;
use rustls::CertificateError;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::DigitallySignedStruct;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::StreamOwned;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::client::verify_server_name;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::ring;
use rustls::crypto::verify_tls12_signature;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use crate::socket::Socket;
use crate::trouble::Trouble;

/// What an address calls what is said of certificates, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The file with the certificates of authorities.
    pub roots: &'static str,
    /// What checks the authority alone.
    pub authority_alone: &'static str,
}

/// Whose certificates are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those of the authorities that this system trusts: `system`, and what `verify-…` means where nothing is said.
    System,
    /// Those of the authorities in a file.
    File(PathBuf),
}

/// What is checked of a server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Nothing: who listens learns nothing, who stands between does.
    Nothing,
    /// That one of these authorities has signed it.
    Authority(Roots),
    /// And that it is for the name by which the server was called.
    AuthorityAndName(Roots),
}

/// An encrypted stream.
pub type Stream = StreamOwned<ClientConnection, Socket>;

/// Greets a server that has agreed to speak TLS, and checks who it is.
pub fn greet(socket: Socket, host: &str, check: &Check, words: Words) -> Result<Stream, Trouble> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        roots: match check {
            Check::Nothing => None,
            Check::Authority(roots) | Check::AuthorityAndName(roots) => Some(load(roots, words)?),
        },
        checks_name: matches!(check, Check::AuthorityAndName(_)),
        algorithms: provider.signature_verification_algorithms,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::Refused(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Trouble::Refused(format!("`{host}` is neither a name nor an address that a certificate can be for"))
    })?;
    let session = ClientConnection::new(Arc::new(config), name).map_err(|error| refusal(&error, host, check, words))?;
    let mut stream = StreamOwned::new(session, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| told(error, host, check, words))?;
    }
    Ok(stream)
}

/// The hash of the server's certificate, to which a password can be bound: `tls-server-end-point` of RFC 5929. `None` where
/// the certificate's signature names no hash function.
pub fn end_point(stream: &Stream) -> Option<Vec<u8>> {
    hash(stream.conn.peer_certificates()?.first()?)
}

/// The certificates of authorities.
fn load(roots: &Roots, words: Words) -> Result<RootCertStore, Trouble> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            // Of several hundred, some may be in a form that is too old.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                let fact = "this system has no certificates of authorities that it trusts; install them (ca-certificates), or give";
                return Err(Trouble::Refused(format!("{fact} a file as {}", words.roots)));
            }
        }
        Roots::File(path) => {
            let wrong = |fact: String| Trouble::Refused(format!("{} {}: {fact}", words.roots, path.display()));
            for certificate in read(path).map_err(|error| wrong(error.to_string()))? {
                store.add(certificate).map_err(|error| wrong(format!("a certificate is not understood: {error}")))?;
            }
            if store.is_empty() {
                return Err(wrong(
                    "there is no certificate in it, which begins with -----BEGIN CERTIFICATE-----".to_owned(),
                ));
            }
        }
    }
    Ok(store)
}

fn read(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = std::fs::read(path)?;
    CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(io::Error::other)
}

/// Checks a server's certificate.
#[derive(Debug)]
struct Verifier {
    /// The authorities that are believed; without them every certificate is.
    roots: Option<RootCertStore>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let certificate = ParsedCertificate::try_from(certificate)?;
            let algorithms = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
            if self.checks_name {
                verify_server_name(&certificate, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What an error of the handshake means.
fn told(error: io::Error, host: &str, check: &Check, words: Words) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner) => refusal(inner, host, check, words),
        None => Trouble::Io(error),
    }
}

fn refusal(error: &rustls::Error, host: &str, check: &Check, words: Words) -> Trouble {
    let Words { roots, authority_alone } = words;
    let rustls::Error::InvalidCertificate(error) = error else {
        return Trouble::Refused(format!("{host} and etalon do not agree on how to encrypt: {error}"));
    };
    let fact = match error {
        CertificateError::UnknownIssuer => match check {
            Check::Authority(Roots::File(path)) | Check::AuthorityAndName(Roots::File(path)) => {
                format!("is signed by no authority of {}; give the one that signed it as {roots}", path.display())
            }
            _ => format!(
                "is signed by no authority that this system trusts; give a file with the one that signed it as {roots}"
            ),
        },
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("has expired on {}; the server needs a new one", day(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("begins to be valid on {}; is the clock of this machine right?", day(*not_before))
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().map(|name| bare(name)).collect();
            let names =
                if names.is_empty() { "no name (it has no subjectAltName)".to_owned() } else { names.join(", ") };
            format!(
                "is for {names}; call the server by a name that it is for, or check the authority alone with \
                     {authority_alone}"
            )
        }
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            format!(
                "is that of an authority (CA:TRUE), which cannot stand for a server; let the authority sign one for the server, and \
                 give the authority's as {roots}"
            )
        }
        other => format!("is not accepted: {other}"),
    };
    Trouble::Refused(format!("the certificate of {host} {fact}"))
}

/// A name of a certificate, without the kind of name that the library puts around it.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

fn day(time: UnixTime) -> String {
    let mut out = String::new();
    calendar::write_date(&mut out, i32::try_from(time.as_secs() / 86_400).unwrap_or(i32::MAX));
    out
}

/// The hash of a certificate by the hash function of its signature, or by SHA-256 where that is weaker.
fn hash(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … }
    let (inside, _) = element(certificate, 0x30)?;
    let (_, after) = element(inside, 0x30)?;
    let (algorithm, _) = element(after, 0x30)?;
    let (identifier, _) = element(algorithm, 0x06)?;
    match identifier {
        // RSA with MD5, SHA-1, SHA-256; ECDSA with SHA-1, SHA-256.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => Some(Sha256::digest(certificate).to_vec()),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => {
            Some(Sha384::digest(certificate).to_vec())
        }
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => {
            Some(Sha512::digest(certificate).to_vec())
        }
        _ => None,
    }
}

/// What is inside of an element of DER with a tag, and what stands after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    // A length below 128 is a byte, a longer one says in how many bytes it stands.
    let (length, rest) = match length {
        0..128 => (usize::from(length), rest),
        128.. => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length - 128))?;
            let length =
                bytes.iter().try_fold(0_usize, |length, &byte| length.checked_mul(256)?.checked_add(byte.into()))?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of nothing, signed by an algorithm.
    fn signed_by(identifier: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| [&[tag, 0x81, inside.len() as u8], inside].concat();
        let algorithm = wrap(0x30, &wrap(0x06, identifier));
        wrap(0x30, &[wrap(0x30, &[7; 100]), algorithm, wrap(0x03, &[0; 8])].concat())
    }

    #[test]
    fn a_certificate_is_hashed_as_it_was_signed() {
        let rsa = |last| signed_by(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last]);
        let length = |certificate: &[u8]| hash(certificate).map(|hash| hash.len());
        assert_eq!([4, 5, 11, 12, 13].map(|last| length(&rsa(last))), [32, 32, 32, 48, 64].map(Some));
        assert_eq!(hash(&rsa(11)).unwrap(), Sha256::digest(rsa(11)).to_vec());
        // Ed25519 names no hash function, and RSA-PSS hides it.
        assert_eq!(length(&signed_by(&[0x2b, 0x65, 0x70])), None);
        assert_eq!(length(&rsa(10)), None);
        for cut in 0..rsa(11).len() - 12 {
            assert_eq!(length(&rsa(11)[..cut]), None, "{cut}");
        }
        assert_eq!(length(&[0x30, 0xff, 1]), None);
    }
}
