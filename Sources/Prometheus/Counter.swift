// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A number that only grows, one for each combination of label values.
package final class Counter: Metric {
  let name: String
  private let family: MetricFamily
  private let values = Mutex<[[String]: UInt64]>([:])

  init(name: String, help: String, labelNames: [String]) {
    self.name = name
    family = MetricFamily(name: name, help: help, type: "counter", labelNames: labelNames)
    if labelNames.isEmpty { increment(by: 0) }
  }

  /// Adds to the series of these label values, which come in the order of the label names.
  package func increment(by amount: UInt64 = 1, _ labels: String...) {
    precondition(labels.count == family.labelNames.count, "\(name) has other labels")
    values.withLock { $0[labels, default: 0] += amount }
  }

  package func value(_ labels: String...) -> UInt64 { values.withLock { $0[labels] ?? 0 } }

  func exposition() -> String {
    let sorted = values.withLock { values in
      values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
    return sorted.reduce(into: family.head) { $0 += family.sample($1.key, "\($1.value)") }
  }
}

/// A number that goes up and down, one for each combination of label values.
package final class Gauge: Metric {
  let name: String
  private let family: MetricFamily
  private let values = Mutex<[[String]: Double]>([:])

  init(name: String, help: String, labelNames: [String]) {
    self.name = name
    family = MetricFamily(name: name, help: help, type: "gauge", labelNames: labelNames)
    if labelNames.isEmpty { set(0) }
  }

  package func set(_ value: Double, _ labels: String...) {
    precondition(labels.count == family.labelNames.count, "\(name) has other labels")
    values.withLock { $0[labels] = value }
  }

  /// Replaces all series at once; series that are not named disappear.
  package func replace(_ series: [[String]: Double]) { values.withLock { $0 = series } }

  func exposition() -> String {
    let sorted = values.withLock { values in
      values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
    return sorted.reduce(into: family.head) {
      $0 += family.sample($1.key, MetricFamily.text($1.value))
    }
  }
}
