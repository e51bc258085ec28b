//! TLS to a real PostgreSQL: every `sslmode` against servers that are right and wrong in one way each, with certificates that
//! are made here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::chown;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use etalon_core::types::Type;
use etalon_core::warehouse::Layout;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::WriteMode;
use etalon_driver::connection::Connection;
use etalon_golden::postgres::Server;
use etalon_golden::postgres::main as tests;
use etalon_postgres::Postgres;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::date_time_ymd;

/// The variable that makes of this program one that connects to a URL, and says what came of it.
const CONNECT: &str = "ETALON_TEST_CONNECT";

fn main() -> ExitCode {
    if let Ok(url) = std::env::var(CONNECT) {
        println!("{}", Postgres::open(&url).map_or_else(|error| error.to_string(), |_| "connected".to_owned()));
        return ExitCode::SUCCESS;
    }
    tests(&[
        ("a_server_that_is_who_it_says_is_believed", a_server_that_is_who_it_says_is_believed),
        ("a_server_of_another_authority_is_refused", a_server_of_another_authority_is_refused),
        ("a_server_of_another_name_is_refused", a_server_of_another_name_is_refused),
        ("a_certificate_out_of_its_time_is_refused", a_certificate_out_of_its_time_is_refused),
        ("a_server_that_signs_for_itself_is_taken_by_require", a_server_that_signs_for_itself_is_taken_by_require),
        ("a_server_that_wants_tls_says_so", a_server_that_wants_tls_says_so),
        (
            "a_server_without_tls_is_refused_where_it_is_asked_for",
            a_server_without_tls_is_refused_where_it_is_asked_for,
        ),
        ("a_server_that_wants_no_tls_is_reached_by_prefer", a_server_that_wants_no_tls_is_reached_by_prefer),
        ("a_password_is_bound_to_the_certificate", a_password_is_bound_to_the_certificate),
        ("what_the_system_trusts_is_believed", what_the_system_trusts_is_believed),
        ("a_file_of_authorities_that_is_none_is_named", a_file_of_authorities_that_is_none_is_named),
        ("rows_are_loaded_over_tls", rows_are_loaded_over_tls),
    ])
}

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key.
struct Certificate {
    pem: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A certificate for names, valid in some years.
    fn sign(&self, names: &[&str], years: (i32, i32)) -> Certificate {
        let (parameters, key) = parameters(names, years);
        Certificate { pem: parameters.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }
}

fn parameters(names: &[&str], (from, to): (i32, i32)) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "server");
    (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    (parameters, KeyPair::generate().unwrap())
}

const VALID: (i32, i32) = (2020, 2200);

/// A server that is set up for one test, while others wait.
struct Secured<'a> {
    server: &'a Server,
    _turn: MutexGuard<'static, ()>,
}

impl<'a> Secured<'a> {
    /// Lets a server have a certificate, or no TLS, and rules for connections over TCP.
    fn new(server: &'a Server, certificate: Option<&Certificate>, rules: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let data = server.psql("show data_directory").1;
        let data = Path::new(data.first().unwrap());
        let ssl = match certificate {
            Some(Certificate { pem, key }) => {
                write(data, "server.crt", pem);
                write(data, "server.key", key);
                "on"
            }
            None => "off",
        };
        let rules = format!("local all all trust\n{rules}\n");
        write(data, "pg_hba.conf", &rules);
        let load_time = || server.psql("select pg_conf_load_time()").1;
        let before = load_time();
        let role = "set password_encryption = 'scram-sha-256';
            do $$ begin create role ada login password 'se:cret'; exception when duplicate_object then end $$";
        assert!(server.psql(role).0);
        assert!(server.psql(&format!("alter system set ssl = {ssl}")).0);
        assert!(server.psql("select pg_reload_conf()").0);
        while load_time() == before {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self { server, _turn: turn }
    }

    fn url(&self, host: &str, options: &str) -> String {
        format!("postgres://ada:se%3Acret@{host}:{}/postgres?{options}", self.server.port())
    }

    /// Connects, and tells whether the connection is encrypted.
    fn is_encrypted(&self, host: &str, options: &str) -> Result<bool, String> {
        let mut postgres = Postgres::open(&self.url(host, options)).map_err(|error| error.to_string())?;
        let answer = postgres.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()").unwrap();
        Ok(answer.rows == [[Some("true".to_owned())]])
    }

    /// The words with which a connection is refused, without the address.
    fn refusal(&self, host: &str, options: &str) -> String {
        let message = self.is_encrypted(host, options).unwrap_err();
        assert!(!message.contains("se:cret") && !message.contains("se%3Acret"), "{message}");
        let place = format!("postgres://ada@{host}:{}/postgres: ", self.server.port());
        message.strip_prefix(&place).unwrap_or_else(|| panic!("{message}")).to_owned()
    }
}

/// Writes a file that the server may read, and nobody else.
fn write(data: &Path, name: &str, text: &str) {
    let path = data.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let owner = fs::metadata(data).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

/// A file with an authority, of a name of its own.
fn root(name: &str, authority: &Authority) -> PathBuf {
    let path = std::env::temp_dir().join(format!("etalon-root-{}-{name}.crt", std::process::id()));
    fs::write(&path, &authority.pem).unwrap();
    path
}

const SSL_ONLY: &str = "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256";
const EITHER: &str = "host all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256";

fn a_server_that_is_who_it_says_is_believed(server: &Server) {
    let authority = Authority::new("ours");
    let root = root("right", &authority);
    let secured = Secured::new(server, Some(&authority.sign(&["localhost", "127.0.0.1"], VALID)), SSL_ONLY);
    for mode in ["verify-full", "verify-ca", "require", "prefer", "allow"] {
        for host in ["localhost", "127.0.0.1"] {
            let options = format!("sslmode={mode}&sslrootcert={}", root.display());
            assert_eq!(secured.is_encrypted(host, &options), Ok(true), "{mode} {host}");
        }
    }
    fs::remove_file(root).unwrap();
}

fn a_server_of_another_authority_is_refused(server: &Server) {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let root = root("wrong", &other);
    let secured = Secured::new(server, Some(&ours.sign(&["localhost"], VALID)), SSL_ONLY);
    // With a file of authorities, `require` means `verify-ca`, as in libpq.
    for mode in ["verify-full", "verify-ca", "require"] {
        assert_eq!(
            secured.refusal("localhost", &format!("sslmode={mode}&sslrootcert={}", root.display())),
            format!(
                "the certificate of localhost is signed by no authority of {}; give the one that signed it as sslrootcert",
                root.display()
            )
        );
    }
    assert_eq!(secured.is_encrypted("localhost", "sslmode=require"), Ok(true));
    fs::remove_file(root).unwrap();
}

fn a_server_of_another_name_is_refused(server: &Server) {
    let authority = Authority::new("ours");
    let root = root("name", &authority);
    let file = format!("sslrootcert={}", root.display());
    {
        let secured = Secured::new(server, Some(&authority.sign(&["db.example", "localhost"], VALID)), SSL_ONLY);
        assert_eq!(
            secured.refusal("127.0.0.1", &format!("sslmode=verify-full&{file}")),
            "the certificate of 127.0.0.1 is for db.example, localhost; call the server by a name that it is for, or check \
             the authority alone with sslmode=verify-ca"
        );
        assert_eq!(secured.is_encrypted("127.0.0.1", &format!("sslmode=verify-ca&{file}")), Ok(true));
    }
    let secured = Secured::new(server, Some(&authority.sign(&[], VALID)), SSL_ONLY);
    let message = secured.refusal("localhost", &format!("sslmode=verify-full&{file}"));
    assert!(
        message.starts_with("the certificate of localhost is for no name (it has no subjectAltName); "),
        "{message}"
    );
    fs::remove_file(root).unwrap();
}

fn a_certificate_out_of_its_time_is_refused(server: &Server) {
    let authority = Authority::new("ours");
    let root = root("time", &authority);
    for (years, expected) in [
        ((2000, 2010), "has expired on 2010-01-01; the server needs a new one"),
        ((2150, 2200), "begins to be valid on 2150-01-01; is the clock of this machine right?"),
    ] {
        let secured = Secured::new(server, Some(&authority.sign(&["localhost"], years)), SSL_ONLY);
        for mode in ["verify-full", "verify-ca"] {
            let message = secured.refusal("localhost", &format!("sslmode={mode}&sslrootcert={}", root.display()));
            assert_eq!(message, format!("the certificate of localhost {expected}"));
        }
        assert_eq!(secured.is_encrypted("localhost", "sslmode=require"), Ok(true));
    }
    fs::remove_file(root).unwrap();
}

fn a_server_that_signs_for_itself_is_taken_by_require(server: &Server) {
    let (parameters, key) = parameters(&["localhost"], VALID);
    let pem = parameters.self_signed(&key).unwrap().pem();
    let secured = Secured::new(server, Some(&Certificate { pem: pem.clone(), key: key.serialize_pem() }), SSL_ONLY);
    assert_eq!(secured.is_encrypted("localhost", "sslmode=require"), Ok(true));
    assert_eq!(secured.is_encrypted("localhost", ""), Ok(true));
    // Who has its certificate beforehand can believe it.
    let path = std::env::temp_dir().join(format!("etalon-root-{}-self.crt", std::process::id()));
    fs::write(&path, pem).unwrap();
    assert_eq!(
        secured.is_encrypted("localhost", &format!("sslmode=verify-full&sslrootcert={}", path.display())),
        Ok(true)
    );
    fs::remove_file(path).unwrap();
    // One that is an authority, too, is told apart.
    let authority = Authority::new("both");
    let root = root("both", &authority);
    drop(secured);
    let both = Certificate { pem: authority.pem.clone(), key: authority.issuer.key().serialize_pem() };
    let secured = Secured::new(server, Some(&both), SSL_ONLY);
    assert_eq!(secured.is_encrypted("localhost", "sslmode=require"), Ok(true));
    let message = secured.refusal("localhost", &format!("sslmode=verify-ca&sslrootcert={}", root.display()));
    assert!(message.starts_with("the certificate of localhost is that of an authority (CA:TRUE), "), "{message}");
    fs::remove_file(root).unwrap();
}

fn a_server_that_wants_tls_says_so(server: &Server) {
    let authority = Authority::new("ours");
    let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), SSL_ONLY);
    assert_eq!(
        secured.refusal("127.0.0.1", "sslmode=disable"),
        "no pg_hba.conf entry for host \"127.0.0.1\", user \"ada\", database \"postgres\", no encryption (28000)"
    );
    assert_eq!(secured.is_encrypted("127.0.0.1", "sslmode=allow"), Ok(true));
    assert_eq!(secured.is_encrypted("127.0.0.1", "sslmode=prefer"), Ok(true));
    // A wrong password is no reason to try again without encryption.
    let wrong = secured.url("127.0.0.1", "").replace("se%3Acret", "wrong");
    let error = Postgres::open(&wrong).unwrap_err().to_string();
    assert!(error.ends_with("password authentication failed for user \"ada\" (28P01)"), "{error}");
}

fn a_server_without_tls_is_refused_where_it_is_asked_for(server: &Server) {
    let secured = Secured::new(server, None, EITHER);
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_eq!(
            secured.refusal("127.0.0.1", &format!("sslmode={mode}")),
            format!(
                "sslmode={mode} asks for an encrypted connection, and the server at 127.0.0.1, port {} does not offer TLS; \
                 let it (`ssl = on` in its postgresql.conf), or go through a tunnel (ssh -L) with sslmode=disable",
                server.port()
            )
        );
    }
    for options in ["", "sslmode=prefer", "sslmode=allow", "sslmode=disable"] {
        assert_eq!(secured.is_encrypted("127.0.0.1", options), Ok(false), "{options}");
    }
}

fn a_server_that_wants_no_tls_is_reached_by_prefer(server: &Server) {
    let authority = Authority::new("ours");
    let rules = "hostnossl all all 127.0.0.1/32 scram-sha-256";
    let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), rules);
    assert_eq!(secured.is_encrypted("127.0.0.1", "sslmode=prefer"), Ok(false));
    assert_eq!(secured.is_encrypted("127.0.0.1", "sslmode=allow"), Ok(false));
    assert_eq!(
        secured.refusal("127.0.0.1", "sslmode=require"),
        "no pg_hba.conf entry for host \"127.0.0.1\", user \"ada\", database \"postgres\", SSL encryption (28000)"
    );
}

fn a_password_is_bound_to_the_certificate(server: &Server) {
    let authority = Authority::new("ours");
    let unbound = "channel_binding=require, but the server authenticates without SCRAM-SHA-256-PLUS, which binds the password to its \
                   certificate";
    {
        // The server computes the same hash of its certificate, or lets nobody in.
        let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), EITHER);
        for binding in ["require", "prefer", "disable"] {
            let options = format!("sslmode=require&channel_binding={binding}");
            assert_eq!(secured.is_encrypted("localhost", &options), Ok(true), "{binding}");
        }
        assert_eq!(secured.refusal("127.0.0.1", "sslmode=disable&channel_binding=require"), unbound);
    }
    let rules = "hostssl all all 127.0.0.1/32 trust";
    let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), rules);
    assert_eq!(secured.refusal("127.0.0.1", "sslmode=require&channel_binding=require"), unbound);
}

fn what_the_system_trusts_is_believed(server: &Server) {
    let authority = Authority::new("ours");
    let root = root("system", &authority);
    let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), SSL_ONLY);
    // Here the file stands for the store of the system.
    let connect = |host: &str, options: &str, store: &Path| {
        let output = Command::new(std::env::current_exe().unwrap())
            .env(CONNECT, secured.url(host, options))
            .env("SSL_CERT_FILE", store)
            .env_remove("SSL_CERT_DIR")
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    };
    for options in ["sslmode=verify-full", "sslrootcert=system"] {
        assert_eq!(connect("localhost", options, &root), "connected", "{options}");
    }
    assert!(connect("127.0.0.1", "sslrootcert=system", &root).contains("is for localhost; call the server by a name"));
    let other = self::root("unknown", &Authority::new("other"));
    let unknown = connect("localhost", "sslmode=verify-full", &other);
    assert!(
        unknown.contains("the certificate of localhost is signed by no authority that this system trusts; "),
        "{unknown}"
    );
    fs::remove_file(other).unwrap();
    fs::write(&root, "").unwrap();
    let none = connect("localhost", "sslmode=verify-full", &root);
    assert!(none.contains("this system has no certificates of authorities that it trusts; "), "{none}");
    fs::remove_file(root).unwrap();
}

fn a_file_of_authorities_that_is_none_is_named(server: &Server) {
    let authority = Authority::new("ours");
    let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), SSL_ONLY);
    let message = secured.refusal("localhost", "sslmode=verify-ca&sslrootcert=/no/such.crt");
    assert!(message.starts_with("sslrootcert /no/such.crt: No such file"), "{message}");
    let empty = std::env::temp_dir().join(format!("etalon-root-{}-empty.crt", std::process::id()));
    fs::write(&empty, "nothing\n").unwrap();
    assert_eq!(
        secured.refusal("localhost", &format!("sslmode=verify-ca&sslrootcert={}", empty.display())),
        format!(
            "sslrootcert {}: there is no certificate in it, which begins with -----BEGIN CERTIFICATE-----",
            empty.display()
        )
    );
    fs::remove_file(empty).unwrap();
}

/// Many more bytes than a record of TLS, or a buffer of ours, holds.
fn rows_are_loaded_over_tls(server: &Server) {
    const ROWS: usize = 100_000;
    let authority = Authority::new("ours");
    let secured = Secured::new(server, Some(&authority.sign(&["localhost"], VALID)), SSL_ONLY);
    assert!(server.psql("create schema tls authorization ada").0);
    let column = |name: &str, ty| TableColumn { name: name.to_owned(), ty, required: true };
    let table = Table {
        schema: Some("tls".to_owned()),
        name: "numbers".to_owned(),
        columns: vec![column("id", Type::Bigint), column("text", Type::Text)],
        write: WriteMode::Append,
        lineage: true,
        deletes: false,
        keeps_beaten: false,
        dedupe: None,
        layout: Layout::default(),
    };
    let batch = LoadBatch {
        input: "i".to_owned(),
        batch: "b".to_owned(),
        generation: 0,
        source: "numbers.csv".to_owned(),
        source_version: "1".to_owned(),
        content: "1".to_owned(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: 0,
        staged: ROWS as u64,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
    };
    let numbers: ArrayRef = Arc::new((0..).take(ROWS).collect::<Int64Array>());
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("{row:0100}"))));
    let batches: ArrayRef = Arc::new(StringArray::from(vec!["b"; ROWS]));
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0; ROWS]).with_timezone("UTC"));
    let columns = [("id", numbers.clone()), ("text", texts), ("b", batches), ("o", numbers), ("t", times)];
    let rows = RecordBatch::try_from_iter(columns).unwrap();
    let mut postgres = Postgres::open(&secured.url("localhost", "sslmode=require")).unwrap();
    let counts = postgres.load(&table, &[batch], &mut [Ok(rows)].into_iter(), 0).unwrap();
    assert_eq!(counts.inserted, ROWS as u64);
    let sql = "select count(*), sum(id), count(distinct text) from tls.numbers";
    let expected = [ROWS, ROWS * (ROWS - 1) / 2, ROWS].map(|number| Some(number.to_string()));
    assert_eq!(postgres.query(sql).unwrap().rows, [expected]);
    let all = postgres.query("select text from tls.numbers order by id").unwrap().rows;
    assert_eq!(all.last(), Some(&vec![Some(format!("{:0100}", ROWS - 1))]));
}
