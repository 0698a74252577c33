// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The metrics of a process, printed in the Prometheus text exposition format (version 0.0.4).
///
/// A metric is made once, at start-up, with its name and help text; a name that is taken is a bug.
package final class MetricRegistry: Sendable {
  private let metrics = Mutex<[String: any Metric]>([:])

  package init() {}

  package func counter(
    _ name: String, help: String, labels: [String] = []
  ) -> Counter {
    register(Counter(name: name, help: help, labelNames: labels))
  }

  package func gauge(_ name: String, help: String, labels: [String] = []) -> Gauge {
    register(Gauge(name: name, help: help, labelNames: labels))
  }

  /// Makes a histogram.
  ///
  /// - Parameters:
  ///   - name: the name of the metric.
  ///   - help: one sentence for the person on call.
  ///   - labels: the names of its labels.
  ///   - buckets: the upper bounds, ascending, without infinity.
  /// - Returns: the registered histogram.
  package func histogram(
    _ name: String, help: String, labels: [String] = [], buckets: [Double]
  ) -> Histogram {
    register(Histogram(name: name, help: help, labelNames: labels, buckets: buckets))
  }

  /// All metrics in name order, as `GET /metrics` answers.
  package func exposition() -> String {
    let sorted = metrics.withLock { $0.sorted { $0.key < $1.key } }
    return sorted.map { $0.value.exposition() }.joined()
  }

  private func register<M: Metric>(_ metric: M) -> M {
    let former = metrics.withLock { $0.updateValue(metric, forKey: metric.name) }
    precondition(former == nil, "two metrics are named \(metric.name)")
    return metric
  }
}

/// What the registry needs of a metric.
protocol Metric: Sendable {
  var name: String { get }
  func exposition() -> String
}

/// The text of one metric family: its two comment lines and its samples.
struct MetricFamily {
  var name: String
  var help: String
  var type: String
  var labelNames: [String]

  var head: String {
    "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(type)\n"
  }

  /// One sample line; `suffix` and `extra` serve the series of a histogram.
  func sample(
    _ labelValues: [String], _ value: String, suffix: String = "",
    extra: (name: String, value: String)? = nil
  ) -> String {
    var pairs = zip(labelNames, labelValues).map { "\($0)=\"\(Self.escaped($1))\"" }
    if let extra { pairs.append("\(extra.name)=\"\(extra.value)\"") }
    let labels = pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    return "\(name)\(suffix)\(labels) \(value)\n"
  }

  /// A number as Prometheus reads it: integers without a fraction.
  static func text(_ value: Double) -> String {
    Int64(exactly: value).map(String.init) ?? "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool = true) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
