//! Measures a stretch of work: time, requests, capacity units, memory.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::BoxError;
use duewatch_store::{Consumed, Store};

use crate::observed::RequestObserver;

/// Requests and units, by operation and table.
pub type ChargedUnits = BTreeMap<(&'static str, String), Consumed>;

/// The live heap of the process, as its allocator counts it. The engine's allocations in C are not included.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    /// Bytes that are live now.
    pub live: fn() -> usize,
    /// The most live bytes since the last reset.
    pub peak: fn() -> usize,
    /// Restarts the peak.
    pub reset: fn(),
}

/// The time and the bytes of calls to the services. The in-process transport makes the calls on one thread,
/// one after another.
#[derive(Clone, Debug, Default)]
pub struct ServiceMeter(Arc<ServiceCounts>);

#[derive(Debug, Default)]
struct ServiceCounts {
    begun: Mutex<Option<Instant>>,
    nanos: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl ServiceMeter {
    /// The time of all calls.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed))
    }

    /// The number of requests, and the bytes of their bodies.
    #[must_use]
    pub fn sent(&self) -> (u64, u64) {
        (self.0.requests.load(Ordering::Relaxed), self.0.bytes.load(Ordering::Relaxed))
    }
}

impl RequestObserver for ServiceMeter {
    fn before(&self, _target: &str, body: &[u8]) -> Result<(), BoxError> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        *self.0.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    fn after(&self) {
        let begun = self.0.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        let nanos = begun.map_or(0, |begun| u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.0.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// A stretch of work that is being measured.
#[derive(Debug)]
pub struct Measurement<'a> {
    heap: Heap,
    stores: &'a [&'a Store],
    dynamodb: &'a ServiceMeter,
    sns: &'a ServiceMeter,
    begun: Instant,
    cpu: Option<Duration>,
    took: Duration,
    charged: ChargedUnits,
    sns_sent: (u64, u64),
    live: usize,
    heap_bytes: Option<usize>,
}

/// The measurements of a stretch of work.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The number of items, in the unit of the stretch.
    pub count: u64,
    /// Elapsed time.
    pub wall: Duration,
    /// Processor time, where the machine reports it.
    pub cpu: Option<Duration>,
    /// The part of `wall` inside the embedded services.
    pub services: Duration,
    /// Requests and units.
    pub charged: ChargedUnits,
    pub sns_requests: u64,
    /// Bytes of the requests to SNS.
    pub sns_bytes: u64,
    /// The peak of live heap above the live heap at the start; with several invocations, the highest of one.
    pub heap_bytes: usize,
}

impl<'a> Measurement<'a> {
    /// Begins to measure.
    #[must_use]
    pub fn begin(
        heap: Heap,
        stores: &'a [&'a Store],
        dynamodb: &'a ServiceMeter,
        sns: &'a ServiceMeter,
    ) -> Self {
        (heap.reset)();
        Self {
            heap,
            stores,
            dynamodb,
            sns,
            begun: Instant::now(),
            cpu: cpu_time(),
            took: dynamodb.took() + sns.took(),
            charged: charged(stores),
            sns_sent: sns.sent(),
            live: (heap.live)(),
            heap_bytes: None,
        }
    }

    /// Begins an invocation: the heap counts within invocations only, not between two of them.
    pub fn begin_invocation(&mut self) {
        (self.heap.reset)();
        self.live = (self.heap.live)();
    }

    /// Ends an invocation.
    pub fn end_invocation(&mut self) {
        let bytes = (self.heap.peak)().saturating_sub(self.live);
        self.heap_bytes = Some(self.heap_bytes.unwrap_or_default().max(bytes));
    }

    /// Ends the stretch, which did `count` items.
    #[must_use]
    pub fn end(self, count: u64) -> Measured {
        let wall = self.begun.elapsed();
        let cpu = cpu_time().zip(self.cpu).map(|(now, then)| now.saturating_sub(then));
        let (requests, bytes) = self.sns.sent();
        Measured {
            count,
            wall,
            cpu,
            services: (self.dynamodb.took() + self.sns.took()).saturating_sub(self.took),
            charged: difference(&self.charged, &charged(self.stores)),
            sns_requests: requests - self.sns_sent.0,
            sns_bytes: bytes - self.sns_sent.1,
            heap_bytes: self.heap_bytes.unwrap_or_else(|| (self.heap.peak)().saturating_sub(self.live)),
        }
    }
}

/// Units of reads and of writes are counted in halves.
impl Measured {
    /// Read units, in halves.
    #[must_use]
    pub fn read_halves(&self) -> u64 {
        self.halves(&["GetItem", "Query", "Scan"])
    }

    /// Write units, in halves.
    #[must_use]
    pub fn write_halves(&self) -> u64 {
        self.halves(&["PutItem", "UpdateItem", "DeleteItem"])
    }

    /// The number of requests to DynamoDB.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.charged.values().map(|consumed| consumed.requests).sum()
    }

    /// Microseconds of processor time a counted item, outside the embedded services: the handlers, the SDK
    /// and the stand-in for Lambda.
    #[must_use]
    pub fn own_cpu_micros(&self) -> Option<u64> {
        let wall = self.wall.as_micros().max(1);
        let outside = wall.saturating_sub(self.services.as_micros());
        let micros = self.cpu?.as_micros() * outside / wall / u128::from(self.count.max(1));
        u64::try_from(micros).ok()
    }

    /// Items a second.
    #[must_use]
    pub fn a_second(&self) -> u64 {
        let micros = u64::try_from(self.wall.as_micros()).unwrap_or(u64::MAX).max(1);
        self.count.saturating_mul(1_000_000) / micros
    }

    fn halves(&self, operations: &[&str]) -> u64 {
        let of = |(operation, _): &&(&str, String)| operations.contains(operation);
        self.charged.iter().filter(|(key, _)| of(key)).map(|(_, consumed)| consumed.half_units).sum()
    }
}

fn charged(stores: &[&Store]) -> ChargedUnits {
    let mut sum = ChargedUnits::new();
    for (key, consumed) in stores.iter().flat_map(|store| store.meter().read()) {
        let entry = sum.entry(key).or_default();
        entry.requests += consumed.requests;
        entry.half_units += consumed.half_units;
    }
    sum
}

fn difference(before: &ChargedUnits, after: &ChargedUnits) -> ChargedUnits {
    after
        .iter()
        .map(|(key, now)| {
            let then = before.get(key).copied().unwrap_or_default();
            let requests = now.requests - then.requests;
            (key.clone(), Consumed { requests, half_units: now.half_units - then.half_units })
        })
        .filter(|(_, consumed)| consumed.requests > 0)
        .collect()
}

/// The processor time of this thread, as Linux reports it.
fn cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The peak memory of a process in KiB, as Linux reports it: of `self`, or of a process number.
#[must_use]
pub fn peak_resident_kib(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The value below which `percent` of the sorted values lie.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    sorted.get((sorted.len().saturating_sub(1) * percent).div_ceil(100)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Some(Duration::from_millis(51)));
        assert_eq!(percentile(&values, 99), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&[], 50), None);
    }
}
