//! The pure replay of a large portfolio: 10,000 accounts with 12 installments each over 365 days, with the
//! daily output, from the files on disk to the file on disk. The command's last line states the peak memory.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use criterion::{Criterion, criterion_group, criterion_main};

const ACCOUNTS: u64 = 10_000;
const ZONES: [&str; 4] = ["Asia/Shanghai", "America/New_York", "Europe/London", "Asia/Kolkata"];

/// Five of six installments are paid: on the day, or some days late.
fn files() -> PathBuf {
    let folder = std::env::temp_dir().join("duewatch-bench");
    fs::create_dir_all(&folder).unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut book = String::new();
    let mut events: Vec<(String, String)> = Vec::new();
    for account in 0..ACCOUNTS {
        let day = rng.u64(1..=28);
        let zone = ZONES[rng.usize(..ZONES.len())];
        let mut installments = Vec::new();
        for month in 1..=12 {
            installments.push(format!(
                r#"{{"number":{month},"due_on":"2023-{month:02}-{day:02}","principal":"250.00","interest":"10.00"}}"#
            ));
            if rng.u32(0..6) > 0 {
                let late = if rng.u32(0..3) == 0 { rng.u64(0..20) } else { 0 };
                let (month, day) =
                    if day + late > 28 { (month + 1, day + late - 28) } else { (month, day + late) };
                if month <= 12 {
                    let at = format!("2023-{month:02}-{day:02}T12:00:00Z");
                    let event = format!(
                        r#"{{"at":"{at}","type":"payment_received","account_id":"A-{account:05}","payment_id":"P-{}","amount":"260.00"}}"#,
                        installments.len()
                    );
                    events.push((at, event));
                }
            }
        }
        writeln!(
            book,
            r#"{{"account_id":"A-{account:05}","customer_id":"C-{account}","policy_id":"standard","currency":"CNY","time_zone":"{zone}","opened_on":"2022-12-01","installments":[{}]}}"#,
            installments.join(",")
        )
        .unwrap();
    }
    events.sort();
    let events: String = events.into_iter().map(|(_, event)| event + "\n").collect();
    fs::write(folder.join("book.jsonl"), book).unwrap();
    fs::write(folder.join("events.jsonl"), events).unwrap();
    let policy = duewatch_cli::sample::POLICY.split("[reminders]").next().unwrap();
    fs::write(folder.join("policy.toml"), policy).unwrap();
    folder
}

fn replay(criterion: &mut Criterion) {
    let folder = files();
    let mut command = || {
        let output = Command::new(env!("CARGO_BIN_EXE_duewatch"))
            .arg("replay")
            .args(["--policy", "policy.toml", "--book", "book.jsonl", "--events", "events.jsonl"])
            .args(["--from", "2023-01-01", "--to", "2023-12-31", "--daily", "daily.jsonl"])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    println!("{}", command().trim());
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10);
    group.bench_function("pure, 10,000 accounts, 365 days", |bencher| bencher.iter(&mut command));
    group.finish();
    fs::remove_dir_all(folder).unwrap();
}

criterion_group!(benches, replay);
criterion_main!(benches);
