//! Merkle trees over lines and over roots, with SHA-256. A leaf and an inner node are hashed apart, as RFC 6962
//! does; a node without a neighbour goes up as it is.

use sha2::{Digest, Sha256};

use crate::history::hex;

/// A hash of SHA-256.
pub(super) type Hash = [u8; 32];

/// The root over lines; of none the hash of nothing.
pub(super) fn root_of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Hash {
    root_of_hashes(
        lines.map(|line| Sha256::new().chain_update([0]).chain_update(line).finalize().into()).collect(),
    )
}

/// The root over the hashes of leaves.
pub(super) fn root_of_hashes(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => {
                    let node = Sha256::new().chain_update([1]).chain_update(left).chain_update(right);
                    node.finalize().into()
                }
                _ => pair.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    level.pop().unwrap_or_else(|| Sha256::digest([]).into())
}

pub(super) fn hex_of(hash: &Hash) -> String {
    hex(hash)
}

/// The bytes of so many hexadecimal digits; none for another text.
pub(crate) fn bytes_of<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    bytes.filter(|_| rest.is_empty())?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_depends_on_every_line_and_on_their_order() {
        let lines = ["a", "b", "c", "d", "e"];
        let whole = root_of_lines(lines.into_iter());
        for missing in 0..lines.len() {
            let mut others = lines.to_vec();
            others.remove(missing);
            assert_ne!(root_of_lines(others.into_iter()), whole, "without {missing}");
        }
        assert_ne!(root_of_lines(lines.into_iter().rev()), whole);
        assert_ne!(root_of_lines(["ab", "c", "d", "e"].into_iter()), whole);
    }

    #[test]
    fn the_root_of_one_line_is_no_hash_of_the_line_alone() {
        let plain: Hash = Sha256::digest("a").into();
        assert_ne!(root_of_lines(["a"].into_iter()), plain);
        assert_eq!(hex_of(&root_of_lines(std::iter::empty())), hex(&Sha256::digest([])));
    }

    #[test]
    fn hexadecimal_digits_are_read_back() {
        let hash = root_of_lines(["a"].into_iter());
        assert_eq!(bytes_of::<32>(&hex_of(&hash)), Some(hash));
        for text in ["", "0", "zz", "00"] {
            assert_eq!(bytes_of::<32>(text), None, "{text}");
        }
    }
}
