//! The client against a real MariaDB: how a user proves who it is, TLS with certificates that are made here, and what a server
//! that goes away leaves.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use etalon_core::error::ErrorKind;
use etalon_driver::ports::{Brought, Database};
use etalon_golden::mariadb::{self, Server};
use etalon_mysql::Source;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

fn main() -> ExitCode {
    mariadb::main(&[
        ("a_user_proves_who_it_is", a_user_proves_who_it_is),
        ("a_server_is_believed_as_far_as_it_proves_who_it_is", a_server_is_believed_as_far_as_it_proves_who_it_is),
        ("rows_are_streamed", rows_are_streamed),
        ("a_connection_that_is_lost_is_no_end_of_rows", a_connection_that_is_lost_is_no_end_of_rows),
        ("a_session_reads_and_does_not_write", a_session_reads_and_does_not_write),
    ])
}

fn opened(url: &str) -> Result<Source, String> {
    Source::open(url).map_err(|error| error.to_string())
}

fn a_user_proves_who_it_is(server: &Server) {
    server.database("users");
    let made = "create user plain identified by 'päß:wört'; create user bare; \
                create user other identified via unix_socket; grant all on users.* to plain, bare, other";
    assert!(server.sql("", made).0);
    let url = |who: &str| format!("mysql://{who}@127.0.0.1:{}/users", server.port());
    let mut source = opened(&url("plain:p%C3%A4%C3%9F%3Aw%C3%B6rt")).unwrap();
    assert_eq!(source.place(), format!("127.0.0.1:{}/users", server.port()));
    assert_eq!(source.ask("select 'ä😀', null, ''").unwrap(), [[Some("ä😀".to_owned()), None, Some(String::new())]]);
    opened(&url("bare")).unwrap();
    let told = opened(&url("plain:wrong")).unwrap_err();
    assert!(told.contains("Access denied for user 'plain'") && !told.contains("wrong"), "{told}");
    assert!(opened(&url("other")).unwrap_err().contains("1698") || opened(&url("other")).unwrap_err().contains("1045"));
}

/// An authority, and a certificate that it signs for a name.
fn certificates(folder: &Path, name: &str) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, format!("an authority of {name}"));
    let authority_key = KeyPair::generate().unwrap();
    fs::write(folder.join("ca.pem"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    fs::write(folder.join("cert.pem"), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for file in ["ca.pem", "cert.pem", "key.pem"] {
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
}

fn a_server_is_believed_as_far_as_it_proves_who_it_is(_: &Server) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    certificates(folders[0].path(), "localhost");
    certificates(folders[1].path(), "elsewhere.example");
    let setting = |name: &str, file: &str| format!("--ssl-{name}={}", folders[0].path().join(file).display());
    let server =
        Server::start(&[setting("cert", "cert.pem"), setting("key", "key.pem"), setting("ca", "ca.pem")]).unwrap();
    server.database("secure");
    let made = "create user reader identified by 'right' require ssl; grant all on secure.* to reader";
    assert!(server.sql("", made).0);
    let url = |host: &str, options: &str| format!("mysql://reader:right@{host}:{}/secure?{options}", server.port());
    let ca = |at: usize| folders[at].path().join("ca.pem").display().to_string();
    let encrypted = |url: &str| {
        let found = opened(url)?.ask("show status like 'Ssl_version'").map_err(|error| error.to_string())?;
        Ok::<_, String>(found[0][1].clone().unwrap())
    };
    for options in [
        "ssl-mode=preferred".to_owned(),
        "ssl-mode=required".to_owned(),
        format!("ssl-mode=verify_ca&ssl-ca={}", ca(0)),
        format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={}", ca(0)),
    ] {
        assert!(encrypted(&url("localhost", &options)).unwrap().starts_with("TLSv1."), "{options}");
    }
    for (host, options, fact) in [
        ("localhost", "ssl-mode=disabled".to_owned(), "Access denied for user 'reader'"),
        ("localhost", format!("ssl-mode=verify_ca&ssl-ca={}", ca(1)), "give the one that signed it as ssl-ca"),
        ("localhost", "ssl-mode=verify_identity".to_owned(), "is signed by no authority that this system trusts"),
        (
            "127.0.0.1",
            format!("ssl-mode=verify_identity&ssl-ca={}", ca(0)),
            "is for localhost; call the server by a name",
        ),
        ("localhost", "ssl-mode=verify_ca&ssl-ca=/no/such/file".to_owned(), "ssl-ca /no/such/file:"),
    ] {
        let told = encrypted(&url(host, &options)).unwrap_err();
        println!("{told}");
        assert!(told.contains(fact) && !told.contains("right@"), "{fact}: {told}");
    }
}

fn rows_are_streamed(server: &Server) {
    let url = server.database("stream");
    let mut source = opened(&url).unwrap();
    source.begin("select seq, repeat('x', 1000) from seq_1_to_100000").unwrap();
    let (mut brought, mut rows, mut most) = (Brought::default(), 0, 0);
    loop {
        brought.clear();
        let has_more = source.bring(&mut brought).unwrap();
        (rows, most) = (rows + brought.ends.len(), most.max(brought.bytes.len()));
        if !has_more {
            break;
        }
    }
    assert_eq!(rows, 100_000);
    assert!(most < 300_000, "{most} bytes at once");
    // A value that takes several packets.
    source.ask("set max_statement_time = 0").unwrap();
    assert!(server.sql("", "set global max_allowed_packet = 1073741824").0);
    let mut source = opened(&url).unwrap();
    source.begin("select repeat('ab\"', 8000000), 7").unwrap();
    brought.clear();
    while source.bring(&mut brought).unwrap() {}
    assert_eq!(brought.bytes.len(), 8_000_000 * 4 + "\"\",\"7\"\n".len());
    assert_eq!(source.ask("select 1").unwrap(), [[Some("1".to_owned())]]);
}

fn a_connection_that_is_lost_is_no_end_of_rows(server: &Server) {
    let url = server.database("lost");
    let mut source = opened(&url).unwrap();
    let number = source.ask("select connection_id()").unwrap()[0][0].clone().unwrap();
    source.begin("select seq, repeat('x', 1000) from seq_1_to_1000000").unwrap();
    let mut brought = Brought::default();
    assert!(source.bring(&mut brought).unwrap());
    assert!(server.sql("", &format!("kill {number}")).0);
    let error = loop {
        brought.clear();
        match source.bring(&mut brought) {
            Ok(true) => {}
            Ok(false) => panic!("an end"),
            Err(error) => break error,
        }
    };
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    // Whoever takes a call and says nothing is not waited for without end.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (ended, wait) = mpsc::channel::<()>();
    let silent = std::thread::spawn(move || {
        let _taken = listener.accept();
        let _ = wait.recv();
    });
    let since = Instant::now();
    let told = opened(&format!("mysql://u@127.0.0.1:{port}/d?connect_timeout=1")).unwrap_err();
    assert!(
        told.contains("the server has let nobody in within 1 s") && since.elapsed() < Duration::from_secs(5),
        "{told}"
    );
    drop(ended);
    silent.join().unwrap();
}

fn a_session_reads_and_does_not_write(server: &Server) {
    let url = server.database("reads");
    assert!(server.sql("reads", "create table t (id bigint)").0);
    let mut source = opened(&url).unwrap();
    source.ask("set session transaction read only").unwrap();
    let error = source.ask("insert into t values (1)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("(1792)"), "{error}");
    let types = source.types("select id, 1.5 as d, now(6) as t, 'a' as s, x'00' as b from t").unwrap();
    let types: Vec<String> = types.into_iter().flatten().flatten().collect();
    assert_eq!(types, ["bigint", "decimal", "datetime(6)", "text", "binary"]);
}
