//! The severity of restrictions: the line first, then draw-downs, the whole account last (`S0`: in
//! proportion). Rates, and the lender's own names, stand beside that ladder.

use super::restriction::{Restriction, RestrictionKind};

/// The ladder of restrictions, mildest first.
pub(super) const LADDER: [RestrictionKind; 3] =
    [RestrictionKind::LimitCreditLine, RestrictionKind::FreezeDrawdown, RestrictionKind::SuspendAccount];

impl Restriction {
    /// Its place on the ladder of restrictions, from 1; 0 if it stands beside it.
    pub(super) fn severity(&self) -> usize {
        match self.kind {
            RestrictionKind::LimitCreditLine => 1,
            RestrictionKind::FreezeDrawdown => 2,
            RestrictionKind::SuspendAccount => 3,
            RestrictionKind::RaiseRate | RestrictionKind::Custom(_) => 0,
        }
    }

    /// Whether this restriction is at least as severe as `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self.kind != other.kind {
            return self.kind == RestrictionKind::SuspendAccount && other.severity() > 0;
        }
        match (self.percent, other.percent) {
            (Some(this), Some(that)) if self.kind == RestrictionKind::LimitCreditLine => this <= that,
            (Some(this), Some(that)) => this >= that,
            (this, that) => this == that,
        }
    }
}

/// Whether some restriction of `by` covers this one.
pub(crate) fn is_covered(restriction: &Restriction, by: &[Restriction]) -> bool {
    by.iter().any(|other| other.covers(restriction))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn each_kind_of_the_ladder_stands_on_its_place() {
        for (kind, place) in LADDER.iter().zip(1..) {
            assert_eq!(restriction(kind.as_str()).severity(), place, "{kind}");
        }
    }

    fn restriction(text: &str) -> Restriction {
        let (kind, percent) = text
            .split_once(' ')
            .map_or((text, None), |(kind, percent)| (kind, Some(percent.parse().unwrap())));
        Restriction {
            kind: kind.to_owned().into(),
            percent,
            notice_days: None,
            blocks: Vec::new(),
            except: Vec::new(),
        }
    }

    #[rstest]
    #[case("limit_credit_line 50", "limit_credit_line 50", true)]
    #[case("limit_credit_line 0", "limit_credit_line 50", true)]
    #[case("limit_credit_line 80", "limit_credit_line 50", false)]
    #[case("raise_rate 150", "raise_rate 130", true)]
    #[case("raise_rate 130", "raise_rate 150", false)]
    #[case::nobody_knows_to_what("raise_rate", "raise_rate 130", false)]
    #[case("freeze_drawdown", "limit_credit_line 50", false)]
    #[case("suspend_account", "freeze_drawdown", true)]
    #[case("suspend_account", "limit_credit_line 0", true)]
    #[case::a_rate_goes_on("suspend_account", "raise_rate 130", false)]
    #[case::a_name_of_the_lenders_own("suspend_account", "no_new_cards", false)]
    fn a_restriction_covers_what_weighs_no_more(
        #[case] one: &str,
        #[case] other: &str,
        #[case] covers: bool,
    ) {
        assert_eq!(restriction(one).covers(&restriction(other)), covers);
    }
}
