//! The cluster's certificates: one authority, the server's certificate, and as many users as a test wants.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority.
pub struct Pki {
    authority: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Identity {
    /// Both in PEM.
    pub certificate: String,
    pub key: String,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Identity {
    /// For a TLS server or client of our own.
    pub fn for_tls(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![self.der.clone()], PrivateKeyDer::Pkcs8(self.key_der.clone().into()))
    }
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "kubectl-why test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { authority }
    }

    pub fn certificate(&self) -> String {
        self.authority.pem()
    }

    pub fn certificate_der(&self) -> CertificateDer<'static> {
        self.authority.der().clone()
    }

    /// The certificate of a server on loopback.
    pub fn server(&self) -> Identity {
        let names = ["127.0.0.1", "10.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"];
        let mut params = CertificateParams::new(names.map(str::to_owned)).unwrap();
        params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params, 2100)
    }

    /// A user of a group, until the first day of that year.
    pub fn user(&self, name: &str, group: &str, until: i32) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        if !group.is_empty() {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, until)
    }

    fn sign(&self, mut params: CertificateParams, until: i32) -> Identity {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
            key_der: key.serialize_der(),
        }
    }

    /// Writes what the control plane's programs read.
    pub fn write(&self, dir: &Path) -> Files {
        let server = self.server();
        let accounts = KeyPair::generate().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        Files {
            ca: file("ca.crt", &self.certificate()),
            ca_key: file("ca.key", &self.authority.key().serialize_pem()),
            server: file("apiserver.crt", &server.certificate),
            server_key: file("apiserver.key", &server.key),
            accounts: file("sa.pub", &accounts.public_key_pem()),
            accounts_key: file("sa.key", &accounts.serialize_pem()),
        }
    }
}

/// Paths of PEM files.
pub struct Files {
    pub ca: PathBuf,
    pub ca_key: PathBuf,
    pub server: PathBuf,
    pub server_key: PathBuf,
    /// The key pair that signs the tokens of service accounts.
    pub accounts: PathBuf,
    pub accounts_key: PathBuf,
}
