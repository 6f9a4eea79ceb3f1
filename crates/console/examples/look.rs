//! Serves the console with made-up facts, to look at it: `cargo run -p bedplate-console --example look`.

#[path = "../tests/it/fake.rs"]
mod fake;

#[tokio::main]
async fn main() {
    let state = fake::state();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    for i in 0..50 {
        let code = state.sessions.issue_code(bedplate_identity::Principal::new("user:admin"), fake::NOW, [i; 32]);
        println!("http://{address}/login?code={code}");
    }
    axum::serve(listener, bedplate_console::router(state)).await.expect("the server runs");
}
