use serde_json::json;

use super::*;

#[test]
fn planted_secrets_do_not_survive() {
    for text in [
        "password=hunter2",
        "Password: hunter2",
        "DB_PASSWORD='hunter2' starting",
        "export PGPASSWORD=hunter2",
        r#"{"user":"app","password":"hunter2"}"#,
        r#"{\"password\":\"hunter2\",\"user\":\"app\"}"#,
        r#"level=info msg="login" password="hunter2 with spaces""#,
        "dbPassword => hunter2",
        "--password hunter2 --host db",
        "--token=hunter2",
        "connecting to postgres://app:hunter2@db.shop:5432/orders?sslmode=disable",
        "redis://:hunter2@cache:6379/0",
        "amqp://guest:hun/ter2@mq:5672/",
        "mongodb+srv://u:hunter2@c.example.com/?w=majority",
        "Server=db;User Id=sa;Password=hunter2;Encrypt=true",
        "AccountName=x;AccountKey=hunter2==;EndpointSuffix=core.windows.net",
        "GET /v1/items?access_token=hunter2&page=2",
        "Authorization: Bearer hunter2",
        "Authorization: Basic aHVudGVyMg==hunter2",
        r#"headers: {"Authorization":"Token hunter2"}"#,
        "authorization=hunter2",
        "Cookie: session=hunter2; theme=dark",
        "X-Api-Key: hunter2",
        "api_key=hunter2",
        "STRIPE_KEY=hunter2",
        "client_secret: hunter2",
        "secretAccessKey=hunter2",
        "mysql -uroot -phunter2 orders",
        "redis-cli -a hunter2 ping",
        "curl -u admin:hunter2 https://api",
        "sshpass -p hunter2 ssh host",
        "PASSWORD=a,b;hunter2",
    ] {
        let out = line(text);
        assert!(!out.contains("hunter2") && out.contains(MASK), "{text} -> {out}");
        assert_eq!(line(&out), out, "twice");
    }
}

#[test]
fn tokens_are_known_by_their_shape() {
    for token in [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "AKIAIOSFODNN7EXAMPLE",
        "glpat-0123456789abcdefghij",
        "xoxb-123456789012-abcdefGHIJ",
        "sk_live_0123456789abcdef",
    ] {
        let out = line(&format!("using {token} now")).into_owned();
        assert_eq!(out, format!("using {MASK} now"));
    }
    assert_eq!(line("Bearer abcdef0123456789"), format!("Bearer {MASK}"));
}

#[test]
fn key_blocks_are_taken_out_over_many_lines() {
    let row = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB";
    let log = format!("start\n-----BEGIN RSA PRIVATE KEY-----\n{row}\nshort=\n-----END RSA PRIVATE KEY-----\nend\n");
    assert_eq!(text(&log), format!("start\n{MASK}\nend\n"));
    assert_eq!(line(row), MASK);
    let joined = format!(r"key: -----BEGIN PRIVATE KEY-----\n{row}\n-----END PRIVATE KEY-----\n");
    assert!(!line(&joined).contains("MIIE"));
}

#[test]
fn diagnostics_stay_as_they_are() {
    for text in [
        "panic: lost lease",
        "-Xms256m -Xmx512m",
        "Error: connect ECONNREFUSED 10.0.0.5:5432",
        "sh: invalid number '$'",
        "FATAL:  password authentication failed for user \"orders\"",
        "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
        "failed to fetch oauth token: 401 Unauthorized",
        "failed to fetch anonymous token: Get \"https://auth.docker.io/token?scope=repository%3Ax%3Apull\": EOF",
        "Error: invalid token: unexpected end of JSON input",
        "SyntaxError: Unexpected token } in JSON at position 132",
        "sh: syntax error near unexpected token: newline",
        "WWW-Authenticate: Bearer realm=\"https://auth.example.com/token\",service=\"registry\"",
        "secret \"worker-env\" not found",
        "couldn't find key DB_PASSWORD in Secret shop/db",
        "max_tokens=4096 tokens: 12",
        "PASSWORD_FILE=/run/secrets/db TOKEN_TTL=3600",
        "image registry:5000/shop/api@sha256:0123456789abcdef",
        "https://registry.example.com:5000/shop/api@v1",
        "dial tcp 10.96.12.4:6379: connect: connection refused",
        "Basic Authentication required",
        "bearer token is missing",
        "the --token flag must be set",
        "KeyError: 'DATABASE_URL'",
        "primary_key=id cache_key=orders:1",
        "3f1c2d4e5a6b7c8d9e0f3f1c2d4e5a6b7c8d9e0f3f1c2d4e5a6b7c8d9e0f1a2b",
        "Pod password: must be set",
        "node --max-old-space-size=4096 server.js",
    ] {
        assert_eq!(line(text), text);
    }
}

#[test]
fn user_host_and_database_of_a_connection_stay() {
    assert_eq!(line("postgres://app:x1@db:5432/orders"), "postgres://app:[redacted]@db:5432/orders");
}

#[test]
fn an_object_keeps_everything_but_its_secrets() {
    let mut pod = json!({"kind": "Pod", "metadata": {"name": "p", "annotations": {
            "vault/token": "hunter2", "note": "uses postgres://u:hunter2@h/d",
            "config": "{\"password\":\"hunter2\",\"replicas\":3}", "plain": "{\"a\": 1}"}},
        "spec": {"containers": [{"name": "app", "image": "i",
            "command": ["app", "--password", "hunter2", "-Xmx512m"],
            "args": ["--db=postgres://u:hunter2@h/d", "serve", "--token", "--verbose"],
            "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx512m"},
                {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}},
                {"name": "OTHER_PASSWORD", "value": "$(DB_PASSWORD)"}],
            "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": "Bearer hunter2"}]}}}]},
        "status": {"message": "login with password=hunter2 failed"}});
    object(&mut pod);
    let shown = pod.to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["app", "--password", MASK, "-Xmx512m"]));
    assert_eq!(container["args"][3], "--verbose");
    assert_eq!(container["env"][1]["value"], "-Xmx512m");
    assert_eq!(container["env"][2]["valueFrom"]["secretKeyRef"]["key"], "token");
    assert_eq!(container["env"][3]["value"], "$(DB_PASSWORD)");
    assert_eq!(pod["metadata"]["annotations"]["plain"], "{\"a\": 1}");
    let again = pod.clone();
    object(&mut pod);
    assert_eq!(pod, again);
}

#[test]
fn odd_text_is_no_danger() {
    for text in [
        "",
        "=",
        "password=",
        "password",
        "://",
        "a://@",
        "token:\u{1f980}",
        "\\\"password\\\":\\\"",
        "é=ü password=é1",
    ] {
        let _ = line(text);
    }
}
