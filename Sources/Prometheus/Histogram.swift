// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts observations by size, one set of buckets for each combination of label values.
package final class Histogram: Metric {
  private struct Series {
    /// One for each bound, then one for infinity; not cumulative.
    var counts: [UInt64]
    var sum = 0.0

    mutating func add(_ value: Double, to bucket: Int) {
      counts[bucket] += 1
      sum += value
    }
  }

  let name: String
  private let family: MetricFamily
  private let bounds: [Double]
  private let series = Mutex<[[String]: Series]>([:])

  init(name: String, help: String, labelNames: [String], buckets: [Double]) {
    precondition(buckets == buckets.sorted(), "the buckets of \(name) are not ascending")
    self.name = name
    family = MetricFamily(name: name, help: help, type: "histogram", labelNames: labelNames)
    bounds = buckets
  }

  package func observe(_ value: Double, _ labels: String...) { record(value, labels) }

  /// Observes a length of time in seconds.
  package func observe(_ duration: Duration, _ labels: String...) {
    record(duration / .seconds(1), labels)
  }

  private func record(_ value: Double, _ labels: [String]) {
    precondition(labels.count == family.labelNames.count, "\(name) has other labels")
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    series.withLock { series in
      series[labels, default: Series(counts: Array(repeating: 0, count: bounds.count + 1))]
        .add(value, to: bucket)
    }
  }

  func exposition() -> String {
    let sorted = series.withLock { series in
      series.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
    return sorted.reduce(into: family.head) { $0 += lines($1.key, $1.value) }
  }

  private func lines(_ labels: [String], _ series: Series) -> String {
    var text = ""
    var cumulative: UInt64 = 0
    for (bound, count) in zip(bounds.map(MetricFamily.text) + ["+Inf"], series.counts) {
      cumulative += count
      text += family.sample(labels, "\(cumulative)", suffix: "_bucket", extra: ("le", bound))
    }
    text += family.sample(labels, MetricFamily.text(series.sum), suffix: "_sum")
    return text + family.sample(labels, "\(cumulative)", suffix: "_count")
  }
}
