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

    /// The next script when all are to be tried, the last choice first; none: all were tried.
    pub(super) fn next_script(&self) -> Option<Vec<usize>> {
        let Self::Scripted { script, ways, .. } = self else { return None };
        let mut taken: Vec<usize> =
            (0..ways.len()).map(|place| script.get(place).copied().unwrap_or(0)).collect();
        while let Some(last) = taken.pop() {
            if last + 1 < ways[taken.len()] {
                taken.push(last + 1);
                return Some(taken);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_go_through_every_way_once() {
        let mut seen = Vec::new();
        let mut script = Some(Vec::new());
        while let Some(next) = script {
            let mut choices = Choices::scripted(next, None);
            let first = choices.among(2);
            let second = if first == 0 { choices.among(3) } else { choices.among(1) };
            seen.push((first, second));
            script = choices.next_script();
        }
        assert_eq!(seen, [(0, 0), (0, 1), (0, 2), (1, 0)]);
    }
}
