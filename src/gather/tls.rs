//! What TLS trusts and what it shows: the certificates of the kubeconfig as rustls wants them.

use std::fmt::Display;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, WantsVerifier,
};
use rustls_platform_verifier::BuilderVerifierExt;

use super::connect::{ConnectError, one_line};
use super::session::Session;

/// For the cluster's server: the user's certificate, and trust in what the kubeconfig says.
pub(super) fn of_cluster(session: &Session) -> Result<ClientConfig, ConnectError> {
    let builder = builder()?;
    let trusting = match &session.ca {
        _ if session.insecure => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified)),
        Some(pem) => builder.with_root_certificates(authorities(pem)?),
        None => builder.with_platform_verifier().map_err(wrong)?,
    };
    let Some((certificate, key)) = &session.identity else { return Ok(trusting.with_no_client_auth()) };
    let chain = certificates(certificate).ok_or_else(|| wrong("the client-certificate holds no PEM certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| wrong("the client-key holds no unencrypted private key in PEM"))?;
    trusting.with_client_auth_cert(chain, key).map_err(|error| match error {
        Error::InconsistentKeys(_) => wrong("the client-key does not belong to the client-certificate"),
        other => wrong(other),
    })
}

/// For a proxy: what the system trusts.
pub(super) fn of_proxy() -> Result<ClientConfig, ConnectError> {
    Ok(builder()?.with_platform_verifier().map_err(wrong)?.with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ConnectError> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(wrong)
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, ConnectError> {
    let certificates = certificates(pem)
        .ok_or_else(|| ConnectError::new("the certificate-authority of the cluster holds no PEM certificate"))?;
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(certificate).map_err(wrong)?;
    }
    Ok(store)
}

/// All certificates of a PEM; none if there is none or one is broken.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|list| !list.is_empty())
}

fn wrong(what: impl Display) -> ConnectError {
    ConnectError::new(format!(
        "cannot set up TLS: {}; check the certificate, key and certificate-authority of the kubeconfig",
        one_line(&what.to_string(), 200)
    ))
}

/// `insecure-skip-tls-verify`: whatever the server shows is taken, signatures too, as a certificate so old or odd that no
/// signature can be checked with it is a reason to use that setting.
#[derive(Debug)]
struct Unverified;

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}
