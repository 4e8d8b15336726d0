//! All decisions of a run between several possible ways.

use fastrand::Rng;

use super::fault::Fault;

/// Decides by a seed, or by a script.
#[derive(Clone, Debug)]
pub(super) enum Choices {
    Seeded(Rng),
    /// Follows a script, then always takes the first way; notes the number of ways at each choice.
    Scripted {
        script: Vec<usize>,
        /// The number of ways at each choice.
        ways: Vec<usize>,
        /// A fault that strikes once, at the request of that number.
        strike: Option<(Fault, u64)>,
    },
}

impl Choices {
    pub(super) fn seeded(seed: u64) -> Self {
        Self::Seeded(Rng::with_seed(seed))
    }

    pub(super) const fn scripted(script: Vec<usize>, strike: Option<(Fault, u64)>) -> Self {
        Self::Scripted { script, ways: Vec::new(), strike }
    }

    pub(super) const fn is_scripted(&self) -> bool {
        matches!(self, Self::Scripted { .. })
    }

    /// Whether a script decides and no fault strikes.
    pub(super) const fn strikes_nowhere(&self) -> bool {
        matches!(self, Self::Scripted { strike: None, .. })
    }

    /// One of `ways` ways; `ways` is at least 1.
    pub(super) fn among(&mut self, ways: usize) -> usize {
        match self {
            Self::Seeded(rng) => rng.usize(..ways),
            Self::Scripted { script, ways: seen, .. } => {
                let chosen = script.get(seen.len()).copied().unwrap_or(0);
                seen.push(ways);
                chosen.min(ways - 1)
            }
        }
    }

    /// A number that is no choice between ways: 0 where a script decides.
    pub(super) fn number(&mut self, below: u32) -> u32 {
        match self {
            Self::Seeded(rng) => rng.u32(..below),
            Self::Scripted { .. } => 0,
        }
    }

    /// Whether a chance of `of_ten_thousand` in 10,000 has come; by a script, whether `fault` strikes at this
    /// request.
    pub(super) fn strikes(&mut self, fault: Fault, of_ten_thousand: u32, request: u64) -> bool {
        match self {
            Self::Seeded(rng) => of_ten_thousand > 0 && rng.u32(..10_000) < of_ten_thousand,
            Self::Scripted { strike, .. } => *strike == Some((fault, request)),
        }
    }

    /// The scripts that leave this one's way once more, after its last choice. From the empty script on they reach
    /// every way once; those that leave the first way seldom come before those that leave it often.
    pub(super) fn next_scripts(&self) -> impl Iterator<Item = Vec<usize>> {
        let (script, ways): (&[usize], &[usize]) = match self {
            Self::Seeded(_) => (&[], &[]),
            Self::Scripted { script, ways, .. } => (script, ways),
        };
        (script.len()..ways.len()).flat_map(move |place| {
            (1..ways[place]).map(move |way| {
                let mut next = script.to_vec();
                next.resize(place, 0);
                next.push(way);
                next
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn scripts_go_through_every_way_once() {
        let (mut seen, mut scripts) = (Vec::new(), VecDeque::from([Vec::new()]));
        while let Some(script) = scripts.pop_front() {
            let mut choices = Choices::scripted(script, None);
            let first = choices.among(2);
            let second = choices.among(if first == 0 { 3 } else { 2 });
            seen.push((first, second));
            scripts.extend(choices.next_scripts());
        }
        assert_eq!(seen, [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1)]);
    }
}
