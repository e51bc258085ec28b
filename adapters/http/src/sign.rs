//! Sign: signs a JSON Web Token with a shared secret or a private key (RFC 7518).

use etalon_core::error::{Error, ErrorKind};
use etalon_core::source::connector::{Algorithm, Signing};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// Signs. The error says what is wrong with the key, and nothing of it.
pub(crate) fn sign(signing: &Signing) -> Result<Vec<u8>, Error> {
    let message = signing.message.as_bytes();
    let shared =
        |algorithm| Ok(hmac::sign(&hmac::Key::new(algorithm, signing.key.as_bytes()), message).as_ref().to_vec());
    match signing.algorithm {
        Algorithm::Hs256 => shared(hmac::HMAC_SHA256),
        Algorithm::Hs384 => shared(hmac::HMAC_SHA384),
        Algorithm::Hs512 => shared(hmac::HMAC_SHA512),
        Algorithm::Rs256 => by_rsa(&RSA_PKCS1_SHA256, signing),
        Algorithm::Rs384 => by_rsa(&RSA_PKCS1_SHA384, signing),
        Algorithm::Rs512 => by_rsa(&RSA_PKCS1_SHA512, signing),
        Algorithm::Ps256 => by_rsa(&RSA_PSS_SHA256, signing),
        Algorithm::Ps384 => by_rsa(&RSA_PSS_SHA384, signing),
        Algorithm::Ps512 => by_rsa(&RSA_PSS_SHA512, signing),
        Algorithm::Es256 => by_curve(&ECDSA_P256_SHA256_FIXED_SIGNING, signing),
        Algorithm::Es384 => by_curve(&ECDSA_P384_SHA384_FIXED_SIGNING, signing),
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key(signing)?.secret_der());
            let pair = pair.map_err(|_| refused("the key is no Ed25519 key"))?;
            Ok(pair.sign(message).as_ref().to_vec())
        }
    }
}

fn by_rsa(padding: &'static dyn RsaEncoding, signing: &Signing) -> Result<Vec<u8>, Error> {
    let pair = match key(signing)? {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        key => RsaKeyPair::from_pkcs8(key.secret_der()),
    };
    let pair = pair.map_err(|_| refused("the key is no RSA key of 2,048 bits or more"))?;
    let mut signature = vec![0; pair.public().modulus_len()];
    let signed = pair.sign(padding, &SystemRandom::new(), signing.message.as_bytes(), &mut signature);
    signed.map_err(|_| refused("the key is too short"))?;
    Ok(signature)
}

fn by_curve(algorithm: &'static EcdsaSigningAlgorithm, signing: &Signing) -> Result<Vec<u8>, Error> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key(signing)?.secret_der(), &random);
    let pair =
        pair.map_err(|_| refused("the key is no key of that curve in PKCS #8 (`-----BEGIN PRIVATE KEY-----`)"))?;
    let signature =
        pair.sign(&random, signing.message.as_bytes()).map_err(|_| refused("the system gives no chance"))?;
    Ok(signature.as_ref().to_vec())
}

/// The private key.
fn key(signing: &Signing) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(signing.key.as_bytes()).map_err(|_| refused("the key is no private key in PEM"))
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("a JSON Web Token cannot be signed: {what}"))
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, KeyPair, UnparsedPublicKey};

    use super::*;

    fn signing(algorithm: Algorithm, key: &str) -> Signing {
        Signing { algorithm, key: key.to_owned(), message: "header.payload".to_owned() }
    }

    fn pem(der: &[u8]) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn a_shared_secret_signs_as_the_standard_has_it() {
        // RFC 4231, test case 2.
        let message = "what do ya want for nothing?".to_owned();
        let signature = sign(&Signing { algorithm: Algorithm::Hs256, key: "Jefe".to_owned(), message }).unwrap();
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), expected);
    }

    #[test]
    fn a_private_key_signs_what_its_public_key_accepts() {
        let random = SystemRandom::new();
        let curve = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let signature = sign(&signing(Algorithm::Es256, &pem(curve.as_ref()))).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, curve.as_ref(), &random).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        assert!(public.verify(b"header.payload", &signature).is_ok());
        let edwards = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let signature = sign(&signing(Algorithm::EdDsa, &pem(edwards.as_ref()))).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(edwards.as_ref()).unwrap();
        let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
        assert!(public.verify(b"header.payload", &signature).is_ok());
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused_without_its_text() {
        let curve = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        for (algorithm, key, expected) in [
            (Algorithm::Rs256, "hush".to_owned(), "the key is no private key in PEM"),
            (Algorithm::Rs256, pem(curve.as_ref()), "the key is no RSA key of 2,048 bits or more"),
            (Algorithm::Es384, pem(curve.as_ref()), "the key is no key of that curve"),
            (Algorithm::EdDsa, pem(b"short"), "the key is no Ed25519 key"),
        ] {
            let told = sign(&signing(algorithm, &key)).unwrap_err().to_string();
            assert!(told.contains(expected) && !told.contains("hush"), "{told}");
        }
    }
}
