// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
// of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

//! A cache of weighed values that drops the least recently used ones.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

struct Entry<V> {
    value: V,
    weight: usize,
    used_at: u64,
}

/// Values with a weight in bytes, in the order of their last use.
pub struct LruCache<K, V> {
    entries: HashMap<K, Entry<V>>,
    order: BTreeMap<u64, K>,
    weight: usize,
    clock: u64,
}

impl<K: Clone + Eq + Hash, V> LruCache<K, V> {
    pub fn new() -> Self {
        LruCache { entries: HashMap::new(), order: BTreeMap::new(), weight: 0, clock: 0 }
    }

    /// The value of a key, which becomes the most recently used one.
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let entry = self.entries.get_mut(key)?;
        let key = self.order.remove(&entry.used_at)?;
        self.clock += 1;
        entry.used_at = self.clock;
        self.order.insert(self.clock, key);
        Some(&entry.value)
    }

    /// Keeps a value of a weight in bytes in place of the key's older one.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        self.clock += 1;
        self.order.insert(self.clock, key.clone());
        self.entries.insert(key, Entry { value, weight, used_at: self.clock });
        self.weight += weight;
    }

    pub fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.used_at);
            self.weight -= entry.weight;
        }
    }

    /// A mark of this moment, for `shrink_to`.
    pub fn now(&self) -> u64 {
        self.clock
    }

    /// Drops the least recently used values until the rest weighs no more than `limit` bytes, but
    /// none that was used after the mark. Returns how many were dropped.
    pub fn shrink_to(&mut self, limit: usize, mark: u64) -> usize {
        let before = self.entries.len();
        while self.weight > limit {
            match self.order.first_key_value() {
                Some((&used_at, key)) if used_at <= mark => {
                    let key = key.clone();
                    self.remove(&key);
                }
                _ => break,
            }
        }
        before - self.entries.len()
    }

    /// The weight of all values in bytes.
    pub fn weight(&self) -> usize {
        self.weight
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_of(weights: &[(&'static str, usize)]) -> LruCache<&'static str, usize> {
        let mut cache = LruCache::new();
        for &(key, weight) in weights {
            cache.insert(key, weight, weight);
        }
        cache
    }

    #[test]
    fn the_least_recently_used_value_goes_first() {
        let mut cache = cache_of(&[("a", 10), ("b", 10), ("c", 10)]);
        assert!(cache.get("a").is_some());
        assert_eq!(cache.shrink_to(20, cache.now()), 1);
        assert!(cache.get("b").is_none());
        assert!(cache.get("a").is_some() && cache.get("c").is_some());
    }

    #[test]
    fn values_used_after_the_mark_stay_even_when_they_are_too_heavy() {
        let mut cache = cache_of(&[("old", 10)]);
        let mark = cache.now();
        cache.insert("new", 0, 500);
        assert_eq!(cache.shrink_to(100, mark), 1);
        assert_eq!((cache.len(), cache.weight()), (1, 500));
        assert_eq!(cache.shrink_to(100, cache.now()), 1);
        assert_eq!((cache.len(), cache.weight()), (0, 0));
    }

    #[test]
    fn a_replaced_value_no_longer_weighs() {
        let mut cache = cache_of(&[("a", 10), ("a", 30)]);
        assert_eq!((cache.len(), cache.weight()), (1, 30));
        cache.remove("a");
        assert_eq!((cache.len(), cache.weight()), (0, 0));
        assert_eq!(cache.shrink_to(0, cache.now()), 0);
    }

    #[test]
    fn the_weight_never_exceeds_the_limit_over_many_inserts() {
        let mut cache = LruCache::new();
        for key in 0..1000_usize {
            cache.insert(key, (), key % 37);
            cache.shrink_to(100, cache.now());
            assert!(cache.weight() <= 100);
        }
    }
}
